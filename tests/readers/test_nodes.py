"""Nodes in, model out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ringfence.algebra.addresses import read_address, read_cidr, render_address
from ringfence.algebra.intervals import Intervals
from ringfence.readers.nodes import read_node

from .texts import POLICY, manifest, reading

if TYPE_CHECKING:
    from ringfence.model.cluster import Node


def test_a_node_has_the_ip_addresses_of_its_status():
    """Internal ones first, in their order, each once; names are no addresses."""
    text = """
apiVersion: v1
kind: Node
metadata: {labels: {a: b}}
status:
  addresses:
  - {type: ExternalIP, address: 'fd00::1'}
  - {type: InternalIP, address: 10.0.0.2}
  - {type: InternalIP, address: 10.0.0.2}
  - {type: Hostname, address: 10.0.0.3}
  - {type: InternalIP, address: 10.0.0.1}
"""
    found, errors = node(text)

    assert errors == []
    assert found.labels == {"a": "b"}
    assert found.addresses == tuple(read_address(text) for text in ("10.0.0.2", "10.0.0.1", "fd00::1"))


def node(text: str) -> tuple[Node, list[str]]:
    """The node of a text, and what is wrong with it."""
    found = manifest(text)
    return read_node(found), [error.message for error in found.errors]


def overlay(annotations: str, ranges: str = "podCIDR: 10.244.3.0/24") -> Node:
    """A sound node with these annotations."""
    found, errors = node(
        f"apiVersion: v1\nkind: Node\nmetadata: {{annotations: {{{annotations}}}}}\nspec: {{{ranges}}}\n"
        "status: {addresses: [{type: InternalIP, address: 192.0.2.1}]}\n"
    )
    assert errors == []
    return found


VXLAN = "flannel.alpha.coreos.com/backend-type: vxlan"
DIRECT = "flannel.alpha.coreos.com/backend-type: host-gw"


@pytest.mark.parametrize(
    ("annotations", "ranges", "tunnels"),
    [
        ("", "podCIDR: 10.244.3.0/24", ()),
        (VXLAN, "podCIDR: 10.244.3.0/24", ("10.244.3.0", "10.244.3.1")),
        (VXLAN, "podCIDRs: [10.244.3.0/24, 'fd00:3::/64']", ("10.244.3.0", "10.244.3.1", "fd00:3::", "fd00:3::1")),
        (VXLAN, "", ()),
        (DIRECT, "podCIDR: 10.244.3.0/24", ("10.244.3.1",)),
        ("projectcalico.org/IPv4IPIPTunnelAddr: 10.9.0.1", "", ("10.9.0.1",)),
        ("projectcalico.org/IPv4VXLANTunnelAddr: 10.9.0.2", "", ("10.9.0.2",)),
        ("projectcalico.org/IPv6VXLANTunnelAddr: 'fd00::2'", "", ("fd00::2",)),
        ("projectcalico.org/IPv4WireguardInterfaceAddr: 10.9.0.3", "", ("10.9.0.3",)),
        ("projectcalico.org/IPv6WireguardInterfaceAddr: 'fd00::3'", "", ("fd00::3",)),
        ("projectcalico.org/IPv4IPIPTunnelAddr: 192.0.2.1", "", ()),
    ],
)
def test_the_ends_of_tunnels_are_addresses_of_the_node_too(annotations: str, ranges: str, tunnels: tuple[str, ...]):
    """Flannel's are the first of the node's range and its bridge; Calico writes them down; none is said twice."""
    found = overlay(annotations, ranges)

    assert found.tunnels == tuple(map(read_address, tunnels))
    assert found.speaks_from == (read_address("192.0.2.1"), *found.tunnels)


def test_a_node_knows_the_ranges_of_its_pods():
    """Of both families; an address that is no range is an error."""
    assert overlay("", "podCIDRs: [10.244.3.0/24, 'fd00:3::/64']").pod_ranges == Intervals.union(
        [read_cidr("10.244.3.0/24"), read_cidr("fd00:3::/64")]
    )
    assert overlay("", "").pod_ranges == Intervals()
    assert node("apiVersion: v1\nkind: Node\nspec: {podCIDR: 10.244.3.0}\n")[1] == [
        'spec.podCIDR: Invalid value: "10.244.3.0": must be a valid CIDR value'
    ]
    unknown = ['strict decoding error: unknown field "spec.podCidr"']
    assert node("apiVersion: v1\nkind: Node\nspec: {podCidr: 10.244.3.0/24}\n")[1] == unknown


def a_pod(name: str, status: str, spec: str = "nodeName: n1") -> str:
    """A pod on a node, with this status."""
    metadata = f"metadata: {{name: {name}, namespace: x}}"
    return f"apiVersion: v1\nkind: Pod\n{metadata}\nspec: {{{spec}, containers: []}}\nstatus: {{{status}}}\n"


ON_HOST = "nodeName: n1, hostNetwork: true"
BARE = "apiVersion: v1\nkind: Node\nmetadata: {name: n1, labels: {a: b}}\n"


@pytest.mark.parametrize(
    ("texts", "addresses"),
    [
        ([a_pod("a", "hostIP: 192.0.2.1")], ["192.0.2.1"]),
        ([a_pod("a", "hostIP: 192.0.2.1, hostIPs: [{ip: 192.0.2.1}, {ip: 'fd00::1'}]")], ["192.0.2.1", "fd00::1"]),
        ([a_pod("a", "hostIP: 192.0.2.1"), a_pod("b", "hostIP: 'fd00::1'")], ["192.0.2.1", "fd00::1"]),
        ([a_pod("a", "podIP: 192.0.2.1", ON_HOST)], ["192.0.2.1"]),
        ([a_pod("a", "podIP: 10.0.0.1")], None),
        ([a_pod("a", "hostIP: 192.0.2.1, phase: Succeeded")], None),
        ([a_pod("a", "hostIP: 192.0.2.1", "hostNetwork: true")], None),
    ],
)
def test_pods_tell_of_nodes_that_were_not_read(texts: list[str], addresses: list[str] | None):
    """The addresses of their nodes, but not the labels; a pod that ended tells nothing."""
    found = reading(*texts, POLICY)
    nodes = found.snapshot.nodes

    assert found.errors == ()
    assert {name: [*map(render_address, each.addresses)] for name, each in nodes.items()} == (
        {"n1": addresses} if addresses else {}
    )
    assert all((each.labels, str(each.origin)) == (None, "a.yaml:1") for each in nodes.values())


def test_what_a_node_says_of_itself_counts():
    """Pods tell the addresses of a Node alone that says none, and nothing else of it."""
    pods = a_pod("a", "hostIP: 192.0.2.1")
    whole = f"{BARE}status: {{addresses: [{{type: InternalIP, address: 192.0.2.9}}]}}\n"

    (found,) = reading(pods, POLICY, BARE).snapshot.nodes.values()
    assert (found.labels, found.addresses, str(found.origin)) == ({"a": "b"}, (read_address("192.0.2.1"),), "c.yaml:1")
    (found,) = reading(pods, POLICY, whole).snapshot.nodes.values()
    assert found.addresses == (read_address("192.0.2.9"),)


def test_an_address_of_a_host_that_is_none_is_an_error():
    """As one of a pod is."""
    found = reading(a_pod("a", "hostIP: 192.0.2.256"), POLICY)

    assert [error.message for error in found.errors] == [
        'status.hostIP: Invalid value: "192.0.2.256": must be a valid IP address'
    ]
