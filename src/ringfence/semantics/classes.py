"""What the policies of a snapshot can tell of a single end: the class of a pod, the signature of an address.

Two pods of one class are in the same scoped selectors, have the same named ports that a
policy may ask for, and are at alike addresses. Labels that no selector names vanish here.
"""

from __future__ import annotations

from collections import defaultdict
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import EVERY, Family
from ringfence.model.cluster import Pod
from ringfence.model.policy import BlockPeer, Direction, NodePeer, PodPeer
from ringfence.semantics.matching import Matcher, PortNames, scoped_selectors
from ringfence.semantics.space import AddressSpace, Signature

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ringfence.algebra.selectors import Selector
    from ringfence.model.cluster import ContainerPort
    from ringfence.model.connection import End
    from ringfence.model.events import Events
    from ringfence.model.policy import Peer, PodSelector, Policy
    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics.matching import View

Places = tuple[tuple[Family, tuple[Signature, ...]], ...]
"""For each family in which ends have an address, the signatures that it may have."""

Ports = tuple["ContainerPort", ...]
"""Named ports of a pod."""


@dataclass(frozen=True, slots=True)
class OnNode:
    """What policies can tell of an end on a node's own network.

    Attributes:
        known: Whether it is known which node that is.
        selected: What each selector of nodes says of it; None where that is not known.
    """

    known: bool
    selected: tuple[bool | None, ...] = ()


@dataclass(frozen=True, slots=True)
class PodClass:
    """What policies can tell of a pod.

    Attributes:
        selectors: Numbers of the scoped selectors that match, sorted; none for pods on
            their node's network, unless a reading takes those for pods like any other.
        ports: Named ports that some policy may ask of these pods.
        places: For each family that the pods use, the signatures that their address may
            have: one, unless it is not known and blocks cut the range it will come from.
        on_node: Where the pods are on their node's own network; None for all others.
        tunnels: For each family, the signatures of other addresses that their packets may come from.
    """

    selectors: tuple[int, ...]
    ports: Ports
    places: Places
    on_node: OnNode | None = None
    tunnels: Places = ()

    @property
    def selectable(self) -> bool:
        """False for pods on their node's network."""
        return self.on_node is None


class Classifier:
    """Tells ends apart as far as the policies of a snapshot do.

    Attributes:
        selectors: The scoped selectors that some policy names, each with its number.
        node_selectors: The selectors by which rules name nodes, likewise.
        space: Addresses by the blocks that hold them.
        blocks: These blocks, each with its number: its bit in a signature.
        hosts_are_seen: Whether selectors may see pods on their node's network.
    """

    def __init__(self, snapshot: Snapshot, *, hosts_are_seen: bool) -> None:
        """Gather what the policies name."""
        self._snapshot, self.hosts_are_seen = snapshot, hosts_are_seen
        self.selectors = scoped_selectors(snapshot.policies)
        self.node_selectors = {each: number for number, each in enumerate(_node_selectors(snapshot))}
        self.space = AddressSpace.of(snapshot.blocks)
        self.blocks = {block: number for number, block in enumerate(snapshot.blocks)}
        self._asked = PortNames(snapshot.policies, self.selectors)
        self._matcher = Matcher(snapshot, self.selectors)
        # Selectors that came after those of the snapshot.
        self._added: tuple[PodSelector, ...] = ()
        self._more = Matcher(snapshot, {})

    def revised(self, snapshot: Snapshot, events: Events) -> Classifier | None:
        """Return what tells ends apart at least as finely after some events.

        Selectors that are new get the next numbers, and all others keep theirs.

        Returns:
            None where other nodes, or other addresses, would have to be told apart, or ports
            are asked of everyone that were not.
        """
        if events.cluster or not all(map(self._knows_addresses, events.come)):
            return None
        found = copy(self)
        found._snapshot = snapshot  # noqa: SLF001 - one of its own
        new = [each for each in scoped_selectors(events.come) if each not in self.selectors]
        if events.namespaces:
            found._matcher = self._matcher.over(snapshot, events.namespaces)  # noqa: SLF001
        if new:
            found.selectors = self.selectors | {each: len(self.selectors) + n for n, each in enumerate(new)}
        if new or events.namespaces:
            more = {each: found.selectors[each] for each in (*self._added, *new)}
            found._added, found._more = tuple(more), Matcher(snapshot, more)  # noqa: SLF001
        found._asked = self._asked.asking(events.come, found.selectors)  # noqa: SLF001
        return None if None in found.asks_more_than(self) else found

    def class_of(self, pod: Pod) -> PodClass:
        """Return the class of a pod that is not terminal."""
        selectors: tuple[int, ...] = ()
        if seen := self.hosts_are_seen or not pod.host_network:
            selectors = self._matcher.matching(self._matcher.view(pod)) + self._more.matching(self._more.view(pod))
        return PodClass(
            selectors,
            self._asked.of(pod.ports, selectors) if seen else (),
            self._places(pod),
            self.on_node(pod),
            self._tunnels(pod) if pod.host_network else (),
        )

    def refined(self, found: PodClass, pod: Pod, matched: tuple[int, ...]) -> PodClass:
        """Return the class of a pod, given that of a classifier before and which selectors match that it lacked."""
        selectors = found.selectors + matched
        seen = self.hosts_are_seen or found.selectable
        return replace(found, selectors=selectors, ports=self._asked.of(pod.ports, selectors) if seen else ())

    def asks_more_than(self, before: Classifier) -> set[int | None]:
        """Return the selectors of whose pods more ports are asked than before; None stands for everyone."""
        return self._asked.more_than(before._asked)

    def selected_anew(self, before: Classifier) -> Iterator[tuple[Pod, int]]:
        """Yield the pods that a selector matches which was not known before, with the number of that."""
        for selector, number in islice(self.selectors.items(), len(before.selectors), None):
            for pod in self._in_scope(selector.scope):
                if selector.pods.matches(pod.labels) and (self.hosts_are_seen or not pod.host_network):
                    yield pod, number

    def _in_scope(self, scope: str | Selector) -> Iterator[Pod]:
        """Return the pods that are not terminal of the namespaces in a scope."""
        found: Iterable[tuple[Pod, ...]] = (self._snapshot.pods_in(scope),) if isinstance(scope, str) else ()
        if not isinstance(scope, str):
            every, labels_of = self._snapshot.pods_by_namespace, self._snapshot.namespace_labels
            found = (pods for name, pods in every.items() if scope.matches(labels_of(name)))
        return (pod for pods in found for pod in pods if not pod.terminal)

    def classify(self) -> dict[PodClass, list[Pod]]:
        """Return the pods that are not terminal by class, classes in the order of their first pod."""
        matcher = self._matcher
        # Pods of one workload mostly share the tuple of their ports, and hashing that is slow; equal ones meet below.
        alike: dict[tuple[View | None, int, Places, OnNode | None, Places], list[Pod]] = defaultdict(list)
        for pod in self._snapshot.pods:
            if pod.host_network and not pod.terminal:
                view = matcher.view(pod) if self.hosts_are_seen else None
                alike[view, id(pod.ports), self._places(pod), self.on_node(pod), self._tunnels(pod)].append(pod)
            elif not pod.terminal:
                alike[matcher.view(pod), id(pod.ports), self._places(pod), None, ()].append(pod)
        groups: dict[PodClass, list[Pod]] = defaultdict(list)
        for (view, _, places, on_node, tunnels), pods in alike.items():
            selectors = matcher.matching(view) if view else ()
            ports = self._asked.of(pods[0].ports, selectors) if view else ()
            groups[PodClass(selectors, ports, places, on_node, tunnels)] += pods
        return groups

    def on_node(self, end: End) -> OnNode | None:
        """Return where an end is on a node's own network; None for any other."""
        node = self._snapshot.node_of(end)
        if node is None and not (isinstance(end, Pod) and end.host_network):
            return None
        if node not in self._facts:
            says = tuple(self._snapshot.is_on_node(end, selector) for selector in self.node_selectors)
            self._facts[node] = OnNode(node is not None, says)
        return self._facts[node]

    def tells(self, policy: Policy) -> bool:
        """Tell whether ends are told apart as finely as if the policy had been among those of the snapshot."""
        if policy.subject not in self.selectors:
            return False
        peers = (peer for direction in Direction for rule in policy.rules(direction) for peer in rule.peers)
        return all(map(self._tells_peer, peers)) and self._asked.include(policy)

    def _knows_addresses(self, policy: Policy) -> bool:
        """Tell whether a policy names no nodes and no addresses that are not told apart."""
        peers = (peer for direction in Direction for rule in policy.rules(direction) for peer in rule.peers)
        return all(isinstance(peer, PodPeer) or self._tells_peer(peer) for peer in peers)

    def _places(self, pod: Pod) -> Places:
        if not pod.host_network and len(pod.addresses) == 1:  # as of most pods, and there is nothing to sort
            ((family, address),) = pod.addresses.items()
            return ((family, (self.space.signature(address),)),)
        addresses = self._snapshot.addresses_of(pod)
        return tuple(
            (
                family,
                (self.space.signature(addresses[family]),)
                if family in addresses
                else self._unknown_places[family, pod.host_network],
            )
            for family in self._snapshot.families_of(pod)
        )

    def _tunnels(self, pod: Pod) -> Places:
        """Return the signatures of the tunnels by which packets of a pod may come, but that of its own address."""
        found = []
        for family in self._snapshot.families_of(pod):
            signatures = dict.fromkeys(map(self.space.signature, self._snapshot.sources_of(pod, family)))
            if others := [*signatures][1:]:
                found.append((family, tuple(sorted(others))))
        return tuple(found)

    def _tells_peer(self, peer: Peer) -> bool:
        match peer:
            case PodPeer(pods=selector):
                return selector in self.selectors
            case BlockPeer(addresses=block):
                return block in self.blocks
            case NodePeer(nodes=nodes):
                return nodes in self.node_selectors
        return True

    @cached_property
    def _facts(self) -> dict[str | None, OnNode]:
        """What is known of each node that was asked for."""
        return {}

    @cached_property
    def _unknown_places(self) -> dict[tuple[Family, bool], tuple[Signature, ...]]:
        """The signatures an unknown address may have, by family and host network."""
        found: dict[tuple[Family, bool], tuple[Signature, ...]] = {}
        for family, everything in EVERY.items():
            outside = (self.space.unknown(family),)
            ranges = self.space.regions(self._snapshot.pod_ranges & everything)
            found[family, True], found[family, False] = outside, tuple(ranges) or outside
        return found


def _node_selectors(snapshot: Snapshot) -> dict[Selector, None]:
    """Return the selectors of nodes that rules name, each once, in order."""
    rules = (rule for policy in snapshot.policies for d in Direction for rule in policy.rules(d))
    return dict.fromkeys(peer.nodes for rule in rules for peer in rule.peers if isinstance(peer, NodePeer))
