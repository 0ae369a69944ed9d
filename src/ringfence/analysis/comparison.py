"""Two worlds compared: what may pass in one of them and not in the other, as disjoint rectangles.

Compared are the ends that both worlds have, see :mod:`ringfence.analysis.counterparts`. A pair
can differ only where the rows of its client or of its server do, so no other pairs are
looked at. Where pods run is taken from the world after.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

from ringfence.algebra.intervals import Intervals
from ringfence.analysis.counterparts import counterparts, unmatched
from ringfence.model.policy import Direction
from ringfence.semantics.ends import Ends
from ringfence.semantics.reachability import Block, PairTraffic
from ringfence.semantics.rectangles import Index, Rectangle, meet, said, united, with_a_pod
from ringfence.semantics.space import TrafficSpace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ringfence.algebra.addresses import Family
    from ringfence.model.cluster import Pod
    from ringfence.semantics.engine import Engine
    from ringfence.semantics.rectangles import Column, Masks
    from ringfence.semantics.rows import Said
    from ringfence.semantics.sets import PeerSet

_WORLD = 4
"""So many masks are of one world."""


@dataclass(frozen=True, slots=True)
class Told:
    """What may pass between a client and a server of a world.

    Attributes:
        traffic: What may pass.
        own_node: The same where one of them is on the network of the node that the other is on.
    """

    traffic: PairTraffic
    own_node: PairTraffic


@dataclass(frozen=True, slots=True)
class Change:
    """Every client with every server, between each of which the same may pass, before and after.

    Attributes:
        clients: The clients, as a set for :meth:`Comparison.ends`.
        servers: The servers, likewise.
        before: What may pass in the world before.
        after: What may pass in the world after.
    """

    clients: PeerSet
    servers: PeerSet
    before: Told
    after: Told


class Comparison:
    """Compares what two engines say of the ends that both know, in one family."""

    def __init__(self, before: Engine, after: Engine, family: Family) -> None:
        """Find those ends; what is said of them is compared when it is asked for."""
        self._engines, self._family, self._sets = (before, after), family, after.universe.sets
        self._common = counterparts(before.universe, after.universe, family)
        self._outside = self._sets.of(number for number, each in enumerate(self._common) if not each.pods)
        self._traffic = TrafficSpace.of(Intervals.of([run]) for engine in self._engines for run in engine.traffic.atoms)
        self._views = tuple(
            _View(engine, family, [each.atoms[place] for each in self._common], self._traffic)
            for place, engine in enumerate(self._engines)
        )

    def changes(self) -> Iterator[Change]:
        """Yield what differs, each pair at most once; nothing is said of a pod with itself."""
        for each in united(self._settled(self._met())):
            before, after = (
                Told(self._pair_traffic(*masks[:2]), self._pair_traffic(*masks[2:]))
                for masks in (each.masks[:4], each.masks[4:])
            )
            yield Change(each.clients, each.servers, before, after)

    def ends(self, ends: PeerSet) -> Ends:
        """Return the ends of one side of a change; pods as they are after."""
        found = [self._common[number] for number in self._sets.ids(ends)]
        pods = {(pod.namespace, pod.name): pod for each in found for pod in each.pods}
        return Ends(tuple(pods[key] for key in sorted(pods)), Intervals.union(each.addresses for each in found))

    def own_node_ends(self, change: Change) -> Iterator[tuple[Ends, Ends]]:
        """Yield, of the ends of a change, those that share a node with one on its network at the other side.

        They are where the world after has them.
        """
        _, after = self._views
        block = Block(after.atoms(change.clients), after.atoms(change.servers), PairTraffic(), PairTraffic())
        meant = self.ends(change.clients), self.ends(change.servers)
        for sides in self._engines[1].own_node_ends(block):
            clients, servers = (side & known for side, known in zip(sides, meant, strict=True))
            if clients and servers:
                yield clients, servers

    def gone(self) -> tuple[Pod, ...]:
        """Return the pods before that nothing after corresponds to."""
        before, after = self._engines
        return unmatched(before.universe, after.universe, self._family)

    def new(self) -> tuple[Pod, ...]:
        """Return the pods after that nothing before corresponds to."""
        before, after = self._engines
        return unmatched(after.universe, before.universe, self._family)

    def _pair_traffic(self, surely: int, possibly: int) -> PairTraffic:
        return PairTraffic(self._traffic.traffic(surely), self._traffic.traffic(possibly & ~surely))

    def _met(self) -> Iterator[Rectangle]:
        """Yield what both directions say together, where one of them has changed."""
        sub = self._sets.sub
        leaving, entering = self._told(Direction.EGRESS), self._told(Direction.INGRESS)
        yield from meet(leaving.changed, Index(self._sets, entering.changed))
        for each in meet(leaving.changed, entering.settled, worlds=2):
            if servers := sub(each.servers, entering.subjects):
                yield Rectangle(each.clients, servers, each.masks)
        for each in meet(entering.changed, leaving.settled, worlds=2):
            if clients := sub(each.clients, leaving.subjects):
                yield Rectangle(clients, each.servers, each.masks)

    def _told(self, direction: Direction) -> _Told:
        """Return what is said in one direction, apart by whether it is the same in both worlds."""
        before, after = self._views
        groups: dict[tuple[Said, Said], list[int]] = defaultdict(list)
        for number, said_of in enumerate(zip(before.said(direction), after.said(direction), strict=True)):
            groups[said_of].append(number)
        changed: list[tuple[list[int], Column]] = []
        settled: list[tuple[list[int], Column]] = []
        for (old, new), numbers in groups.items():
            one, other = before.column(old), after.column(new)
            if one == other:
                settled.append((numbers, tuple(one.items())))
            else:
                changed.append((numbers, tuple(_beside(one, other))))
        subjects = self._sets.of(number for numbers, _ in changed for number in numbers)
        rectangles = [said(self._sets, direction, columns) for columns in (changed, settled)]
        return _Told(subjects, rectangles[0], Index(self._sets, rectangles[1]))

    def _settled(self, met: Iterable[Rectangle]) -> Iterator[Rectangle]:
        """Yield what differs, without what is said of pairs that there are not."""
        for each in met:
            old, new = each.masks[:_WORLD], each.masks[_WORLD:]
            if (old[:2] != old[2:] or new[:2] != new[2:]) and not self._views[1].share_a_node(each):
                old, new = old[:2] * 2, new[:2] * 2
            if old != new:
                yield from with_a_pod(self._sets, Rectangle(each.clients, each.servers, (*old, *new)), self._outside)


@dataclass(frozen=True, slots=True)
class _Told:
    """What is said in one direction.

    Attributes:
        subjects: Those of whom not the same is said before and after.
        changed: What is said of them, in both worlds.
        settled: What is said of all others, in either.
    """

    subjects: PeerSet
    changed: list[Rectangle]
    settled: Index


class _View:
    """One world, as it is seen from the common ends."""

    def __init__(self, engine: Engine, family: Family, atoms: list[int], traffic: TrafficSpace) -> None:
        """Learn at which atom each common end stands, and what the world's traffic is in that of both."""
        self._overlay, self._sets, self._atoms = engine.overlay(family), engine.universe.sets, atoms
        self._everyone = self._sets.of(range(len(atoms)))
        standing: dict[int, list[int]] = defaultdict(list)
        for number, atom in enumerate(atoms):
            standing[atom].append(number)
        self._standing = {atom: self._sets.of(numbers) for atom, numbers in standing.items()}
        self._parts = [traffic.mask(Intervals.of([run])) for run in engine.traffic.atoms]
        self._masks: dict[int, int] = {}
        self._ends: dict[PeerSet, PeerSet] = {}
        self._columns: dict[Said, dict[Masks, PeerSet]] = {}

    def said(self, direction: Direction) -> Iterator[Said]:
        """Yield what is said in one direction of each common end."""
        return (self._overlay.said_at(atom, direction) for atom in self._atoms)

    def column(self, told: Said) -> dict[Masks, PeerSet]:
        """Return a column over the common ends and the traffic of both worlds."""
        found = self._columns.get(told)
        if found is None:
            found = self._columns[told] = {}
            rest = self._everyone
            *cells, (most, _) = sorted(self._overlay.column(told), key=lambda cell: self._sets.count(cell[1]))
            for masks, atoms in cells:  # what is left in the end is the largest, and need not be gathered
                if ends := self._common(atoms):
                    found[tuple(map(self._mask, masks))] = ends
                    rest = self._sets.sub(rest, ends)
            if rest:
                found[tuple(map(self._mask, most))] = rest
        return found

    def share_a_node(self, each: Rectangle) -> bool:
        """Tell whether an end of some pair is on the network of the node that the other is on."""
        return self._overlay.share_a_node(self.atoms(each.clients), self.atoms(each.servers))

    def atoms(self, ends: PeerSet) -> PeerSet:
        """Return the atoms at which some common ends stand."""
        return self._sets.of({self._atoms[number] for number in self._sets.ids(ends)})

    def _common(self, atoms: PeerSet) -> PeerSet:
        """Return the common ends that stand at some atoms."""
        found = self._ends.get(atoms)
        if found is None:
            standing = (self._standing[atom] for atom in self._sets.ids(atoms) if atom in self._standing)
            found = self._ends[atoms] = self._sets.union(standing)
        return found

    def _mask(self, mask: int) -> int:
        """Return a mask in the traffic of both worlds."""
        if mask not in self._masks:
            self._masks[mask] = reduce(or_, (part for place, part in enumerate(self._parts) if mask >> place & 1), 0)
        return self._masks[mask]


def _beside(one: dict[Masks, PeerSet], other: dict[Masks, PeerSet]) -> Iterator[tuple[Masks, PeerSet]]:
    """Yield what two columns say, side by side."""
    for old, some in one.items():
        for new, others in other.items():
            if both := some & others:
                yield (*old, *new), both
