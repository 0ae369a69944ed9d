"""Sets of small integers behind eight functions, so that their form can be changed.

``&`` and ``|`` are operators; the other six are the methods of a :class:`Sets`. Python's
own integers, one bit for each member, are the form that needs nothing and is fastest up
to some ten thousand members; :mod:`ringfence.edges.bitmaps` has the form for more. Sets
are immutable, hashable, and false when empty.
"""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PeerSet = Any
"""A set in the form of one :class:`Sets`; sets of two forms never meet."""


class Sets(Protocol):
    """One form of sets."""

    @property
    def empty(self) -> PeerSet:
        """The set that holds nothing."""
        ...

    def of(self, members: Iterable[int]) -> PeerSet:
        """Return the set of some integers, in any order."""
        ...

    def sub(self, one: PeerSet, other: PeerSet) -> PeerSet:
        """Return what is in one set and not in the other."""
        ...

    def has(self, found: PeerSet, member: int) -> bool:
        """Tell whether an integer is in a set."""
        ...

    def count(self, found: PeerSet) -> int:
        """Return how many integers a set holds."""
        ...

    def ids(self, found: PeerSet) -> Iterator[int]:
        """Yield the members in order."""
        ...

    def union(self, sets: Iterable[PeerSet]) -> PeerSet:
        """Unite any number of sets."""
        ...


class Integers:
    """Sets as Python integers, one bit for each member."""

    empty = 0

    def of(self, members: Iterable[int]) -> int:
        """Return the set of some integers; linear in their number and in the largest."""
        found = sorted(members)
        if not found:
            return 0
        octets = bytearray((found[-1] >> 3) + 1)
        for member in found:
            octets[member >> 3] |= 1 << (member & 7)
        return int.from_bytes(octets, "little")

    def sub(self, one: int, other: int) -> int:
        """Return what is in one set and not in the other."""
        return one & ~other

    def has(self, found: int, member: int) -> bool:
        """Tell whether an integer is in a set."""
        return bool(found >> member & 1)

    def count(self, found: int) -> int:
        """Return how many integers a set holds."""
        return found.bit_count()

    def ids(self, found: int) -> Iterator[int]:
        """Yield the members in order."""
        if found.bit_count() << 8 < found.bit_length():  # few: each is found by arithmetic on the whole
            while found:
                low = found & -found
                yield low.bit_length() - 1
                found ^= low
            return
        for place, octet in enumerate(found.to_bytes((found.bit_length() + 7) >> 3, "little")):
            if octet:
                yield from (place << 3 | bit for bit in _BITS[octet])

    def union(self, sets: Iterable[int]) -> int:
        """Unite any number of sets."""
        return reduce(or_, sets, 0)


_BITS = tuple(tuple(bit for bit in range(8) if octet >> bit & 1) for octet in range(256))
"""The bits of every octet."""

INTEGERS = Integers()
"""The form that is always there."""
