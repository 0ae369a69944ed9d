"""Nodes, the addresses from which they speak to pods, and what pods tell of nodes.

On an overlay a node reaches the pods of another from the end of its tunnel, which is not
among the addresses of its status. Two overlays write down what is needed to know it:
flannel that it is there, and Calico the very addresses.

Sources:
    - flannel: ``pkg/subnet/kube`` writes the backend's type; the tunnel has the first
      address of the node's range (``backend/vxlan``), and the bridge to its pods the next.
    - Kubernetes: ``GetNodeHostIPs`` in ``pkg/util/node`` takes internal addresses before external ones.
    - Calico: ``libcalico-go/lib/backend/k8s/resources/node.go`` names the annotations.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import Address
from ringfence.algebra.intervals import Intervals
from ringfence.model.cluster import Node
from ringfence.readers.addresses import read_ip, read_range
from ringfence.readers.fields import Field

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ringfence.model.origin import Origin
    from ringfence.readers.manifest import Manifest
    from ringfence.readers.workloads import OwnedPod

_CALICO = (
    "projectcalico.org/IPv4IPIPTunnelAddr",
    "projectcalico.org/IPv4VXLANTunnelAddr",
    "projectcalico.org/IPv6VXLANTunnelAddr",
    "projectcalico.org/IPv4WireguardInterfaceAddr",
    "projectcalico.org/IPv6WireguardInterfaceAddr",
)

_FLANNEL = "flannel.alpha.coreos.com/backend-type"

ANNOTATIONS = (*_CALICO, _FLANNEL)
"""The annotations that are read."""

_WITHOUT_TUNNEL = frozenset({"host-gw", "alloc"})
"""Backends of flannel that send packets as they are."""


def read_node(manifest: Manifest) -> Node:
    """Read a Node; of its addresses those that are IP addresses, internal ones first, as Kubernetes picks a host's."""
    root = Field(manifest)
    root["spec"].near(("podCIDR", "podCIDRs"))
    written = root["status"]["addresses"].items()
    typed = [(each["type"].string(), each) for each in written]
    ordered = sorted((each for each in typed if each[0].endswith("IP")), key=lambda each: each[0] != "InternalIP")
    found = (read_ip(each["address"]) for _, each in ordered)
    addresses = tuple(dict.fromkeys(address for address in found if address is not None))
    ranges = [read_range(each) for each in root["spec"]["podCIDRs"].items() or [root["spec"]["podCIDR"]]]
    tunnels = {*_tunnels(root["metadata"]["annotations"], ranges)} - {*addresses}
    return Node(
        manifest.name,
        root["metadata"]["labels"].strings(),
        addresses,
        manifest.origin(),
        tuple(sorted(tunnels)),
        Intervals.union(ranges),
    )


def told_by_pods(nodes: Mapping[str, Node], pods: Iterable[OwnedPod]) -> dict[str, Node]:
    """Return nodes by name: those that were read, and those of whose addresses only pods speak.

    A live pod's status has addresses of its node, and a pod on its node's network has those
    for its own. Where a Node was read they count only if it says none itself. Pods that have
    ended are not asked: their node may be gone. Where pods contradict each other all addresses
    count, in the order of the pods' names.
    """
    tellers: dict[str, dict[Address, tuple[str, str, int, Origin]]] = defaultdict(dict)
    for pod, _, host in pods:
        told = (*host, *pod.addresses.values()) if pod.host_network else host
        read = nodes.get(pod.node or "")
        if not told or pod.node is None or pod.terminal or (read and read.addresses):
            continue
        known = tellers[pod.node]
        for place, address in enumerate(told):
            teller = pod.namespace, pod.name, place, pod.origin
            if address not in known or teller < known[address]:
                known[address] = teller
    found = dict(nodes)
    for name, known in tellers.items():
        ordered = sorted(known, key=known.__getitem__)
        node = found.get(name) or Node(name, None, origin=known[ordered[0]][-1])
        found[name] = replace(node, addresses=tuple(ordered))
    return found


def _tunnels(annotations: Field, ranges: list[Intervals]) -> Iterator[Address]:
    """Yield the addresses that a node has beside those of its status."""
    for name in _CALICO:
        address = read_ip(annotations[name])
        if address is not None:
            yield address
    backend = annotations[_FLANNEL].string()
    for first, last in Intervals.union(ranges) if backend else ():
        yield Address(min(first + 1, last))
        if backend not in _WITHOUT_TUNNEL:
            yield Address(first)
