"""The map as rows of words, which text, CSV and Markdown share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ringfence.algebra.traffic import render_traffic
from ringfence.model.naming import Directory
from ringfence.report.counting import counted
from ringfence.semantics.summary import assumptions
from ringfence.semantics.verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics.engine import Ends
    from ringfence.semantics.summary import Line
    from ringfence.semantics.unknown import Unknown
    from ringfence.semantics.verdict import Undefined


LONGEST = 192
"""Characters of a set that is still told in its row; people lose the row over more than four lines."""


@dataclass(frozen=True, slots=True)
class Table:
    """A map in words.

    Attributes:
        head: Names of the columns; verdict and family only where not all rows have the same.
        rows: As many cells in each.
        remarks: What a reader must know besides, one clause each.
        sets: What rows call by a name of ours, and what it stands for, in order.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    remarks: tuple[str, ...]
    sets: tuple[tuple[str, str], ...] = ()

    def abridged(self) -> Table:
        """Return the table with a name for each cell that is too long for its row, told apart from the rows."""
        names: dict[str, str] = {}
        rows = tuple(
            tuple(names.setdefault(cell, f"set {len(names) + 1}") if len(cell) > LONGEST else cell for cell in row)
            for row in self.rows
        )
        return replace(self, rows=rows, sets=tuple((name, cell) for cell, name in names.items()))


def tabulate(
    lines: tuple[Line, ...], snapshot: Snapshot, *, partial: bool = False, remarks: tuple[str, ...] = ()
) -> Table:
    """Return the map of a snapshot in words.

    Args:
        lines: The map.
        snapshot: What it is of.
        partial: Whether part of the input was not read.
        remarks: What else a reader must know.
    """
    directory = Directory(snapshot)
    on_node = any(line.own_node for line in lines)
    undecided = any(line.outcome is Outcome.UNDECIDED for line in lines)
    head = ["client", "server", "traffic"]
    head += ["verdict"] if undecided else []
    head += ["where"] if on_node else []
    head += ["family"] if len(snapshot.families) > 1 else []
    rows = []
    for line in lines:
        row = [name_ends(directory, line.clients), name_ends(directory, line.servers), render_traffic(line.traffic)]
        row += [line.outcome.value] if undecided else []
        row += ["own node" if line.own_node else "anywhere"] if on_node else []
        row += [" ".join(f"IPv{f.value}" for f in line.families)] if len(snapshot.families) > 1 else []
        rows.append(tuple(row))
    said = (*remarks_of(snapshot, directory), *remarks)
    said += ("own node: where one end is on the network of the node that the other is on",) if on_node else ()
    said += ("part of the input was not read or is in error",) if partial else ()
    return Table(tuple(head), tuple(rows), said)


def unknown_remark(unknown: Iterable[Unknown]) -> tuple[str, ...]:
    """Return what would have to be known to decide what is undecided in a map: one clause, or none."""
    words = [each.words for each in unknown]
    return (f"resting on what is not known: {', '.join(words)}",) if words else ()


def open_remark(undefined: Iterable[Undefined]) -> tuple[str, ...]:
    """Return what a map's reader must know of the open points that it rests on: one clause, or none."""
    points = [
        each.topic + (f" ({', '.join(each.otherwise)} would answer otherwise)" if each.otherwise else "")
        for each in undefined
    ]
    return (f"resting on what the API leaves open: {', '.join(points)}; see explain-api",) if points else ()


def name_ends(directory: Directory, ends: Ends) -> str:
    """Name one side of a row."""
    return directory.render(ends.pods) if ends.pods else directory.render_addresses(ends.addresses)


def remarks_of(snapshot: Snapshot, directory: Directory) -> tuple[str, ...]:
    """Return what a reader of any map must know besides."""
    workloads = len(directory.names_of(directory.pods))
    namespaces = len({pod.namespace for pod in directory.pods})
    seen = f"{counted(workloads, 'workload')} in {counted(namespaces, 'namespace')}"
    said = [f"{seen}, {counted(len(snapshot.policies), 'policy', 'policies')}; what is in no row is denied"]
    said += [f"assuming that {each.text}; give --pod-cidr to check" for each in assumptions(snapshot)]
    return tuple(said)
