"""Sets of integers as disjoint ranges: the one set type under addresses and traffic.

Every set is kept in canonical form, so equal sets are equal values and ``==`` and
``hash`` mean set equality. Operations are linear in the number of ranges.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Range = tuple[int, int]
"""First and last integer of a run, both inclusive."""


@dataclass(frozen=True, slots=True)
class Intervals:
    """An immutable set of integers.

    Attributes:
        ranges: ``(first, last)`` pairs, both inclusive, sorted by ``first``, with a gap
            of at least one integer between neighbours. Built by :meth:`of` alone.
    """

    ranges: tuple[Range, ...] = ()

    @classmethod
    def of(cls, ranges: Iterable[Range]) -> Intervals:
        """Build a set from ranges in any order, overlapping or touching; empty means empty.

        Raises:
            ValueError: a range whose first integer is greater than its last.
        """
        merged: list[Range] = []
        for first, last in sorted(ranges):
            if first > last:
                message = f"range {first}-{last} runs backwards"
                raise ValueError(message)
            if merged and first <= merged[-1][1] + 1:
                merged[-1] = (merged[-1][0], max(merged[-1][1], last))
            else:
                merged.append((first, last))
        return cls(tuple(merged))

    @classmethod
    def point(cls, value: int) -> Intervals:
        """Build the set of one integer."""
        return cls(((value, value),))

    @classmethod
    def points(cls, values: Iterable[int]) -> Intervals:
        """Build a set from its integers in any order, some perhaps twice; empty means empty."""
        found = sorted(values)
        if not found:
            return cls()
        gaps = [place for place, (before, value) in enumerate(pairwise(found), 1) if value > before + 1]
        return cls(tuple([(found[start], found[end - 1]) for start, end in pairwise((0, *gaps, len(found)))]))

    @classmethod
    def union(cls, sets: Iterable[Intervals]) -> Intervals:
        """Unite many sets in one sort, which is cheaper than ``|`` in a row."""
        return cls.of(pair for each in sets for pair in each.ranges)

    def __or__(self, other: Intervals) -> Intervals:
        """Return the integers in either set."""
        return Intervals.of((*self.ranges, *other.ranges))

    def __and__(self, other: Intervals) -> Intervals:
        """Return the integers in both sets."""
        mine, theirs, both = self.ranges, other.ranges, []
        i = j = 0
        while i < len(mine) and j < len(theirs):
            first = max(mine[i][0], theirs[j][0])
            last = min(mine[i][1], theirs[j][1])
            if first <= last:
                both.append((first, last))
            if mine[i][1] < theirs[j][1]:
                i += 1
            else:
                j += 1
        return Intervals(tuple(both))

    def __sub__(self, other: Intervals) -> Intervals:
        """Return the integers in this set and not in the other."""
        if not self.ranges:
            return self
        gaps, start = [], self.ranges[0][0]
        for first, last in other.ranges:
            if first > start:
                gaps.append((start, first - 1))
            start = max(start, last + 1)
        if start <= self.ranges[-1][1]:
            gaps.append((start, self.ranges[-1][1]))
        return self & Intervals(tuple(gaps))

    def __contains__(self, value: int) -> bool:
        """Tell whether one integer is in the set."""
        index = bisect_right(self.ranges, value, key=_first) - 1
        return index >= 0 and value <= self.ranges[index][1]

    def __bool__(self) -> bool:
        """Tell whether the set holds anything."""
        return bool(self.ranges)

    def __le__(self, other: Intervals) -> bool:
        """Tell whether every integer of this set is in the other."""
        return self & other == self

    def __iter__(self) -> Iterator[Range]:
        """Yield the ranges in order."""
        return iter(self.ranges)

    def count(self) -> int:
        """Return how many integers the set holds."""
        return sum(last - first + 1 for first, last in self.ranges)


EMPTY = Intervals()
"""The set that holds nothing."""


def atoms(domain: Intervals, sets: Iterable[Intervals]) -> tuple[Range, ...]:
    """Cut a domain into the coarsest sorted ranges that no set straddles.

    Two integers of one returned range are in exactly the same sets. Neighbouring ranges
    may still be alike; they differ only where some set begins or ends.
    """
    cuts = sorted({cut for each in sets for first, last in each.ranges for cut in (first, last + 1)})
    found: list[Range] = []
    for first, last in domain.ranges:
        start = first
        for index in range(bisect_right(cuts, first), bisect_right(cuts, last)):
            found.append((start, cuts[index] - 1))
            start = cuts[index]
        found.append((start, last))
    return tuple(found)


def _first(pair: Range) -> int:
    return pair[0]
