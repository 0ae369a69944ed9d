"""Differences of connections as netpol-analyzer prints them, for scripts that read its text format.

A line tells of each pair of workloads, or of a workload and a range of addresses, what is
allowed in both places, where that is not the same. Lines of what changed come first, then
of what was added, then of what was removed; those of Ingresses go last, in the same order.
All words of that format are here, or in :mod:`ringfence.report.netpol_analyzer`.

Source: github.com/np-guard/netpol-analyzer, ``pkg/netpol/diff``: ``diff_formatter.go`` (order),
``diff_formatter_text.go`` (lines), ``diff.go`` (ranges, workloads that one side lacks).
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from ringfence.algebra.intervals import EMPTY, Intervals, Range, atoms
from ringfence.analysis.difference import Difference, Where
from ringfence.report.netpol_analyzer import CONTROLLER, SAYABLE, NamedEnd, name, render_traffic, says, workload_name
from ringfence.semantics.verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ringfence.analysis.difference import Shift
    from ringfence.model.snapshot import Snapshot
    from ringfence.report.netpol_analyzer import Connections
    from ringfence.semantics.summary import Line

_HEADER = "Connectivity diff:"
_CHANGED, _ADDED, _REMOVED = "changed", "added", "removed"

_Row = tuple[NamedEnd, NamedEnd, Intervals, Intervals]
"""A client, a server, and what is allowed before and after."""


def unsaid(found: Difference) -> int:
    """Return how many rows are in no line, or not as they are: undecided as denied, other nodes as all."""
    shifts = sum(
        Outcome.UNDECIDED in {row.before, row.after} or row.where is not Where.ANYWHERE or not row.traffic & SAYABLE
        for row in found.shifts
    )
    return shifts + sum(not says(line) for line in (*found.gone, *found.new))


def without_controller(found: Difference) -> Difference:
    """Return what differs between two worlds, leaving out rows that are about what carries out Ingresses alone."""
    shifts = tuple(filter(_is_of_others, found.shifts))
    return Difference(shifts, tuple(filter(_is_of_others, found.gone)), tuple(filter(_is_of_others, found.new)))


def render_differences(before: Connections, after: Connections, worlds: tuple[Snapshot, Snapshot]) -> str:
    """Return a line for each pair that has not the same in both, below a header; no text where there is none.

    Args:
        before: The connections of the world before.
        after: Those of the world after.
        worlds: Both worlds.
    """
    known = [{workload_name(pod) for pod in world.pods if not pod.terminal} | {CONTROLLER} for world in worlds]
    lines: dict[tuple[bool, str], list[str]] = defaultdict(list)
    for client, server, old, new in _rows(before, after):
        kind = _CHANGED if old and new else (_ADDED if new else _REMOVED)
        gone = [end for end in (client, server) if isinstance(end, str) and end not in known[kind == _REMOVED]]
        info = f", workloads-diff-info: workload {' and '.join(gone)} {kind}" if gone and kind != _CHANGED else ""
        lines[client == CONTROLLER, kind].append(
            f"diff-type: {kind}, source: {name(client)}, destination: {name(server)}, "
            f"dir1: {render_traffic(old)}, dir2: {render_traffic(new)}{info}"
        )
    order = [(controller, kind) for controller in (False, True) for kind in (_CHANGED, _ADDED, _REMOVED)]
    told = [line for key in order for line in sorted(lines[key])]
    return "".join(f"{line}\n" for line in (_HEADER, *told)) if told else ""


def _rows(before: Connections, after: Connections) -> Iterator[_Row]:
    """Yield what differs, of addresses in ranges as long as they can be."""
    ranges: dict[tuple[bool, NamedEnd], list[list[tuple[Range, Intervals]]]] = defaultdict(lambda: [[], []])
    for client, server in dict.fromkeys((*before, *after)):
        pair = client, server
        old, new = before.get(pair, EMPTY), after.get(pair, EMPTY)
        # No line has addresses at both ends.
        for leaving, (end, other) in enumerate(((server, client), (client, server))):
            if not isinstance(other, str):
                for side, said in zip(ranges[bool(leaving), end], (old, new), strict=True):
                    side.append((other, said))
        if isinstance(client, str) and isinstance(server, str) and old != new:
            yield client, server, old, new
    for (leaving, workload), sides in ranges.items():
        for span, old, new in _runs(sides):
            yield (workload, span, old, new) if leaving else (span, workload, old, new)


def _runs(sides: Iterable[list[tuple[Range, Intervals]]]) -> Iterator[tuple[Range, Intervals, Intervals]]:
    """Yield ranges of addresses that have not the same on both sides; neighbors that are alike are one."""
    told: dict[tuple[Intervals, Intervals], list[Range]] = defaultdict(list)
    old, new = (sorted((span, said) for span, said in side if said) for side in sides)
    spans = [Intervals((span,)) for span, _ in (*old, *new)]
    for first, last in atoms(Intervals.union(spans), spans):
        both = (_said(old, first), _said(new, first))
        if both[0] != both[1]:
            told[both].append((first, last))
    for (one, other), runs in told.items():
        yield from ((run, one, other) for run in Intervals.of(runs))


def _said(side: list[tuple[Range, Intervals]], address: int) -> Intervals:
    return next((said for (first, last), said in side if first <= address <= last), EMPTY)


def _is_of_others(row: Shift | Line) -> bool:
    """Tell whether there is somebody else at both ends than what carries out Ingresses."""
    sides = row.clients, row.servers
    return all(side.addresses or any(pod.name != CONTROLLER for pod in side.pods) for side in sides)
