"""All pairs as blocks: few, disjoint, and split only where somebody is treated otherwise."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import Family, read_address, read_cidr, render_addresses
from ringfence.algebra.selectors import Selector
from ringfence.algebra.traffic import ALL, render_traffic
from ringfence.model.policy import Action, PodSelector, Tier
from ringfence.semantics.engine import Engine, PairTraffic
from tests.parts import block, cluster_policy, network_policy, node, pod, pods, rule, snapshot, tcp

if TYPE_CHECKING:
    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics.ends import Ends
    from ringfence.semantics.reachability import Block


def written(ends: Ends) -> str:
    """Ends as text."""
    addresses = [render_addresses(ends.addresses)] if ends.addresses else []
    return " ".join([*(each.name for each in ends.pods), *addresses])


def blocks(world: Snapshot, family: Family = Family.IPV4) -> set[tuple[str, str, str]]:
    """The blocks of a world as text."""
    engine = Engine(world)
    found = list(engine.blocks(family))
    texts = {(*sides(engine, b), render_traffic(b.traffic.allowed)) for b in found}
    assert len(texts) == len(found)
    return texts


def sides(engine: Engine, found: Block) -> tuple[str, str]:
    """Both sides of a block as text."""
    return written(engine.ends(found.clients)), written(engine.ends(found.servers))


def test_without_policies_two_blocks_say_everything():
    """Everyone with everyone, but for outsiders among themselves."""
    assert blocks(snapshot(pod("x/a"), pod("x/b"))) == {
        ("a b", "a b 0.0.0.0/0", "all traffic"),
        ("0.0.0.0/0", "a b", "all traffic"),
    }


def test_servers_that_treat_everybody_alike_share_a_block():
    """Two policies with the same meaning make one block of their subjects."""
    open_to_c = (rule(pods("app=c"), traffic=tcp(80)),)
    world = snapshot(
        pod("x/a", "app=a"),
        pod("x/b", "app=b"),
        pod("x/c", "app=c"),
        network_policy("x/a", "app=a", ingress=open_to_c),
        network_policy("x/b", "app=b", ingress=open_to_c),
        network_policy("x/c", "app=c", ingress=()),
    )

    assert blocks(world) == {("c", "a b", "TCP 80"), ("a b c", "0.0.0.0/0", "all traffic")}


def test_what_a_node_may_do_with_its_own_pods_is_told_of_all_nodes_at_once():
    """Nodes do not multiply blocks: one says what happens on any node, and which ends that concerns."""
    hosts = [pod(f"x/h{n}", host_network=True, node=f"n{n}") for n in (1, 2)]
    alike = [pod(f"x/p{n}", "app=p", node=f"n{n}") for n in (1, 2)]
    nodes = node("n1", "192.168.0.1"), node("n2", "192.168.0.2")
    engine = Engine(snapshot(*hosts, *alike, *nodes, network_policy("x/p", "app=p", ingress=(), egress=())))

    (found,) = (b for b in engine.blocks(Family.IPV4) if "p1" in sides(engine, b)[1])
    assert sides(engine, found) == ("h1 h2 192.168.0.1/32, 192.168.0.2/32", "p1 p2")
    assert (found.traffic, found.own_node.allowed) == (PairTraffic(), ALL)


def test_only_ends_that_share_a_node_are_told_of():
    """A node without such a pod, and a pod on a node without addresses, are left out."""
    alike = [pod(f"x/p{n}", "app=p", node=f"n{n}") for n in (1, 3)]
    nodes = node("n1", "192.168.0.1"), node("n2", "192.168.0.2")
    engine = Engine(snapshot(*alike, *nodes, network_policy("x/p", "app=p", ingress=(), egress=())))

    (found,) = engine.blocks(Family.IPV4)
    ((clients, servers),) = engine.own_node_ends(found)
    assert (written(clients), written(servers)) == ("192.168.0.1/32", "p1")


def test_pods_that_are_alike_from_afar_differ_where_one_lets_its_node_in():
    """No NetworkPolicy keeps out the own node, and the Admin tier does."""
    by_admin = cluster_policy("deny", Tier.ADMIN, ingress=(rule(action=Action.DENY),))
    by_admin = replace(by_admin, subject=PodSelector("x", Selector.labels({"app": "b"})))
    closed = pod("x/a", "app=a", node="n"), pod("x/b", "app=b", node="n")
    world = snapshot(*closed, node("n", "192.168.0.1"), network_policy("x/a", "app=a", ingress=()), by_admin)
    engine = Engine(world)

    near = [
        sides(engine, each) for each in engine.blocks(Family.IPV4) if each.own_node.allowed and not each.traffic.allowed
    ]
    assert near == [("192.168.0.1/32", "a")]


def test_the_own_node_is_nothing_special_where_everybody_is_let_in():
    """Nodes do not multiply blocks."""
    alike = [pod(f"x/p{n}", node=f"n{n}") for n in (1, 2)]
    nodes = node("n1", "192.168.0.1"), node("n2", "192.168.0.2")

    assert len(blocks(snapshot(*alike, *nodes))) == 2


def test_directions_that_have_no_traffic_in_common_leave_no_block():
    """What the client may send the server does not take."""
    leave = network_policy("x/leave", "app=a", ingress=(), egress=(rule(traffic=tcp(80)),))
    enter = network_policy("x/enter", "app=b", ingress=(rule(traffic=tcp(81)),), egress=())

    assert blocks(snapshot(pod("x/a", "app=a"), pod("x/b", "app=b"), leave, enter)) == {
        ("a", "0.0.0.0/0", "TCP 80"),
        ("0.0.0.0/0", "b", "TCP 81"),
    }


def test_a_pod_s_own_address_is_not_among_the_addresses():
    """The pod stands for it; the node's address is an address like others."""
    world = snapshot(
        pod("x/a", "app=a", "10.0.0.1"), network_policy("x/p", "app=a", egress=(rule(block("10.0.0.0/30")),))
    )

    assert ("a", "a 10.0.0.0/32, 10.0.0.2/31", "all traffic") in blocks(world)


def test_undecided_traffic_has_a_block_too():
    """A pod whose address is to come is in one block with what it surely and what it perhaps may."""
    policy = network_policy("x/p", "app=a", ingress=(rule(block("10.0.0.0/25"), traffic=tcp(80)),))
    world = snapshot(pod("x/a", "app=a"), pod("x/u", "app=u"), policy, pod_ranges=read_cidr("10.0.0.0/24"))

    engine = Engine(world)
    (found,) = (b for b in engine.blocks(Family.IPV4) if b.traffic.undecided)
    assert sides(engine, found) == ("a u", "a")
    assert (found.traffic.allowed.ranges, found.traffic.undecided) == ((), tcp(80))


def test_a_family_holds_only_the_pods_that_use_it():
    """A pod with an IPv4 address is in no block of IPv6."""
    world = snapshot(pod("x/a", "", "10.0.0.1"), pod("x/b", "", "fd00::1"), families=tuple(Family))

    assert {clients for clients, _, _ in blocks(world, Family.IPV6)} == {"b", "::/0 except fd00::1/128"}
    engine = Engine(world)
    for each in engine.blocks(Family.IPV6):
        clients, servers = engine.ends(each.clients), engine.ends(each.servers)
        assert read_address("fd00::1") not in clients.addresses | servers.addresses


def test_ended_pods_are_in_no_block():
    """They cannot connect any more."""
    assert blocks(snapshot(pod("x/a", terminal=True))) == set()
