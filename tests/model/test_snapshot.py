"""The indexes of a snapshot."""

from __future__ import annotations

from dataclasses import replace

from ringfence.algebra.addresses import Family, read_address, read_cidr
from ringfence.algebra.selectors import Selector
from ringfence.model.cluster import NAME_LABEL, Namespace
from ringfence.model.snapshot import Snapshot
from tests.parts import block, network_policy, node, pod, rule, snapshot

HERE = read_address("10.0.0.1")
ON_NODE = read_address("192.168.0.1")


def test_a_namespace_that_nothing_declares_has_its_name_for_a_label():
    """The control plane sets that label on every namespace."""
    declared = Namespace("x", {NAME_LABEL: "x", "env": "prod"})

    assert Snapshot(namespaces={"x": declared}).namespace_labels("x") == declared.labels
    assert Snapshot().namespace_labels("y") == {NAME_LABEL: "y"}


def test_a_pod_is_found_by_its_own_address():
    """Each address of a dual-stack pod leads to it."""
    found = pod("x/a", "", "10.0.0.1", "fd00::1")

    assert snapshot(found).pod_at(HERE) == found
    assert snapshot(found).pod_at(read_address("fd00::1")) == found
    assert snapshot(found).pod_at(read_address("10.0.0.2")) is None


def test_pods_that_ended_or_are_on_the_host_network_have_no_address_of_their_own():
    """Their addresses belong to somebody else by now, or to the node."""
    assert snapshot(pod("x/a", "", "10.0.0.1", terminal=True)).pod_at(HERE) is None
    assert snapshot(pod("x/a", "", "10.0.0.1", host_network=True)).pod_at(HERE) is None


def test_a_node_is_found_by_each_of_its_addresses():
    """Other addresses are no node's."""
    found = snapshot(node("n1", "192.168.0.1", "fd01::1"))

    assert found.node_at(ON_NODE) == "n1"
    assert found.node_at(read_address("fd01::1")) == "n1"
    assert found.node_at(HERE) is None


def test_the_end_of_a_tunnel_is_its_node_s():
    """What a node sends through an overlay comes from there."""
    found = snapshot(replace(node("n1", "192.168.0.1"), tunnels=(HERE,)))

    assert (found.node_at(HERE), found.node_of(HERE)) == ("n1", "n1")
    assert found.nodes["n1"].speaks_from == (ON_NODE, HERE)


def test_only_host_network_pods_and_node_addresses_are_on_a_node_s_network():
    """An ordinary pod has its own network, wherever it runs."""
    found = snapshot(node("n1", "192.168.0.1"))

    assert found.node_of(pod("x/a", node="n1")) is None
    assert found.node_of(pod("x/a", node="n1", host_network=True)) == "n1"
    assert found.node_of(ON_NODE) == "n1"
    assert found.node_of(HERE) is None


def test_host_network_pods_speak_with_the_first_address_of_their_node_in_each_family():
    """Where the node's addresses are not known, the pod's own are taken."""
    found = snapshot(node("n1", "192.168.0.1", "192.168.0.9", "fd01::1"), node("n2"))
    own = pod("x/a", "", "10.0.0.1", host_network=True, node="n1")

    assert found.addresses_of(own) == {Family.IPV4: ON_NODE, Family.IPV6: read_address("fd01::1")}
    assert found.addresses_of(pod("x/a", "", "10.0.0.1", host_network=True, node="n2")) == {Family.IPV4: HERE}
    assert found.addresses_of(pod("x/a", "", "10.0.0.1", node="n1")) == {Family.IPV4: HERE}


def test_a_pod_has_the_families_of_its_addresses_or_of_the_cluster():
    """A pod with any address has no other family."""
    found = snapshot(families=(Family.IPV4, Family.IPV6))

    assert found.families_of(pod("x/a", "", "fd00::1")) == (Family.IPV6,)
    assert found.families_of(pod("x/a")) == (Family.IPV4, Family.IPV6)


def test_blocks_are_listed_once_from_both_directions():
    """The same block in two rules is one set of addresses."""
    policy = network_policy(
        "x/p", ingress=(rule(block("10.0.0.0/8")), rule(block("10.0.0.0/8"))), egress=(rule(block("::/0")),)
    )

    assert snapshot(policy).blocks == (read_cidr("10.0.0.0/8"), read_cidr("::/0"))


def test_an_address_is_on_a_node_s_network_or_not_or_nobody_knows():
    """By the labels of nodes that were read; a pod's own address is the pod's, whatever else claims it."""
    zone = Selector.labels({"zone": "a"})
    there = replace(node("n1", "192.168.0.1"), labels={"zone": "a"})
    world = snapshot(pod("x/a", "", "192.168.0.2"), there, node("n2", "192.168.0.2"))

    assert world.is_on_node(read_address("192.168.0.1"), zone) is True
    assert world.is_on_node(read_address("192.168.0.2"), Selector()) is False
    assert world.is_on_node(read_address("192.168.0.3"), zone) is False
    assert world.is_on_node(read_address("fd00::1"), zone) is None
    assert snapshot().is_on_node(read_address("192.168.0.1"), zone) is None


def test_a_node_of_which_only_pods_speak_is_a_node_of_unknown_labels():
    """And there may be more nodes of which nobody spoke."""
    zone = Selector.labels({"zone": "a"})
    known = replace(node("n1", "192.168.0.1"), labels={"zone": "a"})
    world = snapshot(known, replace(node("n2", "192.168.0.2"), labels=None))

    assert world.is_on_node(read_address("192.168.0.1"), zone) is True
    assert world.is_on_node(read_address("192.168.0.2"), Selector()) is True
    assert world.is_on_node(read_address("192.168.0.2"), zone) is None
    assert world.is_on_node(read_address("192.168.0.3"), Selector()) is None
