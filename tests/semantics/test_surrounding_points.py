"""The points that change no answer."""

from __future__ import annotations

from ringfence.semantics.deciding_points import DECIDING
from ringfence.semantics.surrounding_points import SURROUNDING


def test_they_are_other_points_than_the_deciding_ones():
    """No point is told twice."""
    assert {point.topic for point in SURROUNDING}.isdisjoint(point.topic for point in DECIDING)


def test_what_is_never_filtered_is_told():
    """Loopback, a pod's own address and its own node are settled, and surprise people all the same."""
    settled = {point.topic: point.choices for point in SURROUNDING}

    assert settled["loopback"] == ("never filtered",)
    assert settled["own-address"] == settled["own-node-to-pod"] == ("allowed",)
