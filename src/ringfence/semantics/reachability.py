"""Who reaches whom, on what: all pairs of ends as a few disjoint rectangles.

A server's *column* is what each client may open to it: the clients split by traffic.
Egress rows give every server a first column, its own ingress row gives a second, and
where the two meet is the answer. Servers with equal parts of columns share a block.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.algebra.intervals import EMPTY, Intervals
from ringfence.model.cluster import Pod
from ringfence.model.policy import Direction
from ringfence.semantics.program import ALL_BITS
from ringfence.semantics.universe import bits, ones

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from ringfence.algebra.addresses import Family
    from ringfence.semantics.rows import Bounds
    from ringfence.semantics.universe import Universe

Masks = tuple[int, int]
"""What is surely and what is possibly allowed, as masks of traffic."""

Column = tuple[tuple[Masks, int], ...]
"""Masks and the atoms that have them: disjoint, together all that matter, sorted."""


@dataclass(frozen=True, slots=True)
class PairTraffic:
    """What may pass from a client to a server.

    Attributes:
        allowed: Traffic that is allowed.
        undecided: Traffic that the input does not settle; none of it is in ``allowed``.
    """

    allowed: Intervals = EMPTY
    undecided: Intervals = EMPTY


@dataclass(frozen=True, slots=True)
class Ends:
    """Clients or servers that are alike.

    Attributes:
        pods: Pods, in the order of the snapshot.
        addresses: Addresses that are no live pod's own; those of nodes are among them.
    """

    pods: tuple[Pod, ...] = ()
    addresses: Intervals = EMPTY


@dataclass(frozen=True, slots=True)
class Block:
    """Every client with every server, and the traffic that all these pairs have.

    Attributes:
        clients: The clients.
        servers: The servers.
        traffic: Never empty.
    """

    clients: Ends
    servers: Ends
    traffic: PairTraffic


Subject = Pod | None
"""A pod, or None for the addresses at an atom."""


class Overlay:
    """Lays the rows of both directions over each other, in one family."""

    def __init__(self, universe: Universe, family: Family, bounds_of: Callable[[Subject, Direction], Bounds]) -> None:
        """Take from ``bounds_of`` what a subject's policies allow in one direction."""
        self._universe, self._bounds_of = universe, bounds_of
        self._subjects: dict[int, list[Subject]] = defaultdict(list)
        self._spread, self._places = 0, 0
        for pod in universe.snapshot.pods:
            if not pod.terminal and family in universe.snapshot.families_of(pod):
                atoms = universe.atoms_of(pod, family)
                self._subjects[atoms[0]].append(pod)
                if len(atoms) > 1:
                    self._spread, self._places = self._spread | 1 << atoms[0], len(atoms)
        for number in universe.outside(family):
            self._subjects[number].append(None)
        self._certain = bits(self._subjects) & ~self._spread
        self._columns: dict[Bounds, Column] = {}

    def rectangles(self) -> Iterator[tuple[Ends, Ends, Masks]]:
        """Yield clients, servers and what may pass between them, which is never nothing."""
        first_columns = self._first_columns()
        found: dict[tuple[int, Masks], list[tuple[int, list[Subject]]]] = defaultdict(list)
        for number, subjects in self._subjects.items():
            alike: dict[Column, list[Subject]] = defaultdict(list)
            for subject in subjects:
                alike[self._column(self._bounds_of(subject, Direction.INGRESS))].append(subject)
            for column, servers in alike.items():
                for masks, clients in _meet(first_columns[number], column).items():
                    found[clients, masks].append((number, servers))
        for (clients, masks), parts in found.items():
            both = self._ends((n, self._subjects[n]) for n in ones(clients)), self._ends(parts)
            yield from ((*ends, masks) for ends in _with_a_pod(*both))

    def _first_columns(self) -> dict[int, Column]:
        """Return for every server what its clients' own policies let them open to it."""
        clients_of: dict[tuple[Masks, int], int] = defaultdict(int)
        for number, subjects in self._subjects.items():
            # Pods of one atom are alike for egress, so any of them speaks for it.
            for cell in self._column(self._bounds_of(subjects[0], Direction.EGRESS)):
                clients_of[cell] |= 1 << number
        columns: dict[int, dict[Masks, int]] = {number: defaultdict(int) for number in self._subjects}
        for (masks, servers), clients in clients_of.items():
            for number in ones(servers):
                columns[number][masks] |= clients
        return {number: tuple(column.items()) for number, column in columns.items()}

    def _column(self, bounds: Bounds) -> Column:
        """Return rows in which each pod is at one atom, its first, even where it may be at several."""
        if bounds not in self._columns:
            cells: dict[Masks, int] = defaultdict(int)
            told = _together(bounds)
            for masks, held in told:
                cells[masks] |= held & self._certain
            for masks, held in self._spread_cells(told).items():
                cells[masks] |= held
            column = tuple((masks, atoms) for masks, atoms in sorted(cells.items()) if any(masks) and atoms)
            self._columns[bounds] = column
        return self._columns[bounds]

    def _spread_cells(self, told: Column) -> dict[Masks, int]:
        """Return what is said of the pods that may be at several atoms.

        These are as many for each pod, and neighbors: shifted by one, a set of second
        atoms is a set of first atoms, and so on.
        """
        cells = {(ALL_BITS, 0): self._spread}
        for place in range(self._places):
            refined: dict[Masks, int] = defaultdict(int)
            for (surely, possibly), atoms in cells.items():
                for (least, most), held in told:
                    refined[surely & least, possibly | most] |= atoms & held >> place
            cells = {masks: atoms for masks, atoms in refined.items() if atoms}
        return cells

    def _ends(self, parts: Iterable[tuple[int, Sequence[Subject]]]) -> Ends:
        pods: list[Pod] = []
        addresses: list[Intervals] = []
        for number, subjects in parts:
            pods += (subject for subject in subjects if subject is not None)
            addresses += (self._universe.addresses[number] for subject in subjects if subject is None)
        return Ends(tuple(sorted(pods, key=lambda pod: (pod.namespace, pod.name))), Intervals.union(addresses))


def _together(bounds: Bounds) -> Column:
    """Return the least and the most that is allowed as one column."""
    least, most = bounds
    if least == most:
        return tuple(((mask, mask), held) for mask, held in least)
    cells = (((low, high), held & told) for low, held in least for high, told in most)
    return tuple((masks, atoms) for masks, atoms in cells if atoms)


def _meet(one: Column, other: Column) -> dict[Masks, int]:
    """Return what both columns allow; clients for whom that is nothing are left out."""
    met: dict[Masks, int] = defaultdict(int)
    for (surely, possibly), clients in one:
        for (also_surely, also_possibly), others in other:
            both, masks = clients & others, (surely & also_surely, possibly & also_possibly)
            if both and any(masks):
                met[masks] |= both
    return met


def _with_a_pod(clients: Ends, servers: Ends) -> Iterator[tuple[Ends, Ends]]:
    """Yield a rectangle as up to two that leave out addresses that meet addresses."""
    if not (clients.addresses and servers.addresses):
        yield clients, servers
        return
    if clients.pods:
        yield Ends(clients.pods), servers
    if servers.pods:
        yield Ends(addresses=clients.addresses), Ends(servers.pods)
