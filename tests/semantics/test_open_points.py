"""The table of open points holds together."""

from __future__ import annotations

from ringfence.semantics.open_points import CERTAINTIES, DIALECTS, OPEN_POINTS


def test_every_point_is_told_once():
    """By its topic."""
    assert len({point.topic for point in OPEN_POINTS}) == len(OPEN_POINTS)


def test_a_stance_is_a_dialect_s_choice_among_the_point_s():
    """Nobody chooses what there is not."""
    for point in OPEN_POINTS:
        assert point.stances.keys() <= set(DIALECTS)
        assert {stance.choice for stance in point.stances.values()} <= set(point.choices)


def test_a_dialect_that_is_not_known_takes_the_default():
    """The first of the choices."""
    for point in OPEN_POINTS:
        for name in DIALECTS:
            expected = point.stances[name].choice if name in point.stances else point.choices[0]
            assert point.choice_of(name) == expected


def test_nothing_is_said_without_saying_how_it_is_known():
    """Every point has upstream's view, every stance a certainty and a place."""
    for point in OPEN_POINTS:
        assert point.upstream.endswith(".")
        assert all(stance.certainty in CERTAINTIES and stance.source for stance in point.stances.values())
