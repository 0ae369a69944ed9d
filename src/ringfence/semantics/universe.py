"""Pods and addresses, as far as the policies of a snapshot can tell them apart.

Pods become *classes*: pods in the same scoped selectors, with the same named ports that
a policy may ask for, at alike addresses. Labels that no selector names vanish here.
The peers of a rule are then a set of *atoms*: a class, or the addresses of one
signature, in one family. Sets of atoms are ints with one bit for each.

The node is no part of a class, unless a reading lets pods always reach their own node. It
is part of an atom only where the atom is on a node's own network, so that the own-node
rule can be resolved for each pair.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import or_
from typing import TYPE_CHECKING, TypeVar

from ringfence.algebra.addresses import EVERY, Address, Family, family_of
from ringfence.algebra.intervals import EMPTY, Intervals
from ringfence.algebra.selectors import Operator
from ringfence.model.cluster import Pod
from ringfence.model.policy import Anyone, BlockPeer, Direction, DomainPeer, NodePeer, PodPeer
from ringfence.semantics.dialects import Choices, Topic
from ringfence.semantics.space import AddressSpace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from ringfence.algebra.selectors import Selector
    from ringfence.model.cluster import ContainerPort
    from ringfence.model.connection import End
    from ringfence.model.policy import Peer, PodSelector, Policy
    from ringfence.model.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class PodClass:
    """What policies can tell of a pod.

    Attributes:
        selectors: Numbers of the scoped selectors that match, sorted; none for pods on
            their node's network, unless a reading takes those for pods like any other.
        ports: Named ports that some policy may ask of these pods.
        places: For each family that the pods use, the signatures that their address may
            have: one, unless it is not known and blocks cut the range it will come from.
        selectable: False for pods on their node's network.
        home: The pods' node where a reading asks for it; else None.
    """

    selectors: tuple[int, ...]
    ports: tuple[ContainerPort, ...]
    places: tuple[tuple[Family, tuple[int, ...]], ...]
    selectable: bool
    home: str | None = None


@dataclass(frozen=True, slots=True)
class Atom:
    """What policies can tell of a peer in one family.

    Attributes:
        family: The family.
        signature: The blocks that hold its address.
        pod_class: Number of its class; None for addresses that are no pod's own.
        node: The node on whose own network it is; None for all others.
    """

    family: Family
    signature: int
    pod_class: int | None = None
    node: str | None = None


_NO_POD = PodClass(selectors=(), ports=(), places=(), selectable=False)

Key = TypeVar("Key")


class Universe:
    """Every end that a connection can have, as classes and atoms.

    Sets of atoms that a rule means are given as two: what it surely means, and what it
    surely or perhaps means.

    Attributes:
        snapshot: What it was made of.
        classes: Classes in the order of their first pod.
        members: The pods of each class, in order.
        atoms: Every atom; pods before addresses, so that sets of pods are short ints.
        everyone: The set of all atoms.
    """

    def __init__(self, snapshot: Snapshot, readings: Iterable[Choices] = ()) -> None:
        """Tell apart what any of the readings tells apart.

        Args:
            snapshot: The snapshot.
            readings: Sets of open points that are decided the other way; none for the default.
        """
        self.snapshot = snapshot
        self._points = frozenset[Topic]().union(*readings)
        self._selectors = {each: number for number, each in enumerate(dict.fromkeys(_selectors(snapshot.policies)))}
        self._space = AddressSpace.of(snapshot.blocks)
        groups = self._classify()
        self.classes = tuple(groups)
        self.members = tuple(map(tuple, groups.values()))
        self._class_by_pod = {_key(pod): number for number, pods in enumerate(self.members) for pod in pods}
        self.atoms = tuple(dict.fromkeys((*self._pod_atoms(), *self._address_atoms())))
        self._numbers = {atom: number for number, atom in enumerate(self.atoms)}
        self.everyone = (1 << len(self.atoms)) - 1
        self._blocks = {block: number for number, block in enumerate(snapshot.blocks)}
        self._by_block = _gather(self.atoms, lambda atom: ones(atom.signature))
        self._by_family = _gather(self.atoms, lambda atom: [atom.family])
        self._by_node = _gather(self.atoms, lambda atom: [atom.node] if atom.node else [])
        self._by_selector = _gather(self.atoms, lambda atom: self._class_at(atom).selectors)
        self._hosts = bits(n for n, atom in enumerate(self.atoms) if atom.pod_class is not None and not self._own(atom))
        self._pods = bits(n for n, atom in enumerate(self.atoms) if self._own(atom))
        self._by_ports = _gather(self.atoms, lambda atom: [self._class_at(atom).ports])

    def class_of(self, pod: Pod) -> int:
        """Return the number of a pod's class.

        Raises:
            KeyError: the pod is terminal or not of this snapshot.
        """
        return self._class_by_pod[_key(pod)]

    def atoms_of(self, end: End, family: Family) -> tuple[int, ...]:
        """Return the atoms at which an end may be: several when its address is not known.

        Several are neighbors in order, and as many for each pod whose address is to come.

        Raises:
            KeyError: a pod that is terminal, not of this snapshot or not of this family.
        """
        if not isinstance(end, Pod):
            pod = self.snapshot.pod_at(end)
            return self.atoms_of(pod, family) if pod else (self._numbers[self._outside(end)],)
        number, node = self.class_of(end), self.snapshot.node_of(end)
        places = dict(self.classes[number].places)[family]
        return tuple(self._numbers[Atom(family, place, number, node)] for place in places)

    def number_of(self, selector: PodSelector) -> int:
        """Return the number of a scoped selector that some policy of the snapshot names."""
        return self._selectors[selector]

    def meant_by(self, peer: Peer, choices: Choices = frozenset()) -> tuple[int, int]:
        """Return the atoms that a rule's peer surely matches, and those that it surely or perhaps matches."""
        match peer:
            case Anyone():
                found = self.everyone
            case PodPeer(pods=selector):
                found = self._by_selector.get(self._selectors[selector], 0) & self.pods(choices)
            case BlockPeer(addresses=block):
                found = self._by_block.get(self._blocks[block], 0)
            case NodePeer(nodes=nodes):
                return self._on_nodes[nodes]
            case DomainPeer():
                return 0, self.everyone & ~self.pods(choices)
        return found, found

    def pods(self, choices: Choices) -> int:
        """Return the atoms that are pods to selectors."""
        return self._pods | self._hosts if Topic.HOST_NETWORK in choices else self._pods

    def in_cluster(self, choices: Choices) -> int:
        """Return the atoms that no ``ipBlock`` of a NetworkPolicy matches, because they are in the cluster."""
        found = self.pods(choices) if Topic.BLOCK_PODS in choices else 0
        return found | bits_of(self._by_node.values()) | self._hosts if Topic.BLOCK_NODES in choices else found

    def by_ports(self, choices: Choices) -> Iterator[tuple[tuple[ContainerPort, ...], int]]:
        """Yield all atoms, split by the named ports that policies may ask of them."""
        nameless = self.everyone & ~self.pods(choices)
        for ports, atoms in self._by_ports.items():
            yield ports, atoms & ~nameless
        yield (), nameless

    def on_node(self, node: str | None) -> int:
        """Return the atoms on a node's own network; none when the node is not known."""
        return self._by_node.get(node or "", 0)

    def of_family(self, family: Family) -> int:
        """Return the atoms of one family."""
        return self._by_family[family]

    def outside(self, family: Family) -> tuple[int, ...]:
        """Return the atoms of addresses of a family that are no pod's own, as far as there are any."""
        numbered = enumerate(zip(self.atoms, self.addresses, strict=True))
        return tuple(n for n, (atom, held) in numbered if held and atom.family is family and atom.pod_class is None)

    @cached_property
    def addresses(self) -> tuple[Intervals, ...]:
        """The addresses at each atom: disjoint, together all addresses of both families.

        An address that a live pod has for its own is at the pod's atom alone. Pods whose
        address is not known, or is their node's, add none.
        """
        points: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for address in self._known_addresses():
            points[self.atoms_of(address, family_of(address))[0]].append((address, address))
        found = {number: Intervals.of(each) for number, each in points.items()}
        rest = Intervals.union(EVERY.values()) - Intervals.union(found.values())
        for family, everything in EVERY.items():
            for signature, region in self._space.regions(rest & everything).items():
                found[self._numbers[Atom(family, signature)]] = region
        return tuple(found.get(number, EMPTY) for number in range(len(self.atoms)))

    @cached_property
    def _on_nodes(self) -> dict[Selector, tuple[int, int]]:
        """The atoms on the network of a node that a rule means, surely and perhaps, by its selector."""
        rules = [rule for policy in self.snapshot.policies for d in Direction for rule in policy.rules(d)]
        selectors = dict.fromkeys(p.nodes for rule in rules for p in rule.peers if isinstance(p, NodePeer))
        return {selector: self._on_node_of(selector) for selector in selectors}

    def _on_node_of(self, selector: Selector) -> tuple[int, int]:
        told: dict[bool | None, int] = defaultdict(int)
        for number, atom in enumerate(self.atoms):
            if atom.pod_class is not None:
                end: End = self.members[atom.pod_class][0]
                if atom.node:
                    end = next(pod for pod in self.members[atom.pod_class] if pod.node == atom.node)
                told[self.snapshot.is_on_node(end, selector)] |= 1 << number
            elif spokesman := self.addresses[number]:
                told[self.snapshot.is_on_node(Address(spokesman.ranges[0][0]), selector)] |= 1 << number
        return told[True], told[True] | told[None]

    def _known_addresses(self) -> set[Address]:
        """Return the addresses that are some live pod's own or some node's."""
        pods = {address for pod in self.snapshot.pods if pod.selectable for address in pod.addresses.values()}
        return pods | {address for node in self.snapshot.nodes.values() for address in node.speaks_from}

    def _classify(self) -> dict[PodClass, list[Pod]]:
        matcher = _Matcher(self.snapshot, self._selectors)
        asked = _PortNames(self.snapshot.policies, self._selectors)
        groups: dict[PodClass, list[Pod]] = defaultdict(list)
        for pod in self.snapshot.pods:
            if pod.terminal:
                continue
            seen = pod.selectable or Topic.HOST_NETWORK in self._points
            selectors = matcher.matching(pod) if seen else ()
            ports = asked.of(pod, selectors) if seen else ()
            home = pod.node if Topic.POD_TO_OWN_NODE in self._points else None
            groups[PodClass(selectors, ports, self._places(pod), pod.selectable, home)].append(pod)
        return groups

    def _places(self, pod: Pod) -> tuple[tuple[Family, tuple[int, ...]], ...]:
        addresses = self.snapshot.addresses_of(pod)
        return tuple(
            (
                family,
                (self._space.signature(addresses[family]),)
                if family in addresses
                else self._unknown_places[family, pod.host_network],
            )
            for family in self.snapshot.families_of(pod)
        )

    @cached_property
    def _unknown_places(self) -> dict[tuple[Family, bool], tuple[int, ...]]:
        """The signatures an unknown address may have, by family and host network."""
        found: dict[tuple[Family, bool], tuple[int, ...]] = {}
        for family, everything in EVERY.items():
            outside = (self._space.unknown(family),)
            ranges = self._space.regions(self.snapshot.pod_ranges & everything)
            found[family, True], found[family, False] = outside, tuple(ranges) or outside
        return found

    def _pod_atoms(self) -> Iterator[Atom]:
        for number, (pod_class, pods) in enumerate(zip(self.classes, self.members, strict=True)):
            for node in dict.fromkeys(map(self.snapshot.node_of, pods)):
                for family, signatures in pod_class.places:
                    yield from (Atom(family, signature, number, node) for signature in signatures)

    def _address_atoms(self) -> Iterator[Atom]:
        for family, everything in EVERY.items():
            yield from (Atom(family, signature) for signature in self._space.regions(everything))
        for node in self.snapshot.nodes.values():
            yield from map(self._outside, node.speaks_from)

    def _outside(self, address: Address) -> Atom:
        """Return the atom of an address that is no pod's own."""
        return Atom(family_of(address), self._space.signature(address), node=self.snapshot.node_at(address))

    def _own(self, atom: Atom) -> bool:
        """Tell whether pods with a network of their own are at an atom."""
        return self._class_at(atom).selectable

    def _class_at(self, atom: Atom) -> PodClass:
        return _NO_POD if atom.pod_class is None else self.classes[atom.pod_class]


def bits(members: Iterable[int]) -> int:
    """Return a set of small integers written as bits."""
    found = 0
    for member in members:
        found |= 1 << member
    return found


def bits_of(sets: Iterable[int]) -> int:
    """Return the union of sets that are written as bits."""
    return reduce(or_, sets, 0)


def ones(found: int) -> Iterator[int]:
    """Yield the members of a set that is written as bits, in order."""
    while found:
        low = found & -found
        yield low.bit_length() - 1
        found ^= low


def _gather(atoms: Iterable[Atom], keys: Callable[[Atom], Iterable[Key]]) -> dict[Key, int]:
    """Return the set of atoms that have each key; a key that no atom has is not there."""
    found: dict[Key, int] = defaultdict(int)
    for number, atom in enumerate(atoms):
        for key in keys(atom):
            found[key] |= 1 << number
    return dict(found)


class _Matcher:
    """Finds the scoped selectors that a pod is in, without asking all of them."""

    def __init__(self, snapshot: Snapshot, selectors: Mapping[PodSelector, int]) -> None:
        self._snapshot = snapshot
        self._scopes: dict[str | Selector, _Filed] = defaultdict(_Filed)
        for selector, number in selectors.items():
            self._scopes[selector.scope].add(selector.pods, number)
        self._by_namespace: dict[str, list[_Filed]] = {}

    def matching(self, pod: Pod) -> tuple[int, ...]:
        """Return the numbers of the selectors that match a selectable pod, sorted."""
        if pod.namespace not in self._by_namespace:
            labels = self._snapshot.namespace_labels(pod.namespace)
            self._by_namespace[pod.namespace] = [
                filed
                for scope, filed in self._scopes.items()
                if (scope == pod.namespace if isinstance(scope, str) else scope.matches(labels))
            ]
        return tuple(sorted(n for filed in self._by_namespace[pod.namespace] for n in filed.matching(pod.labels)))


class _Filed:
    """The pod selectors of one scope, each filed under a label without which it cannot match."""

    def __init__(self) -> None:
        self._by_label: dict[tuple[str, str], list[tuple[Selector, int]]] = defaultdict(list)
        self._others: list[tuple[Selector, int]] = []

    def add(self, selector: Selector, number: int) -> None:
        """File a selector under each value of its first In requirement, if it has one."""
        needed = next((r for r in selector.requirements if r.operator is Operator.IN), None)
        if needed is None:
            self._others.append((selector, number))
        else:
            for value in needed.values:
                self._by_label[needed.key, value].append((selector, number))

    def matching(self, labels: Mapping[str, str]) -> Iterator[int]:
        """Yield the numbers of the selectors that match, in no particular order."""
        for candidates in (self._others, *(self._by_label.get(label, ()) for label in labels.items())):
            yield from (number for selector, number in candidates if selector.matches(labels))


class _PortNames:
    """The port names that some policy may ask of the pods of each selector.

    Ingress rules ask them of their subject, egress rules of their peers.
    """

    def __init__(self, policies: Iterable[Policy], selectors: Mapping[PodSelector, int]) -> None:
        self._of_everyone: set[str] = set()
        self._of_selector: dict[int, set[str]] = defaultdict(set)
        for policy in policies:
            for rule in policy.ingress:
                if rule.named:
                    self._of_selector[selectors[policy.subject]].update(port.name for port in rule.named)
            for rule in policy.egress:
                for peer in rule.peers if rule.named else ():
                    of = self._of_selector[selectors[peer.pods]] if isinstance(peer, PodPeer) else self._of_everyone
                    of.update(port.name for port in rule.named)

    def of(self, pod: Pod, selectors: Iterable[int]) -> tuple[ContainerPort, ...]:
        """Return the ports that matter of a pod that is in these selectors."""
        names = self._of_everyone.union(*(self._of_selector.get(number, ()) for number in selectors))
        return tuple(port for port in pod.ports if port.name in names)


def _selectors(policies: Iterable[Policy]) -> Iterator[PodSelector]:
    for policy in policies:
        yield policy.subject
        for direction in Direction:
            for rule in policy.rules(direction):
                yield from (peer.pods for peer in rule.peers if isinstance(peer, PodPeer))


def _key(pod: Pod) -> tuple[str, str]:
    return (pod.namespace, pod.name)
