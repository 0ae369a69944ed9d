"""Cells: clients by servers by families by traffic that get one verdict, put together into few."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ringfence.algebra.intervals import Intervals
from ringfence.semantics.sight import Sight
from ringfence.semantics.verdict import Verdict, unite_undefined

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ringfence.algebra.addresses import Family
    from ringfence.semantics.remark import Remark
    from ringfence.semantics.verdict import Half
    from ringfence.semantics.ways import Hop

_AXES = ("traffic", "families", "nodes", "clients", "servers")
"""In the order in which cells grow."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A rectangle of connections.

    Attributes:
        clients: Groups of clients, by number.
        servers: Groups of servers, by number.
        families: In which families.
        traffic: On what.
        verdict: What is answered.
        nodes: The nodes that the hops speak of.
        hops: The way that the connections take; cells of different ways stay apart.
        remarks: What else is worth knowing.
        sight: What is seen on that way; None for no Service.
    """

    clients: frozenset[int]
    servers: frozenset[int]
    families: frozenset[Family]
    traffic: Intervals
    verdict: Verdict
    nodes: frozenset[str] = frozenset()
    hops: tuple[Hop, ...] = ()
    remarks: tuple[Remark, ...] = ()
    sight: Sight | None = None


def gather(cells: list[Cell]) -> list[Cell]:
    """Put cells together that were decided alike and differ along one axis alone.

    What was nearest, assumed and left open in any of them is then so of all together. The
    order is that of the first of each.
    """
    if len(cells) == 1:
        return cells
    numbers: dict[Verdict, int] = {}
    found = [(numbers.setdefault(_decision(cell.verdict), len(numbers)), cell) for cell in cells]
    for axis in _AXES:
        others = [each for each in _AXES if each != axis]
        alike: dict[tuple[Any, ...], list[Cell]] = defaultdict(list)
        for number, cell in found:
            alike[number, cell.hops, *(getattr(cell, other) for other in others)].append(cell)
        found = [(number, _united(axis, group)) for (number, *_), group in alike.items()]
    return [cell for _, cell in found]


def unite_halves(halves: Iterable[Half]) -> tuple[Half, ...]:
    """Return halves that were decided alike as one each, in the order of the first."""
    alike: dict[Half, list[Half]] = defaultdict(list)
    for half in halves:
        alike[_decided(half)].append(half)
    return tuple(_with_remarks(decided, group) for decided, group in alike.items())


def _united(axis: str, cells: list[Cell]) -> Cell:
    """Return cells that differ along one axis, and in remarks, as one."""
    if len(cells) == 1:
        return cells[0]
    unite: Callable[..., Any] = Intervals.union if axis == "traffic" else _union
    changes: dict[str, Any] = {axis: unite(getattr(cell, axis) for cell in cells)}
    (egress,), (ingress,) = (unite_halves(cell.verdict.halves[side] for cell in cells) for side in (0, 1))
    remarks = tuple(dict.fromkeys(remark for cell in cells for remark in cell.remarks))
    sights = [cell.sight for cell in cells if cell.sight]
    changes |= {"remarks": remarks, "sight": Sight.union(sights) if sights else None}
    return replace(cells[0], verdict=Verdict(egress, ingress), **changes)


def _union(sets: Iterable[frozenset[Any]]) -> frozenset[Any]:
    return frozenset().union(*sets)


def _decision(verdict: Verdict) -> Verdict:
    return Verdict(*map(_decided, verdict.halves))


def _decided(half: Half) -> Half:
    """Return a half without remarks: what was decided, by whom, and why."""
    return replace(half, nearest=(), assumptions=(), undefined=())


def _with_remarks(decided: Half, halves: list[Half]) -> Half:
    return replace(
        decided,
        nearest=tuple(dict.fromkeys(each for half in halves for each in half.nearest)),
        assumptions=tuple(dict.fromkeys(each for half in halves for each in half.assumptions)),
        undefined=unite_undefined(each for half in halves for each in half.undefined),
    )
