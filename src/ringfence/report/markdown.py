"""The map as a Markdown table, for pages and pull requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.errors import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ringfence.report.table import Table


def render_markdown(table: Table) -> str:
    """Return the table, sets that were too long for it as a list, and the remarks as one paragraph."""
    table = table.abridged()
    lines = [_row(head.capitalize() for head in table.head), _row("---" for _ in table.head), *map(_row, table.rows)]
    remarks = (f"{remark[:1].upper()}{remark[1:]}." for remark in table.remarks)
    sets = [f"- {name}: {_plain(told)}" for name, told in table.sets]
    lines += ["", *sets] if sets else []
    return "\n".join([*map(one_line, (*lines, "", *remarks)), ""])


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(map(_plain, cells))} |"


def _plain(text: str) -> str:
    """Return a text whose stars are stars."""
    return text.replace("*", r"\*")
