"""Sets as compressed bitmaps, for clusters with too many classes for Python's integers; needs ``pyroaring``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyroaring import FrozenBitMap

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Bitmap(FrozenBitMap):
    """A bitmap that is hashed by all that it holds.

    The hash of its base is decided by the last few members alone, so that all sets with a
    common end collide, and is slow for large sets. Here the members are hashed at once, or
    what lies between them where that is less; what was worked out once is kept.
    """

    __slots__ = ("_known_hash",)
    _known_hash: int

    def __hash__(self) -> int:
        """Return a number that equal sets share, whatever their containers."""
        try:
            return self._known_hash
        except AttributeError:
            self._known_hash = self._hash()
        return self._known_hash

    def _hash(self) -> int:
        if not self:
            return 0
        end = self.max() + 1
        rare = self if 2 * len(self) <= end else self.flip(0, end)
        return hash((len(self), rare.to_array().tobytes()))


class Bitmaps:
    """Sets as compressed bitmaps: as fast for many members as for few."""

    empty = Bitmap()

    def of(self, members: Iterable[int]) -> Bitmap:
        """Return the set of some integers."""
        return Bitmap(members)

    def sub(self, one: Bitmap, other: Bitmap) -> Bitmap:
        """Return what is in one set and not in the other."""
        return one - other

    def has(self, found: Bitmap, member: int) -> bool:
        """Tell whether an integer is in a set."""
        return member in found

    def count(self, found: Bitmap) -> int:
        """Return how many integers a set holds."""
        return len(found)

    def ids(self, found: Bitmap) -> Iterator[int]:
        """Yield the members in order."""
        return iter(found)

    def union(self, sets: Iterable[Bitmap]) -> Bitmap:
        """Unite any number of sets."""
        return Bitmap.union(self.empty, *sets)


BITMAPS = Bitmaps()
"""The form for very many classes."""
