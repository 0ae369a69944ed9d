"""Rectangles of pairs: some clients with some servers, and what is said of each pair of them.

A cell of a row makes a rectangle: all subjects whose rows have that cell, and the peers of
the cell. Egress rows cut all pairs into such rectangles, ingress rows cut them in another
way, and where one of each meet, both have spoken.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from operator import and_
from typing import TYPE_CHECKING

from ringfence.model.policy import Direction

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ringfence.semantics.sets import PeerSet, Sets

Masks = tuple[int, ...]
"""Masks of traffic, :data:`WORLD` of them for each world that is judged: what is surely and what is possibly
allowed; then the same for pairs of which one end is on the network of the node that the other
is on."""

WORLD = 4
"""So many masks are of one world."""

Column = tuple[tuple[Masks, "PeerSet"], ...]
"""Masks and the atoms that have them: what is said of every end in one direction. The sets
are disjoint and hold every end together; masks that allow nothing are written too."""

NARROW = 64
"""Up to so many atoms a side is asked one by one for what meets it."""


@dataclass(frozen=True, slots=True)
class Rectangle:
    """What is said of every client with every server."""

    clients: PeerSet
    servers: PeerSet
    masks: Masks


def said(sets: Sets, direction: Direction, columns: Iterable[tuple[Iterable[int], Column]]) -> list[Rectangle]:
    """Return what is said in one direction, cells that are alike as one; what allows nothing is left out.

    Args:
        sets: The form of the sets.
        direction: Whose columns they are: the clients' for egress, the servers' for ingress.
        columns: Subjects with the column that all of them have; each subject once.
    """
    cells: dict[tuple[Masks, PeerSet], list[int]] = defaultdict(list)
    for subjects, column in columns:
        for cell in column:
            if any(cell[0]):
                cells[cell] += subjects
    made = ((sets.of(atoms), peers, masks) for (masks, peers), atoms in cells.items())
    if direction is Direction.EGRESS:
        return [Rectangle(atoms, peers, masks) for atoms, peers, masks in made]
    return [Rectangle(peers, atoms, masks) for atoms, peers, masks in made]


def meet(some: Iterable[Rectangle], others: Index, worlds: int = 1) -> Iterator[Rectangle]:
    """Yield where rectangles of one direction meet those of the other, and what both allow, which is never nothing.

    Args:
        some: Those of one direction, in so many worlds.
        others: Those of the other, in one world.
        worlds: In how many worlds the others say the same.
    """
    rectangles, kinds = others.rectangles, others.kinds
    common: dict[Masks, list[Masks | None]] = {}
    for one in some:
        if one.masks not in common:
            common[one.masks] = [_common(one.masks, masks * worlds) for masks in others.masks]
        allowed = common[one.masks]
        for number in others.candidates(one):
            if masks := allowed[kinds[number]]:
                other = rectangles[number]
                if (servers := one.servers & other.servers) and (clients := one.clients & other.clients):
                    yield Rectangle(clients, servers, masks)


def _common(some: Masks, others: Masks) -> Masks | None:
    """Return what both allow; None for nothing."""
    found = tuple(map(and_, some, others))
    return found if any(found) else None


def united(rectangles: Iterable[Rectangle]) -> Iterator[Rectangle]:
    """Yield disjoint rectangles as fewer: first those of the same clients as one, then those of the same servers."""
    servers_of: dict[tuple[PeerSet, Masks], PeerSet] = {}
    for each in rectangles:
        key = (each.clients, each.masks)
        servers_of[key] = servers_of[key] | each.servers if key in servers_of else each.servers
    clients_of: dict[tuple[PeerSet, Masks], PeerSet] = {}
    for (clients, masks), servers in servers_of.items():
        key = (servers, masks)
        clients_of[key] = clients_of[key] | clients if key in clients_of else clients
    for (servers, masks), clients in clients_of.items():
        yield Rectangle(clients, servers, masks)


def with_a_pod(sets: Sets, found: Rectangle, outside: PeerSet) -> Iterator[Rectangle]:
    """Yield a rectangle as up to two that leave out the ends outside that meet ends outside."""
    strangers = found.clients & outside
    if not (strangers and found.servers & outside):
        yield found
        return
    if pods := sets.sub(found.clients, outside):
        yield Rectangle(pods, found.servers, found.masks)
    if pods := sets.sub(found.servers, outside):
        yield Rectangle(strangers, pods, found.masks)


class Index:
    """Finds the rectangles that may meet one of the other direction, from the narrower side of either.

    Attributes:
        rectangles: All of them, by number.
        masks: What they say, each once: much less than there are rectangles.
        kinds: Where in ``masks`` stands what each rectangle says.
    """

    def __init__(self, sets: Sets, rectangles: list[Rectangle]) -> None:
        """File each rectangle under its clients and its servers, where these are few."""
        self.rectangles = rectangles
        places: dict[Masks, int] = {}
        self.kinds = [places.setdefault(each.masks, len(places)) for each in rectangles]
        self.masks = tuple(places)
        self._sets = sets
        self._of_client: dict[int, list[int]] = defaultdict(list)
        self._of_server: dict[int, list[int]] = defaultdict(list)
        self._with_many_clients: list[int] = []
        self._with_many_servers: list[int] = []
        for number, each in enumerate(rectangles):
            self._file(number, each.clients, self._of_client, self._with_many_clients)
            self._file(number, each.servers, self._of_server, self._with_many_servers)

    def candidates(self, one: Rectangle) -> Iterable[int]:
        """Return the numbers of the rectangles that may meet this one, each once."""
        clients, servers = self._sets.count(one.clients), self._sets.count(one.servers)
        if min(clients, servers) > NARROW:
            return range(len(self.rectangles))
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
