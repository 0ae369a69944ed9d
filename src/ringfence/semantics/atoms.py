"""Atoms, the peers of a rule as far as policies can tell: a class of pods, or addresses alike, in one family."""

from __future__ import annotations

from collections import defaultdict
from copy import copy
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, TypeVar

from ringfence.semantics.classes import PodClass
from ringfence.semantics.growth import Translation

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence

    from ringfence.algebra.addresses import Family
    from ringfence.semantics.classes import OnNode, Ports
    from ringfence.semantics.sets import PeerSet, Sets
    from ringfence.semantics.space import Signature


@dataclass(frozen=True, slots=True)
class Atom:
    """What policies can tell of a peer in one family.

    Attributes:
        family: The family.
        signature: The blocks that hold its address.
        pod_class: Number of its class; None for addresses that are no pod's own.
        on_node: Where it is on a node's own network; None for all others.
    """

    family: Family
    signature: Signature
    pod_class: int | None = None
    on_node: OnNode | None = None


_NO_POD = PodClass(selectors=(), ports=(), places=())

Key = TypeVar("Key", bound="Hashable")


class Atoms:
    """All atoms, and the sets of those that have something in common.

    Attributes:
        all: Every atom; pods before addresses, so that sets of pods are short, but for pods that came later.
        numbers: Where in it each stands.
        everyone: The set of all.
        on_nodes: Those on the network of a node that is known.
        hosts: Those of pods on their node's network.
        pods: Those of all other pods.
        by_block: Those in each block of addresses, by its number.
        by_family: Those of each family.
        by_selector: Those of pods that a selector matches, by its number.
        by_ports: Those of each choice of named ports; of addresses, none.
    """

    def __init__(self, sets: Sets, classes: Sequence[PodClass], addresses: Iterable[Atom]) -> None:
        """Number the atoms of some classes, then those of addresses, each once."""
        self._sets = sets
        pods = (atom for number, each in enumerate(classes) for atom in _of_places(number, each))
        tunnels = (atom for number, each in enumerate(classes) for atom in _of_tunnels(number, each))
        self.numbers: dict[Atom, int] = {}
        for atom in chain(pods, tunnels, addresses):
            self.numbers.setdefault(atom, len(self.numbers))
        self.all = tuple(self.numbers)
        self.everyone = sets.of(range(len(self.all)))
        told = [_NO_POD if atom.pod_class is None else classes[atom.pod_class] for atom in self.all]
        self.by_block: dict[int, PeerSet] = self._gather(atom.signature for atom in self.all)
        self.by_family: dict[Family, PeerSet] = self._gather((atom.family,) for atom in self.all)
        self.by_selector: dict[int, PeerSet] = self._gather(each.selectors for each in told)
        self.by_ports: dict[Ports, PeerSet] = self._gather((each.ports,) for each in told)
        self.on_nodes = self._those(lambda atom: atom.on_node is not None and atom.on_node.known)
        self.hosts = self._those(lambda atom: atom.pod_class is not None and atom.on_node is not None)
        self.pods = self._those(lambda atom: atom.pod_class is not None and atom.on_node is None)

    def of_class(self, number: int, found: PodClass) -> dict[Family, tuple[int, ...]]:
        """Return the atoms at which the pods of a class may be, by family."""
        return {
            family: tuple(self.numbers[Atom(family, place, number, found.on_node)] for place in places)
            for family, places in found.places
        }

    def grown(
        self, before: Sequence[PodClass], after: Sequence[PodClass], twins: Mapping[int, int], renamed: Iterable[int]
    ) -> tuple[Atoms, dict[int, int]]:
        """Return these and those of more classes, and of each atom that is new the one of the twin of its class.

        Args:
            before: The classes that there were.
            after: The same, and more.
            twins: An older class for each that is new, at the same places.
            renamed: Older classes of which more is told.
        """
        found = copy(self)
        new, beside = list(self.all), dict[int, int]()
        for number, twin in twins.items():
            for atom, alike in zip(_of_class(number, after[number]), _of_class(twin, before[twin]), strict=True):
                beside[len(new)] = self.numbers[alike]
                new.append(atom)
        found.all = tuple(new)
        found.numbers = self.numbers | {new[number]: number for number in beside}
        with_new = Translation(self._sets, beside).set
        found.everyone, found.on_nodes = with_new(self.everyone), with_new(self.on_nodes)
        found.hosts, found.pods = with_new(self.hosts), with_new(self.pods)
        found.by_block = {block: with_new(atoms) for block, atoms in self.by_block.items()}
        found.by_family = {family: with_new(atoms) for family, atoms in self.by_family.items()}
        told = [(number, after[found.all[number].pod_class or 0]) for number in beside]
        selected, ported = ([(n, each.selectors) for n, each in told], [(n, (each.ports,)) for n, each in told])
        less: list[tuple[int, tuple[Ports]]] = []
        for number in renamed:
            one, other = before[number], after[number]
            places = [self.numbers[atom] for atom in _of_class(number, one)]
            selected += ((place, other.selectors[len(one.selectors) :]) for place in places)
            ported += ((place, (other.ports,)) for place in places)
            less += ((place, (one.ports,)) for place in places)
        found.by_selector = self._with(self.by_selector, selected)
        found.by_ports = self._with(self._without(self.by_ports, less), ported)
        return found, beside

    def _those(self, chosen: Callable[[Atom], bool]) -> PeerSet:
        return self._sets.of(number for number, atom in enumerate(self.all) if chosen(atom))

    def _gather(self, keys: Iterable[Iterable[Key]]) -> dict[Key, PeerSet]:
        """Return the set of atoms that have each key, given those of each; a key that no atom has is not there."""
        return self._with({}, enumerate(keys))

    def _with(self, filed: dict[Key, PeerSet], more: Iterable[tuple[int, Iterable[Key]]]) -> dict[Key, PeerSet]:
        """Return sets by key with more atoms, each with its keys."""
        found: dict[Key, list[int]] = defaultdict(list)
        for number, keys in more:
            for key in keys:
                found[key].append(number)
        of = self._sets.of
        return filed | {key: filed[key] | of(atoms) if key in filed else of(atoms) for key, atoms in found.items()}

    def _without(self, filed: dict[Key, PeerSet], less: Iterable[tuple[int, Iterable[Key]]]) -> dict[Key, PeerSet]:
        """Return sets by key without some atoms, each given with its keys."""
        gone = self._with({}, less)
        return {key: self._sets.sub(atoms, gone[key]) if key in gone else atoms for key, atoms in filed.items()}


def _of_places(number: int, found: PodClass) -> Iterator[Atom]:
    for family, places in found.places:
        yield from (Atom(family, signature, number, found.on_node) for signature in places)


def _of_tunnels(number: int, found: PodClass) -> Iterator[Atom]:
    for family, places in found.tunnels:
        yield from (Atom(family, signature, number, found.on_node) for signature in places)


def _of_class(number: int, found: PodClass) -> Iterator[Atom]:
    yield from _of_places(number, found)
    yield from _of_tunnels(number, found)
