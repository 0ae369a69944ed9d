"""Who reaches whom, on what: all pairs of ends as a few disjoint rectangles.

A cell of a row makes a rectangle: all subjects whose rows have that cell, and the peers of
the cell. Egress rows cut all pairs into such rectangles, ingress rows cut them in another
way, and where one of each meet is the answer.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.algebra.intervals import EMPTY, Intervals
from ringfence.model.policy import Direction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ringfence.algebra.addresses import Family
    from ringfence.semantics.rows import Row, Said
    from ringfence.semantics.sets import PeerSet
    from ringfence.semantics.universe import Universe

Masks = tuple[int, int, int, int]
"""What is surely and what is possibly allowed, as masks of traffic; then the same for pairs
of which one end is on the network of the node that the other is on."""

Column = tuple[tuple[Masks, "PeerSet"], ...]
"""Masks and the atoms that have them: disjoint, together all that matter."""

NARROW = 64
"""Up to so many atoms a side is asked one by one for what meets it."""


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
class Block:
    """Every client with every server, and the traffic that all these pairs have.

    Attributes:
        clients: The clients, as a set of atoms.
        servers: The servers, likewise.
        traffic: What may pass between a client and a server; never nothing, unless ``own_node`` is something.
        own_node: The same where one of them is on the network of the node that the other is on.
    """

    clients: PeerSet
    servers: PeerSet
    traffic: PairTraffic
    own_node: PairTraffic


@dataclass(frozen=True, slots=True)
class _Rectangle:
    """What the rows of one direction say of every client with every server."""

    clients: PeerSet
    servers: PeerSet
    masks: Masks


class Overlay:
    """Lays the rows of both directions over each other, in one family."""

    def __init__(self, universe: Universe, family: Family, said_of: Callable[[int | None, Direction], Said]) -> None:
        """Take from ``said_of`` what a class's policies say in one direction; those of no class have none."""
        self._universe, self._said_of, self._sets = universe, said_of, universe.sets
        self._subjects: dict[int, int | None] = {}
        spread: list[int] = []
        self._places = 0
        for number in range(len(universe.classes)):
            if atoms := universe.atoms_of_class(number).get(family):
                self._subjects[atoms[0]] = number
                if len(atoms) > 1:
                    spread.append(atoms[0])
                    self._places = len(atoms)
        self._subjects |= dict.fromkeys(universe.outside(family))
        self._outside = self._sets.of(number for number, pod_class in self._subjects.items() if pod_class is None)
        self._certain = self._sets.sub(self._sets.of(self._subjects), self._sets.of(spread))
        # Where the pods may be that may be at several atoms, and where each of them stands.
        self._spread = [self._sets.of(first + place for first in spread) for place in range(self._places)]
        self._columns: dict[Said, Column] = {}

    def rectangles(self) -> Iterator[tuple[PeerSet, PeerSet, Masks]]:
        """Yield clients, servers and what may pass between them, which is never nothing."""
        servers_of: dict[tuple[PeerSet, Masks], PeerSet] = {}
        for clients, servers, told in self._met():
            masks = told if told[:2] == told[2:] or self._share_a_node(clients, servers) else (*told[:2], *told[:2])
            for some, others in self._with_a_pod(clients, servers) if any(masks) else ():
                key = (some, masks)
                servers_of[key] = servers_of[key] | others if key in servers_of else others
        clients_of: dict[tuple[PeerSet, Masks], PeerSet] = {}
        for (clients, masks), servers in servers_of.items():
            key = (servers, masks)
            clients_of[key] = clients_of[key] | clients if key in clients_of else clients
        yield from ((clients, servers, masks) for (servers, masks), clients in clients_of.items())

    def _met(self) -> Iterator[tuple[PeerSet, PeerSet, Masks]]:
        """Yield where a rectangle of each direction meet, and what both allow."""
        leaving, entering = self._rectangles(Direction.EGRESS), self._rectangles(Direction.INGRESS)
        index = _Index(self._universe, entering)
        for one in leaving:
            a, b, c, d = one.masks
            for number in index.candidates(one):
                other = entering[number]
                w, x, y, z = other.masks
                masks = (a & w, b & x, c & y, d & z)
                if (
                    (masks[1] or masks[3])
                    and (servers := one.servers & other.servers)
                    and (clients := one.clients & other.clients)
                ):
                    yield clients, servers, masks

    def _rectangles(self, direction: Direction) -> list[_Rectangle]:
        """Return what the rows of one direction say, cells that are alike as one."""
        subjects: dict[Said, list[int]] = defaultdict(list)
        for atom, number in self._subjects.items():
            subjects[self._said_of(number, direction)].append(atom)
        cells: dict[tuple[Masks, PeerSet], list[int]] = defaultdict(list)
        for said, atoms in subjects.items():
            for cell in self._column(said):
                cells[cell] += atoms
        made = ((self._sets.of(atoms), peers, masks) for (masks, peers), atoms in cells.items())
        if direction is Direction.EGRESS:
            return [_Rectangle(atoms, peers, masks) for atoms, peers, masks in made]
        return [_Rectangle(peers, atoms, masks) for atoms, peers, masks in made]

    def _column(self, said: Said) -> Column:
        """Return rows in which each pod is at one atom, its first, even where it may be at several."""
        if said not in self._columns:
            rows = (*said.ordinary, *said.own_node)
            cells = _together(rows, self._certain)
            for masks, held in self._spread_cells(rows).items():
                cells[masks] = cells[masks] | held if masks in cells else held
            self._columns[said] = tuple((masks, atoms) for masks, atoms in cells.items() if any(masks))
        return self._columns[said]

    def _spread_cells(self, rows: tuple[Row, ...]) -> dict[Masks, PeerSet]:
        """Return what is said of the pods that may be at several atoms.

        These are as many for each pod, and neighbors, the first of which stands for it.
        """
        cells: dict[Masks, PeerSet] = {}
        for place, there in enumerate(self._spread):
            refined: dict[Masks, PeerSet] = {}
            for (least, most, near_least, near_most), held in _together(rows, there).items():
                firsts = self._sets.of(atom - place for atom in self._sets.ids(held))
                for (low, high, near_low, near_high), atoms in cells.items() if place else ():
                    if both := atoms & firsts:
                        masks = (low & least, high | most, near_low & near_least, near_high | near_most)
                        refined[masks] = refined[masks] | both if masks in refined else both
                if not place:
                    refined[least, most, near_least, near_most] = firsts
            cells = refined
        return cells

    def _share_a_node(self, clients: PeerSet, servers: PeerSet) -> bool:
        """Tell whether an end of some pair is on the network of the node that the other is on."""
        universe = self._universe
        return any(
            not universe.nodes_of(one & universe.on_nodes).isdisjoint(universe.nodes_of(other))
            for one, other in ((clients, servers), (servers, clients))
            if one & universe.on_nodes
        )

    def _with_a_pod(self, clients: PeerSet, servers: PeerSet) -> Iterator[tuple[PeerSet, PeerSet]]:
        """Yield a rectangle as up to two that leave out addresses that meet addresses."""
        strangers = clients & self._outside
        if not (strangers and servers & self._outside):
            yield clients, servers
            return
        if pods := self._sets.sub(clients, self._outside):
            yield pods, servers
        if pods := self._sets.sub(servers, self._outside):
            yield strangers, pods


class _Index:
    """Finds the rectangles of ingress that may meet one of egress, from the narrower side of either."""

    def __init__(self, universe: Universe, rectangles: list[_Rectangle]) -> None:
        """File each rectangle under its clients and its servers, where these are few."""
        self._sets = universe.sets
        self._of_client: dict[int, list[int]] = defaultdict(list)
        self._of_server: dict[int, list[int]] = defaultdict(list)
        self._with_many_clients: list[int] = []
        self._with_many_servers: list[int] = []
        for number, each in enumerate(rectangles):
            self._file(number, each.clients, self._of_client, self._with_many_clients)
            self._file(number, each.servers, self._of_server, self._with_many_servers)
        self._all = range(len(rectangles))

    def candidates(self, one: _Rectangle) -> Iterable[int]:
        """Return the numbers of the rectangles that may meet this one, each once."""
        clients, servers = self._sets.count(one.clients), self._sets.count(one.servers)
        if min(clients, servers) > NARROW:
            return self._all
        if servers <= clients:
            return {*self._with_many_servers, *self._filed(one.servers, self._of_server)}
        return {*self._with_many_clients, *self._filed(one.clients, self._of_client)}

    def _file(self, number: int, side: PeerSet, filed: dict[int, list[int]], many: list[int]) -> None:
        if self._sets.count(side) > NARROW:
            many.append(number)
        else:
            for atom in self._sets.ids(side):
                filed[atom].append(number)

    def _filed(self, side: PeerSet, filed: dict[int, list[int]]) -> Iterator[int]:
        for atom in self._sets.ids(side):
            yield from filed.get(atom, ())


def _together(rows: tuple[Row, ...], atoms: PeerSet) -> dict[Masks, PeerSet]:
    """Return what several rows say of some atoms, all at once."""
    cells: dict[tuple[int, ...], PeerSet] = {(): atoms}
    for place, row in enumerate(rows):
        alike = next((earlier for earlier in range(place) if rows[earlier] is row), None)
        refined: dict[tuple[int, ...], PeerSet] = {}
        for masks, held in cells.items():
            if alike is not None:
                refined[(*masks, masks[alike])] = held
                continue
            for mask, told in row:
                if both := held & told:
                    refined[(*masks, mask)] = both
        cells = refined
    return cells  # type: ignore[return-value]
