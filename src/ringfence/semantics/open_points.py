"""What the APIs leave open, as data: one row a topic, for the deciders, the command line and the documentation."""

from __future__ import annotations

from ringfence.semantics.deciding_points import DECIDING
from ringfence.semantics.point import CERTAINTIES, DIALECTS, OpenPoint, Stance
from ringfence.semantics.surrounding_points import SURROUNDING

__all__ = ["CERTAINTIES", "DECIDING", "DIALECTS", "OPEN_POINTS", "SURROUNDING", "OpenPoint", "Stance"]

OPEN_POINTS = (*DECIDING, *SURROUNDING)
"""Every point; the order is that of the documentation."""
