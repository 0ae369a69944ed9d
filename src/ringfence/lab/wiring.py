"""How a topology is wired, as lines for ``ip -batch`` and kernel settings; nothing is run here.

::

      outside ── n0 ═══ uplink ── node-1 ── pod0 ═══ eth0 ── pod
         │                           └───── pod1 ═══ eth0 ── pod
         └────── n1 ═══ uplink ── node-2 ── ...

Where pods are ports of a bridge, a node has one, which is the gateway of its pods; these know
each other as neighbors and ask for hardware addresses. What the bridge passes from port to
port goes through the hooks of IP.

Every link is a pair of virtual interfaces (``═══``) with the same two hardware addresses,
and every next hop is :data:`~ringfence.lab.addresses.GATEWAY` with a permanent neighbor
entry, so no other packet ever waits for ARP or neighbor discovery. The outside routes between
nodes, which is all that a cluster asks of the network its nodes hang on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.algebra.addresses import Family, family_of, render_address
from ringfence.dataplane.bridged import Port
from ringfence.dataplane.expressions import render_hardware
from ringfence.dataplane.plan import Wiring
from ringfence.lab.addresses import GATEWAY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ringfence.algebra.addresses import Address
    from ringfence.lab.topology import Topology
    from ringfence.model.cluster import Node, Pod

NEAR, FAR = "02:72:66:00:00:01", "02:72:66:00:00:02"
"""Hardware addresses of the end that makes a link, and of the end that it hands over."""

UPLINK, POD_LINK = "uplink", "eth0"
"""Names of the far ends: a node's link to the outside, and a pod's link to its node."""

POD_PREFIX = "pod"
"""What a node's ends of the links to its pods begin with."""

BRIDGE = "cni0"
"""A node's bridge, where pods are ports of one."""

_POD_HARDWARE, _PORT_HARDWARE = 0x027266010000, 0x027266020000
"""Where hardware addresses of pods and of ports begin, where pods are ports of a bridge."""

_BRIDGED = {
    Family.IPV4: {"bridge/bridge-nf-call-iptables": "1"},
    Family.IPV6: {"bridge/bridge-nf-call-ip6tables": "1"},
}

_BITS = {Family.IPV4: 32, Family.IPV6: 128}
_ANYWHERE = {Family.IPV4: "0.0.0.0/0", Family.IPV6: "::/0"}

_PING_SOCKETS = {"ipv4/ping_group_range": "0 0"}
"""Ping sockets of both families for the lab's own user."""

_HOST_SETTINGS = {
    Family.IPV4: {
        "ipv4/conf/all/accept_redirects": "0",
        "ipv4/conf/default/accept_redirects": "0",
    },
    Family.IPV6: {
        "ipv6/conf/all/accept_redirects": "0",
        "ipv6/conf/default/accept_redirects": "0",
        "ipv6/conf/default/accept_ra": "0",
        "ipv6/conf/default/addr_gen_mode": "1",  # no link-local addresses: nothing here needs them
    },
}
_ROUTER_SETTINGS = {
    Family.IPV4: {
        "ipv4/ip_forward": "1",
        "ipv4/conf/all/rp_filter": "0",
        "ipv4/conf/default/rp_filter": "0",
        "ipv4/conf/all/send_redirects": "0",
        "ipv4/conf/default/send_redirects": "0",
    },
    Family.IPV6: {
        "ipv6/conf/all/forwarding": "1",
        "ipv6/ip_nonlocal_bind": "1",  # an address that is routed to the host can be bound
    },
}

IPV6_OFF = {"ipv6/conf/all/disable_ipv6": "1", "ipv6/conf/default/disable_ipv6": "1"}
"""Settings of a namespace where nobody uses IPv6, so that none of its own packets disturb."""


def settings(families: Iterable[Family], *, router: bool, bridged: bool = False) -> dict[str, str]:
    """Return the kernel settings of a namespace, to be written before it has links.

    Args:
        families: Those that are used.
        router: Whether it forwards packets.
        bridged: Whether it has a bridge, whose packets go through the hooks of IP.
    """
    found = dict(_PING_SOCKETS)
    for family in families:
        found |= _HOST_SETTINGS[family]
        found |= _ROUTER_SETTINGS[family] if router else {}
        found |= _BRIDGED[family] if bridged else {}
    return found


def _hardware_text(topology: Topology, pod: Pod, base: int) -> str:
    number = _hardware(topology, pod, base)
    return render_hardware(number, number)


def node_link(topology: Topology, node: str) -> str:
    """Return the outside's end of the link to a node."""
    return f"n{list(topology.snapshot.nodes).index(node)}"


def pod_links(topology: Topology) -> dict[str, str]:
    """Return the nodes' ends of the links to all pods, by pod."""
    return {str(pod): f"{POD_PREFIX}{index}" for index, pod in enumerate(topology.pods)}


def wiring_of(topology: Topology) -> Wiring:
    """Return what nodes know of the links to their pods."""
    if topology.bridged:
        return Wiring(BRIDGE, dict.fromkeys(pod_links(topology), BRIDGE), bridged=True)
    return Wiring(POD_PREFIX, pod_links(topology))


def ports(topology: Topology, node: str) -> list[Port]:
    """Return the ports of a node's bridge that lead to its pods."""
    links = pod_links(topology)
    local = [pod for pod in topology.pods if pod.node == node]
    return [Port(links[str(pod)], _hardware(topology, pod), tuple(pod.addresses.values())) for pod in local]


def _hardware(topology: Topology, pod: Pod, base: int = _POD_HARDWARE) -> int:
    """Return the hardware address of a pod, or of its port, where pods are ports of a bridge."""
    return base + topology.pods.index(pod)


def outside_lines(topology: Topology, references: Mapping[str, str]) -> Iterator[str]:
    """Yield the lines of the outside, which makes the links to the nodes.

    Args:
        topology: The lab.
        references: How ``ip`` names the nodes' namespaces.
    """
    yield "link set lo up"
    for node in topology.snapshot.nodes.values():
        link = node_link(topology, node.name)
        yield from _link(link, UPLINK, references[node.name])
        yield from _neighbors(link, FAR, topology.snapshot.families)
        local = [a for pod in topology.pods if pod.node == node.name for a in pod.addresses.values()]
        yield from (_route(_host(address), link, family_of(address)) for address in (*node.addresses, *local))
    yield from map(outsider_line, topology.outside)


def outsider_line(address: Address) -> str:
    """Return the line by which the outside owns an address."""
    return f"route add local {_host(address)} dev lo"


def node_lines(topology: Topology, node: Node, references: Mapping[str, str]) -> Iterator[str]:
    """Yield the lines of a node, which makes the links to its pods.

    Args:
        topology: The lab.
        node: The node.
        references: How ``ip`` names the pods' namespaces.
    """
    links = pod_links(topology)
    yield "link set lo up"
    yield from _far_end(UPLINK, node.addresses, topology.snapshot.families)
    if topology.bridged:
        yield f"link add {BRIDGE} address {NEAR} type bridge"
        yield f"link set {BRIDGE} up"
    for pod in topology.pods:
        if pod.node == node.name:
            link, near, far = links[str(pod)], NEAR, FAR
            if topology.bridged:
                near, far = (_hardware_text(topology, pod, base) for base in (_PORT_HARDWARE, _POD_HARDWARE))
            yield from _link(link, POD_LINK, references[str(pod)], near, far)
            if topology.bridged:
                # A pod may meet itself behind a Service, and then its packet goes back where it came from.
                yield f"link set {link} master {BRIDGE}"
                yield f"link set {link} type bridge_slave hairpin on"
                link = BRIDGE
            for address in pod.addresses.values():
                yield f"neigh add {render_address(address)} lladdr {far} dev {link} nud permanent"
                yield f"route add {_host(address)} dev {link}"


def pod_lines(topology: Topology, pod: Pod) -> Iterator[str]:
    """Yield the lines of a pod, which on a bridge finds the other pods of its node by itself."""
    yield "link set lo up"
    yield from _far_end(POD_LINK, pod.addresses.values(), sorted(pod.addresses))
    if topology.bridged:
        others = [each for each in topology.pods if each.node == pod.node and each is not pod]
        near = [a for each in others for family, a in each.addresses.items() if family in pod.addresses]
        yield from (f"route add {_host(address)} dev {POD_LINK}" for address in near)


def _link(near: str, far: str, reference: str, near_hardware: str = NEAR, far_hardware: str = FAR) -> Iterator[str]:
    yield f"link add {near} address {near_hardware} type veth peer name {far} address {far_hardware} netns {reference}"
    yield f"link set {near} up"


def _far_end(link: str, addresses: Iterable[Address], families: Iterable[Family]) -> Iterator[str]:
    yield f"link set {link} up"
    for address in addresses:
        yield f"addr add {_host(address)} dev {link}{' nodad' if family_of(address) is Family.IPV6 else ''}"
    yield from _neighbors(link, NEAR, families)
    yield from (_route(_ANYWHERE[family], link, family) for family in families)


def _neighbors(link: str, hardware: str, families: Iterable[Family]) -> Iterator[str]:
    return (f"neigh add {GATEWAY[family]} lladdr {hardware} dev {link} nud permanent" for family in families)


def _route(destination: str, link: str, family: Family) -> str:
    return f"route add {destination} via {GATEWAY[family]} dev {link} onlink"


def _host(address: Address) -> str:
    return f"{render_address(address)}/{_BITS[family_of(address)]}"
