"""The map for people: plain columns like kubectl's, long sets continued on the next line."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

from ringfence.errors import one_line

if TYPE_CHECKING:
    from ringfence.report.table import Table

GAP = "   "
WIDEST = 48
"""Characters of a cell; what is longer goes on below."""

WIDEST_SET = 96
"""The same of a set that is told below the rows."""


def render_columns(table: Table) -> str:
    """Return the rows under their heads, sets that were too long for them, and the remarks; lines end by a newline."""
    table = table.abridged()
    rows = [tuple(_folded(cell) for cell in row) for row in table.rows]
    widths = [
        max(len(head), *(len(text) for row in rows for text in row[column]), 0)
        for column, head in enumerate(table.head)
    ]
    lines = [_line(tuple(head.upper() for head in table.head), widths)] if rows else []
    for row in rows:
        lines += (_line(texts, widths) for texts in zip_longest(*row, fillvalue=""))
    for name, told in table.sets:
        lines += ["", f"{name}:", *(f"  {line}" for line in _folded(told, WIDEST_SET))]
    lines += ["", *table.remarks] if rows else table.remarks
    return "".join(f"{one_line(line)}\n" for line in lines)


def _line(texts: tuple[str, ...], widths: list[int]) -> str:
    return GAP.join(f"{text:{width}}" for text, width in zip(texts, widths, strict=True)).rstrip()


def _folded(cell: str, widest: int = WIDEST) -> list[str]:
    """Break a cell after commas, so that each line is short enough, unless one name alone is not."""
    lines = [""]
    for term in cell.replace(", ", ",\n").split("\n"):
        if lines[-1] and len(lines[-1]) + 1 + len(term) > widest:
            lines.append(term)
        else:
            lines[-1] = f"{lines[-1]} {term}".lstrip()
    return lines
