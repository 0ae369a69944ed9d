"""Raw packets through a real kernel: which of them does a program let a router forward or take?

Runs in a network namespace of its own, as ``unshare --map-root-user --net``. Packets are
put on one end of a veth pair; what is forwarded comes out of another pair, and what is for
the namespace itself is logged behind the program.
"""

from __future__ import annotations

import os
import pickle
import select
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import IPV6_BASE, read_address, read_cidr
from ringfence.algebra.intervals import Intervals
from ringfence.dataplane.expressions import CtState
from ringfence.dataplane.simulate import Packet
from ringfence.edges import packets
from ringfence.edges.netns import Network
from ringfence.edges.nflog import NflogReader
from ringfence.edges.programs import find_program

if TYPE_CHECKING:
    from collections.abc import Sequence

_ALL = 3
_MAC = "02:00:00:00:00:02"
UNTRACKED_TOS = 4
"""A traffic class by which the namespace leaves a packet untracked."""

SETUP = f"""\
link add in0 type veth peer name in1
link add out0 type veth peer name out1
link set in0 addrgenmode none arp off up
link set in1 address {_MAC} addrgenmode none arp off up
link set out0 addrgenmode none arp off up
link set out1 addrgenmode none arp off up
link set lo up
addr add 192.168.0.1/32 dev lo
addr add fd01::1/128 dev lo nodad
route add default dev out1
route add ::/0 dev out1
"""
GROUP = 9
"""Where what is taken is logged."""

SYSCTLS = ("ipv4/ip_forward", "ipv6/conf/all/forwarding")
LOCAL = Intervals.union(map(read_cidr, ("192.168.0.1/32", "fd01::1/128", "224.0.0.1/32", "ff02::1/128")))
"""Addresses of the namespace itself."""

FOREIGN = ("ipv4/conf/all/accept_local",)
UNFILTERED = ("ipv4/conf/all/rp_filter", "ipv4/conf/in1/rp_filter")
TRACK = f"""\
table inet track {{
	chain prerouting {{
		type filter hook prerouting priority raw; policy accept;
		ip dscp {UNTRACKED_TOS >> 2} notrack
		ip6 dscp {UNTRACKED_TOS >> 2} notrack
	}}
	chain input {{
		type filter hook input priority 100; policy accept;
		log group {GROUP}
	}}
	chain output {{
		type filter hook output priority raw; policy drop;
	}}
}}
"""
NONCE = b"ringfenc"
SENTINEL = Packet(read_address("203.0.113.98"), read_address("203.0.113.99"), packets.UDP, 9, 9)
SENTINEL_MARK = 0xFFFF
WITHIN_S = 10.0
CHUNK = 50
"""Packets on their way at a time: few enough for every queue."""


Frames = tuple[bytes, ...]
"""The frames of one packet as they are sent, from their IP headers on: several when it comes in fragments."""


def passed(transaction: str, sent: Sequence[Packet | Frames]) -> list[bool]:
    """Whether each packet came out again or was taken, in a namespace that holds what the transaction makes.

    Packets are sent in order, at most 65,534 of them; those that are to be untracked are.
    """
    command = ["unshare", "--map-root-user", "--net", sys.executable, "-m", __name__]
    done = subprocess.run(  # noqa: S603 - our own words
        command, input=pickle.dumps((transaction, sent)), capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return pickle.loads(done.stdout)  # noqa: S301 - from the process that we started


def encode(packet: Packet, mark: int) -> bytes:
    """The bytes of a packet; the mark, 16 bits, returns in its IP identification or flow label."""
    tos = UNTRACKED_TOS if packet.state is CtState.UNTRACKED else 0
    if packet.source < IPV6_BASE:
        ends = packet.source.to_bytes(4) + packet.destination.to_bytes(4)
        body = _body(packet, ends)
        header = struct.pack(">BBHHHBBH", 0x45, tos, 20 + len(body), mark, 0, 64, packet.protocol, 0)
        return header[:10] + checksum(header + ends) + ends + body
    ends = b"".join((address - IPV6_BASE).to_bytes(16) for address in (packet.source, packet.destination))
    body = _body(packet, ends)
    header = struct.pack(">IHBB", 6 << 28 | tos << 20 | mark, len(body), packet.protocol, packet.hop_limit)
    return header + ends + body


def marked(data: bytes, mark: int) -> bytes:
    """A frame with its mark in it."""
    if data[0] >> 4 == 6:
        return data[:2] + mark.to_bytes(2) + data[4:]
    length = 4 * (data[0] & 15)
    header = data[:4] + mark.to_bytes(2) + data[6:10] + b"\0\0" + data[12:length]
    return header[:10] + checksum(header) + header[12:] + data[length:]


def mark_of(data: bytes) -> int:
    """The mark of a packet that came out."""
    return int.from_bytes(data[4:6] if data[0] >> 4 == 4 else data[2:4])


def _body(packet: Packet, ends: bytes) -> bytes:
    """What stands above IP: by default what opens a connection, or nothing for a packet without ports."""
    source_port, destination_port = packet.source_port, packet.destination_port
    if source_port is None or destination_port is None:
        return b""
    ports = struct.pack(">HH", source_port, destination_port)
    pseudo = ends + struct.pack(">HH", packet.protocol, 0)
    match packet.protocol:
        case packets.TCP:
            head, tail = ports + struct.pack(">IIBBH", 1, 0, 5 << 4, packet.tcp_flags or 0, 1024), b"\0\0"
        case packets.UDP:
            head, tail = ports + b"\0\x08", b""
        case packets.SCTP:
            return packets.sctp_init(source_port, destination_port, NONCE)
        case packets.ICMP:
            pseudo, head, tail = b"", b"\x08\0", ports
        case packets.ICMPV6:
            head, tail = b"\x80\0", ports
        case _:
            return ports
    length = struct.pack(">H", len(head + tail) + 2) if pseudo else b""
    return head + checksum(pseudo + length + head + tail) + tail


def checksum(data: bytes) -> bytes:
    """The Internet's checksum."""
    total = sum(struct.unpack(f">{(len(data) + 1) // 2}H", data + bytes(len(data) % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return (total ^ 0xFFFF).to_bytes(2)


def _set_up(transaction: str) -> None:
    subprocess.run([find_program("ip"), "-batch", "-"], input=SETUP, text=True, check=True)  # noqa: S603 - our own words
    for name in (*SYSCTLS, *FOREIGN):
        Path("/proc/sys/net", name).write_text("1")
    for name in UNFILTERED:
        Path("/proc/sys/net", name).write_text("0")
    subprocess.run([find_program("nft"), "-f", "-"], input=TRACK + transaction, text=True, check=True)  # noqa: S603 - likewise


def main() -> None:
    """Read a transaction and packets, send them all, and write which of them passed."""
    transaction, sent = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the test that started this
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # one queue, so nothing overtakes a sentinel
    _set_up(transaction)
    inside, outside = (socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ALL)) for _ in range(2))
    inside.bind(("in0", 0))
    outside.bind(("out0", _ALL))
    taken = NflogReader(Network.current(), GROUP)
    arrived = _flush(inside, outside, once=False)
    numbered = list(enumerate(sent, start=1))
    for start in range(0, len(numbered), CHUNK):
        for mark, packet in numbered[start : start + CHUNK]:
            _send(inside, packet, mark)
        arrived |= _flush(inside, outside, once=True)
        arrived |= {mark_of(each.packet) for each in taken.read()}
    pickle.dump([mark in arrived for mark, _ in numbered], sys.stdout.buffer)


def _send(inside: socket.socket, packet: Packet | Frames, mark: int) -> None:
    frames = [encode(packet, mark)] if isinstance(packet, Packet) else [marked(each, mark) for each in packet]
    for data in frames:
        kind = 0x0800 if data[0] >> 4 == 4 else 0x86DD
        inside.sendto(data, ("in0", kind, 0, 0, bytes.fromhex(_MAC.replace(":", ""))))


def _flush(inside: socket.socket, outside: socket.socket, *, once: bool) -> set[int]:
    """Send a packet that no policy touches, and return the marks of all that come out before it."""
    arrived: set[int] = set()
    deadline = time.monotonic() + WITHIN_S
    _send(inside, SENTINEL, SENTINEL_MARK)
    while SENTINEL_MARK not in arrived:
        assert time.monotonic() < deadline, "the last packet did not come out"
        if select.select([outside], [], [], 0.05)[0]:
            arrived.add(mark_of(outside.recv(2048)))
        elif not once:
            _send(inside, SENTINEL, SENTINEL_MARK)
    return arrived


if __name__ == "__main__":
    main()
