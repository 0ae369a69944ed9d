"""Classes and atoms tell apart what policies can tell apart, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given

from ringfence.algebra.addresses import EVERY, Family, read_address, read_cidr
from ringfence.algebra.intervals import Intervals
from ringfence.algebra.selectors import Operator, Requirement, Selector
from ringfence.model.cluster import Node, Pod
from ringfence.model.policy import BlockPeer, Direction, DomainPeer, NodePeer, PodPeer, PodSelector, Tier
from ringfence.semantics.sets import INTEGERS
from ringfence.semantics.universe import Universe
from tests.parts import block, cluster_policy, named, network_policy, node, place, pod, pods, port, rule, snapshot
from tests.worlds import ends, snapshots

if TYPE_CHECKING:
    from ringfence.model.policy import Policy
    from ringfence.model.snapshot import Snapshot

WEB = (port("web", 80),)


def classes(*parts: Pod | Policy, **facts: object) -> list[list[str]]:
    """The names of the pods of each class."""
    return [[each.name for each in members] for members in Universe(snapshot(*parts, **facts)).members]


@given(snapshots())
def test_a_class_is_in_the_selectors_that_match_its_pods(world: Snapshot):
    """The index finds what asking every selector finds."""
    universe = Universe(world)
    subjects = {universe.number_of(policy.subject): policy.subject for policy in world.policies}
    for members, pod_class in zip(universe.members, universe.classes, strict=True):
        for each in members:
            labels = world.namespace_labels(each.namespace)
            expected = {number for number, subject in subjects.items() if subject.selects(each, labels)}

            assert set(pod_class.selectors) & set(subjects) == expected


@given(snapshots())
def test_a_peer_means_the_atoms_of_the_ends_that_it_matches(world: Snapshot):
    """Pods by their labels, addresses by the blocks that hold them, and everyone."""
    universe = Universe(world)
    rules = [each for policy in world.policies for direction in Direction for each in policy.rules(direction)]
    for end, family in ends(world):
        if isinstance(end, Pod) and family not in world.addresses_of(end):
            continue
        (atom,) = universe.atoms_of(end, family)
        address = world.addresses_of(end)[family] if isinstance(end, Pod) else end
        there = end if isinstance(end, Pod) else world.pod_at(end)
        for peer in (peer for each in rules for peer in each.peers):
            match peer:
                case BlockPeer(addresses=held):
                    expected = address in held
                case PodPeer(pods=selector):
                    labels = world.namespace_labels(there.namespace) if there else {}
                    expected = there is not None and selector.selects(there, labels)
                case NodePeer(nodes=nodes):
                    expected = world.is_on_node(end, nodes)
                case DomainPeer():
                    expected = False if there and there.selectable else None
                case _:
                    expected = True
            surely, possibly = (bool(meant >> atom & 1) for meant in universe.meant_by(peer))
            assert (surely, possibly) == (expected is True, expected is not False)


@given(snapshots())
def test_every_address_is_at_one_atom(world: Snapshot):
    """Atoms share no address, hold all of both families, and each holds those that lead to it."""
    universe = Universe(world)

    assert Intervals.union(universe.addresses) == Intervals.union(EVERY.values())
    assert sum(held.count() for held in universe.addresses) == sum(all_of.count() for all_of in EVERY.values())
    for end, family in ends(world):
        if not isinstance(end, Pod):
            assert end in universe.addresses[universe.atoms_of(end, family)[0]]


def test_labels_that_no_selector_names_tell_no_pods_apart():
    """Noise such as a template's hash vanishes."""
    assert classes(pod("x/a", "hash=1"), pod("x/b", "hash=2"), network_policy("x/p", "app=a")) == [["a", "b"]]


def test_pods_of_other_namespaces_are_alike_when_no_scope_tells_them_apart():
    """A namespace matters where a policy of it, or a selector of namespaces, speaks of it."""
    everywhere = cluster_policy("p", Tier.ADMIN, ingress=(rule(),))

    assert classes(pod("x/a"), pod("y/b"), everywhere) == [["a", "b"]]
    assert classes(pod("x/a"), pod("y/b"), network_policy("x/p")) == [["a"], ["b"]]


def test_the_node_is_no_part_of_a_class():
    """Classes would multiply by the nodes."""
    nodes = node("n1", "192.168.0.1"), node("n2", "192.168.0.2")
    both = [pod("x/a", host_network=True, node="n1"), pod("x/b", host_network=True, node="n2")]

    assert classes(pod("x/a", node="n1"), pod("x/b", node="n2"), *nodes) == [["a", "b"]]
    assert classes(*both, *nodes) == [["a", "b"]]


def test_host_network_pods_are_apart_and_ended_pods_are_nowhere():
    """No policy selects the first; the second cannot connect."""
    others = pod("x/b", host_network=True), pod("x/c", terminal=True)

    assert classes(pod("x/a"), *others) == [["a"], ["b"]]


@pytest.mark.parametrize(
    ("policy", "apart"),
    [
        (network_policy("x/p", ingress=(rule(**named("web")),)), True),
        (network_policy("x/p", ingress=(rule(**named("dns")),)), False),
        (network_policy("y/p", ingress=(rule(**named("web")),)), False),
        (network_policy("y/p", egress=(rule(**named("web")),)), True),
        (network_policy("y/p", egress=(rule(pods(scope="x"), **named("web")),)), True),
        (network_policy("y/p", egress=(rule(pods(scope="y"), **named("web")),)), False),
    ],
)
def test_named_ports_tell_pods_apart_where_a_policy_asks_for_them(policy: Policy, apart: bool):  # noqa: FBT001
    """Ingress rules ask their subject, egress rules their peers."""
    found = classes(pod("x/a", ports=WEB), pod("x/b"), policy)

    assert found == ([["a"], ["b"]] if apart else [["a", "b"]])


def test_addresses_tell_pods_apart_where_a_block_does():
    """Addresses in the same blocks are alike, whatever they are."""
    found = [pod("x/a", "", "10.0.0.1"), pod("x/b", "", "10.0.0.2"), pod("x/c", "", "10.0.1.1")]
    policy = network_policy("x/p", ingress=(rule(block("10.0.0.0/24")),))

    assert classes(*found) == [["a", "b", "c"]]
    assert classes(*found, policy) == [["a", "b"], ["c"]]


def test_families_tell_pods_apart():
    """A pod with one family cannot use the other."""
    assert classes(pod("x/a", "", "10.0.0.1"), pod("x/b", "", "10.0.0.2", "fd00::1")) == [["a"], ["b"]]


def test_a_pod_without_an_address_may_be_at_each_atom_of_its_range():
    """One atom where no block cuts the range, or where no range is known."""
    policy = network_policy("x/p", ingress=(rule(block("10.0.0.0/25")),))
    ranges = read_cidr("10.0.0.0/24")

    for world, count in (
        (snapshot(pod("x/a"), policy), 1),
        (snapshot(pod("x/a"), policy, pod_ranges=ranges), 2),
        (snapshot(pod("x/a"), policy, pod_ranges=read_cidr("10.0.0.0/26")), 1),
        (snapshot(pod("x/a", host_network=True), policy, pod_ranges=ranges), 1),
    ):
        assert len(Universe(world).atoms_of(world.pods[0], Family.IPV4)) == count


def test_only_what_is_on_a_node_s_network_is_on_its_atoms():
    """Host-network pods and node addresses; nodes that no selector tells apart share them."""
    host, other = pod("x/a", host_network=True, node="n1"), pod("x/b", host_network=True, node="n2")
    nodes = [node(f"n{number}", f"192.168.0.{number}") for number in (1, 2)]
    universe = Universe(snapshot(host, other, pod("x/c", node="n1"), *nodes))
    near = [universe.atoms_of(end, Family.IPV4) for end in (host, *(each.addresses[0] for each in nodes))]

    assert set(universe.sets.ids(universe.on_nodes)) == {atom for atoms in near for atom in atoms}
    assert len(universe.atoms) == 5
    assert universe.nodes_of(universe.on_nodes) == {"n1", "n2"}


def test_nodes_that_a_selector_tells_apart_have_atoms_of_their_own():
    """The atom knows what the selector says of its node."""
    pools = [Node(f"n{n}", {"pool": pool}, (read_address(f"192.168.0.{n}"),)) for n, pool in enumerate("aab")]
    policy = cluster_policy("p", Tier.ADMIN, egress=(rule(NodePeer(Selector.labels({"pool": "a"}), place())),))
    universe = Universe(snapshot(pod("x/a"), *pools, policy))
    one, alike, other = (universe.atoms_of(each.addresses[0], Family.IPV4) for each in pools)

    assert one == alike != other


def test_outside_are_the_addresses_that_no_pod_has():
    """Nodes among them; a region that pods fill altogether is not there."""
    policy = network_policy("x/p", ingress=(rule(block("10.0.0.1/32")),))
    universe = Universe(snapshot(pod("x/a", "", "10.0.0.1"), node("n1", "192.168.0.1"), policy))
    outside = universe.outside(Family.IPV4)

    assert Intervals.union(universe.addresses[n] for n in outside) == EVERY[Family.IPV4] - read_cidr("10.0.0.1/32")
    assert INTEGERS.of(outside) & universe.of_family(Family.IPV4) == INTEGERS.of(outside)
    assert not universe.of_family(Family.IPV4) & universe.of_family(Family.IPV6)


def test_pods_that_are_not_there_are_an_error():
    """A pod that ended, one of another snapshot, and one without the family."""
    ended, own = pod("x/a", terminal=True), pod("x/b", "", "10.0.0.1")
    universe = Universe(snapshot(ended, own))

    for wrong, family in ((ended, Family.IPV4), (pod("x/c"), Family.IPV4), (own, Family.IPV6)):
        with pytest.raises(KeyError):
            universe.atoms_of(wrong, family)


def test_selectors_are_found_by_any_value_of_a_requirement():
    """A selector is filed under each value that would satisfy it, or under none."""
    found = [pod("x/a", "app=a"), pod("x/b", "app=b"), pod("x/c", "app=c"), pod("x/d")]
    wanted = {
        Requirement("app", Operator.IN, ("a", "b")): [["a", "b"], ["c", "d"]],
        Requirement("app", Operator.NOT_IN, ("a",)): [["a"], ["b", "c", "d"]],
        Requirement("app", Operator.EXISTS): [["a", "b", "c"], ["d"]],
        Requirement("app", Operator.DOES_NOT_EXIST): [["a", "b", "c"], ["d"]],
    }
    for requirement, expected in wanted.items():
        peer = PodPeer(PodSelector("x", Selector.of([requirement])), rule().origin)

        assert classes(*found, network_policy("y/p", ingress=(rule(peer),))) == expected
