"""Sets of packets against sets of points, on a line so short that every point can be asked."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ringfence.algebra.intervals import Intervals
from ringfence.dataplane.reach import Reach, Traffics

Box = tuple[int, int, Intervals]
Points = set[tuple[int, int]]

TRAFFIC = st.sets(st.integers(0, 3), min_size=1).map(lambda each: Intervals.of((point, point) for point in each))


BOXES = st.lists(st.tuples(st.integers(0, 11), st.integers(0, 3), TRAFFIC), max_size=5).map(
    lambda found: [(first, first + more, traffic) for first, more, traffic in found]
)
"""Ranges of addresses with some traffic, in any order; they may overlap."""


def points(boxes: list[Box]) -> Points:
    """Every pair of an address and a point of traffic."""
    found = ((range(first, last + 1), range(4), traffic) for first, last, traffic in boxes)
    return {(a, t) for addresses, every, traffic in found for a in addresses for t in every if t in traffic}


def held(traffics: Traffics, reach: Reach) -> Points:
    """The same of a set, whose pieces are in order, disjoint, not empty and as few as can be."""
    for (_, last, number), (first, _, other) in zip(reach.pieces, reach.pieces[1:], strict=False):
        assert last < first
        assert last + 1 < first or number != other
    assert all(first <= last and number for first, last, number in reach.pieces)
    return points([(first, last, traffics.traffic(number)) for first, last, number in reach.pieces])


@given(BOXES, BOXES)
def test_sets_of_packets_are_sets(some: list[Box], others: list[Box]):
    """What is in both, in one alone, in any; and what is left as it is is the same object."""
    traffics = Traffics()
    one, other = traffics.covering(some), traffics.covering(others)
    both, left, either = traffics.both(one, other), traffics.without(one, other), traffics.union([one, other])

    assert (held(traffics, one), held(traffics, other)) == (points(some), points(others))
    assert held(traffics, both) == points(some) & points(others)
    assert held(traffics, left) == points(some) - points(others)
    assert held(traffics, either) == points(some) | points(others)
    assert both or left is one
