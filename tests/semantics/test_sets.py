"""Sets of integers against Python's own sets, whatever their form."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.edges.bitmaps import BITMAPS
from ringfence.semantics.sets import INTEGERS

if TYPE_CHECKING:
    from ringfence.semantics.sets import Sets

FORMS = [INTEGERS, BITMAPS]
forms = pytest.mark.parametrize("form", FORMS, ids=lambda form: type(form).__name__)
few = st.frozensets(st.integers(0, 70)) | st.frozensets(st.integers(0, 100_000), max_size=4)
many = st.builds(
    lambda start, stop, step: frozenset(range(start, stop, step)), *[st.integers(0, 9_000)] * 2, st.integers(1, 3)
)
members = few | many | st.builds(frozenset.__sub__, many, few)


@forms
@given(members)
def test_what_goes_in_comes_out_in_order(form: Sets, one: frozenset[int]):
    """With its number, and nothing else."""
    found = form.of(one)

    assert list(form.ids(found)) == sorted(one)
    assert form.count(found) == len(one)
    assert all(form.has(found, member) for member in one)
    assert form.has(found, 71) == (71 in one)
    assert not form.has(found, 200_000)
    assert bool(found) == bool(one)


@forms
@given(members, members)
def test_the_algebra_is_that_of_sets(form: Sets, one: frozenset[int], other: frozenset[int]):
    """Equal sets are equal values, however they came to be."""
    mine, theirs = form.of(one), form.of(other)

    assert mine & theirs == form.of(one & other)
    assert mine | theirs == form.of(one | other) == form.union([mine, theirs])
    assert form.sub(mine, theirs) == form.of(one - other)
    assert (mine == theirs) is (one == other)
    assert {mine, theirs} == {form.of(one), form.of(other)}
    for made, meant in (
        (mine & theirs, one & other),
        (mine | theirs, one | other),
        (form.sub(mine, theirs), one - other),
    ):
        assert hash(made) == hash(form.of(meant))


@forms
def test_sets_that_share_most_members_are_told_apart_at_once(form: Sets):
    """What is kept by sets is found without comparing it with all others."""
    everyone = form.of(range(10_000))
    lacking = [form.sub(everyone, form.of([member, 9_000, 9_500])) for member in range(100)]

    assert len({hash(each) for each in lacking}) > 50


@forms
def test_the_empty_set_is_the_union_of_nothing(form: Sets):
    """It is false, and holds nothing."""
    assert form.union([]) == form.of(()) == form.empty
    assert not form.empty
