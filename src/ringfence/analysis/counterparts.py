"""The ends that two worlds have in common, so that what is said of them can be compared.

A pod is the pod of the same namespace and name, else it stands beside the pods of its
workload; an address is itself, as long as it is no pod's own in either world. Where a pod
runs makes no difference.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.algebra.intervals import EMPTY, Intervals, Range

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ringfence.algebra.addresses import Family
    from ringfence.model.cluster import Pod
    from ringfence.semantics.universe import Universe

Atoms = tuple[int, int]
"""Where an end stands in the universe before, and in the one after."""

Key = tuple[str, str]
"""Namespace and name of a pod, or of a workload with its kind."""


@dataclass(frozen=True, slots=True)
class Counterpart:
    """Ends that stand at one atom before, and at one after.

    Attributes:
        atoms: The atoms.
        pods: The pods, as they are after; in no order.
        addresses: The addresses; there are none where there are pods.
    """

    atoms: Atoms
    pods: tuple[Pod, ...] = ()
    addresses: Intervals = EMPTY


class Counterparts:
    """Who corresponds to whom in two universes, in one family."""

    def __init__(self, before: Universe, after: Universe, family: Family) -> None:
        """Find where everybody stands."""
        self._before, self._after = _Standing(before, family), _Standing(after, family)
        self._runs = _runs(before, family), _runs(after, family)

    def common(self) -> tuple[Counterpart, ...]:
        """Return the ends that both have: pods first, no two atoms twice."""
        pods: dict[Atoms, dict[Key, Pod]] = defaultdict(dict)
        for atoms, pod in _pairs(self._before, self._after):
            pods[atoms][pod.namespace, pod.name] = pod
        addresses: dict[Atoms, list[Range]] = defaultdict(list)
        for atoms, run in _overlaps(*self._runs):
            addresses[atoms].append(run)
        return (
            *(Counterpart(atoms, tuple(each.values())) for atoms, each in pods.items()),
            *(Counterpart(atoms, addresses=Intervals.of(runs)) for atoms, runs in addresses.items()),
        )

    def gone(self) -> tuple[Pod, ...]:
        """Return the pods before that nobody after corresponds to, in order."""
        return _unmatched(self._before, self._after)

    def new(self) -> tuple[Pod, ...]:
        """Return the pods after that correspond to nobody before, in order."""
        return _unmatched(self._after, self._before)


class _Standing:
    """Where the pods of a family stand.

    Attributes:
        pods: Each pod with its atom; the first one, where its address is not known.
    """

    def __init__(self, universe: Universe, family: Family) -> None:
        self.pods: dict[Key, tuple[Pod, int]] = {}
        self._of_workload: dict[Key, set[int]] = defaultdict(set)
        for number, members in enumerate(universe.members):
            for atom in universe.atoms_of_class(number).get(family, ())[:1]:
                for pod in members:
                    self.pods[pod.namespace, pod.name] = pod, atom
                    if pod.workload:
                        self._of_workload[pod.namespace, pod.workload].add(atom)

    def beside(self, pod: Pod) -> Iterable[int]:
        """Return the atoms at which a pod of another world would stand here."""
        same = self.pods.get((pod.namespace, pod.name))
        return (same[1],) if same else self._of_workload.get((pod.namespace, pod.workload), ())


def _unmatched(here: _Standing, there: _Standing) -> tuple[Pod, ...]:
    """Return the pods that would stand beside nobody in the other universe, in order."""
    found = (pod for pod, _ in here.pods.values() if not there.beside(pod))
    return tuple(sorted(found, key=lambda pod: (pod.namespace, pod.name)))


def _pairs(before: _Standing, after: _Standing) -> Iterator[tuple[Atoms, Pod]]:
    """Yield where each pod stands in both worlds; one that is gone is spoken for by the pods of its workload."""
    of_workload: dict[tuple[Key, int], list[Pod]] = defaultdict(list)
    for pod, atom in after.pods.values():
        yield from (((old, atom), pod) for old in before.beside(pod))
        if pod.workload:
            of_workload[(pod.namespace, pod.workload), atom].append(pod)
    for key, (gone, old) in before.pods.items():
        for atom in after.beside(gone) if key not in after.pods else ():
            yield from (((old, atom), pod) for pod in of_workload[(gone.namespace, gone.workload), atom])


def _runs(universe: Universe, family: Family) -> list[tuple[Range, int]]:
    """Return the addresses that are no pod's own, with the atom of each run, in order."""
    return sorted((run, atom) for atom in universe.outside(family) for run in universe.strangers[atom])


def _overlaps(before: list[tuple[Range, int]], after: list[tuple[Range, int]]) -> Iterator[tuple[Atoms, Range]]:
    """Yield where runs of two sorted lists overlap."""
    place = 0
    for (first, last), atom in before:
        while place < len(after) and after[place][0][1] < first:
            place += 1
        for (start, end), other in after[place:]:
            if start > last:
                break
            yield (atom, other), (max(first, start), min(last, end))
