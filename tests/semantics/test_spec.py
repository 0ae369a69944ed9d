"""What the definition says beside allowed and denied: reasons, places, assumptions, open points."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ringfence.algebra.addresses import Family, family_of, read_address, read_cidr
from ringfence.algebra.selectors import Selector
from ringfence.algebra.traffic import ALL, Protocol
from ringfence.model.connection import Connection
from ringfence.model.policy import Action, DomainPeer, NodePeer, Tier
from ringfence.semantics.dialects import DIALECTS
from ringfence.semantics.engine import Engine
from ringfence.semantics.spec import verdict
from ringfence.semantics.verdict import Outcome, Undefined
from tests.parts import block, cluster_policy, named, network_policy, node, place, pod, pods, port, rule, snapshot, tcp

if TYPE_CHECKING:
    from ringfence.model.connection import End
    from ringfence.model.policy import Policy, Rule
    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics.verdict import Half, Verdict

A, B = pod("x/a", "app=a"), pod("x/b", "app=b")
HOST = pod("x/h", host_network=True, node="n1")


def judged(world: Snapshot, client: End = B, server: End = A, port: int = 80, via: str | None = None) -> Verdict:
    """The verdict on one TCP connection, from ``x/b`` to ``x/a`` unless said otherwise."""
    return verdict(world, Connection(client, server, Protocol.TCP, port, Family.IPV4, via))


def ingress(*policies: Policy, **facts: object) -> Half:
    """What the policies say at ``x/a`` when ``x/b`` connects to TCP 80."""
    return judged(snapshot(A, B, *policies, **facts)).ingress


def places(origins: tuple) -> list[str]:
    """Where origins point."""
    return [origin.pointer for origin in origins]


def deny(**facts: object) -> tuple[Rule, ...]:
    """A rule that denies everyone."""
    return (rule(action=Action.DENY, **facts),)


def test_without_policies_the_default_is_named():
    """No tier decides, and nothing can be pointed at."""
    half = ingress()

    assert (half.outcome, half.tier, half.origins) == (Outcome.ALLOWED, None, ())
    assert half.reason == "no policy isolates x/a for ingress"


def test_an_isolated_pod_names_all_that_isolates_it():
    """No rule matched; those that miss by peer alone or by traffic alone are nearest."""
    near = (
        rule(pods("app=c"), at="other peer"),
        rule(pods("app=b"), traffic=tcp(81), at="other port"),
        rule(pods("app=c"), traffic=tcp(81), at="neither"),
    )
    half = ingress(network_policy("x/p", ingress=near), network_policy("x/q", ingress=()))

    assert (half.outcome, half.tier) == (Outcome.DENIED, Tier.NETWORK_POLICY)
    assert half.reason == "isolated by x/p, x/q and no rule matched"
    assert places(half.origins) == ["x/p", "x/q"]
    assert places(half.nearest) == ["other peer", "other port"]


def test_an_accepted_connection_names_every_rule_that_accepts_it():
    """Rules are united, so each of them would do."""
    one = network_policy("x/p", ingress=(rule(at="one"), rule(pods("app=c"), at="other")))
    half = ingress(one, network_policy("x/q", ingress=(rule(at="two"),)))

    assert (half.outcome, half.tier, places(half.origins)) == (Outcome.ALLOWED, Tier.NETWORK_POLICY, ["one", "two"])


@pytest.mark.parametrize("tier", [Tier.ADMIN, Tier.BASELINE])
def test_a_tier_names_the_rule_that_decided(tier: Tier):
    """The first that matches, and no other."""
    half = ingress(cluster_policy("p", tier, ingress=(rule(pods("app=c"), at="miss"), *deny(at="hit"))))

    assert (half.outcome, half.tier, places(half.origins)) == (Outcome.DENIED, tier, ["hit"])


def test_the_lower_number_is_consulted_first():
    """Whatever the names, and whatever a higher number says."""
    accept = cluster_policy("z", Tier.ADMIN, priority=1, ingress=(rule(),))
    refuse = cluster_policy("a", Tier.ADMIN, priority=2, ingress=deny())

    assert ingress(accept, refuse).outcome is Outcome.ALLOWED
    assert ingress(refuse).outcome is Outcome.DENIED


def test_a_pass_hands_on_to_the_next_tier():
    """Past the rest of its own tier, to the NetworkPolicy tier, and from Baseline to allow."""
    aside = (rule(action=Action.PASS),)
    over = cluster_policy("a", Tier.ADMIN, priority=0, ingress=aside)
    denying = cluster_policy("b", Tier.ADMIN, priority=1, ingress=deny())

    assert ingress(over, denying).outcome is Outcome.ALLOWED
    assert ingress(over, network_policy("x/p", ingress=())).tier is Tier.NETWORK_POLICY
    assert ingress(over, cluster_policy("b", Tier.BASELINE, ingress=deny())).tier is Tier.BASELINE
    assert ingress(cluster_policy("b", Tier.BASELINE, ingress=(*aside, *deny()))).outcome is Outcome.ALLOWED


def test_isolation_for_one_direction_leaves_the_other_to_the_baseline():
    """A network policy is final for a direction only where it isolates for it."""
    baseline = cluster_policy("b", Tier.BASELINE, ingress=deny(), egress=deny())
    answer = judged(snapshot(A, B, baseline, network_policy("x/p", ingress=(rule(),))))

    assert (answer.ingress.outcome, answer.ingress.tier) == (Outcome.ALLOWED, Tier.NETWORK_POLICY)
    assert (answer.egress.outcome, answer.egress.tier) == (Outcome.DENIED, Tier.BASELINE)


def test_policies_of_equal_priority_that_disagree_are_undecided():
    """Any may be applied first; where they agree, or one stands before the other, nothing is open."""
    accept, refuse = cluster_policy("a", Tier.ADMIN, ingress=(rule(),)), cluster_policy("b", Tier.ADMIN, ingress=deny())
    later = cluster_policy("b", Tier.ADMIN, priority=1, ingress=deny())

    assert [u.topic for u in ingress(accept, refuse).undefined] == ["equal-priority"]
    assert ingress(accept, refuse).outcome is Outcome.UNDECIDED
    assert ingress(accept, refuse).reason == "either accepted by a as a whole or denied by b as a whole"
    assert ingress(accept, later).undefined == ()
    assert ingress(refuse, cluster_policy("c", Tier.ADMIN, ingress=deny())).undefined == ()


def test_a_tie_that_ends_alike_is_decided():
    """Where Pass leads to a denial as well, nobody can tell the difference."""
    first = cluster_policy("a", Tier.ADMIN, ingress=(rule(action=Action.PASS),))
    denying = cluster_policy("b", Tier.ADMIN, ingress=deny())
    half = ingress(first, denying, network_policy("x/p", ingress=()))

    assert (half.outcome, half.undefined) == (Outcome.DENIED, ())
    assert ingress(first, denying).outcome is Outcome.UNDECIDED


def test_a_domain_name_is_undecided_unless_the_answer_is_the_same_without_it():
    """Nobody knows beforehand which addresses it will have; a pod's is not among them."""
    outside = read_address("203.0.113.7")
    accepting = cluster_policy("a", Tier.ADMIN, egress=(rule(DomainPeer(("example.com",), place("d"))),))
    closed = snapshot(A, B, accepting, network_policy("x/p", egress=()))

    half = judged(closed, client=A, server=outside).egress
    assert half.outcome is Outcome.UNDECIDED
    either = "either accepted by a as a whole or isolated by x/p and no rule matched"
    assert half.reason == f"the answer depends on the addresses of example.com: {either}"
    assert judged(closed, client=A, server=B).egress.outcome is Outcome.DENIED
    assert judged(snapshot(A, accepting), client=A, server=outside).egress.outcome is Outcome.ALLOWED


def test_nodes_are_the_addresses_of_nodes_and_the_pods_on_their_network():
    """By the labels of the node; what may be a node's and is not known is undecided."""
    nodes = NodePeer(Selector.labels({"zone": "a"}), place("n"))
    policy = cluster_policy("a", Tier.ADMIN, egress=(rule(nodes, action=Action.DENY),))
    there = replace(node("n1", "192.168.0.1"), labels={"zone": "a"})
    host, unplaced = pod("x/h", host_network=True, node="n1"), pod("x/u", host_network=True)
    world = snapshot(A, host, unplaced, there, node("n2", "192.168.0.2"), policy)

    assert judged(world, client=A, server=host).egress.outcome is Outcome.DENIED
    assert judged(world, client=A, server=unplaced).egress.outcome is Outcome.UNDECIDED
    assert judged(world, client=A, server=read_address("192.168.0.1")).outcome is Outcome.DENIED
    assert judged(world, client=A, server=read_address("192.168.0.2")).outcome is Outcome.ALLOWED
    nowhere = snapshot(A, policy)
    assert judged(nowhere, client=A, server=read_address("192.168.0.2")).outcome is Outcome.UNDECIDED


def test_a_dialect_decides_and_says_who_would_answer_otherwise():
    """Cilium's ipBlock means addresses outside the cluster alone."""
    server = pod("x/a", "", "10.0.0.1")
    world = snapshot(server, B, network_policy("x/p", "app=b", egress=(rule(block("10.0.0.0/8")),)))
    client = replace(B, labels={"app": "b"})
    world = replace(world, pods=(server, client))
    asked = Connection(client, server, Protocol.TCP, 80)

    answer = verdict(world, asked)
    assert (answer.outcome, answer.undefined) == (
        Outcome.ALLOWED,
        (Undefined("ip-block-pods", "kubernetes", ("cilium", "gke")),),
    )
    other = verdict(world, asked, DIALECTS["cilium"])
    assert (other.outcome, other.undefined[0].dialect) == (Outcome.DENIED, "cilium")
    strict = verdict(world, asked, replace(DIALECTS["kubernetes"], strict=True))
    assert strict.outcome is Outcome.UNDECIDED
    assert strict.egress.reason == "the API leaves it open; allowed if accepted by x/p rule None"


def test_icmp_of_an_isolated_pod_is_an_open_point():
    """The API speaks of TCP, UDP and SCTP alone."""
    closed = snapshot(A, B, network_policy("x/p", ingress=()))
    icmp = verdict(closed, Connection(B, A, Protocol.ICMP, 0))

    assert [u.topic for u in icmp.undefined] == ["icmp"]
    assert judged(closed).undefined == ()


def test_a_hairpin_of_an_isolated_pod_is_an_open_point():
    """The NetworkPolicy tier lets it through, which not every plugin does."""
    closed = snapshot(A, network_policy("x/p", ingress=()))
    answer = judged(closed, client=A, via="x/service")

    assert (answer.outcome, [u.topic for u in answer.undefined]) == (Outcome.ALLOWED, ["hairpin"])
    assert answer.ingress.reason == "x/p cannot block a pod's access to itself"
    assert judged(closed, client=A).undefined == ()


def test_the_host_network_is_an_open_point_on_either_side():
    """No selector sees it."""
    to_pods = network_policy("x/p", egress=(rule(pods()),))
    world = snapshot(A, HOST, node("n1", "192.168.0.1"), to_pods)
    closed = snapshot(A, HOST, node("n1", "192.168.0.1"), network_policy("x/p", egress=()))

    assert {u.topic for u in judged(closed, client=HOST).undefined} == {"host-network"}
    assert {u.topic for u in judged(world, client=A, server=HOST).undefined} == {"host-network"}
    assert judged(snapshot(A, HOST), client=HOST).undefined == ()


def test_a_pod_to_its_own_node_is_an_open_point():
    """Two texts of the API disagree; the policy is applied."""
    here = pod("x/a", node="n1")
    world = snapshot(here, node("n1", "192.168.0.1"), network_policy("x/p", egress=()))
    answer = judged(world, client=here, server=read_address("192.168.0.1"))

    assert (answer.outcome, [u.topic for u in answer.undefined]) == (Outcome.DENIED, ["pod-to-own-node"])


def test_the_own_node_is_let_in_before_anything_isolates():
    """It is the NetworkPolicy tier that says so, whether or not a policy isolates the pod."""
    here = pod("x/a", node="n1")
    world = snapshot(here, node("n1", "192.168.0.1"), cluster_policy("b", Tier.BASELINE, ingress=deny()))
    half = judged(world, client=read_address("192.168.0.1"), server=here).ingress

    assert (half.outcome, half.tier) == (Outcome.ALLOWED, Tier.NETWORK_POLICY)
    assert half.reason == "a pod is always reached from its own node"


def test_the_admin_tier_stands_before_the_own_node():
    """An administrator can keep a node out of its pods."""
    here = pod("x/a", node="n1")
    world = snapshot(here, node("n1", "192.168.0.1"), cluster_policy("a", Tier.ADMIN, ingress=deny()))

    assert judged(world, client=read_address("192.168.0.1"), server=here).outcome is Outcome.DENIED


def test_peers_without_a_node_are_not_on_the_same_one():
    """A pod whose node is not known has none, and an address that is no node's is on none."""
    world = snapshot(A, HOST, network_policy("x/p", ingress=()))

    assert judged(world, client=pod("x/h", host_network=True)).outcome is Outcome.DENIED
    assert judged(world, client=read_address("203.0.113.7")).outcome is Outcome.DENIED


def test_a_node_that_is_not_known_yet_is_assumed_to_be_another():
    """Where a pod will run decides whether a node reaches it, unless nothing or an administrator denies it."""
    address = read_address("192.168.0.1")
    host = pod("x/h", host_network=True, node="n1")
    closed = network_policy("x/p", ingress=())
    world = snapshot(A, pod("x/b", node="n2"), node("n1", "192.168.0.1"), closed)

    assert [a.topic for a in judged(world, client=address, server=world.pods[0]).assumptions] == ["pod-node"]
    assert [a.topic for a in judged(world, client=host, server=world.pods[0]).assumptions] == ["pod-node"]
    assert judged(world, client=host, server=world.pods[1]).assumptions == ()
    assert judged(world, client=read_address("203.0.113.7"), server=world.pods[0]).assumptions == ()
    opened = snapshot(A, node("n1", "192.168.0.1"))
    assert judged(opened, client=address, server=A).assumptions == ()
    kept_out = snapshot(A, node("n1", "192.168.0.1"), cluster_policy("a", Tier.ADMIN, ingress=deny()))
    assert judged(kept_out, client=address, server=A).assumptions == ()


def test_port_names_are_resolved_at_the_destination():
    """At the peer for egress, at the subject for ingress, and nowhere outside."""
    server, client = pod("x/a", ports=(port("web", 80),)), pod("x/b", ports=(port("web", 81),))
    out = snapshot(server, client, network_policy("x/p", egress=(rule(**named("web")),)))
    into = snapshot(server, client, network_policy("x/p", ingress=(rule(**named("web")),)))

    for world in (out, into):
        assert judged(world, client, server, port=80).outcome is Outcome.ALLOWED
        assert judged(world, client, server, port=81).outcome is Outcome.DENIED
    assert judged(out, client, read_address("203.0.113.7"), port=80).outcome is Outcome.DENIED


def test_a_client_that_may_speak_from_a_tunnel_is_judged_from_both_addresses():
    """As a server it has its node's address alone, and on its own node nobody asks for an address."""
    from_nodes = network_policy(
        "x/p", ingress=(rule(block("192.168.0.0/16")),), egress=(rule(block("192.168.0.0/16")),)
    )
    behind = replace(node("n1", "192.168.0.1"), tunnels=(read_address("10.9.0.1"), read_address("fd00::1")))
    far, near = (pod("x/a", "app=a", "10.0.0.1", node=on) for on in ("n2", "n1"))
    world = snapshot(far, HOST, behind, from_nodes)
    half = judged(world, HOST, far).ingress

    assert half.outcome is Outcome.UNDECIDED
    assert half.reason == (
        "the answer depends on the address that x/h speaks from, its node's or that of a tunnel: "
        "either accepted by x/p rule None or isolated by x/p and no rule matched"
    )
    assert judged(world, HOST, near).outcome is Outcome.ALLOWED
    assert judged(world, far, HOST).outcome is Outcome.ALLOWED
    both = replace(
        world, policies=(network_policy("x/p", ingress=(rule(block("10.0.0.0/8"), block("192.168.0.0/16")),)),)
    )
    assert judged(both, HOST, far).outcome is Outcome.ALLOWED


def test_an_address_taken_to_lie_outside_a_block_is_an_assumption():
    """Said only where another address would change the answer, with the rule that would."""
    policy = network_policy("x/p", ingress=(rule(block("10.0.0.0/8"), at="block"),))
    half = ingress(policy)

    assert half.outcome is Outcome.DENIED
    assert [(a.topic, places(a.origins)) for a in half.assumptions] == [("pod-address", ["block"])]
    assert ingress(network_policy("x/p", ingress=(rule(block("0.0.0.0/0")),))).assumptions == ()
    assert ingress(policy, pod_ranges=read_cidr("192.168.0.0/16")).assumptions == ()


def test_a_range_that_a_block_cuts_settles_nothing():
    """The answer names the address it depends on, and the rules that differ."""
    policy = network_policy("x/p", ingress=(rule(block("10.0.0.0/25"), at="block"),))
    half = ingress(policy, pod_ranges=read_cidr("10.0.0.0/24"))

    assert half.outcome is Outcome.UNDECIDED
    assert half.reason.startswith("the answer depends on the address that x/b will get: either accepted by x/p rule ")
    assert set(places(half.origins)) == {"block", "x/p"}


def test_what_is_on_no_pod_network_is_not_judged():
    """An address outside, and a pod on its node's network."""
    world = snapshot(A, HOST, node("n1"))

    outside = judged(world, client=read_address("203.0.113.7")).egress
    assert outside.reason == "the address is on no pod network, so no policy applies to it"
    assert judged(world, client=HOST).egress.reason == "no policy applies to x/h on the network of a node"


def test_an_ended_pod_is_nobody():
    """Its labels match no more, whatever address it had."""
    ended = pod("x/b", "app=b", terminal=True)
    world = snapshot(A, ended, network_policy("x/p", ingress=(rule(pods("app=b")),)))

    assert judged(world, client=ended).outcome is Outcome.DENIED


@pytest.mark.parametrize("address", ["127.0.0.1", "127.255.255.255", "::1"])
def test_no_policy_stops_a_pod_from_speaking_to_its_own_loopback(address: str):
    """Kubernetes documentation, Network Policies: pods cannot block localhost access; not even an Admin policy does."""
    deny = cluster_policy("guard", Tier.ADMIN, egress=(rule(action=Action.DENY),))
    world = snapshot(A, B, deny, network_policy("x/p", egress=()))

    assert judged(world, A, read_address(address)).outcome is Outcome.ALLOWED
    assert judged(world, A, read_address(address)).egress.reason == "a pod always reaches its own loopback"
    assert judged(world, A, read_address("128.0.0.1")).outcome is Outcome.DENIED
    assert Engine(world).allowed(A, read_address(address), family_of(read_address(address))).allowed == ALL


def test_a_rule_that_passed_is_named_before_what_decides_below():
    """Each tier that passed it is told, and so is the default; of equal priority, all that pass."""
    anyone = (rule(action=Action.PASS, at="pass"),)
    top, base = cluster_policy("top", Tier.ADMIN, ingress=anyone), cluster_policy("base", Tier.BASELINE, ingress=anyone)
    equal = cluster_policy("twin", Tier.ADMIN, ingress=(rule(action=Action.PASS, at="twin"),))
    denying = ingress(top, cluster_policy("base", Tier.BASELINE, ingress=deny(at="no")))
    isolated = ingress(top, network_policy("x/p", ingress=()))
    default = ingress(top, equal, base)

    assert denying.reason == "passed by top as a whole, then denied by base as a whole"
    assert (places(denying.passed), places(denying.origins)) == (["pass"], ["no"])
    assert isolated.reason == "passed by top as a whole, then isolated by x/p and no rule matched"
    passed = "passed by top as a whole or twin as a whole, then passed by base as a whole"
    assert default.reason == f"{passed}, then no policy isolates x/a for ingress"
    assert (default.tier, places(default.passed), default.origins) == (None, ["pass", "twin", "pass"], ())


def test_a_tie_between_deny_and_pass_names_both():
    """Either may be applied: one denies, the other leaves it to nobody."""
    passing = cluster_policy("p2", Tier.ADMIN, ingress=(rule(action=Action.PASS, at="pass"),))
    half = ingress(cluster_policy("p1", Tier.ADMIN, ingress=deny(at="no")), passing)

    either = "passed by p2 as a whole, then no policy isolates x/a for ingress or denied by p1 as a whole"
    assert (half.outcome, half.reason) == (Outcome.UNDECIDED, f"either {either}")
    assert (places(half.origins), places(half.passed)) == (["no"], ["pass"])


def test_a_rule_that_perhaps_passed_is_said_to():
    """Nobody knows which addresses a name has, so the rule may not have matched."""
    passing = rule(DomainPeer(("example.com",), place("d")), action=Action.PASS, at="pass")
    policies = cluster_policy("top", Tier.ADMIN, egress=(passing,)), cluster_policy("b", Tier.BASELINE, egress=deny())
    half = judged(snapshot(A, *policies), A, read_address("192.0.2.1")).egress

    assert half.reason == "perhaps passed by top as a whole, then denied by b as a whole"


def test_a_client_may_be_on_the_own_node_where_that_would_settle_a_tie():
    """The rule of the own node goes before NetworkPolicies, and not before the Admin tier."""
    client = pod("x/c", "", "192.168.0.1", host_network=True)
    passing = cluster_policy("b", Tier.ADMIN, ingress=(rule(action=Action.PASS),))
    accepting, denying = (
        snapshot(A, client, cluster_policy("a", Tier.ADMIN, ingress=(rule(action=action),)), passing, lower)
        for action, lower in (
            (Action.ACCEPT, network_policy("x/p", ingress=())),
            (Action.DENY, network_policy("x/p", ingress=(rule(),))),
        )
    )
    halves = [judged(world, client, A).ingress for world in (accepting, denying)]

    assert [half.outcome for half in halves] == [Outcome.UNDECIDED] * 2
    assert [[each.topic for each in half.assumptions] for half in halves] == [["pod-node"], []]
