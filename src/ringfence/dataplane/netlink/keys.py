"""Keys of sets as the kernel has them: the bytes of each field, in the order of the fields.

The fields of a key of several are padded to four bytes each, the one field of any other is
not. Everything that we look up is in network byte order.

Sources: ``net/netfilter/nf_tables_api.c``, ``nft_set_elem_init``; nft's ``datatype.h`` for the
numbers of types, which mean nothing to the kernel and let ``nft list`` print keys.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import IPV6_BASE
from ringfence.dataplane.nft import Datatype

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTHS = {
    Datatype.IPV4_ADDR: 4,
    Datatype.IPV6_ADDR: 16,
    Datatype.INET_PROTO: 1,
    Datatype.INET_SERVICE: 2,
    Datatype.IFNAME: 16,
    Datatype.ETHER_ADDR: 6,
}
"""Bytes of each type."""

NUMBERS = {
    Datatype.IPV4_ADDR: 7,
    Datatype.IPV6_ADDR: 8,
    Datatype.INET_PROTO: 12,
    Datatype.INET_SERVICE: 13,
    Datatype.IFNAME: 41,
    Datatype.ETHER_ADDR: 9,
}
"""nft's number for each type."""

_TYPES = {number: datatype for datatype, number in NUMBERS.items()}
_BITS = 6
"""How many bits of a number of types together each of them has."""

_BASES = {Datatype.IPV6_ADDR: IPV6_BASE, Datatype.IFNAME: 0, Datatype.ETHER_ADDR: 0}
"""Types that no number of the standard library fits, and the value of the first of their keys."""

_FORMATS = {
    Datatype.IPV4_ADDR: ("I", ""),
    Datatype.IPV6_ADDR: ("16s", ""),
    Datatype.INET_PROTO: ("B", "3x"),
    Datatype.INET_SERVICE: ("H", "2x"),
    Datatype.IFNAME: ("16s", ""),
    Datatype.ETHER_ADDR: ("6s", "2x"),
}


@dataclass(frozen=True)
class Layout:
    """How a key of these types is laid out.

    Attributes:
        types: The type of each field; at least one.
    """

    types: tuple[Datatype, ...]

    @property
    def number(self) -> int:
        """The number that nft has for the types together."""
        found = 0
        for each in self.types:
            found = found << _BITS | NUMBERS[each]
        return found

    @cached_property
    def struct(self) -> struct.Struct:
        """The fields as the standard library packs them."""
        padded = len(self.types) > 1
        parts = (part + (padding if padded else "") for part, padding in map(_FORMATS.__getitem__, self.types))
        return struct.Struct(">" + "".join(parts))

    @property
    def has_long(self) -> bool:
        """Whether a field is longer than the numbers that the standard library packs."""
        return bool(self._longs)

    @cached_property
    def _longs(self) -> dict[int, int]:
        """The fields that are longer than numbers, each with what its values begin at."""
        return {index: _BASES[each] for index, each in enumerate(self.types) if each in _BASES}

    def encode(self, values: Sequence[int]) -> bytes:
        """Return the bytes of a key with these values."""
        if not self._longs:
            return self.struct.pack(*values)
        fields: list[int | bytes] = list(values)
        for index, base in self._longs.items():
            fields[index] = (values[index] - base).to_bytes(WIDTHS[self.types[index]])
        return self.struct.pack(*fields)

    def decode(self, data: bytes) -> tuple[int, ...]:
        """Return the values of a key."""
        fields = self.struct.unpack(data)
        if not self._longs:
            return fields
        bases = self._longs
        return tuple(
            int.from_bytes(each) + bases[index] if isinstance(each, bytes) else each
            for index, each in enumerate(fields)
        )

    @property
    def last(self) -> int:
        """The greatest value of the first field."""
        return _BASES.get(self.types[0], 0) + (1 << 8 * WIDTHS[self.types[0]]) - 1


def read_types(number: int) -> tuple[Datatype, ...] | None:
    """Return the types that nft's number stands for; None when one of them is none of ours."""
    found = []
    while number:
        found.append(_TYPES.get(number & (1 << _BITS) - 1))
        number >>= _BITS
    types = tuple(each for each in reversed(found) if each)
    return types if found and len(types) == len(found) else None
