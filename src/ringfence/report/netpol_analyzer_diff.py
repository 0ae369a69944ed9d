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

from ringfence.algebra.addresses import read_address, render_address
from ringfence.algebra.intervals import EMPTY, Intervals, atoms
from ringfence.report.netpol_analyzer import CONTROLLER, render_traffic, workload_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ringfence.algebra.intervals import Range
    from ringfence.model.snapshot import Snapshot

_HEADER = "Connectivity diff:"
_CHANGED, _ADDED, _REMOVED = "changed", "added", "removed"

_Row = tuple[str, str, Intervals, Intervals]
"""A client, a server, and what is allowed before and after."""


def render_differences(
    before: Mapping[tuple[str, str], Intervals],
    after: Mapping[tuple[str, str], Intervals],
    worlds: tuple[Snapshot, Snapshot],
) -> str:
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
        gone = [end for end in (client, server) if not _range(end) and end not in known[kind == _REMOVED]]
        info = f", workloads-diff-info: workload {' and '.join(gone)} {kind}" if gone and kind != _CHANGED else ""
        lines[client == CONTROLLER, kind].append(
            f"diff-type: {kind}, source: {client}, destination: {server}, "
            f"dir1: {render_traffic(old)}, dir2: {render_traffic(new)}{info}"
        )
    order = [(controller, kind) for controller in (False, True) for kind in (_CHANGED, _ADDED, _REMOVED)]
    told = [line for key in order for line in sorted(lines[key])]
    return "".join(f"{line}\n" for line in (_HEADER, *told)) if told else ""


def _rows(before: Mapping[tuple[str, str], Intervals], after: Mapping[tuple[str, str], Intervals]) -> Iterator[_Row]:
    """Yield what differs, of addresses in ranges as long as they can be."""
    ranges: dict[tuple[bool, str], list[list[tuple[Range, Intervals]]]] = defaultdict(lambda: [[], []])
    for client, server in dict.fromkeys((*before, *after)):
        pair = client, server
        old, new = before.get(pair, EMPTY), after.get(pair, EMPTY)
        if span := _range(client) or _range(server):
            leaving = _range(client) is None
            for side, said in zip(ranges[leaving, client if leaving else server], (old, new), strict=True):
                side.append((span, said))
        elif old != new:
            yield client, server, old, new
    for (leaving, workload), sides in ranges.items():
        for (first, last), old, new in _runs(sides):
            name = f"{render_address(first)}-{render_address(last)}"
            yield (workload, name, old, new) if leaving else (name, workload, old, new)


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


def _range(name: str) -> Range | None:
    """Return the addresses that a name stands for; None for a workload."""
    if "/" in name or name == CONTROLLER:
        return None
    first, _, last = name.partition("-")
    return read_address(first), read_address(last)
