"""IPv4 and IPv6 addresses on one line of integers, and sets of them.

An address is an integer: IPv4 addresses keep their value, IPv6 addresses are lifted by
``IPV6_BASE``. A set of addresses of both families is therefore one :class:`Intervals`.
Text in and out follows RFC 4291 and RFC 5952 through the standard library.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from enum import IntEnum
from typing import NewType

from ringfence.algebra.intervals import Intervals

Address = NewType("Address", int)
"""One address of either family on the line; :func:`family_of` tells which."""

IPV6_BASE = 1 << 40
"""Where IPv6 begins on the line: beyond every IPv4 address, with a gap between."""


class Family(IntEnum):
    """An address family; the value is the IP version."""

    IPV4 = 4
    IPV6 = 6


EVERY: dict[Family, Intervals] = {
    Family.IPV4: Intervals(((0, (1 << 32) - 1),)),
    Family.IPV6: Intervals(((IPV6_BASE, IPV6_BASE + (1 << 128) - 1),)),
}
"""All addresses of each family."""


def family_of(address: int) -> Family:
    """Return the family of an address on the line."""
    return Family.IPV6 if address >= IPV6_BASE else Family.IPV4


_NO_OCTET = 256
_OCTETS = {str(octet): octet for octet in range(_NO_OCTET)}
"""The octets of IPv4 as they are written, without a zero in front."""


def read_address(text: str) -> Address:
    """Read one address; ``ValueError`` when the text is none, or has a zone such as ``%eth0``."""
    octets = [_OCTETS.get(part, _NO_OCTET) for part in text.split(".")]
    if len(octets) == 4 and _NO_OCTET not in octets:  # as nearly always; the library takes three times as long
        return Address(int.from_bytes(octets, "big"))
    if "%" in text:
        message = f"{text!r} has a zone"
        raise ValueError(message)
    address = ipaddress.ip_address(text)
    return Address(int(address) + _base(address.version))


def read_cidr(text: str) -> Intervals:
    """Read ``10.0.0.0/8`` or ``2001:db8::/32`` as one range; bits beyond the prefix are ignored.

    Raises:
        ValueError: the text is no CIDR; a bare address is none, nor is one with a zone.
    """
    if "/" not in text or "%" in text:
        message = f"{text!r} is no address with a prefix length"
        raise ValueError(message)
    network = ipaddress.ip_network(text, strict=False)
    base = _base(network.version)
    return Intervals(((int(network.network_address) + base, int(network.broadcast_address) + base),))


def render_address(address: int) -> str:
    """Return the canonical text of an address on the line."""
    if address >= IPV6_BASE:
        return str(ipaddress.IPv6Address(address - IPV6_BASE))
    return str(ipaddress.IPv4Address(address))


def cidrs(addresses: Intervals) -> list[str]:
    """Return the fewest CIDRs that make up a set of addresses, in the order of the line."""
    texts = []
    for first, last in addresses.ranges:
        ends = (ipaddress.ip_address(render_address(first)), ipaddress.ip_address(render_address(last)))
        texts += [str(network) for network in ipaddress.summarize_address_range(*ends)]
    return texts


def render_addresses(addresses: Intervals) -> str:
    """Return a set of addresses as people write it: CIDRs, some with what they leave out.

    ``10.0.0.0/8 except 10.0.0.0/24`` is chosen over plain CIDRs where it names fewer. All is
    joined by commas: what lies within the CIDR before ``except`` is left out, and what does not
    is another. The empty set is ``nothing``.
    """
    terms = [term for whole in EVERY.values() for term in _written(addresses & whole, whole).terms]
    return ", ".join(terms) or "nothing"


@dataclass(frozen=True, slots=True)
class _Written:
    """A set within one CIDR, in the fewest words.

    Attributes:
        terms: CIDRs, some with what they leave out.
        size: How many CIDRs the terms name.
        gaps: What of the CIDR is not in the set, as CIDRs.
    """

    terms: tuple[str, ...]
    size: int
    gaps: tuple[str, ...]


def _written(addresses: Intervals, within: Intervals) -> _Written:
    """Write a set that lies within one CIDR: by its halves, or by what the CIDR leaves out."""
    if addresses == within:
        return _Written((_cidr(within),), 1, ())
    if not addresses:
        return _Written((), 0, (_cidr(within),))
    ((first, last),) = within
    middle = (first + last) // 2
    halves = [Intervals((half,)) for half in ((first, middle), (middle + 1, last))]
    low, high = (_written(addresses & half, half) for half in halves)
    size, gaps = low.size + high.size, low.gaps + high.gaps
    if 1 + len(gaps) < size:
        return _Written((f"{_cidr(within)} except {', '.join(gaps)}",), 1 + len(gaps), gaps)
    return _Written(low.terms + high.terms, size, gaps)


def _cidr(addresses: Intervals) -> str:
    """Return a set that is one CIDR as its text."""
    ((first, last),) = addresses
    longest = 128 if family_of(first) is Family.IPV6 else 32
    return f"{render_address(first)}/{longest - (last - first).bit_length()}"


def _base(version: int) -> int:
    return IPV6_BASE if version == Family.IPV6 else 0


LOOPBACK = read_cidr("127.0.0.0/8") | read_cidr("::1/128")
"""Whoever speaks to these addresses speaks to itself, within its own network: RFC 1122 3.2.1.3, RFC 4291 2.5.3."""
