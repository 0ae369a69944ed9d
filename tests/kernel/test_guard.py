"""Whose packets they are, in a real kernel: pods that forge addresses, are not known yet, or open tunnels."""

from __future__ import annotations

import os
import socket
import struct
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ringfence.algebra.addresses import IPV6_BASE, Address, Family, family_of, read_address, render_address
from ringfence.algebra.traffic import Protocol
from ringfence.dataplane.compile import compile_program
from ringfence.dataplane.delta import delta
from ringfence.dataplane.plan import plan_node
from ringfence.edges.nftables import Nftables
from ringfence.edges.probe import Fate, Probe
from ringfence.lab.cluster import Cluster
from ringfence.lab.topology import lay_out
from ringfence.lab.wiring import wiring_of
from tests.kernel.isolation import isolated
from tests.kernel.test_cluster import DUAL_STACK
from tests.lab.small import pod_of, small

if TYPE_CHECKING:
    from ringfence.edges.netns import Network

pytestmark = pytest.mark.kernel
OTHER = """
apiVersion: v1
kind: Pod
metadata: {name: other, namespace: shop}
spec: {nodeName: node-2, containers: [{name: main}]}
"""
"""A pod that no policy judges."""

PORT = 7777
WITHIN_S = 20.0
FORGED, GENUINE = b"forged", b"genuine"
_AF = {Family.IPV4: socket.AF_INET, Family.IPV6: socket.AF_INET6}


def cluster() -> Cluster:
    """The small cluster in both families, all on one queue so that no packet overtakes another."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    return Cluster(lay_out(small(f"{DUAL_STACK}\n---\n{OTHER}")))


def address(found: Cluster, name: str, family: Family) -> Address:
    """The address of a pod."""
    return pod_of(found.topology.snapshot, name).addresses[family]


def listener(network: Network, own: Address, port: int = PORT) -> socket.socket:
    """A socket for UDP at an address."""
    with network.entered():
        made = socket.socket(_AF[family_of(own)], socket.SOCK_DGRAM)
    made.bind((render_address(own), port))
    made.settimeout(WITHIN_S)
    return made


def datagram(source: Address, destination: Address, payload: bytes) -> bytes:
    """A whole packet of UDP, with any source."""
    body = struct.pack(">HHHH", PORT, PORT, 8 + len(payload), 0) + payload
    if family_of(source) is Family.IPV4:
        head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0, 64, 17, 0)
        return head + source.to_bytes(4) + destination.to_bytes(4) + body
    ends = b"".join((each - IPV6_BASE).to_bytes(16) for each in (source, destination))
    # Over IPv6 a datagram needs a checksum.
    words = struct.unpack(f">{(len(ends) + len(body) + len(body) % 2) // 2}H", ends + body + bytes(len(body) % 2))
    total = sum(words) + 17 + len(body)
    total = (total & 0xFFFF) + (total >> 16)
    checksum = ((total & 0xFFFF) + (total >> 16)) ^ 0xFFFF
    body = body[:6] + struct.pack(">H", checksum) + body[8:]
    return struct.pack(">IHBB", 6 << 28, len(body), 17, 64) + ends + body


def forge(network: Network, source: Address, destination: Address, payload: bytes) -> None:
    """Send a packet from a namespace with any source."""
    family = family_of(source)
    with network.entered():
        sender = socket.socket(_AF[family], socket.SOCK_RAW, socket.IPPROTO_RAW)
    with sender:
        sender.sendto(datagram(source, destination, payload), (render_address(destination), 0))


@isolated
@pytest.mark.parametrize("family", Family)
def test_a_raw_sender_under_another_address_gets_nothing_through(family: Family):
    """Not under that of a neighbor or of a pod elsewhere, of a node or of nobody; under its own everything."""
    found = cluster()
    own, target = address(found, "web-0", family), address(found, "web-1", family)
    node = next(a for a in found.topology.snapshot.nodes["node-1"].addresses if family_of(a) is family)
    nobody = read_address("198.51.100.7" if family is Family.IPV4 else "2001:db8:ffff::1")
    local_address = read_address("127.0.0.1") if family is Family.IPV4 else read_address("fe80::1")
    ears = listener(found.pods["shop/web-1"], target)
    for source in (address(found, "other", family), address(found, "db", family), target, node, nobody, local_address):
        for _ in range(20):
            forge(found.pods["shop/web-0"], source, target, FORGED)
        forge(found.pods["shop/web-0"], own, target, GENUINE)
        assert ears.recv(100) == GENUINE, render_address(source)


@isolated
def test_nobody_outside_speaks_under_the_address_of_a_pod():
    """A pod's address comes from its own link alone."""
    found = cluster()
    target = address(found, "web-0", Family.IPV4)
    ears = listener(found.pods["shop/web-0"], target)
    forge(found.outside, address(found, "other", Family.IPV4), target, FORGED)
    forge(found.outside, found.topology.outside[0], target, GENUINE)

    assert ears.recv(100) == GENUINE


@isolated
def test_a_pod_that_nobody_knows_yet_neither_sends_nor_receives():
    """Its link is there before its policies are, and it is on no list."""
    found = cluster()
    web, other = (address(found, name, Family.IPV4) for name in ("web-0", "web-1"))
    node = pod_of(found.topology.snapshot, "web-0").node or ""
    wiring = wiring_of(found.topology)
    unknown = replace(wiring, links={name: link for name, link in wiring.links.items() if name != "shop/web-0"})
    probes = [Probe(web, other, Protocol.UDP, 8080), Probe(other, web, Protocol.UDP, 8080)]

    assert [each.fate for each in found.prober.run(probes)] == [Fate.REACHED] * 2
    kernel = Nftables(found.nodes[node])
    kernel.apply(delta(found.programs[node], compile_program(plan_node(found.engine, node, unknown))).change)
    assert [each.fate for each in found.prober.run(probes)] == [Fate.LOST] * 2


@isolated
def test_a_pod_opens_no_tunnel_to_its_node_or_another():
    """A node would unpack whatever is in it; the next port is a port like any other."""
    found = cluster()
    web = address(found, "web-0", Family.IPV4)
    for node in found.topology.snapshot.nodes.values():
        there = next(a for a in node.addresses if family_of(a) is Family.IPV4)
        probes = [Probe(web, there, Protocol.UDP, port) for port in (4789, 8472, 6081, 4790)]

        assert [each.fate for each in found.prober.run(probes)] == [Fate.LOST] * 3 + [Fate.REACHED]
