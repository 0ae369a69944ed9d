"""Intervals against plain sets of integers."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.algebra.intervals import EMPTY, Intervals, atoms

if TYPE_CHECKING:
    from random import Random

FIRST, LAST = 0, 24
WORLD = range(FIRST - 2, LAST + 3)
"""Every integer that a set can hold, and neighbors that it cannot."""

members = st.frozensets(st.integers(FIRST, LAST))


def intervals(integers: frozenset[int]) -> Intervals:
    """The set, built from single integers."""
    return Intervals.of((each, each) for each in integers)


def listed(found: Intervals) -> frozenset[int]:
    """The members of a set, asked one by one."""
    return frozenset(each for each in WORLD if each in found)


@given(members)
def test_a_set_holds_its_members_alone(integers: frozenset[int]):
    """Membership is what the set was built of."""
    assert listed(intervals(integers)) == integers


@given(st.lists(st.tuples(st.integers(FIRST, LAST), st.integers(0, 6)), max_size=6), st.randoms())
def test_equal_sets_are_equal_values(runs: list[tuple[int, int]], random: Random):
    """Overlapping, touching and shuffled ranges make the same value as their integers one by one."""
    ranges = [(first, first + length) for first, length in runs]
    integers = [each for first, last in ranges for each in range(first, last + 1)]
    random.shuffle(integers)

    assert Intervals.of(ranges) == Intervals.of((each, each) for each in integers)
    assert hash(Intervals.of(ranges)) == hash(Intervals.of((each, each) for each in integers))


@given(members)
def test_neighboring_ranges_have_a_gap(integers: frozenset[int]):
    """Ranges are sorted, run forward and never touch."""
    ends = [end for first, last in intervals(integers) for end in (first - 1, last)]

    assert ends == sorted(set(ends))


@given(members, members)
def test_operators_are_those_of_sets(one: frozenset[int], other: frozenset[int]):
    """Union, intersection, difference and inclusion, each rebuilt from single integers."""
    a, b = intervals(one), intervals(other)

    assert a | b == intervals(one | other)
    assert a & b == intervals(one & other)
    assert a - b == intervals(one - other)
    assert (a <= b) is (one <= other)


@given(st.lists(members, max_size=4))
def test_a_union_of_many_is_one_after_another(many: list[frozenset[int]]):
    """Uniting at once is uniting in a row."""
    assert Intervals.union(map(intervals, many)) == intervals(frozenset().union(*many))


@given(st.lists(st.integers(FIRST, LAST)))
def test_integers_in_any_order_are_ranges_of_one(integers: list[int]):
    """And one that is given twice is there once."""
    assert Intervals.points(integers) == intervals(frozenset(integers))


@given(members)
def test_sizes_are_those_of_sets(integers: frozenset[int]):
    """The count is the number of members, and only the empty set is false."""
    assert intervals(integers).count() == len(integers)
    assert bool(intervals(integers)) is bool(integers)


def test_a_point_is_the_set_of_one():
    """A single integer is a range that begins and ends with it."""
    assert Intervals.point(7) == Intervals.of([(7, 7)])


def test_nothing_is_empty_however_it_is_made():
    """No ranges make the empty set."""
    assert Intervals.of([]) == EMPTY == Intervals()


def test_a_range_that_runs_backwards_is_refused():
    """The message names the range."""
    with pytest.raises(ValueError, match="range 5-4 runs backwards"):
        Intervals.of([(5, 4)])


@given(members, st.lists(members, max_size=4))
def test_atoms_are_a_partition_that_no_set_straddles(domain: frozenset[int], sets: list[frozenset[int]]):
    """The atoms hold each integer of the domain once, in order, and each is in a set whole or not at all."""
    found = atoms(intervals(domain), map(intervals, sets))

    assert [each for first, last in found for each in range(first, last + 1)] == sorted(domain)
    for first, last in found:
        assert all(len({each in integers for each in range(first, last + 1)}) == 1 for integers in sets)


@given(members, st.lists(members, max_size=4))
def test_atoms_are_cut_only_where_something_begins_or_ends(domain: frozenset[int], sets: list[frozenset[int]]):
    """Two atoms that touch are told apart by some set."""
    found = atoms(intervals(domain), map(intervals, sets))

    for (_, last), (first, _) in pairwise(found):
        assert first > last + 1 or any((last in integers) is not (first in integers) for integers in sets)
