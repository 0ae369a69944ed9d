"""What the APIs leave open, as a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.semantics.open_points import DECIDING, DIALECTS, SURROUNDING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ringfence.semantics.point import OpenPoint

_HEAD = """# What the APIs leave open

Plugins differ where the texts of the APIs are silent, or say two things.
Each point is a row of [a table](../src/ringfence/semantics/open_points.py).
This page is written by `ringfence explain-api -o md`, and a test keeps it true.

The default is what upstream's texts and tests settle, and else what we recommend.
`--dialect` takes the choices of one implementation; a dialect of which nothing is known takes the default.
An answer that rests on a point names it, and the dialects that would answer otherwise; with `--strict` it is undecided.
`ringfence explain-api TOPIC` prints one.

The certainty says how a choice is known.
It is `documented` by the project, read in its `source`, `reported` in its discussions, or `inferred` from these.
Choices are those of default settings and recent releases.
"""

_DECIDING = """## Points on which an answer may rest
"""

_SURROUNDING = """## Points that change no answer here

ringfence takes the first choice in every dialect; the tables say what is known of others.
"""

HEADS = ("dialect", "choice", "certainty", "where", "remark")
"""Of the table of stances."""


def render_page() -> str:
    """Return the page in Markdown."""
    sections = [_HEAD, _DECIDING, *map(render_section, DECIDING), _SURROUNDING, *map(render_section, SURROUNDING)]
    return "\n".join(sections)


def render_section(point: OpenPoint) -> str:
    """Return one point in Markdown."""
    choices = ", ".join(f"`{choice}`" for choice in point.choices[1:])
    otherwise = f"; else {choices}" if choices else ""
    lines = [
        f"### {point.topic}",
        "",
        f"Open is {point.about}.",
        *point.upstream.replace(". ", ".\n").split("\n"),
        "",
        f"The default: `{point.choices[0]}`{otherwise}.",
        "",
    ]
    if point.stances:
        lines += [_row(head.capitalize() for head in HEADS), _row("---" for _ in HEADS), *map(_row, stance_rows(point))]
        lines += [""]
    return "\n".join(lines)


def stance_rows(point: OpenPoint) -> tuple[tuple[str, ...], ...]:
    """Return what is known of each dialect, in the order of the dialects; cells as ``HEADS`` has them."""
    known = ((name, point.stances[name]) for name in DIALECTS if name in point.stances)
    return tuple((name, each.choice, each.certainty, each.source, each.remark) for name, each in known)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
