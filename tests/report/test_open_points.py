"""The page of open points."""

from __future__ import annotations

from ringfence.report.open_points import render_page, render_section
from ringfence.semantics.open_points import OPEN_POINTS
from ringfence.semantics.point import OpenPoint, Stance


def test_a_section_says_what_is_open_and_who_chooses_what():
    """One sentence a line, one dialect a row."""
    stances = {"cilium": Stance("allowed", "reported", "a thread", "by an option")}
    point = OpenPoint("smoke", "whether it is judged", "No text. No test.", ("judged", "allowed"), stances)

    assert render_section(point).splitlines() == [
        "### smoke",
        "",
        "Open is whether it is judged.",
        "No text.",
        "No test.",
        "",
        "The default: `judged`; else `allowed`.",
        "",
        "| Dialect | Choice | Certainty | Where | Remark |",
        "| --- | --- | --- | --- | --- |",
        "| cilium | allowed | reported | a thread | by an option |",
    ]


def test_the_page_has_every_point():
    """In the order of the table."""
    headings = [line[4:] for line in render_page().splitlines() if line.startswith("### ")]

    assert headings == [point.topic for point in OPEN_POINTS]
