"""One policy by itself and among the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ringfence.analysis.describing import Description, describe, find_policy
from ringfence.errors import InputError
from ringfence.model.policy import Tier
from ringfence.semantics.engine import Engine
from tests.parts import block, cluster_policy, named, network_policy, pod, pods, port, rule, snapshot, tcp

if TYPE_CHECKING:
    from ringfence.model.snapshot import Snapshot


def described(world: Snapshot, name: str) -> Description:
    """The policy of a name."""
    return describe(Engine(world), find_policy(world, name, "x"))


def traps(world: Snapshot, name: str) -> list[str]:
    """What its author may not mean."""
    return [trap.text for trap in described(world, name).traps]


def test_whom_it_selects_and_whom_its_rules_mean():
    """Pods by their labels now, and addresses as they are written."""
    a, b = pod("x/a", "app=a"), pod("y/b", "app=b")
    found = described(
        snapshot(a, b, network_policy("x/p", "app=a", ingress=(rule(pods("app=b"), block("10.0.0.0/8")),))), "p"
    )

    assert found.selected == (a,)
    (clause,) = found.clauses
    assert [meaning.pods for meaning in clause.peers] == [(b,), ()]


def test_what_it_changes_given_all_the_others():
    """It closes what it isolates, less what it accepts; a second one of the same changes nothing."""
    one, other = (network_policy(f"x/{name}", "", ingress=(rule(pods(), traffic=tcp(80)),)) for name in "pq")
    a = pod("x/a")

    (closed, *_) = described(snapshot(a, pod("y/b"), one), "p").change.shifts
    assert not closed.opens
    assert not described(snapshot(a, pod("y/b"), one, other), "p").change
    assert traps(snapshot(a, pod("y/b"), one, other), "p") == ["changes no connection, given all the other policies"]


def test_a_policy_that_selects_nobody():
    """It says nothing of any connection."""
    assert traps(snapshot(pod("x/a"), network_policy("x/p", "app=gone", ingress=())), "p") == ["selects no pod"]


def test_peers_and_ports_that_nobody_has():
    """Ingress rules ask the selected pods for a port by name, egress rules their peers."""
    a, b = pod("x/a", "app=a", ports=(port("web", 80),)), pod("x/b", "app=b")
    known, gone = rule(pods("app=b"), **named("web")), rule(pods("app=gone"))
    world = snapshot(a, b, network_policy("x/p", "app=a", ingress=(known, gone), egress=(known,)))

    assert traps(world, "p") == [
        "ingress as a whole has a peer that matches no pod",
        "egress as a whole names port web, which no peer has",
    ]


def test_rules_in_a_direction_that_it_does_not_isolate():
    """They have no effect."""
    policy = network_policy("x/p", "", ingress=(rule(),))
    world = snapshot(pod("x/a"), pod("y/b"), network_policy("x/q", "", egress=()), policy)
    egress = type(policy)(**{each: getattr(policy, each) for each in policy.__slots__} | {"egress": (rule(),)})
    found = snapshot(*world.pods, egress)

    assert "egress as a whole has no effect: policyTypes leave Egress out" in traps(found, "p")


def test_a_policy_is_found_by_kind_and_name():
    """In short, in full, in the plural, and without a kind where one policy alone has the name."""
    world = snapshot(pod("x/a"), network_policy("x/p", ""), cluster_policy("p", Tier.ADMIN), network_policy("x/q", ""))

    for name in ("netpol/x/p", "NetworkPolicy/x/p", "networkpolicies/p", "x/p"):
        assert find_policy(world, name, "x").name == "x/p"
    assert find_policy(world, "cnp/p", "x").name == "p"
    with pytest.raises(InputError, match="p is the name of several policies"):
        find_policy(world, "p", "x")
    with pytest.raises(InputError, match="no policy is named netpol/x/r"):
        find_policy(world, "netpol/x/r", "x")
