"""Which form of sets the engine is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.semantics.sets import INTEGERS

if TYPE_CHECKING:
    from ringfence.semantics.sets import Sets

MANY = 200_000
"""Pods from which compressed bitmaps take less time and memory than integers."""


def form_for(pods: int) -> Sets:
    """Return the form of sets for a cluster with so many pods: bitmaps for many, where they are installed."""
    if pods < MANY:
        return INTEGERS
    try:
        from ringfence.edges.bitmaps import BITMAPS  # noqa: PLC0415 - an extra, which few need
    except ModuleNotFoundError:
        return INTEGERS
    return BITMAPS
