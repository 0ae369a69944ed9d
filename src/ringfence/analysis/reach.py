"""Whom some clients reach, and who reaches some servers, with what decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.model.policy import Direction
from ringfence.semantics.grounds import Grounds
from ringfence.semantics.summary import lines_between

if TYPE_CHECKING:
    from ringfence.analysis.whom import Whom
    from ringfence.semantics.engine import Engine
    from ringfence.semantics.summary import Line


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the map and why it is there.

    Attributes:
        line: The line.
        egress: What decides at its clients.
        ingress: What decides at its servers.
    """

    line: Line
    egress: Grounds
    ingress: Grounds


def reach(engine: Engine, clients: Whom | None = None, servers: Whom | None = None) -> tuple[Line, ...]:
    """Return who reaches whom, on what; what is in no line is denied, and pairs of a pod with itself are not meant.

    Args:
        engine: The engine of the snapshot.
        clients: Who opens connections; None for everyone.
        servers: Who takes them; None for everyone.
    """
    return lines_between(engine, clients.meant if clients else None, servers.meant if servers else None)


def reasons(engine: Engine, lines: tuple[Line, ...]) -> tuple[Row, ...]:
    """Return lines with what decides about each, in the same order."""
    return tuple(
        Row(line, *(_grounds(engine, line, each) for each in (Direction.EGRESS, Direction.INGRESS))) for line in lines
    )


def _grounds(engine: Engine, line: Line, direction: Direction) -> Grounds:
    found = []
    for family in line.families:
        sides = engine.atoms(line.clients, family), engine.atoms(line.servers, family)
        found.append(engine.grounds(direction, sides, line.traffic, own_node=line.own_node))
    return Grounds.union(found)
