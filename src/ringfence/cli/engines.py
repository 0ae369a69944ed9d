"""Engines for what was read, in the form of sets that suits its size."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.cli import output
from ringfence.semantics.engine import Engine
from ringfence.semantics.fineness import finest_label
from ringfence.semantics.sets import INTEGERS

if TYPE_CHECKING:
    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics.dialects import Dialect
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


def engine_for(snapshot: Snapshot, dialect: Dialect, *, flips: bool = False) -> Engine:
    """Return the engine of one snapshot; say on standard error what will make it slow.

    Args:
        snapshot: The snapshot.
        dialect: Who decides open points.
        flips: Whether it is to find what rests on open points.
    """
    with output.patience("telling pods apart"):
        engine = Engine(snapshot, dialect, form_for(len(snapshot.pods)), flips=flips)
    if sentence := finest_label(snapshot, len(engine.classes)):
        output.say("note", sentence)
    return engine


def engines_for(before: Snapshot, after: Snapshot, dialect: Dialect) -> tuple[Engine, Engine]:
    """Return the engines of two snapshots that are to be compared, in one form of sets."""
    sets = form_for(max(len(before.pods), len(after.pods)))
    with output.patience("telling pods apart"):
        return Engine(before, dialect, sets), Engine(after, dialect, sets)
