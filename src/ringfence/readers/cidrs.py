"""Blocks of addresses as the API server reads them: leniently first, then perhaps strictly.

Source: k8s.io/utils ``net.ParseCIDRSloppy``, and k8s.io/apimachinery
``util/validation/ip.go`` for what a strict server adds.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import cidrs, read_cidr
from ringfence.readers import refusals

if TYPE_CHECKING:
    from ringfence.algebra.intervals import Intervals

_REMEMBERED = 1 << 14

_IPV4_BITS, _IPV6_BITS = 32, 128

_LONGEST = len(str(_IPV6_BITS))

_MAPPED_BITS = _IPV6_BITS - _IPV4_BITS
"""Bits before the IPv4 address in ``::ffff:10.0.0.0``."""

_CIDR = re.compile(r"([0-9a-fA-F:.]+)/([0-9]+)")

_ZEROS = re.compile(r"(?<![0-9a-fA-F])0+(?=[0-9a-fA-F])")
"""Leading zeros of a number within an address."""


@dataclass(frozen=True, slots=True)
class Cidr:
    """One block, readable at least leniently.

    Attributes:
        addresses: The whole block. One of IPv4-mapped addresses holds those IPv4 addresses.
        length: Bits of its prefix as written, by which a server tells the smaller block.
        faults: What a strict server says against its text; empty when it takes it.
    """

    addresses: Intervals
    length: int
    faults: tuple[str, ...]

    @property
    def first(self) -> int:
        """Its first address."""
        return self.addresses.ranges[0][0]

    def __str__(self) -> str:
        """Return it as a strict server takes it."""
        return cidrs(self.addresses)[0]


@lru_cache(_REMEMBERED)
def parse_cidr(text: str) -> Cidr | None:
    """Read a block; None when no server takes the text."""
    parts = _CIDR.fullmatch(text)
    if not parts:
        return None
    written, digits = parts[1], parts[2]
    plain, significant = _ZEROS.sub("", written), digits.lstrip("0") or "0"
    if len(significant) > _LONGEST:
        return None
    length = int(significant)
    try:
        address = ipaddress.ip_address(plain)
    except ValueError:
        return None
    if length > address.max_prefixlen:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    zeros = (plain != written and not _is_strict(written)) or (len(digits) > 1 and digits.startswith("0"))
    block = f"{mapped}/{length - _MAPPED_BITS}" if mapped and length >= _MAPPED_BITS else f"{address}/{length}"
    faults: tuple[str, ...] = ()
    if zeros:
        faults = (refusals.CIDR_ZEROS,)
    elif mapped:
        faults = (refusals.CIDR_MAPPED,)
    elif ipaddress.ip_network(block, strict=False).network_address != address:
        faults = (refusals.CIDR_BITS,)
    return Cidr(read_cidr(block), length, faults)


def _is_strict(address: str) -> bool:
    """Tell whether an address is one with the zeros it has, as IPv6 takes up to four digits."""
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return False
    return True
