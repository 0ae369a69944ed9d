"""The map as a Markdown table, for pages and pull requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.errors import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ringfence.report.table import Table


def render_markdown(table: Table) -> str:
    """Return the table, then the remarks as one paragraph."""
    lines = [_row(head.capitalize() for head in table.head), _row("---" for _ in table.head), *map(_row, table.rows)]
    remarks = (f"{remark[:1].upper()}{remark[1:]}." for remark in table.remarks)
    return "\n".join([*map(one_line, (*lines, "", *remarks)), ""])


def _row(cells: Iterable[str]) -> str:
    plain = (cell.replace("*", r"\*") for cell in cells)
    return f"| {' | '.join(plain)} |"
