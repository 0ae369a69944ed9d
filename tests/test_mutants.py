"""The planted bugs themselves: each still has a place to be planted."""

from __future__ import annotations

import pytest

from tests.mutants import LIST, ROOT, Mutant, read

MUTANTS = read(LIST.read_text())


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.about)
def test_a_planted_bug_has_its_place(mutant: Mutant):
    """Its old lines stand exactly once in its file, and its tests are there."""
    assert (ROOT / mutant.file).read_text().count(mutant.old) == 1
    assert mutant.old != mutant.new
    assert [test for test in mutant.tests if not (ROOT / test).exists()] == []


def test_no_bug_is_planted_twice():
    """One name is one bug."""
    assert len({mutant.about for mutant in MUTANTS}) == len(MUTANTS)
