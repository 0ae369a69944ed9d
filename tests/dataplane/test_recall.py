"""What is taken over of what was worked out before."""

from __future__ import annotations

import weakref

from ringfence.dataplane.recall import Recall


class Part:
    """Something that is told apart by identity alone."""


def test_what_was_asked_for_last_is_not_worked_out_again():
    """In this round or the one before; of another object it is."""
    recall, asked, part, other = Recall(), list[Part](), Part(), Part()

    def ask(of: Part) -> Part:
        asked.append(of)
        return Part()

    first = recall(ask, part)
    recall.begin()
    again = recall(ask, part)
    recall(ask, other)
    recall.begin()
    recall.begin()
    recall(ask, part)

    assert first is again
    assert asked == [part, other, part]


def test_an_object_is_held_as_long_as_what_was_made_of_it():
    """Another one would get its identity, and be taken for it."""
    recall, part = Recall(), Part()
    recall(str, part)
    seen = weakref.ref(part)
    del part
    recall.begin()

    assert seen() is not None

    recall.begin()

    assert seen() is None


def test_equal_values_are_one_object():
    """That which came first."""
    recall, first, second = Recall(), (1, "a" * 3), (1, "aa" + "a")

    assert recall.same(first) is first
    assert recall.same(second) is first
