"""The map as comma-separated values (RFC 4180, lines ended by a newline alone)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ringfence.report.table import Table


def render_csv(table: Table) -> str:
    """Return the head and the rows; remarks have no place in it."""
    return "".join(",".join(map(_quoted, row)) + "\n" for row in (table.head, *table.rows))


def _quoted(cell: str) -> str:
    return f'"{cell}"' if "," in cell else cell
