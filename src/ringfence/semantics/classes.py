"""What the policies of a snapshot can tell of a single end: the class of a pod, the signature of an address.

Two pods of one class are in the same scoped selectors, have the same named ports that a
policy may ask for, and are at alike addresses. Labels that no selector names vanish here.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import EVERY, Family
from ringfence.model.cluster import Pod
from ringfence.model.policy import BlockPeer, Direction, NodePeer, PodPeer
from ringfence.semantics.matching import Matcher, PortNames, scoped_selectors
from ringfence.semantics.space import AddressSpace, Signature

if TYPE_CHECKING:
    from ringfence.algebra.selectors import Selector
    from ringfence.model.cluster import ContainerPort
    from ringfence.model.connection import End
    from ringfence.model.policy import Peer, Policy
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

    def classify(self) -> dict[PodClass, list[Pod]]:
        """Return the pods that are not terminal by class, classes in the order of their first pod."""
        matcher = Matcher(self._snapshot, self.selectors)
        # Pods of one workload mostly share the tuple of their ports, and hashing that is slow; equal ones meet below.
        alike: dict[tuple[View | None, int, Places, OnNode | None, Places], list[Pod]] = defaultdict(list)
        for pod in self._snapshot.pods:
            if not pod.terminal:
                view = matcher.view(pod) if self.hosts_are_seen or not pod.host_network else None
                tunnels = self._tunnels(pod) if pod.host_network else ()
                alike[view, id(pod.ports), self._places(pod), self.on_node(pod), tunnels].append(pod)
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

    def _places(self, pod: Pod) -> Places:
        if not pod.host_network and pod.addresses:
            return tuple([(family, (self.space.signature(pod.addresses[family]),)) for family in sorted(pod.addresses)])
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
