"""One open point."""

from __future__ import annotations

from ringfence.semantics.point import OpenPoint, Stance

POINT = OpenPoint(
    "smoke",
    "whether signals are judged",
    "Nothing.",
    ("judged", "allowed"),
    {"cilium": Stance("allowed", "reported", "a thread"), "calico": Stance("judged", "source", "a file")},
)


def test_those_who_choose_otherwise_do_not_take_the_default():
    """One that is known to take the default is not among them, nor is one that is not known."""
    assert POINT.otherwise == ("cilium",)


def test_a_dialect_chooses_what_is_known_of_it_or_the_default():
    """The default is the first choice."""
    assert [POINT.choice_of(name) for name in ("cilium", "calico", "gke")] == ["allowed", "judged", "judged"]
