"""The lists of planted bugs."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.mutants import BLOCK, LISTS, Mutant, misfit, planted

if TYPE_CHECKING:
    from pathlib import Path

MUTANTS = planted()


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.about)
def test_a_bug_can_be_planted(mutant: Mutant):
    """Its old lines stand once where it says, its tests exist, and it changes something."""
    assert misfit(mutant) == ""
    assert mutant.old != mutant.new


@pytest.mark.parametrize("path", sorted(LISTS.iterdir()), ids=lambda path: path.name)
def test_nothing_in_a_list_is_passed_over(path: Path):
    """Beside the blocks there is nothing."""
    assert BLOCK.sub("", path.read_text()).strip() == ""


def test_a_bug_is_listed_once():
    """By what breaks, and by the change for the same tests."""
    changes = Counter((mutant.file, mutant.old, mutant.new, mutant.tests) for mutant in MUTANTS)

    assert [change for change, count in changes.items() if count > 1] == []
    assert len({mutant.about for mutant in MUTANTS}) == len(MUTANTS)


def test_a_bug_that_no_longer_fits_is_noticed():
    """Lines that moved, and tests that are gone."""
    planted = Mutant("a bug", ("tests/test_mutants.py",), "Makefile", "no such line", "")

    assert misfit(planted) == "its old text stands 0 times in Makefile"
    assert misfit(Mutant("a bug", ("tests/gone.py",), "Makefile", ".PHONY", "")) == "there is no tests/gone.py"
