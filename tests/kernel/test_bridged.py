"""Pods that are ports of a bridge, in a real kernel: policies hold, and nobody takes another's address."""

from __future__ import annotations

import os
import socket
import struct
from typing import TYPE_CHECKING, NamedTuple

import pytest

from ringfence.algebra.addresses import IPV6_BASE, Address, Family, family_of, read_address
from ringfence.edges import nft
from ringfence.lab.cluster import Cluster
from ringfence.lab.held import prove_nodes
from ringfence.lab.topology import lay_out
from ringfence.lab.verification import verify
from ringfence.lab.wiring import NEAR, ports
from tests.dataplane import frames
from tests.dataplane.wire import checksum
from tests.kernel.isolation import isolated
from tests.kernel.test_cluster import DUAL_STACK
from tests.lab.small import pod_of, small

if TYPE_CHECKING:
    from ringfence.edges.netns import Network

pytestmark = pytest.mark.kernel
NODE = "node-1"
ATTACKER, VICTIM, SERVER = "web-0", "web-1", "db"
IPV4, ARP, IPV6, ANY = 0x0800, 0x0806, 0x86DD, 3
LAST = b"the last frame"
TAG = b"\x81\0\0\0"
WITHIN_S = 20.0
LINK_LOCAL, ALL_NODES = read_address("fe80::99"), read_address("ff02::1")
EDITS = {
    "insert rule bridge ringfence port_pod0 accept": "chain port_pod0 is not what it should be",
    "flush chain bridge ringfence nd_pod1": "chain nd_pod1 is not what it should be",
    'add element bridge ringfence ports { "pod0" . 02:00:00:00:00:99 : accept }': "map ports is not",
    "add set bridge ringfence more { type ipv4_addr; }": "set more is not what it should be",
    "delete table bridge ringfence": "there is no table ringfence of its bridge",
}


class Host(NamedTuple):
    """A pod as its neighbors see it."""

    network: Network
    hardware: bytes
    addresses: dict[Family, Address]


def cluster() -> Cluster:
    """The small cluster in both families, all on one node and on one queue, so that no frame overtakes another."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    return Cluster(lay_out(small(DUAL_STACK), nodes=1, bridged=True))


def host(found: Cluster, name: str) -> Host:
    """One of its pods."""
    pod = pod_of(found.topology.snapshot, name)
    (port,) = (each for each in ports(found.topology, NODE) if each.addresses == tuple(pod.addresses.values()))
    return Host(found.pods[str(pod)], port.hardware.to_bytes(6), dict(pod.addresses))


def frame(destination: Host, hardware: bytes, kind: int, payload: bytes) -> bytes:
    """A frame for a pod, from any hardware address."""
    return destination.hardware + hardware + kind.to_bytes(2) + payload


def arp(destination: Host, sender: bytes, claimed: Address, hardware: bytes, note: bytes = b"") -> bytes:
    """An answer that says that an address has a hardware address."""
    own = destination.addresses[Family.IPV4].to_bytes(4)
    said = struct.pack(">HHBBH", 1, IPV4, 6, 4, 2) + hardware + claimed.to_bytes(4) + destination.hardware + own
    return frame(destination, sender, ARP, said + note)


def discovery(  # noqa: PLR0913 - a message has many fields
    destination: Host,
    sender: bytes,
    source: Address,
    about: Address,
    *,
    kind: int = 136,
    option: bytes = b"",
    hops: int = 255,
) -> bytes:
    """A message of neighbor discovery with any source, target and option."""
    own = destination.addresses[Family.IPV6]
    message = frames.icmp(source, own, kind, b"\x60\0\0\0" + (about - IPV6_BASE).to_bytes(16) + option)
    return frame(destination, sender, IPV6, frames.ip(source, own, 58, message, hop_limit=hops))


def opening(source: Address, destination: Address, port: int = 4000) -> bytes:
    """A packet that opens a connection to where the policies let pods of web connect."""
    whole = frames.ip(source, destination, 6, frames.tcp(source, destination, (port, 5432)))
    if family_of(source) is Family.IPV6:
        return whole
    return whole[:10] + checksum(whole[:20]) + whole[12:]


def told(kind: int, hardware: bytes) -> bytes:
    """The option of neighbor discovery with a hardware address: 1 of who asks, 2 of who is asked for."""
    return bytes([kind, 1]) + hardware


def arrived(sender: Host, receiver: Host, sent: list[bytes]) -> list[bytes]:
    """Which of these frames a pod gets from another; the frame after them is honest, and ends the wait."""
    with receiver.network.entered():
        listening = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ANY))
        listening.bind(("eth0", ANY))
        listening.settimeout(WITHIN_S)
    with sender.network.entered():
        sending = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        sending.bind(("eth0", 0))
    last = arp(receiver, sender.hardware, sender.addresses[Family.IPV4], sender.hardware, LAST)
    for each in (*sent, last):
        sending.send(each)
    found: list[bytes] = []
    while last not in found:
        found.append(listening.recv(2048))
    listening.close()
    sending.close()
    return [each for each in sent if without_tag(each) in found]


def tagged(whole: bytes) -> bytes:
    """The same frame with the tag of no VLAN in particular, which receivers pass over."""
    return whole[:12] + TAG + whole[12:]


def without_tag(whole: bytes) -> bytes:
    """A frame as a receiver sees it: the kernel takes its tag off."""
    return whole[:12] + whole[16:] if whole[12:16] == TAG else whole


@isolated
def test_policies_hold_between_the_ports_of_a_bridge():
    """Through Services too, and to the node and the outside: definition, program and kernel agree on every probe."""
    found = cluster()
    came = verify(found, progress=lambda _: None)

    assert came.comparisons
    assert came.differences == ()
    assert all(each.holds for each in came.nodes)
    found.close()


@isolated
def test_nobody_speaks_for_another_on_a_bridge():
    """Not in IP, ARP or neighbor discovery, nor by a hardware address; whoever speaks for himself is heard."""
    found = cluster()
    attacker, victim, server = (host(found, name) for name in (ATTACKER, VICTIM, SERVER))
    for forged, honest in (
        (forged_addresses(attacker, victim, server), own_addresses(attacker, server)),
        (forged_neighbors(attacker, victim, server), own_neighbors(attacker, server)),
    ):
        assert arrived(attacker, server, [*forged, *honest]) == honest
    found.close()


def forged_addresses(attacker: Host, victim: Host, server: Host) -> list[bytes]:
    """What the policies would let the victim send, and what would make the bridge send the victim's frames here."""
    sent = []
    for family, kind in ((Family.IPV4, IPV4), (Family.IPV6, IPV6)):
        theirs, to = victim.addresses[family], server.addresses[family]
        sent += [
            frame(server, hardware, kind, opening(source, to))
            for source, hardware in (
                (theirs, attacker.hardware),
                (theirs, victim.hardware),
                (attacker.addresses[family], victim.hardware),
            )
        ]
    packet = opening(attacker.addresses[Family.IPV4], server.addresses[Family.IPV4], 4001)
    # What bears a tag would not be sent through the hooks of IP.
    in_a_vlan = tagged(frame(server, attacker.hardware, IPV4, packet))
    return [*sent, in_a_vlan]


def own_addresses(attacker: Host, server: Host) -> list[bytes]:
    """The same with the pod's own addresses."""
    return [
        frame(server, attacker.hardware, kind, opening(attacker.addresses[f], server.addresses[f]))
        for f, kind in ((Family.IPV4, IPV4), (Family.IPV6, IPV6))
    ]


def forged_neighbors(attacker: Host, victim: Host, server: Host) -> list[bytes]:
    """Claims to another's address, or to the gateway's hardware address."""
    own, theirs = attacker.addresses[Family.IPV6], victim.addresses[Family.IPV6]
    mac, gateway = attacker.hardware, bytes.fromhex(NEAR.replace(":", ""))
    return [
        arp(server, mac, victim.addresses[Family.IPV4], mac),
        arp(server, mac, attacker.addresses[Family.IPV4], victim.hardware),
        arp(server, victim.hardware, attacker.addresses[Family.IPV4], mac),
        discovery(server, mac, own, theirs, option=told(2, mac)),
        discovery(server, mac, theirs, theirs, option=told(2, mac)),
        discovery(server, mac, own, LINK_LOCAL, option=told(2, mac)),
        discovery(server, mac, own, own, option=told(2, gateway)),
        discovery(server, mac, own, own, option=told(2, mac), hops=254),
        discovery(server, mac, own, own, option=told(2, mac) + told(2, gateway)),
        discovery(server, mac, theirs, server.addresses[Family.IPV6], kind=135, option=told(1, mac)),
        discovery(server, mac, LINK_LOCAL, server.addresses[Family.IPV6], kind=135, option=told(1, mac)),
        discovery(server, mac, own, server.addresses[Family.IPV6], kind=135, option=told(1, gateway)),
        tagged(discovery(server, mac, own, theirs, option=told(2, gateway))),
        discovery(server, mac, own, own, kind=134),
        discovery(server, mac, own, own, kind=137),
    ]


def own_neighbors(attacker: Host, server: Host) -> list[bytes]:
    """What a pod says of itself, asked or asking."""
    own, mac = attacker.addresses[Family.IPV6], attacker.hardware
    return [
        arp(server, mac, attacker.addresses[Family.IPV4], mac),
        discovery(server, mac, own, own, option=told(2, mac)),
        discovery(server, mac, own, own),
        discovery(server, mac, own, server.addresses[Family.IPV6], kind=135, option=told(1, mac)),
    ]


@isolated
def test_every_edit_of_a_bridge_s_table_is_seen():
    """Whatever somebody changes by hand."""
    found = cluster()
    for edit, said in EDITS.items():
        assert all(each.holds for each in prove_nodes(found))
        before = nft.list_ruleset(found.nodes[NODE])
        nft.apply(found.nodes[NODE], edit + "\n")
        (proof,) = prove_nodes(found)

        assert any(f"{NODE}: " in line and said in line for line in proof.lines(found.topology.snapshot)), edit
        nft.apply(found.nodes[NODE], f"flush ruleset\n{before}")
    found.close()
