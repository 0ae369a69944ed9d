"""The drop log: messages as the kernel writes them."""

from __future__ import annotations

import socket
import struct
from contextlib import suppress

import pytest

from ringfence.edges import nft
from ringfence.edges.links import configure
from ringfence.edges.netns import Network
from ringfence.edges.nflog import Logged, NflogReader, read_messages
from tests.kernel.isolation import isolated

GROUP = 7
PACKET, OTHER = 0x400, 0x3
IPV4 = 0x0800


def attribute(kind: int, value: bytes) -> bytes:
    """One attribute, padded to four bytes."""
    return struct.pack("=HH", 4 + len(value), kind) + value + b"\0" * (-len(value) % 4)


def message(kind: int, *attributes: bytes) -> bytes:
    """One netlink message with the header of nfnetlink."""
    body = struct.pack(">BBH", 2, 0, 29286) + b"".join(attributes)
    return struct.pack("=IHHII", 16 + len(body), kind, 0, 0, 0) + body


def logged(prefix: str, packet: bytes, hook: int = 2) -> bytes:
    """The message of one logged packet."""
    return message(
        PACKET,
        attribute(1, struct.pack(">HBx", IPV4, hook)),
        attribute(10, prefix.encode() + b"\0"),
        attribute(4, struct.pack(">I", 7)),
        attribute(9, packet),
    )


def test_a_packet_is_read_with_its_prefix_and_hook():
    """The prefix ends at its zero byte, the packet is what it was, the rest is passed over."""
    (found,) = read_messages(logged("rf1 i 10.0.0.1 ", b"\x45packet", hook=1))

    assert found == Logged("rf1 i 10.0.0.1 ", 1, b"\x45packet")


def test_one_datagram_may_hold_several_packets():
    """Messages follow each other at multiples of four bytes."""
    data = logged("a", b"123") + message(OTHER) + logged("b", b"4567")

    assert [(each.prefix, each.packet) for each in read_messages(data)] == [("a", b"123"), ("b", b"4567")]


def test_a_datagram_that_is_cut_short_ends_the_reading():
    """Nothing is read beyond the end, and nothing loops."""
    assert list(read_messages(logged("a", b"123")[:12])) == []
    assert list(read_messages(struct.pack("=IHHII", 0, OTHER, 0, 0, 0))) == []


@pytest.mark.kernel
@isolated
def test_it_is_known_how_many_entries_the_kernel_threw_away():
    """More than the socket holds is logged while nobody reads; what was read and what was missed are all."""
    network, many = Network.create(), 300
    table = f'table inet t {{ chain c {{ type filter hook output priority 0; log prefix "x" group {GROUP} drop; }}; }}'
    configure([(network, ["link set lo up"])])
    nft.apply(network, table)
    reader = NflogReader(network, GROUP)
    reader._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
    with network.entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        send_all(sender, many)
        found = list(reader.read())
        assert reader.missed == 1
        send_all(sender, 1)
        last = list(reader.read())

    assert len(last) == 1
    assert reader.missed > 1
    assert len(found) + reader.missed + 1 == many + 1


def send_all(sender: socket.socket, count: int) -> None:
    """Send packets that are dropped, which the sender is told of."""
    for _ in range(count):
        with suppress(PermissionError):
            sender.sendto(b"x" * 1000, ("127.0.0.1", 9))
