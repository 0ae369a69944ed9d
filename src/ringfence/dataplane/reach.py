"""Sets of packets: which traffic with which addresses, as pieces of a line of addresses.

Traffic here is what packets bear, protocol numbers and all: every protocol has 65,536 ports
and one more point for a packet that ends before them. The policies' protocols without
ports are all the numbers that policies do not name.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import pairwise
from typing import TYPE_CHECKING

from ringfence.algebra.intervals import EMPTY, Intervals
from ringfence.algebra.traffic import Protocol, by_protocol
from ringfence.dataplane.nft import NUMBERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ringfence.algebra.intervals import Range

STRIDE = 65_537
"""Points of one protocol: its ports, and what has none."""

_PROTOCOLS = 256
_UNNAMED = Intervals.of((n, n) for n in range(_PROTOCOLS)) - Intervals.of((n, n) for n in NUMBERS.values())

EVERYTHING = Intervals(((0, _PROTOCOLS * STRIDE - 1),))
"""All packets, whatever their protocol."""

Piece = tuple[int, int, int]
"""First and last address, and the number of a set of traffic that is not empty."""


def protocols(numbers: Intervals) -> Intervals:
    """Return everything of these protocols."""
    return Intervals.of((first * STRIDE, (last + 1) * STRIDE - 1) for first, last in numbers)


def packets_of(traffic: Intervals) -> Intervals:
    """Return the packets of traffic as policies know it."""
    found: list[Range] = []
    for protocol, pairs in by_protocol(traffic).items():
        if protocol is Protocol.ICMP:
            found += protocols(_UNNAMED).ranges
        else:
            base = NUMBERS[protocol] * STRIDE
            found += [(base + first, base + last) for first, last in pairs]
    return Intervals.of(found)


JUDGED = packets_of(Intervals(((0, 3 * 65_536),)))
"""Every packet of which policies say something: one with ports is long enough for them."""


class Reach:
    """An immutable set of packets; equal only to itself.

    Attributes:
        pieces: Disjoint and in order.
        lasts: The last address of each.
    """

    __slots__ = ("lasts", "pieces")

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self.pieces = pieces
        self.lasts = [last for _, last, _ in pieces]

    def __bool__(self) -> bool:
        """Tell whether any packet is in it."""
        return bool(self.pieces)


NOTHING = Reach(())


class Traffics:
    """Numbers for sets of traffic, so that pieces are compared and combined by number.

    The empty set is 0, and :data:`EVERYTHING` is 1.
    """

    def __init__(self) -> None:
        self._sets: list[Intervals] = [EMPTY, EVERYTHING]
        self._numbers: dict[Intervals, int] = {EMPTY: 0, EVERYTHING: 1}
        self._met: dict[tuple[int, int], int] = {}
        self._left: dict[tuple[int, int], int] = {}

    def number(self, traffic: Intervals) -> int:
        """Return the number of a set."""
        found = self._numbers.get(traffic)
        if found is None:
            found = self._numbers[traffic] = len(self._sets)
            self._sets.append(traffic)
        return found

    def traffic(self, number: int) -> Intervals:
        """Return the set of a number."""
        return self._sets[number]

    def meet(self, one: int, other: int) -> int:
        """Return what is in both."""
        if one == other:
            return one
        key = (one, other)
        if key not in self._met:
            self._met[key] = self.number(self._sets[one] & self._sets[other])
        return self._met[key]

    def minus(self, one: int, other: int) -> int:
        """Return what is in one alone."""
        key = (one, other)
        if key not in self._left:
            self._left[key] = self.number(self._sets[one] - self._sets[other])
        return self._left[key]

    def reach(self, pieces: Iterable[tuple[int, int, Intervals]]) -> Reach:
        """Return the packets of pieces that are disjoint, in any order."""
        return joined(sorted((first, last, self.number(traffic)) for first, last, traffic in pieces if traffic))

    def covering(self, boxes: Iterable[tuple[int, int, Intervals]]) -> Reach:
        """Return the packets of pieces that may overlap."""
        boxes = sorted(boxes, key=_place)
        if all(one[1] < other[0] for one, other in pairwise(boxes)):
            return self.reach(boxes)
        events: list[tuple[int, Intervals, bool]] = []
        for first, last, traffic in boxes:
            events += [(first, traffic, True), (last + 1, traffic, False)]
        held: dict[Intervals, int] = {}
        pieces: list[tuple[int, int, Intervals]] = []
        start = 0
        for at, traffic, begins in sorted(events, key=_place):
            if held and at > start:
                pieces.append((start, at - 1, Intervals.union(held)))
            start = at
            held[traffic] = held.get(traffic, 0) + (1 if begins else -1)
            if not held[traffic]:
                del held[traffic]
        return self.reach(pieces)

    def at(self, reach: Reach, address: int) -> int:
        """Return the traffic with one address."""
        index = bisect_left(reach.lasts, address)
        found = index < len(reach.pieces) and reach.pieces[index][0] <= address
        return reach.pieces[index][2] if found else 0

    def both(self, one: Reach, other: Reach) -> Reach:
        """Return the packets in both; the larger itself where the smaller holds all of it."""
        if len(one.pieces) > len(other.pieces):
            one, other = other, one
        found: list[Piece] = []
        index = 0
        for first, last, traffic in one.pieces:
            index = bisect_left(other.lasts, first, index)
            position = index
            while position < len(other.pieces) and other.pieces[position][0] <= last:
                low, high, theirs = other.pieces[position]
                if both := self.meet(traffic, theirs):
                    found.append((max(first, low), min(last, high), both))
                position += 1
            index = max(index, position - 1)
        if found == other.pieces:
            return other
        return joined(found)

    def only(self, one: Reach, traffic: int) -> Reach:
        """Return the packets of some traffic; the same object when that is all of them."""
        if traffic == 1:
            return one
        found = [(first, last, both) for first, last, held in one.pieces if (both := self.meet(held, traffic))]
        return one if found == one.pieces else joined(found)

    def without(self, one: Reach, other: Reach) -> Reach:
        """Return the packets in one alone; the same object when the other has none of them."""
        if one is other:
            return NOTHING
        found: list[Piece] = []
        index, is_less = 0, False
        for piece in one.pieces:
            first, last, traffic = piece
            position = index = bisect_left(other.lasts, first, index)
            start = first
            while position < len(other.pieces) and other.pieces[position][0] <= last:
                low, high, theirs = other.pieces[position]
                rest = self.minus(traffic, theirs)
                if rest != traffic:
                    if low > start:
                        found.append((start, low - 1, traffic))
                    if rest:
                        found.append((max(start, low), min(last, high), rest))
                    start, is_less = high + 1, True
                position += 1
            if start == first:
                found.append(piece)
            elif start <= last:
                found.append((start, last, traffic))
            index = max(index, position - 1)
        return joined(found) if is_less else one

    def union(self, parts: Sequence[Reach]) -> Reach:
        """Return the packets in any of them."""
        parts = [part for part in parts if part]
        if len(parts) < 2:
            return parts[0] if parts else NOTHING
        return self.covering((first, last, self._sets[number]) for part in parts for first, last, number in part.pieces)


def _place(part: tuple[int, object, object]) -> int:
    return part[0]


def joined(pieces: Iterable[Piece]) -> Reach:
    """Return the packets of pieces that are disjoint and in order, such as touch and have the same traffic as one."""
    found: list[Piece] = []
    end, held = -1, 0
    for piece in pieces:
        first, last, traffic = piece
        if first == end and traffic == held:
            found[-1] = (found[-1][0], last, traffic)
        else:
            found.append(piece)
        end, held = last + 1, traffic
    return Reach(found) if found else NOTHING
