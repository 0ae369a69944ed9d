"""Which form of sets the engine is given."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ringfence.cli.engines import MANY, form_for
from ringfence.edges.bitmaps import BITMAPS
from ringfence.semantics.sets import INTEGERS

if TYPE_CHECKING:
    import pytest


def test_bitmaps_are_for_many_pods():
    """Integers are faster for few."""
    assert form_for(MANY - 1) is INTEGERS
    assert form_for(MANY) is BITMAPS


def test_without_the_extra_all_sets_are_integers(monkeypatch: pytest.MonkeyPatch):
    """It is nobody's duty to install it."""
    monkeypatch.setitem(sys.modules, "pyroaring", None)
    monkeypatch.delitem(sys.modules, "ringfence.edges.bitmaps", raising=False)

    assert form_for(10 * MANY) is INTEGERS
