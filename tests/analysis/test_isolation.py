"""Groups that must not reach each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.algebra.addresses import Family
from ringfence.analysis.isolation import Isolation
from ringfence.model.policy import Action, Tier
from ringfence.semantics.ends import Ends
from ringfence.semantics.engine import Engine
from ringfence.semantics.summary import Meant
from tests.parts import cluster_policy, network_policy, node, pod, pods, rule, snapshot, tcp

if TYPE_CHECKING:
    from ringfence.model.snapshot import Snapshot


def isolation(world: Snapshot, *groups: str) -> Isolation:
    """Groups of pods, each by its namespaces."""
    meant = [
        (Meant(Ends(tuple(p for p in world.pods if p.namespace in names.split())), Family.IPV4),) for names in groups
    ]
    return Isolation(Engine(world), meant, Family.IPV4)


def shown(found: Isolation) -> list[tuple[str, str]]:
    """Pairs that leak."""
    return [(str(client), str(server)) for client, server, _ in found.leaks()]


def closed(*names: str):
    """A policy for each namespace that lets its own pods in alone."""
    return [network_policy(f"{name}/own", "", ingress=(rule(pods("", name)),)) for name in names]


def test_groups_with_a_policy_each_are_isolated_by_these_policies():
    """What accepts the own pods is no part of the proof."""
    world = snapshot(pod("x/a"), pod("x/b"), pod("y/c"), *closed("x", "y"))
    found = isolation(world, "x", "y")

    assert shown(found) == []
    assert [each.name for each in found.grounds()] == ["x/own", "y/own"]


def test_a_group_of_several_namespaces_may_reach_itself():
    """Only what crosses groups leaks."""
    world = snapshot(pod("x/a"), pod("z/b"), pod("y/c"), *closed("y"))

    assert shown(isolation(world, "x z", "y")) == [("y/c", "x/a")]


def test_where_servers_let_others_in_the_clients_keep_them_apart():
    """Then the proof names what holds them back."""
    back = [network_policy(f"{name}/back", "", egress=(rule(pods("", name)),)) for name in "xy"]
    world = snapshot(pod("x/a"), pod("y/c"), *back)
    found = isolation(world, "x", "y")

    assert shown(found) == []
    assert [each.name for each in found.grounds()] == ["x/back", "y/back"]


def test_what_lets_others_in_is_no_part_of_the_proof():
    """The clients' own policies are, and those of servers that refuse."""
    door = network_policy("x/door", "", ingress=(rule(pods()),), egress=())
    back = network_policy("y/back", "", ingress=(), egress=())
    found = isolation(snapshot(pod("x/a"), pod("y/c"), door, back), "x", "y")

    assert shown(found) == []
    assert [(each.name, each.denies) for each in found.grounds()] == [("y/back", True), ("y/back", True)]


def test_a_rule_that_denies_keeps_apart():
    """Of the Admin tier."""
    deny = cluster_policy("all", Tier.ADMIN, ingress=(rule(pods(), action=Action.DENY),))
    found = isolation(snapshot(pod("x/a"), pod("y/c"), deny), "x", "y")

    assert shown(found) == []
    assert {each.name for each in found.grounds()} == {"all"}


def test_pods_that_no_policy_tells_apart_leak_where_one_of_them_does():
    """They are alike in everything but the group."""
    world = snapshot(pod("x/a"), pod("y/c"))

    assert shown(isolation(world, "x", "y")) == [("x/a", "y/c"), ("y/c", "x/a")]


def test_a_pod_on_the_network_of_a_node_reaches_those_on_its_node():
    """No policy of the NetworkPolicy tier keeps it away, and those on other nodes are kept apart."""
    host = pod("x/host", node="n1", host_network=True)
    near, far = pod("y/near", node="n1"), pod("y/far", node="n2")
    both = [network_policy("y/own", "", ingress=(), egress=())]
    world = snapshot(host, near, far, node("n1", "192.168.0.1"), node("n2", "192.168.0.2"), *both)

    assert shown(isolation(world, "x", "y")) == [("x/host", "y/near")]


def test_one_port_is_enough():
    """Whatever passes leaks."""
    door = network_policy("y/door", "", ingress=(rule(pods(), traffic=tcp(80)),))
    world = snapshot(pod("x/a"), pod("y/c"), *closed("x"), door)

    assert shown(isolation(world, "x", "y")) == [("x/a", "y/c")]
