"""Sets of integers against Python's own sets, whatever their form."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.semantics.sets import INTEGERS

if TYPE_CHECKING:
    from ringfence.semantics.sets import Sets

FORMS = [INTEGERS]
forms = pytest.mark.parametrize("form", FORMS, ids=lambda form: type(form).__name__)
members = st.frozensets(st.integers(0, 70)) | st.frozensets(st.integers(0, 100_000), max_size=4)


@forms
@given(members)
def test_what_goes_in_comes_out_in_order(form: Sets, one: frozenset[int]):
    """With its number, and nothing else."""
    found = form.of(one)

    assert list(form.ids(found)) == sorted(one)
    assert form.count(found) == len(one)
    assert all(form.has(found, member) for member in one)
    assert form.has(found, 71) == (71 in one)
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


@forms
def test_the_empty_set_is_the_union_of_nothing(form: Sets):
    """It is false, and holds nothing."""
    assert form.union([]) == form.of(()) == form.empty
    assert not form.empty
