"""The bytes of packets that well-behaved sockets never send: fragments, extension headers, odd flags, quotations."""

from __future__ import annotations

import struct
from itertools import count
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import IPV6_BASE, Family, family_of
from tests.dataplane.wire import checksum

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ringfence.algebra.addresses import Address

FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = (1 << bit for bit in range(8))
HOP_BY_HOP, ROUTING, FRAGMENT, AUTHENTICATION, NOTHING, DESTINATION = 0, 43, 44, 51, 59, 60
"""IPv6 headers that are followed by others, and the one that is followed by nothing."""

_identifications = count(1)


def ip(  # noqa: PLR0913 - a header has many fields
    source: Address,
    destination: Address,
    protocol: int,
    body: bytes,
    *,
    offset: int = 0,
    more: bool = False,
    tos: int = 0,
    hop_limit: int = 64,
) -> bytes:
    """A packet; of IPv4 perhaps a fragment, its offset in bytes."""
    if family_of(source) is Family.IPV4:
        fragment = offset >> 3 | more << 13
        head = struct.pack(">BBHHHBBH", 0x45, tos, 20 + len(body), 0, fragment, hop_limit, protocol, 0)
        return head + source.to_bytes(4) + destination.to_bytes(4) + body
    return (
        struct.pack(">IHBB", 6 << 28 | tos << 20, len(body), protocol, hop_limit) + _pseudo(source, destination) + body
    )


def fragments(
    source: Address, destination: Address, protocol: int, body: bytes, cuts: Sequence[tuple[int, int]]
) -> tuple[bytes, ...]:
    """Fragments of one packet: bytes from and to of its body, the last byte of which ends it."""
    identification = next(_identifications)
    made = []
    for first, last in cuts:
        part, more = body[first:last], last < len(body)
        if family_of(source) is Family.IPV4:
            made.append(ip(source, destination, protocol, part, offset=first, more=more))
        else:
            header = struct.pack(">BBHI", protocol, 0, first | more, identification)
            made.append(ip(source, destination, FRAGMENT, header + part))
    return tuple(made)


def extended(
    source: Address, destination: Address, protocol: int, body: bytes, headers: Sequence[int]
) -> tuple[bytes, ...]:
    """An IPv6 packet with headers of eight or twelve bytes before its own."""
    for header, following in zip(reversed(headers), (protocol, *reversed(headers)), strict=False):
        match header:
            case 43:  # a routing header of a kind that nobody knows, with nothing left to do
                body = struct.pack(">BBBBI", following, 0, 253, 0, 0) + body
            case 44:  # a fragment that is the whole
                body = struct.pack(">BBHI", following, 0, 0, next(_identifications)) + body
            case 51:
                body = struct.pack(">BBHII", following, 1, 0, 256, 1) + body
            case _:  # options: six bytes of padding
                body = struct.pack(">BB6B", following, 0, 1, 4, 0, 0, 0, 0) + body
    return (ip(source, destination, headers[0], body),)


def tcp(source: Address, destination: Address, ports: tuple[int, int], flags: int = SYN, payload: bytes = b"") -> bytes:
    """A TCP header and what it carries."""
    head = struct.pack(">HHIIBBHHH", *ports, 1, 0, 5 << 4, flags, 1024, 0, 0)
    total = checksum(_pseudo(source, destination) + struct.pack(">HH", 6, len(head) + len(payload)) + head + payload)
    return head[:16] + total + head[18:] + payload


def udp(source: Address, destination: Address, ports: tuple[int, int], payload: bytes = b"") -> bytes:
    """A UDP header and what it carries."""
    length = 8 + len(payload)
    head = struct.pack(">HHH", *ports, length)
    total = checksum(_pseudo(source, destination) + struct.pack(">HH", 17, length) + head + b"\0\0" + payload)
    return head + total + payload


def icmp(source: Address, destination: Address, kind: int, rest: bytes, *, code: int = 0) -> bytes:
    """An ICMP or ICMPv6 message, from its type to its end."""
    head, pseudo = struct.pack(">BB", kind, code), b""
    if family_of(source) is Family.IPV6:
        pseudo = _pseudo(source, destination) + struct.pack(">HH", 58, 4 + len(rest))
    return head + checksum(pseudo + head + b"\0\0" + rest) + rest


def too_big(source: Address, destination: Address, quoted: bytes) -> bytes:
    """What a router says of a packet that is too big for it, as a whole packet."""
    if family_of(source) is Family.IPV4:
        quoted = quoted[:10] + checksum(quoted[:10] + b"\0\0" + quoted[12:20]) + quoted[12:]
        return ip(source, destination, 1, icmp(source, destination, 3, struct.pack(">HH", 0, 1300) + quoted, code=4))
    return ip(source, destination, 58, icmp(source, destination, 2, struct.pack(">I", 1300) + quoted))


def _pseudo(source: Address, destination: Address) -> bytes:
    if family_of(source) is Family.IPV4:
        return source.to_bytes(4) + destination.to_bytes(4)
    return b"".join((each - IPV6_BASE).to_bytes(16) for each in (source, destination))
