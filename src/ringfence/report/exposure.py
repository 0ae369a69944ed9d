"""What is reachable from outside, and what outside is reachable, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.algebra.traffic import render_traffic
from ringfence.report.columns import render_columns
from ringfence.report.reasons import name_grounds
from ringfence.report.table import Table, name_ends, remarks_of
from ringfence.semantics.verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.analysis.exposure import Door, Exposure, WayIn
    from ringfence.analysis.reach import Row
    from ringfence.model.naming import Directory
    from ringfence.semantics.grounds import Grounds

NOTHING = "isolated by nothing"
"""Said of pods whose connections are allowed because no policy decides."""


def render_exposure(exposure: Exposure, directory: Directory, *, partial: bool = False) -> str:
    """Return a table for each part that there is, and what a reader must know besides."""
    inward: list[tuple[str, ...]] = [_cells(directory, row, row.ingress) for row in exposure.inward]
    outward: list[tuple[str, ...]] = [_cells(directory, row, row.egress) for row in exposure.outward]
    # Ways by several nodes are one row where they end alike.
    doors = [*dict.fromkeys(cells for door in exposure.doors for cells in _door(door))]
    doors += [cells for way in exposure.ways for cells in _way_in(directory, way)]
    tables: tuple[tuple[str, tuple[str, ...], list[tuple[str, ...]]], ...] = (
        ("open to the outside", ("client", "server", "traffic", "because"), inward),
        ("ways in", ("through", "client", "server", "traffic", "because"), doors),
        ("open towards the outside", ("client", "server", "traffic", "because"), outward),
    )
    parts = [f"{title}\n{render_columns(_table(head, rows)).rstrip()}\n" for title, head, rows in tables if rows]
    remarks = [*remarks_of(directory.snapshot, directory)]
    remarks += ["part of the input was not read or is in error"] if partial else []
    return "\n".join([*parts, render_columns(Table((), (), tuple(remarks)))])


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> Table:
    """Return a table without columns that are empty throughout."""
    kept = [number for number in range(len(head)) if any(row[number] for row in rows)]
    return Table(
        tuple(head[number] for number in kept), tuple(tuple(row[number] for number in kept) for row in rows), ()
    )


def _cells(directory: Directory, row: Row, grounds: Grounds) -> tuple[str, str, str, str]:
    """Return both sides of a row, its traffic, and what decides about it on one side."""
    line = row.line
    because = NOTHING if grounds.unjudged and not grounds.deciding else name_grounds(grounds)
    said = because if line.outcome is Outcome.ALLOWED else f"undecided: {because}"
    return name_ends(directory, line.clients), name_ends(directory, line.servers), render_traffic(line.traffic), said


def _door(door: Door) -> Iterator[tuple[str, ...]]:
    """Yield a row for everybody who gets in through a door, or that nobody does."""
    through = f"{door.service.kind} {door.service} {name_door(door)}"
    if not door.parts:
        yield through, "nobody", "", "", "policies deny it, or it leads to nobody"
    for part in door.parts:
        half = part.verdict.ingress
        reason = NOTHING if half.tier is None and not half.places else half.reason
        because = ", ".join([reason, *map(str, half.places)])
        said = because if part.verdict.outcome is Outcome.ALLOWED else f"undecided: {because}"
        yield through, part.client, part.server, name_port(door), said


def name_door(door: Door) -> str:
    """Return what is open: ``TCP 443``, or ``TCP 30080 on nodes, for port 80``."""
    return f"{name_port(door)} on nodes, for port {door.port.port}" if door.on_nodes else name_port(door)


def name_port(door: Door) -> str:
    """Return protocol and port at a door: ``TCP 443``, or ``TCP, port not given`` of nodes that have none yet."""
    protocol = door.port.protocol.value
    return f"{protocol} {door.number}" if door.number else f"{protocol}, port not given"


def _way_in(directory: Directory, way: WayIn) -> Iterator[tuple[str, ...]]:
    """Yield a row for everybody whom a proxy reaches, or that there is nobody."""
    hosts = f" {', '.join(way.route.hosts)}" if way.route.hosts else ""
    through, servers = f"{way.route}{hosts}", directory.render(way.servers)
    if not way.proxies:
        yield through, "a proxy that is not known here", servers, "", ""
    elif not way.rows:
        yield through, directory.render(way.proxies), "nobody", "", f"policies keep it from {servers}"
    for row in way.rows:
        yield through, *_cells(directory, row, row.ingress)
