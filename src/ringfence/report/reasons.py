"""What decides about each row of a map, beside the row."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ringfence.analysis.reach import Row
    from ringfence.report.table import Table
    from ringfence.semantics.grounds import Grounds


def with_reasons(table: Table, rows: tuple[Row, ...]) -> Table:
    """Return a table of as many rows with two columns more: what decides at the clients, and at the servers."""
    told = (
        (*cells, name_grounds(row.egress), name_grounds(row.ingress))
        for cells, row in zip(table.rows, rows, strict=True)
    )
    return replace(table, head=(*table.head, "egress by", "ingress by"), rows=tuple(told))


def name_grounds(grounds: Grounds) -> str:
    """Return what decides, joined by commas, each with its place."""
    named = [f"{each.words} {each.origin}" for each in grounds.deciding]
    named += ["no policy"] if grounds.unjudged else []
    return ", ".join(named) or "own node"
