"""Differences between two worlds, as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.algebra.addresses import Family, render_addresses
from ringfence.algebra.traffic import render_traffic
from ringfence.analysis.comparison import Comparison
from ringfence.analysis.difference import accounts, difference
from ringfence.model.policy import Action, Tier
from ringfence.semantics.engine import Engine
from tests.parts import block, cluster_policy, network_policy, node, pod, pods, rule, snapshot, tcp

if TYPE_CHECKING:
    from ringfence.analysis.difference import Shift
    from ringfence.model.policy import Policy
    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics.ends import Ends

A, B = pod("x/a", "app=a", "10.0.0.1"), pod("x/b", "app=b", "10.0.0.2")
CLOSED = network_policy("x/p", "app=b", ingress=())


def shown(before: Snapshot, after: Snapshot) -> list[tuple[str, str, str, str, str]]:
    """The rows between ends that both worlds have."""
    return [row(shift) for shift in difference(Engine(before), Engine(after)).shifts]


def row(shift: Shift) -> tuple[str, str, str, str, str]:
    """One of them in words."""
    said = f"{shift.before.value} {shift.after.value}"
    return name(shift.clients), name(shift.servers), render_traffic(shift.traffic), said, shift.where.value


def name(ends: Ends) -> str:
    """Pods by name; addresses as such."""
    return " ".join(map(str, ends.pods)) or "addresses"


def test_only_what_differs_is_told():
    """A rule more is its traffic, and nothing of what passed before."""
    before = snapshot(A, B, network_policy("x/p", "app=b", ingress=(rule(pods("app=a"), traffic=tcp(80)),)))
    after = snapshot(A, B, network_policy("x/q", "app=b", ingress=(rule(pods("app=a"), traffic=tcp(80, 81)),)))

    assert shown(before, after) == [("x/a", "x/b", "TCP 81", "denied allowed", "anywhere")]
    assert shown(after, before) == [("x/a", "x/b", "TCP 81", "allowed denied", "anywhere")]
    assert shown(before, before) == []
    assert not difference(Engine(before), Engine(before))


def test_a_node_that_is_let_in_all_the_same_loses_nothing():
    """Pods are always reached from their own node, so a new isolation closes other nodes alone."""
    server = pod("x/s", "app=b", "10.0.1.1", node="n1")
    nodes = node("n1", "192.168.0.1"), node("n2", "192.168.0.2")
    before, after = snapshot(server, *nodes), snapshot(server, *nodes, CLOSED)

    found = difference(Engine(before), Engine(after)).shifts
    assert [row(shift) for shift in found] == [
        ("addresses", "x/s", "all traffic", "allowed denied", "anywhere"),
        ("addresses", "x/s", "all traffic", "allowed denied", "other nodes"),
    ]
    assert [render_addresses(found[1].clients.addresses)] == ["192.168.0.1/32, 192.168.0.2/32"]


def test_what_a_cluster_says_to_the_own_node_is_told_apart():
    """An Admin policy is asked before the rule of the own node, and denies there what was open."""
    host = pod("x/h", "", node="n1", host_network=True)
    server = pod("x/s", "app=b", "10.0.1.1", node="n1")
    nodes = node("n1", "192.168.0.1"), node("n2", "192.168.0.2")
    guard = cluster_policy("g", Tier.ADMIN, ingress=(rule(action=Action.DENY, traffic=tcp(80)),))

    assert ("x/h", "x/s", "TCP 80", "allowed denied", "own node") in shown(
        snapshot(host, server, *nodes, CLOSED), snapshot(host, server, *nodes, CLOSED, guard)
    )


def test_exposures_are_what_opens_to_addresses():
    """Pods that gain something do not count, new pods that are open do, and so does what may open."""
    before = snapshot(A, B, CLOSED)
    inside = difference(Engine(before), Engine(snapshot(A, B, network_policy("x/p", "app=b", ingress=(rule(pods()),)))))
    outside = difference(
        Engine(before), Engine(snapshot(A, B, network_policy("x/p", "app=b", ingress=(rule(block("192.0.2.0/24")),))))
    )
    added = difference(Engine(before), Engine(snapshot(A, B, pod("x/c", "", "10.0.0.3"), CLOSED)))
    unsettled = difference(Engine(before), Engine(snapshot(A, B, *equals(Action.ACCEPT, Action.DENY), CLOSED)))

    assert (bool(inside), inside.exposures) == (True, ())
    assert [name(each.servers) for each in outside.exposures] == ["x/b"]
    assert [name(each.servers) for each in added.exposures] == ["x/c"]
    assert [name(each.servers) for each in unsettled.exposures] == ["x/b"]
    assert {row(shift)[3] for shift in unsettled.shifts if not shift.opens} == {"allowed undecided"}


def equals(*actions: Action) -> list[Policy]:
    """Policies of one priority that say different things of all traffic to all pods."""
    return [
        cluster_policy(f"p{number}", Tier.ADMIN, 1, ingress=(rule(action=action),))
        for number, action in enumerate(actions)
    ]


def test_each_row_is_accounted_for_on_both_sides_of_both_worlds():
    """Pods that have been made anew are asked about under the names that they had."""
    old = pod("x/b-1", "app=b", workload="Deployment/b")
    new = pod("x/b-2", "app=b", workload="Deployment/b")
    opened = network_policy("x/q", "app=b", ingress=(rule(pods("app=a")),))
    before, after = Engine(snapshot(A, old, CLOSED)), Engine(snapshot(A, new, opened))
    (account,) = accounts(before, after, difference(before, after).shifts)

    assert [each.unjudged for each in (*account.before, *account.after)] == [True, False, True, False]
    assert [ground.name for ground in account.before[1].deciding] == ["x/p"]
    assert [ground.name for ground in account.after[1].deciding] == ["x/q"]


def test_what_would_differ_on_an_own_node_alone_is_no_change_where_nobody_shares_one():
    """An isolation in the place of a rule of the Admin tier would let the own node in, of which nothing is known."""
    guard = cluster_policy("g", Tier.ADMIN, ingress=(rule(action=Action.DENY),))
    server = pod("x/s", "app=b", "10.0.1.1", node="n1")
    whole = network_policy("x/p", "app=a", ingress=())
    other = node("n2", "192.168.0.2")
    before, after = snapshot(A, server, other, guard), snapshot(A, server, other, CLOSED, whole)

    assert list(Comparison(Engine(before), Engine(after), Family.IPV4).changes()) == []
