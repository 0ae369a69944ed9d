"""The bytes of packets, against packets written down by hand and by other rules."""

from __future__ import annotations

import ipaddress
import struct
from typing import TYPE_CHECKING

import pytest

from ringfence.algebra.addresses import Family, read_address
from ringfence.edges.packets import (
    ICMP,
    ICMPV6,
    INIT,
    INIT_ACK,
    SCTP,
    TCP,
    UDP,
    FiveTuple,
    crc32c,
    echo_request,
    read_five_tuple,
    read_sctp,
    sctp_init,
    sctp_init_ack,
)

if TYPE_CHECKING:
    from collections.abc import Callable

A4, B4 = "10.0.0.1", "203.0.113.9"
A6, B6 = "fd00::1", "2001:db8::9"
PORTS = struct.pack(">HHI", 40_000, 443, 0)
NONCE = b"run\x01\x00\x00\x00\x07"


def ipv4(protocol: int, payload: bytes, options: bytes = b"") -> bytes:
    """An IPv4 packet."""
    words = 5 + len(options) // 4
    head = struct.pack(">BBHHHBBH", 0x40 | words, 0, 4 * words + len(payload), 0, 0, 64, protocol, 0)
    return head + ipaddress.IPv4Address(A4).packed + ipaddress.IPv4Address(B4).packed + options + payload


def ipv6(protocol: int, payload: bytes) -> bytes:
    """An IPv6 packet."""
    head = struct.pack(">IHBB", 6 << 28, len(payload), protocol, 64)
    return head + ipaddress.IPv6Address(A6).packed + ipaddress.IPv6Address(B6).packed + payload


def expected(protocol: int, source: str, destination: str, ports: tuple[int, int]) -> FiveTuple:
    """The five-tuple that a packet must be read as."""
    return FiveTuple(protocol, read_address(source), ports[0], read_address(destination), ports[1])


@pytest.mark.parametrize("protocol", [TCP, UDP, SCTP])
def test_ports_are_read_in_both_families(protocol: int):
    """Source first, then destination, in network byte order."""
    assert read_five_tuple(ipv4(protocol, PORTS)) == expected(protocol, A4, B4, (40_000, 443))
    assert read_five_tuple(ipv6(protocol, PORTS)) == expected(protocol, A6, B6, (40_000, 443))


def test_ports_stand_behind_ipv4_options():
    """The header's own length says where the transport header begins."""
    assert read_five_tuple(ipv4(TCP, PORTS, options=b"\1" * 8)) == expected(TCP, A4, B4, (40_000, 443))


def test_ports_stand_behind_ipv6_extension_headers():
    """Hop-by-hop and destination options come before the transport header."""
    options = bytes([60, 1]) + b"\0" * 14 + bytes([UDP, 0]) + b"\0" * 6

    assert read_five_tuple(ipv6(0, options + PORTS)) == expected(UDP, A6, B6, (40_000, 443))


@pytest.mark.parametrize(("packet", "ends"), [(ipv4, (A4, B4)), (ipv6, (A6, B6))])
def test_an_echo_is_known_by_its_identifier(packet: Callable[..., bytes], ends: tuple[str, str]):
    """The identifier stands where a source port would; there is no destination port."""
    protocol = ICMP if packet is ipv4 else ICMPV6
    echo = struct.pack(">BBHHH", 8, 0, 0, 1234, 1) + NONCE

    assert read_five_tuple(packet(protocol, echo)) == expected(protocol, *ends, (1234, 0))


def test_a_protocol_without_ports_has_none():
    """GRE begins with flags, which are no ports."""
    assert read_five_tuple(ipv4(47, PORTS)) == expected(47, A4, B4, (0, 0))


def test_a_packet_that_is_cut_short_is_no_five_tuple():
    """Half a header names nobody."""
    assert read_five_tuple(ipv4(TCP, PORTS)[:19]) is None
    assert read_five_tuple(ipv6(TCP, PORTS)[:39]) is None


def test_a_transport_header_that_is_cut_short_has_no_ports():
    """The addresses are still there."""
    assert read_five_tuple(ipv4(TCP, b"\x9c")) == expected(TCP, A4, B4, (0, 0))


def test_the_checksum_is_crc32c():
    """The check value of CRC-32/ISCSI."""
    assert crc32c(b"123456789") == 0xE3069283


@pytest.mark.parametrize(("packet", "chunk"), [(sctp_init, INIT), (sctp_init_ack, INIT_ACK)])
def test_an_sctp_packet_carries_its_nonce_and_a_true_checksum(packet: Callable[..., bytes], chunk: int):
    """What one end writes the other reads; conntrack would drop it with another checksum."""
    written = packet(40_000, 3868, NONCE)

    assert read_sctp(written) == (40_000, 3868, chunk, NONCE)
    assert struct.unpack_from("<I", written, 8)[0] == crc32c(written[:8] + b"\0\0\0\0" + written[12:])


def test_an_init_ack_bears_the_tag_of_the_init_it_answers():
    """RFC 9260, 8.5.1: or the other end, and conntrack, throw it away."""
    assert sctp_init_ack(1, 2, NONCE)[4:8] == NONCE[:4]


def test_a_short_sctp_packet_has_no_chunk():
    """An ABORT is 16 bytes and carries no nonce."""
    assert read_sctp(b"\0" * 16) is None


@pytest.mark.parametrize(("family", "kind"), [(Family.IPV4, 8), (Family.IPV6, 128)])
def test_an_echo_request_carries_its_nonce(family: Family, kind: int):
    """Type, code and sequence are ours; identifier and checksum are the kernel's."""
    request = echo_request(family, NONCE)

    assert (request[0], request[1], request[8:]) == (kind, 0, NONCE)
