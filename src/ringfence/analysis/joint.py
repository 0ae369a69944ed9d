"""What two worlds say of the ends that both of them have.

The two may be different clusters, whose ends are matched, or the same one under different
policies, whose rows are mostly the same.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

from ringfence.algebra.intervals import Intervals
from ringfence.analysis.counterparts import Counterparts
from ringfence.semantics.ends import Ends
from ringfence.semantics.rectangles import WORLD, Index, said
from ringfence.semantics.space import TrafficSpace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.algebra.addresses import Family
    from ringfence.model.cluster import Pod
    from ringfence.model.policy import Direction
    from ringfence.semantics.engine import Engine
    from ringfence.semantics.rectangles import Column, Masks, Rectangle
    from ringfence.semantics.rows import Said
    from ringfence.semantics.sets import PeerSet, Sets


@dataclass(frozen=True, slots=True)
class Told:
    """What is said in one direction.

    Attributes:
        subjects: Those of whom not the same is said before and after.
        changed: What is said of them, in both worlds.
        settled: What is said in the world before; after, the same is said of all but those subjects.
    """

    subjects: PeerSet
    changed: list[Rectangle]
    settled: Index


class Matched:
    """Two clusters, as they are seen from the ends that both have, which are numbered.

    Attributes:
        traffic: The traffic of both.
        outside: The ends that are addresses.
    """

    def __init__(self, before: Engine, after: Engine, family: Family) -> None:
        """Find the ends."""
        self._sets, self._counterparts = after.sets, Counterparts(before.universe, after.universe, family)
        self._common = self._counterparts.common()
        self.outside = self._sets.of(number for number, each in enumerate(self._common) if not each.pods)
        self.traffic = TrafficSpace.of(
            Intervals.of([run]) for engine in (before, after) for run in engine.traffic.atoms
        )
        self._views = tuple(
            _View(engine, family, [each.atoms[place] for each in self._common], self.traffic)
            for place, engine in enumerate((before, after))
        )

    def told(self, direction: Direction) -> Told:
        """Return what is said in one direction."""
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
        return _told(self._sets, direction, changed, Index(self._sets, said(self._sets, direction, settled)))

    def ends(self, ends: PeerSet) -> Ends:
        """Return some ends; pods as they are after."""
        found = [self._common[number] for number in self._sets.ids(ends)]
        pods = {(pod.namespace, pod.name): pod for each in found for pod in each.pods}
        return Ends(tuple(pods[key] for key in sorted(pods)), Intervals.union(each.addresses for each in found))

    def atoms(self, ends: PeerSet) -> PeerSet:
        """Return the atoms at which some ends stand after."""
        return self._views[1].atoms(ends)

    def gone(self) -> tuple[Pod, ...]:
        """Return the pods before that nothing after corresponds to."""
        return self._counterparts.gone()

    def new(self) -> tuple[Pod, ...]:
        """Return the pods after that nothing before corresponds to."""
        return self._counterparts.new()


class Shared:
    """One cluster under two sets of policies, of which one revises the other; its ends are atoms.

    Attributes:
        traffic: The traffic of both.
        outside: The ends that are addresses.
    """

    def __init__(self, before: Engine, after: Engine, family: Family) -> None:
        """Find the classes that other policies judge."""
        self._engines, self._family, self._sets = (before, after), family, after.sets
        self._overlays = before.overlay(family), after.overlay(family)
        self._unlike = sorted(before.unlike(after))
        self.traffic, self.outside = before.traffic, self._overlays[0].outside

    def told(self, direction: Direction) -> Told:
        """Return what is said in one direction."""
        before, after = self._overlays
        groups: dict[tuple[Said, Said], list[int]] = defaultdict(list)
        for number in self._unlike:
            for atom in after.universe.atoms_of_class(number).get(self._family, ())[:1]:
                groups[before.said_at(atom, direction), after.said_at(atom, direction)].append(atom)
        columns = (
            (atoms, tuple(_beside(dict(before.column(old)), dict(after.column(new)))))
            for (old, new), atoms in groups.items()
            if old is not new
        )
        changed = [each for each in columns if any(masks[:WORLD] != masks[WORLD:] for masks, _ in each[1])]
        return _told(self._sets, direction, changed, before.index(direction))

    def ends(self, ends: PeerSet) -> Ends:
        """Return some ends."""
        return self._engines[1].ends(ends)

    @staticmethod
    def atoms(ends: PeerSet) -> PeerSet:
        """Return the atoms at which some ends stand."""
        return ends

    @staticmethod
    def gone() -> tuple[Pod, ...]:
        """Return nobody."""
        return ()

    new = gone


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


def _told(sets: Sets, direction: Direction, changed: list[tuple[list[int], Column]], settled: Index) -> Told:
    subjects = sets.of(number for numbers, _ in changed for number in numbers)
    return Told(subjects, said(sets, direction, changed), settled)
