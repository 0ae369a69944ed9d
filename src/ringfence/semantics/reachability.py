"""Who reaches whom, on what: all pairs of ends as a few disjoint rectangles.

What the rows of both directions say is laid over each other, see :mod:`ringfence.semantics.rectangles`.
"""

from __future__ import annotations

from collections import defaultdict
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.algebra.intervals import EMPTY, Intervals
from ringfence.model.policy import Direction
from ringfence.semantics.rectangles import Index, Rectangle, meet, said, united, with_a_pod

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ringfence.algebra.addresses import Family
    from ringfence.semantics.rectangles import Column, Masks
    from ringfence.semantics.rows import Row, Said
    from ringfence.semantics.sets import PeerSet
    from ringfence.semantics.universe import Universe


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


class Overlay:
    """Lays the rows of both directions over each other, in one family.

    Attributes:
        universe: The universe.
        subjects: The atom at which each class stands, and those of addresses, with the class; None for addresses.
        outside: The atoms of addresses among them.
    """

    def __init__(
        self,
        universe: Universe,
        family: Family,
        said_of: Callable[[int | None, Direction], Said],
    ) -> None:
        """Lay out who there is.

        Args:
            universe: The universe.
            family: The family.
            said_of: What a class's policies say in one direction; those of no class have none.
        """
        self.universe, self._said_of, self._sets = universe, said_of, universe.sets
        self._among = dict.fromkeys(Direction, universe.everyone)
        self.subjects: dict[int, int | None] = {}
        spread: list[int] = []
        self._places = 0
        for number, pods in enumerate(universe.members):
            if pods and (atoms := universe.atoms_of_class(number).get(family)):
                self.subjects[atoms[0]] = number
                if len(atoms) > 1:
                    spread.append(atoms[0])
                    self._places = len(atoms)
        self.subjects |= dict.fromkeys(universe.outside(family))
        self.outside = self._sets.of(number for number, pod_class in self.subjects.items() if pod_class is None)
        self._certain = self._sets.sub(self._sets.of(self.subjects), self._sets.of(spread))
        # Where the pods may be that may be at several atoms, and where each of them stands.
        self._spread = [self._sets.of(first + place for first in spread) for place in range(self._places)]
        self._columns: dict[Said, Column] = {}
        self._indices: dict[Direction, Index] = {}

    def of(self, said_of: Callable[[int | None, Direction], Said]) -> Overlay:
        """Return the same of another world over the same universe; what equal rows say is worked out once."""
        found = copy(self)
        found._said_of, found._indices = said_of, {}  # noqa: SLF001 - one of its own
        return found

    def narrowed(self, among: tuple[PeerSet, PeerSet]) -> Overlay:
        """Return the same of these clients and servers alone; who else there is is laid out once.

        Args:
            among: Clients and servers; of all others nothing is told, or worked out.
        """
        found = copy(self)
        found._among = dict(zip((Direction.EGRESS, Direction.INGRESS), among, strict=True))  # noqa: SLF001
        found._indices = {}  # noqa: SLF001 - one of its own
        return found

    def index(self, direction: Direction) -> Index:
        """Return what the rows of one direction say, to be kept."""
        if direction not in self._indices:
            self._indices[direction] = Index(self._sets, self.said(direction))
        return self._indices[direction]

    def rectangles(self) -> Iterator[Rectangle]:
        """Yield what may pass between clients and servers, which is never nothing; disjoint."""
        yield from united(
            self._settled(meet(self.said(Direction.EGRESS), Index(self._sets, self.said(Direction.INGRESS))))
        )

    def said(self, direction: Direction) -> list[Rectangle]:
        """Return what the rows of one direction say."""
        return said(self._sets, direction, ((atoms, self.column(told)) for told, atoms in self.by_said(direction)))

    def said_at(self, subject: int, direction: Direction) -> Said:
        """Return what policies say of a subject in one direction."""
        return self._said_of(self.subjects[subject], direction)

    def by_said(self, direction: Direction) -> Iterable[tuple[Said, list[int]]]:
        """Return what policies say in one direction, with all subjects who are asked about and of whom they say it."""
        subjects: dict[Said, list[int]] = defaultdict(list)
        among = self._among[direction]
        for atom in self.subjects:
            if self._sets.has(among, atom):
                subjects[self.said_at(atom, direction)].append(atom)
        return subjects.items()

    def _settled(self, met: Iterable[Rectangle]) -> Iterator[Rectangle]:
        """Yield rectangles without what they say of pairs that there are not."""
        for each in met:
            masks = each.masks
            if masks[:2] != masks[2:] and not self.share_a_node(each.clients, each.servers):
                masks = (*masks[:2], *masks[:2])
            if any(masks):
                yield from with_a_pod(self._sets, Rectangle(each.clients, each.servers, masks), self.outside)

    def column(self, told: Said) -> Column:
        """Return rows in which each pod is at one atom, its first, even where it may be at several."""
        if told not in self._columns:
            rows = (*told.ordinary, *told.own_node)
            cells = _together(rows, self._certain)
            for masks, held in self._spread_cells(rows).items():
                cells[masks] = cells[masks] | held if masks in cells else held
            self._columns[told] = tuple(cells.items())
        return self._columns[told]

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

    def share_a_node(self, clients: PeerSet, servers: PeerSet) -> bool:
        """Tell whether an end of some pair is on the network of the node that the other is on."""
        universe = self.universe
        return any(
            not universe.nodes_of(one & universe.on_nodes).isdisjoint(universe.nodes_of(other))
            for one, other in ((clients, servers), (servers, clients))
            if one & universe.on_nodes
        )


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
    return cells
