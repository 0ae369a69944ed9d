"""Pods and addresses, as far as the policies of a snapshot can tell them apart.

Pods become *classes*, see :mod:`ringfence.semantics.classes`. The peers of a rule are then
a set of *atoms*: a class, or the addresses of one signature, in one family.

The node is no part of a class or an atom, only what selectors of nodes say of it: whether
two ends share a node is asked of each pair.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import EVERY, Address, Family, family_of
from ringfence.algebra.intervals import EMPTY, Intervals
from ringfence.model.cluster import Pod
from ringfence.model.policy import Anyone, BlockPeer, Direction, DomainPeer, NodePeer, PodPeer
from ringfence.semantics.atoms import Atom, Atoms
from ringfence.semantics.census import Census
from ringfence.semantics.classes import Classifier
from ringfence.semantics.dialects import Choices, Topic
from ringfence.semantics.ends import Ends
from ringfence.semantics.growth import Growth, Regrouping, Translation
from ringfence.semantics.sets import INTEGERS
from ringfence.semantics.unknown import is_meant

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ringfence.algebra.selectors import Selector
    from ringfence.model.cluster import ContainerPort
    from ringfence.model.connection import End
    from ringfence.model.events import Events
    from ringfence.model.policy import Peer, PodSelector, Policy
    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics.sets import PeerSet, Sets
    from ringfence.semantics.space import Signature


class Universe:
    """Every end that a connection can have, as classes and atoms.

    Sets of atoms that a rule means are given as two: what it surely means, and what it
    surely or perhaps means.

    Attributes:
        snapshot: What it was made of.
        sets: The form of its sets of atoms.
        classes: Classes in the order of their first pod.
        members: The pods of each class, in order.
        atoms: Every atom; pods before addresses, so that sets of pods are short.
        everyone: The set of all atoms.
        on_nodes: Those on the network of a node that is known.
    """

    def __init__(self, snapshot: Snapshot, readings: Iterable[Choices] = (), sets: Sets = INTEGERS) -> None:
        """Tell apart what any of the readings tells apart.

        Args:
            snapshot: The snapshot.
            readings: Sets of open points that are decided the other way; none for the default.
            sets: The form of its sets of atoms.
        """
        points = frozenset[Topic]().union(*readings)
        hosts_are_seen = not points.isdisjoint({Topic.HOST_NETWORK, Topic.HOST_EGRESS})
        self.snapshot, self.sets = snapshot, sets
        self._classifier = Classifier(snapshot, hosts_are_seen=hosts_are_seen)
        census = Census(self._classifier.classify())
        self._settle(census, Atoms(sets, census.classes, self._address_atoms()))

    def _settle(self, census: Census, atoms: Atoms) -> None:
        """Take classes and their atoms, and say what is known of them."""
        self._census, self._atoms = census, atoms
        self.classes, self.members, self.atoms = census.classes, census.members, atoms.all
        self.everyone, self.on_nodes = atoms.everyone, atoms.on_nodes

    def grown(self, snapshot: Snapshot, events: Events) -> Growth | None:
        """Return what becomes of this universe in a later snapshot, where all classes and atoms keep their numbers.

        Args:
            snapshot: The later snapshot.
            events: What happened since this one's.

        Returns:
            None where other nodes or addresses would have to be told apart, ports are asked of
            everyone that were not, or a pod is unlike all others in more than selectors.
        """
        classifier = self._classifier.revised(snapshot, events)
        if classifier is None or any(map(self._is_at_node, chain(*events.pods))):
            return None
        regrouping = Regrouping(self._census, (self._classifier, classifier), snapshot, events)
        census, known = self._census.revised(regrouping.moves, regrouping.renamed), len(self.classes)
        twins = {number: twin for number in census.new if (twin := census.twin(number, known)) is not None}
        if len(twins) < len(census.new):
            return None
        atoms, beside = self._atoms.grown(self.classes, census.classes, twins, regrouping.renamed)
        found = Universe.__new__(Universe)
        found.snapshot, found.sets = snapshot, self.sets
        found._classifier = classifier  # noqa: SLF001 - one of its own
        found._settle(census, atoms)  # noqa: SLF001
        moved = {address: (self._atom_at(address), found._atom_at(address)) for address in regrouping.addresses()}  # noqa: SLF001
        found._inherit(self, beside, moved)  # noqa: SLF001
        pairs = ((set(census.classes[new].selectors), self.classes[twin].selectors) for new, twin in twins.items())
        differing = frozenset[int]().union(*(one.symmetric_difference(other) for one, other in pairs))
        return Growth(found, beside, moved, differing, frozenset({*twins, *regrouping.renamed}))

    def _inherit(self, before: Universe, twins: Mapping[int, int], moved: Mapping[Address, tuple[int, int]]) -> None:
        """Take over what an earlier universe has found out, as far as it is still true."""
        known, mine = before.__dict__, self.__dict__
        if "_atoms_by_class" in known:
            new = (self._atoms.of_class(number, self.classes[number]) for number in sorted(self._census.new))
            mine["_atoms_by_class"] = (*before._atoms_by_class, *new)
        if "addresses" in known:
            mine["addresses"] = self._addresses_after(before.addresses, moved)
        if "tunneled" in known and not any(self.classes[number].tunnels for number in self._census.new):
            mine["tunneled"] = before.tunneled
        if "_meant_nodes" in known:
            with_new = Translation(self.sets, twins).set
            mine["_meant_nodes"] = tuple((with_new(one), with_new(other)) for one, other in before._meant_nodes)

    def _addresses_after(
        self, before: Sequence[Intervals], moved: Mapping[Address, tuple[int, int]]
    ) -> tuple[Intervals, ...]:
        """Return the addresses at each atom, given those of an earlier universe, and which are elsewhere since."""
        found = [*before, *(EMPTY for _ in self.atoms[len(before) :])]
        for number in self._census.others:
            points: dict[int, list[tuple[int, int]]] = {atoms[0]: [] for atoms in self.atoms_of_class(number).values()}
            for address, atom in self._addresses_of(number):
                points[atom].append((address, address))
            for atom, each in points.items():
                found[atom] = Intervals.of(each)
        for address, (old, new) in moved.items():
            # Classes whose pods are others have all of theirs.
            if old != new and self.atoms[old].pod_class not in self._census.others:
                found[old] -= Intervals.point(address)
            if old != new and self.atoms[new].pod_class not in self._census.others:
                found[new] |= Intervals.point(address)
        return tuple(found)

    def _atom_at(self, address: Address) -> int:
        """Return the atom at which an address is."""
        return self.atoms_of(address, family_of(address))[0]

    def _is_at_node(self, pod: Pod | None) -> bool:
        """Tell whether a pod claims an address for its own that is a node's."""
        own = pod.addresses.values() if pod is not None and pod.selectable else ()
        return any(self.snapshot.node_at(address) is not None for address in own)

    def class_of(self, pod: Pod) -> int:
        """Return the number of a pod's class.

        Raises:
            KeyError: the pod is terminal or not of this snapshot.
        """
        return self._census.class_of(pod.namespace, pod.name)

    def classes_of(self, pods: Iterable[Pod]) -> set[int]:
        """Return the numbers of the classes of several pods; ``KeyError`` as for one."""
        class_of = self._census.class_of
        return {class_of(pod.namespace, pod.name) for pod in pods}

    def atoms_of(self, end: End, family: Family) -> tuple[int, ...]:
        """Return the atoms at which an end may be: several when its address is not known.

        Several are neighbors in order, and as many for each pod whose address is to come.

        Raises:
            KeyError: a pod that is terminal, not of this snapshot or not of this family.
        """
        if isinstance(end, Pod):
            return self.atoms_of_class(self.class_of(end))[family]
        pod = self.snapshot.pod_at(end)
        return self.atoms_of(pod, family) if pod else (self._atoms.numbers[self._outside(end)],)

    def atoms_of_class(self, number: int) -> dict[Family, tuple[int, ...]]:
        """Return the atoms at which the pods of a class may be, by family."""
        return self._atoms_by_class[number]

    def sources_of(self, end: End, family: Family) -> tuple[int, ...]:
        """Return the atoms from which packets of an end may come: where it may be, and ends of tunnels.

        Raises:
            KeyError: as :meth:`atoms_of` does.
        """
        found = self.atoms_of(end, family)
        return (*found, *self.tunneled.get(found[0], ())) if isinstance(end, Pod) else found

    def tells(self, policy: Policy) -> bool:
        """Tell whether these atoms are as fine as if the policy had been among those of the snapshot."""
        return self._classifier.tells(policy)

    def number_of(self, selector: PodSelector) -> int:
        """Return the number of a scoped selector that some policy of the snapshot names."""
        return self._classifier.selectors[selector]

    def signature_of(self, address: Address) -> Signature:
        """Return the blocks that hold an address."""
        return self._classifier.space.signature(address)

    def number_of_block(self, block: Intervals) -> int:
        """Return the number of a set of addresses that some policy names: its bit in a signature."""
        return self._classifier.blocks[block]

    def number_of_nodes(self, nodes: Selector) -> int:
        """Return the number of a selector of nodes that some policy names: its place in :attr:`node_selectors`."""
        return self._classifier.node_selectors[nodes]

    @property
    def node_selectors(self) -> tuple[Selector, ...]:
        """The selectors by which policies name nodes, each once."""
        return tuple(self._classifier.node_selectors)

    def classes_in(self, selectors: Iterable[int]) -> frozenset[int]:
        """Return the classes of the pods that any of some selectors match, by the numbers of the selectors."""
        atoms = self.sets.union(self._atoms.by_selector.get(selector, self.sets.empty) for selector in selectors)
        classes = (self.atoms[atom].pod_class for atom in self.sets.ids(atoms))
        return frozenset(number for number in classes if number is not None)

    def selected_by(self, policy: Policy) -> tuple[int, ...]:
        """Return the classes of the pods that a policy is for, in order; none whose pods are all gone."""
        return tuple(n for n in sorted(self.classes_in([self.number_of(policy.subject)])) if self.members[n])

    def meant_by(
        self, peer: Peer, choices: Choices = frozenset(), direction: Direction = Direction.INGRESS
    ) -> tuple[PeerSet, PeerSet]:
        """Return the atoms that a rule's peer surely matches, and those that it surely or perhaps matches."""
        match peer:
            case Anyone():
                return self.everyone, self.everyone
            case PodPeer(pods=selector, by_pods=by_pods):
                found = self._atoms.by_selector.get(self._classifier.selectors[selector], self.sets.empty)
                on_egress = by_pods and direction is Direction.EGRESS and Topic.HOST_EGRESS in choices
                if self._classifier.hosts_are_seen and not on_egress and Topic.HOST_NETWORK not in choices:
                    found = self.sets.sub(found, self._atoms.hosts)
                return found, found
            case BlockPeer(addresses=block):
                found = self._atoms.by_block.get(self._classifier.blocks[block], self.sets.empty)
                return found, found
            case NodePeer(nodes=nodes):
                surely, perhaps = self._meant_nodes[self._classifier.node_selectors[nodes]]
            case DomainPeer():
                surely, perhaps = self.sets.empty, self.sets.sub(self.everyone, self.pods(choices))
        known = is_meant(peer, choices)
        return (surely, perhaps) if known is None else (perhaps, perhaps) if known else (surely, surely)

    def pods(self, choices: Choices) -> PeerSet:
        """Return the atoms that are pods to selectors."""
        return self._atoms.pods | self._atoms.hosts if Topic.HOST_NETWORK in choices else self._atoms.pods

    def in_cluster(self, choices: Choices) -> PeerSet:
        """Return the atoms that no ``ipBlock`` of a NetworkPolicy matches, because they are in the cluster."""
        found = self.pods(choices) if Topic.BLOCK_PODS in choices else self.sets.empty
        return found | self.on_nodes | self._atoms.hosts if Topic.BLOCK_NODES in choices else found

    def by_ports(self, choices: Choices) -> Iterator[tuple[tuple[ContainerPort, ...], PeerSet]]:
        """Yield all atoms, split by the named ports that policies may ask of them."""
        named = self.pods(choices)
        for ports, atoms in self._atoms.by_ports.items():
            yield ports, atoms & named
        yield (), self.sets.sub(self.everyone, named)

    @cached_property
    def deserted(self) -> PeerSet:
        """The atoms of classes whose pods are all gone; what is said of them is said of nobody."""
        empty = (number for number, pods in enumerate(self.members) if not pods)
        return self.sets.of(atom for n in empty for atoms in self.atoms_of_class(n).values() for atom in atoms)

    def of_family(self, family: Family) -> PeerSet:
        """Return the atoms of one family."""
        return self._atoms.by_family[family]

    def outside(self, family: Family) -> tuple[int, ...]:
        """Return the atoms of addresses of a family that are no pod's own, as far as there are any."""
        return tuple(number for number in sorted(self.strangers) if self.atoms[number].family is family)

    @cached_property
    def addresses(self) -> tuple[Intervals, ...]:
        """The addresses at each atom: disjoint, together all addresses of both families.

        An address that a live pod has for its own is at the pod's atom alone. Pods whose
        address is not known, or is their node's, add none.
        """
        points: dict[int, list[Address]] = defaultdict(list)
        for address, number in self._addresses_of_pods():
            points[number].append(address)
        found = self.strangers | {number: Intervals.points(each) for number, each in points.items()}
        return tuple(found.get(number, EMPTY) for number in range(len(self.atoms)))

    @cached_property
    def strangers(self) -> dict[int, Intervals]:
        """The addresses that are no live pod's own, nodes' among them, by the atoms where there are any."""
        points: dict[int, list[Address]] = defaultdict(list)
        for node in self.snapshot.nodes.values():
            for address in node.speaks_from:
                if not self.snapshot.pod_at(address):
                    points[self._atoms.numbers[self._outside(address)]].append(address)
        found = {number: Intervals.points(each) for number, each in points.items()}
        known = [Intervals.points(self.snapshot.own_addresses), *found.values()]
        rest = Intervals.union(EVERY.values()) - Intervals.union(known)
        for family, everything in EVERY.items():
            for signature, region in self._classifier.space.regions(rest & everything).items():
                found[self._atoms.numbers[Atom(family, signature)]] = region
        return found

    def ends(self, atoms: PeerSet) -> Ends:
        """Return the ends at some atoms of one family; a pod that may be at several, at the first of them."""
        numbers = list(self.sets.ids(atoms))
        classes = {self.atoms[number].pod_class for number in numbers} - {None}
        pods = [pod for number in classes if number is not None for pod in self.members[number]]
        pods.sort(key=lambda pod: (pod.namespace, pod.name))
        strangers = (number for number in numbers if self.atoms[number].pod_class is None)
        return Ends(tuple(pods), Intervals.union(self.strangers.get(number, EMPTY) for number in strangers))

    def everywhere(self, atoms: PeerSet) -> PeerSet:
        """Return all atoms at which ends may be that stand at some; those of pods whose address is to come."""
        places = (several for first, several in self._spread.items() if self.sets.has(atoms, first))
        return self.sets.union((atoms, *places))

    @cached_property
    def _spread(self) -> dict[int, PeerSet]:
        """The atoms of each class of which there are several in a family, by the first of them."""
        of_classes = (self.atoms_of_class(number).values() for number in range(len(self.classes)))
        return {atoms[0]: self.sets.of(atoms) for several in of_classes for atoms in several if len(atoms) > 1}

    def nodes_of(self, atoms: PeerSet) -> frozenset[str]:
        """Return the nodes that ends at some atoms are on, or have the addresses of."""
        found = self._nodes_of_sets.get(atoms)
        if found is None:
            each = (self._nodes_at[number] for number in self.sets.ids(atoms))
            found = self._nodes_of_sets[atoms] = frozenset[str]().union(*each)
        return found

    @cached_property
    def _nodes_of_sets(self) -> dict[PeerSet, frozenset[str]]:
        """The nodes of every set that was asked for."""
        return {}

    @cached_property
    def _nodes_at(self) -> tuple[frozenset[str], ...]:
        """The nodes of the ends at each atom."""
        found: dict[int, set[str]] = defaultdict(set)
        for node in self.snapshot.nodes.values():
            for address in node.speaks_from:
                if not self.snapshot.pod_at(address):
                    found[self._atoms.numbers[self._outside(address)]].add(node.name)
        of_classes = [frozenset(pod.node for pod in pods if pod.node is not None) for pods in self.members]
        return tuple(
            frozenset(found[number]) if atom.pod_class is None else of_classes[atom.pod_class]
            for number, atom in enumerate(self.atoms)
        )

    @cached_property
    def tunneled(self) -> dict[int, tuple[int, ...]]:
        """The atoms of pods whose packets may come by a tunnel, each with the atoms that they then come from.

        Nobody is at those: they hold no address, and are no subject.
        """
        found = {}
        for number, pod_class in enumerate(self.classes):
            atoms = self.atoms_of_class(number)
            for family, signatures in pod_class.tunnels:
                others = (self._atoms.numbers[Atom(family, each, number, pod_class.on_node)] for each in signatures)
                found[atoms[family][0]] = tuple(others)
        return found

    @cached_property
    def _atoms_by_class(self) -> tuple[dict[Family, tuple[int, ...]], ...]:
        return tuple(self._atoms.of_class(number, found) for number, found in enumerate(self.classes))

    @cached_property
    def _meant_nodes(self) -> tuple[tuple[PeerSet, PeerSet], ...]:
        """What each selector of nodes means, surely and perhaps."""
        return tuple(map(self._on_node_of, self._classifier.node_selectors))

    def _on_node_of(self, selector: Selector) -> tuple[PeerSet, PeerSet]:
        told: dict[bool | None, list[int]] = defaultdict(list)
        selected = self._classifier.node_selectors[selector]
        for number, atom in enumerate(self.atoms):
            if atom.on_node:
                told[atom.on_node.selected[selected]].append(number)
            elif atom.pod_class is None:
                told[self.snapshot.is_stranger_on_node(atom.family, selector)].append(number)
        return self.sets.of(told[True]), self.sets.of((*told[True], *told[None]))

    def _addresses_of_pods(self) -> Iterator[tuple[Address, int]]:
        """Yield the addresses that are some live pod's own, each with its atom."""
        for number in range(len(self.classes)):
            yield from self._addresses_of(number)

    def _addresses_of(self, number: int) -> Iterator[tuple[Address, int]]:
        """Yield the same of one class."""
        if self.classes[number].on_node is None:
            pod_at = self.snapshot.pod_at
            atoms = {family: found[0] for family, found in self.atoms_of_class(number).items()}
            for pod in self.members[number]:
                for family, address in pod.addresses.items():
                    if pod_at(address) is pod:
                        yield address, atoms[family]

    def _address_atoms(self) -> Iterator[Atom]:
        for family, everything in EVERY.items():
            yield from (Atom(family, signature) for signature in self._classifier.space.regions(everything))
        for node in self.snapshot.nodes.values():
            yield from (self._outside(address) for address in node.speaks_from if not self.snapshot.pod_at(address))

    def _outside(self, address: Address) -> Atom:
        """Return the atom of an address that is no pod's own."""
        return Atom(
            family_of(address), self._classifier.space.signature(address), on_node=self._classifier.on_node(address)
        )
