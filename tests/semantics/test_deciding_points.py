"""The points on which an answer may rest."""

from __future__ import annotations

from ringfence.semantics.deciding_points import DECIDING
from ringfence.semantics.dialects import Topic


def test_they_are_what_the_deciders_know():
    """Each is a topic of theirs."""
    assert {point.topic for point in DECIDING} == {topic.value.partition("/")[0] for topic in Topic}
