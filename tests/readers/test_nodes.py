"""Nodes in, model out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ringfence.algebra.addresses import read_address, read_cidr
from ringfence.algebra.intervals import Intervals
from ringfence.readers.nodes import read_node

from .texts import manifest

if TYPE_CHECKING:
    from ringfence.model.cluster import Node


def test_a_node_has_the_ip_addresses_of_its_status():
    """Sorted, each once; names are no addresses."""
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
    assert found.addresses == tuple(read_address(text) for text in ("10.0.0.1", "10.0.0.2", "fd00::1"))


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
