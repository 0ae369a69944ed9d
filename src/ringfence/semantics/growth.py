"""How one universe follows from another: what keeps its number, and what is new beside something alike.

Classes and atoms are never renumbered. A class that is new has a *twin*, an older class
that differs from it in selectors alone: whoever names none of these says the same of both,
so what was said of the twin is said of it too.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.semantics.census import Move
from ringfence.semantics.rows import Said

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ringfence.algebra.addresses import Address
    from ringfence.model.cluster import Pod
    from ringfence.model.events import Events
    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics.census import Census
    from ringfence.semantics.classes import Classifier, PodClass
    from ringfence.semantics.rows import Row
    from ringfence.semantics.sets import PeerSet, Sets
    from ringfence.semantics.universe import Universe

Name = tuple[str, str]
"""A pod's namespace and name."""


@dataclass(frozen=True, slots=True)
class Growth:
    """What became of a universe.

    Attributes:
        universe: The universe that it became.
        twins: Atoms that are new, each with the atom of its twin.
        moved: The atom at which each address was, and that at which it is, where that is not the atom's twin.
        differing: The selectors in which some new class and its twin are not alike.
        touched: Classes that are new, or of which more is told.
    """

    universe: Universe
    twins: Mapping[int, int]
    moved: Mapping[Address, tuple[int, int]]
    differing: frozenset[int]
    touched: frozenset[int]


class Regrouping:
    """Finds which pods are in other classes after some events.

    Attributes:
        moves: Pods that are in another class, or are another object.
        renamed: Classes of which more is told, and of whose pods none is elsewhere.
    """

    def __init__(
        self, census: Census, classifiers: tuple[Classifier, Classifier], snapshot: Snapshot, events: Events
    ) -> None:
        """Look at the pods that changed, those of namespaces that did, and those of whom more is asked.

        Args:
            census: Who was in which class.
            classifiers: What told classes apart before, and what does after.
            snapshot: The snapshot after.
            events: What happened.
        """
        self._census, (self._before, self._after), self._snapshot = census, classifiers, snapshot
        self.moves = [Move(old, new, self._class_of(new)) for old, new in events.pods]
        changed = {(pod.namespace, pod.name) for pair in events.pods for pod in pair if pod is not None}
        for name in sorted(events.namespaces):
            pods = [pod for pod in snapshot.pods_in(name) if not pod.terminal]
            pods = [pod for pod in pods if (pod.namespace, pod.name) not in changed]
            self.moves += (Move(pod, pod, self._class_of(pod)) for pod in pods)
            changed |= {(pod.namespace, pod.name) for pod in pods}
        self.renamed: dict[int, PodClass] = {}
        self._split(changed)

    def addresses(self) -> set[Address]:
        """Return the addresses of pods that moved, before and after, but for what policies cut."""
        pods = (pod for move in self.moves if not move.cut for pod in (move.old, move.new))
        return {address for pod in pods if pod is not None and pod.selectable for address in pod.addresses.values()}

    def _class_of(self, pod: Pod | None) -> PodClass | None:
        return None if pod is None or pod.terminal else self._after.class_of(pod)

    def _split(self, changed: set[Name]) -> None:
        """Find the classes that what is new in policies cuts, and those of which all pods are still alike."""
        alike: dict[tuple[int, tuple[int, ...], int], list[Pod]] = defaultdict(list)
        for name, (pod, selectors) in self._asked_about().items():
            if name not in changed:
                alike[self._census.class_of(*name), selectors, id(pod.ports)].append(pod)
        told: dict[int, dict[PodClass, list[Pod]]] = defaultdict(lambda: defaultdict(list))
        for (number, selectors, _), pods in alike.items():
            found = self._after.refined(self._census.classes[number], pods[0], selectors)
            told[number][found] += pods
        for number, groups in told.items():
            (found, pods), *others = groups.items()
            if not others and len(pods) == len(self._census.members[number]):
                self.renamed[number] = found
            else:
                self.moves += (Move(pod, pod, found, cut=True) for found, pods in groups.items() for pod in pods)

    def _asked_about(self) -> dict[Name, tuple[Pod, tuple[int, ...]]]:
        """Return the pods that selectors match which are new, with these, and those of whom more ports are asked."""
        found: dict[Name, tuple[Pod, tuple[int, ...]]] = {}
        for pod, selector in self._after.selected_anew(self._before):
            name = (pod.namespace, pod.name)
            found[name] = (pod, (*(found[name][1] if name in found else ()), selector))
        more = self._after.asks_more_than(self._before)
        for number, each in enumerate(self._census.classes):
            if not more.isdisjoint(each.selectors):
                for pod in self._census.members[number]:
                    found.setdefault((pod.namespace, pod.name), (pod, ()))
        return found


class Translation:
    """Says of grown atoms, and of traffic that may be finer, what was said before."""

    def __init__(self, sets: Sets, twins: Mapping[int, int], mask: Callable[[int], int] | None = None) -> None:
        """Take what is new.

        Args:
            sets: The form of sets.
            twins: The atoms that are new, each with its twin.
            mask: What masks of traffic are now; None where they are what they were.
        """
        self._sets, self._mask = sets, mask
        self._beside: dict[int, list[int]] = defaultdict(list)
        for atom, twin in twins.items():
            self._beside[twin].append(atom)
        self._twins = sets.of(self._beside)
        self._grown: dict[PeerSet, PeerSet] = {}
        self._rows: dict[int, Row] = {}
        self._said: dict[int, Said] = {}

    def mask(self, mask: int) -> int:
        """Return what a mask of traffic is now."""
        return self._mask(mask) if self._mask else mask

    def set(self, atoms: PeerSet) -> PeerSet:
        """Return a set with all new atoms whose twins are in it."""
        touched = atoms & self._twins
        if not touched:
            return atoms
        grown = self._grown.get(touched)
        if grown is None:
            beside = (atom for twin in self._sets.ids(touched) for atom in self._beside[twin])
            grown = self._grown[touched] = self._sets.of(beside)
        return atoms | grown

    def row(self, row: Row) -> Row:
        """Return what a row says now: one object for one that is kept as long as this."""
        found = self._rows.get(id(row))
        if found is None:
            mask = self._mask
            found = tuple([(mask(each) if mask else each, self.set(atoms)) for each, atoms in row])
            self._rows[id(row)] = found
        return found

    def said(self, said: Said) -> Said:
        """Return what is said now; likewise."""
        found = self._said.get(id(said))
        if found is None:
            rows = [self.row(row) for bounds in (said.ordinary, said.own_node) for row in bounds]
            found = self._said[id(said)] = Said((rows[0], rows[1]), (rows[2], rows[3]))
        return found
