"""The bytes of packets, as far as the lab must read or write them itself.

Sources: RFC 791, RFC 8200, RFC 792, RFC 4443, RFC 9260.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from ringfence.algebra.addresses import IPV6_BASE, Address, Family

if TYPE_CHECKING:
    from collections.abc import Iterator

ICMP, TCP, UDP, ICMPV6, SCTP = 1, 6, 17, 58, 132
"""Protocol numbers."""

ECHO_REQUEST = {Family.IPV4: 8, Family.IPV6: 128}
ECHO_REPLY = {Family.IPV4: 0, Family.IPV6: 129}

INIT, INIT_ACK, ABORT = 1, 2, 6
"""Types of SCTP chunks."""

NONCE_BYTES = 8
"""Length of what a probe carries to be known by: a run and a number, four bytes each."""

TAG_OFFSETS = {TCP: 4, UDP: 8}
"""Where the tag of a packet that :class:`Segments` writes is, counted from its transport header."""

_SYN = 0x5002
"""The length of a TCP header without options, and the flag SYN alone."""

_EXTENSIONS = (0, 43, 60)
"""IPv6 headers that stand before the transport header: hop-by-hop, routing, destination options."""


class FiveTuple(NamedTuple):
    """What names a flow on the wire.

    Attributes:
        protocol: The IP protocol number.
        source: Where it comes from.
        source_port: Its port; for ICMP the identifier of an echo; 0 where there is none.
        destination: Where it goes.
        destination_port: Its port; 0 where there is none.
    """

    protocol: int
    source: Address
    source_port: int
    destination: Address
    destination_port: int


def read_five_tuple(packet: bytes) -> FiveTuple | None:
    """Return the five-tuple of a packet that begins with its IP header; None when it is cut short."""
    if len(packet) < 20:
        return None
    if packet[0] >> 4 == Family.IPV4:
        protocol, transport = packet[9], (packet[0] & 15) * 4
        source = Address(int.from_bytes(packet[12:16]))
        destination = Address(int.from_bytes(packet[16:20]))
    elif len(packet) < 40:
        return None
    else:
        protocol, transport = _skip_extensions(packet)
        source = Address(int.from_bytes(packet[8:24]) + IPV6_BASE)
        destination = Address(int.from_bytes(packet[24:40]) + IPV6_BASE)
    ports = _read_ports(protocol, packet[transport : transport + 8])
    return FiveTuple(protocol, source, ports[0], destination, ports[1])


def _skip_extensions(packet: bytes) -> tuple[int, int]:
    """Return the transport protocol of an IPv6 packet and where its header begins."""
    protocol, offset = packet[6], 40
    while protocol in _EXTENSIONS and offset + 2 <= len(packet):
        protocol, offset = packet[offset], offset + 8 * (packet[offset + 1] + 1)
    return protocol, offset


def _read_ports(protocol: int, header: bytes) -> tuple[int, int]:
    if protocol in (TCP, UDP, SCTP) and len(header) >= 4:
        return struct.unpack_from(">HH", header)
    if protocol in (ICMP, ICMPV6) and len(header) >= 6:
        return struct.unpack_from(">H", header, 4)[0], 0
    return 0, 0


def echo_request(family: Family, nonce: bytes) -> bytes:
    """Return an ICMP echo request for a ping socket, which fills in identifier and checksum."""
    return struct.pack(">BBHHH", ECHO_REQUEST[family], 0, 0, 0, 1) + nonce


def sctp_init(source_port: int, destination_port: int, nonce: bytes) -> bytes:
    """Return an SCTP INIT whose tag and first sequence number are the nonce."""
    tag, number = nonce[:4], nonce[4:]
    chunk = struct.pack(">BBH4sIHH4s", INIT, 0, 20, tag, 65536, 1, 1, number)
    return _sctp(source_port, destination_port, b"\0\0\0\0", chunk)


def sctp_init_ack(source_port: int, destination_port: int, nonce: bytes) -> bytes:
    """Return the INIT ACK that answers the INIT with this nonce, and carries it as its cookie."""
    tag = nonce[:4]
    chunk = struct.pack(">BBH4sIHH4sHH8s", INIT_ACK, 0, 32, tag, 65536, 1, 1, nonce[4:], 7, 12, nonce)
    return _sctp(source_port, destination_port, tag, chunk)


class SctpPacket(NamedTuple):
    """An SCTP packet's ports, and the type and nonce of its first chunk."""

    source_port: int
    destination_port: int
    chunk: int
    nonce: bytes


def read_sctp(packet: bytes) -> SctpPacket | None:
    """Read a packet from the SCTP header on; None when it is too short for a chunk with a nonce."""
    if len(packet) < 32:
        return None
    source_port, destination_port, _, _, chunk = struct.unpack_from(">HHIIB", packet)
    nonce = packet[-NONCE_BYTES:] if chunk == INIT_ACK else packet[16:20] + packet[28:32]
    return SctpPacket(source_port, destination_port, chunk, nonce)


class Segments:
    """Writes packets that differ in source port and tag alone: TCP that opens a connection, or UDP.

    Sources: RFC 768, RFC 9293, and RFC 1071 for checksums, which conntrack insists on.
    """

    def __init__(self, source: Address, destination: Address, protocol: int, port: int) -> None:
        ends = b"".join(_on_the_wire(each) for each in (source, destination))
        self._protocol, self._port = protocol, port
        length = 20 if protocol == TCP else 12
        rest = (protocol + length, port, _SYN if protocol == TCP else length)
        self._sum = sum(struct.unpack(f">{len(ends) // 2}H", ends)) + sum(rest)

    def write(self, source_port: int, tag: int) -> bytes:
        """Return a packet from its transport header on, with a tag of 32 bits."""
        total = self._sum + source_port + (tag >> 16) + (tag & 0xFFFF)
        total = (total & 0xFFFF) + (total >> 16)
        checksum = ((total & 0xFFFF) + (total >> 16)) ^ 0xFFFF
        if self._protocol == TCP:
            return struct.pack(">HHIIHHHH", source_port, self._port, tag, 0, _SYN, 0, checksum, 0)
        return struct.pack(">HHHHI", source_port, self._port, 12, checksum or 0xFFFF, tag)


def read_tag(protocol: int, segment: bytes) -> int:
    """Return the tag of a packet that :class:`Segments` wrote, from its transport header on; 0 for another."""
    offset = TAG_OFFSETS[protocol]
    if len(segment) < offset + 4 or (protocol == TCP and segment[13] != _SYN & 0xFF):
        return 0
    return int(struct.unpack_from(">I", segment, offset)[0])


def _on_the_wire(address: Address) -> bytes:
    return (address - IPV6_BASE).to_bytes(16) if address >= IPV6_BASE else address.to_bytes(4)


def _sctp(source_port: int, destination_port: int, tag: bytes, chunk: bytes) -> bytes:
    header = struct.pack(">HH4s", source_port, destination_port, tag)
    # RFC 9260, appendix A: the checksum stands in the packet with its bytes reversed.
    return header + struct.pack("<I", crc32c(header + b"\0\0\0\0" + chunk)) + chunk


def crc32c(data: bytes) -> int:
    """Return the CRC32c of bytes; conntrack calls an SCTP packet without the right one invalid."""
    register = 0xFFFFFFFF
    for byte in data:
        register = _CRC32C[(register ^ byte) & 0xFF] ^ (register >> 8)
    return register ^ 0xFFFFFFFF


def _crc32c_table() -> Iterator[int]:
    for register in range(256):
        for _ in range(8):
            register = (register >> 1) ^ (0x82F63B78 if register & 1 else 0)  # noqa: PLW2901 - a shift register
        yield register


_CRC32C = tuple(_crc32c_table())
