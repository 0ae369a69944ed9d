"""One half of a connection, as the definition asks about it: who is judged, and what a rule matches there.

Slow and obvious, like the definition that it is a part of.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import EVERY, LOOPBACK, Address
from ringfence.algebra.intervals import EMPTY, atoms
from ringfence.algebra.traffic import Protocol, point
from ringfence.model.cluster import Pod
from ringfence.model.policy import Anyone, BlockPeer, Direction, DomainPeer, NodePeer, PodPeer, Tier, has_equals
from ringfence.semantics.dialects import Dialect, Topic
from ringfence.semantics.unknown import is_meant, unknown_of, ways_to_know

if TYPE_CHECKING:
    from ringfence.model.connection import Connection, Dialed, End
    from ringfence.model.policy import Peer, Policy, Rule
    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics.unknown import Unknown
    from ringfence.semantics.verdict import Half


@dataclass(frozen=True, slots=True)
class Inquiry:
    """One half of a connection: the subject is judged, the peer is at the other end.

    Attributes:
        snapshot: The cluster.
        connection: The connection.
        dialect: Who decides what the API leaves open.
        direction: Which half: egress of the client, or ingress of the server.
        subject: The pod that is judged; None for an address that is no pod's.
        peer: The other end.
        peer_pod: The pod at the other end, or None.
        address: The peer's address; None when it lies outside every block that leaves any out.
    """

    snapshot: Snapshot
    connection: Connection
    dialect: Dialect
    direction: Direction
    subject: Pod | None
    peer: End
    peer_pod: Pod | None
    address: Address | None = None

    @classmethod
    def of(cls, snapshot: Snapshot, connection: Connection, dialect: Dialect, direction: Direction) -> Inquiry:
        """Ask about one half; a terminal pod is no pod any more."""
        ends = [connection.client, connection.server]
        own, peer = ends if direction is Direction.EGRESS else reversed(ends)
        pods = [end if isinstance(end, Pod) else snapshot.pod_at(end) for end in (own, peer)]
        subject, peer_pod = (pod if pod and not pod.terminal else None for pod in pods)
        return cls(snapshot, connection, dialect, direction, subject, peer, peer_pod)

    def at(self, address: Address | None) -> Inquiry:
        """Return the same inquiry about a peer at an address."""
        parts = (self.snapshot, self.connection, self.dialect, self.direction, self.subject, self.peer, self.peer_pod)
        return Inquiry(*parts, address)  # as quick as it gets: whoever judges connections does so for each

    @property
    def itself(self) -> bool:
        """Whether a pod meets itself."""
        return self.subject is not None and self.subject == self.peer_pod

    @property
    def loopback(self) -> bool:
        """Whether a pod speaks to its own loopback, which no packet leaves."""
        within = not isinstance(self.peer, Pod) and self.peer in LOOPBACK
        return within and self.subject is not None and self.direction is Direction.EGRESS

    @property
    def own_node(self) -> bool:
        """Whether the peer is the subject's own node; a pod without a node has none."""
        node = self.snapshot.node_of(self.peer)
        return node is not None and self.subject is not None and node == self.subject.node

    @property
    def on_node(self) -> bool:
        """Whether the peer is on the network of some node; an address that is a pod's own is not."""
        if self.peer_pod is not None:
            return self.peer_pod.host_network
        return self.snapshot.node_of(self.peer) is not None

    def takes(self, topic: Topic) -> bool:
        """Tell whether the dialect takes the second choice of an open point."""
        return topic in self.dialect.choices

    def seen(self, pod: Pod | None) -> Pod | None:
        """Return a pod as policies see it: on its node's network it is none, or a pod like any other."""
        if pod is None or not pod.host_network:
            return pod
        return replace(pod, host_network=False) if self.takes(Topic.HOST_NETWORK) else None

    def tiers(self, subject: Pod) -> dict[Tier, list[Policy]]:
        """Return the policies that select the subject, tier by tier in the order in which they are asked."""
        labels = self.snapshot.namespace_labels(subject.namespace)
        policies = [policy for policy in self.snapshot.policies if policy.subject.selects(subject, labels)]
        found = {tier: [policy for policy in policies if policy.tier is tier] for tier in Tier}
        if self.takes(Topic.BASELINE) and found[Tier.NETWORK_POLICY]:
            found[Tier.BASELINE] = []  # a NetworkPolicy that selects a pod is final for both directions
        return found

    def touched(self) -> list[Topic]:
        """Return the open points that may matter here."""
        hosts = any(pod and pod.host_network for pod in (self.subject, self.peer_pod))
        touched = {
            Topic.HAIRPIN_EGRESS: self.itself and self.direction is Direction.EGRESS,
            Topic.HAIRPIN_INGRESS: self.itself and self.direction is Direction.INGRESS,
            Topic.POD_TO_OWN_NODE: self.direction is Direction.EGRESS and self.own_node,
            Topic.ICMP: self.connection.protocol is Protocol.ICMP,
            Topic.HOST_NETWORK: hosts,
            Topic.HOST_EGRESS: hosts and self.direction is Direction.EGRESS,
            Topic.BLOCK_PODS: self.peer_pod is not None and self._names_blocks(),
            Topic.BLOCK_NODES: self.on_node and self._names_blocks(),
            Topic.SERVICE_ADDRESS: self.direction is Direction.EGRESS and self.connection.dialed is not None,
            Topic.BASELINE: any(policy.tier is Tier.BASELINE for policy in self.snapshot.policies),
            **dict.fromkeys((Topic.FIRST_NAME, Topic.LAST_NAME), has_equals(self.snapshot.policies)),
        }
        return [topic for topic, matters in touched.items() if matters]

    def unknown(self, half: Half) -> list[Unknown]:
        """Return what is not known and rules that are named in a half ask for, each once."""
        rules = (rule for policy in self.snapshot.policies for rule in policy.rules(self.direction))
        peers = (peer for rule in rules if rule.origin in half.places for peer in rule.peers)
        return list(dict.fromkeys(each for peer in peers for each in unknown_of(peer)))

    def knowing(self, unknown: Unknown) -> list[Inquiry]:
        """Return the same inquiry where something is known that is not, one way and the other."""
        return [replace(self, dialect=self.dialect.knowing(known)) for known in ways_to_know(unknown)]

    def _names_blocks(self) -> bool:
        """Tell whether any NetworkPolicy names addresses here; the blocks of other tiers are open in no dialect."""
        policies = (policy for policy in self.snapshot.policies if policy.tier is Tier.NETWORK_POLICY)
        peers = (peer for policy in policies for rule in policy.rules(self.direction) for peer in rule.peers)
        return any(isinstance(peer, BlockPeer) for peer in peers)

    def addresses(self) -> tuple[list[Address | None], list[Address]]:
        """Return the addresses to judge the peer by, and those it is assumed not to have.

        One that is not known yet lies in the pod ranges, when they are given. Otherwise it is None,
        outside every block that does not cover its family, and assumed not to be in one, if any is
        named. One stands for all in the same blocks.
        A client on its node's network has several where its packets may leave by a tunnel.
        """
        snapshot, family, peer = self.snapshot, self.connection.family, self.peer
        if not isinstance(peer, Pod):
            return [peer], []
        if family in snapshot.addresses_of(peer):
            sources = snapshot.sources_of(peer, family)
            return list(sources if self.direction is Direction.INGRESS else sources[:1]), []
        ranges = EMPTY if peer.host_network else snapshot.pod_ranges & EVERY[family]
        if not (ranges or snapshot.blocks):
            return [None], []
        representatives = [Address(first) for first, _ in atoms(ranges or EVERY[family], snapshot.blocks)]
        return (list(representatives), []) if ranges else ([None], representatives)

    def which_address(self) -> str:
        """Return what is not known of the peer's address, where the answer depends on it."""
        if isinstance(self.peer, Pod) and self.connection.family in self.snapshot.addresses_of(self.peer):
            return f"the address that {self.peer} speaks from, its node's or that of a tunnel"
        return f"the address that {self.peer} will get"

    @property
    def early(self) -> Dialed | None:
        """The Service's address, where the dialect judges before it is translated; else None."""
        return (
            self.connection.dialed if self.direction is Direction.EGRESS and self.takes(Topic.SERVICE_ADDRESS) else None
        )

    def views(self, rule: Rule) -> list[tuple[Inquiry, Rule]]:
        """Return who is asked about which peers of a NetworkPolicy's rule: about the endpoint, unless it is early.

        Early, a selector means the cluster address of a Service if it matches what that selects, and
        its ports are those of the pods; any other peer means the address and port that were dialed.
        """
        dialed = self.early
        if dialed is None:
            return [(self, rule)]
        service, ports = dialed.service, self.peer_pod.ports if self.peer_pod else ()
        selected = Pod(service.namespace, service.name, service.selector or {}, service.origin, ports=ports)
        at_address = replace(self, address=dialed.address, connection=replace(self.connection, port=dialed.port))
        found: list[tuple[Inquiry, tuple[Peer, ...]]] = [
            (at_address, tuple(peer for peer in rule.peers if not isinstance(peer, PodPeer)))
        ]
        if dialed.address in service.addresses.values():
            by_labels = tuple(peer for peer in rule.peers if isinstance(peer, PodPeer))
            found.append((replace(self, peer_pod=selected), by_labels))
        return [(view, replace(rule, peers=peers)) for view, peers in found if peers]

    def matches_traffic(self, rule: Rule) -> bool:
        """Tell whether a rule means the connection's protocol and port; port names are the destination's."""
        server = self.peer_pod if self.direction is Direction.EGRESS else self.subject
        return point(self.connection.protocol, self.connection.port) in rule.traffic_to(self.seen(server))

    def matches_peer(self, rule: Rule) -> bool | None:
        """Tell whether a rule means the peer; None when that is not known."""
        matches = {self._is(peer) for peer in rule.peers}
        return True if True in matches else (None if None in matches else False)

    def matches(self, rule: Rule) -> bool:
        """Tell whether a rule surely means the peer and the traffic."""
        return bool(self.matches_peer(rule)) and self.matches_traffic(rule)

    def in_cluster(self) -> bool:
        """Tell whether the dialect keeps an ``ipBlock`` from matching the peer, because it is in the cluster."""
        if self.early:
            return False
        as_pod = self.seen(self.peer_pod) is not None and self.takes(Topic.BLOCK_PODS)
        return as_pod or (self.on_node and self.takes(Topic.BLOCK_NODES))

    def _is(self, peer: Peer) -> bool | None:
        pod, family = self.seen(self.peer_pod), self.connection.family
        host = self.peer_pod if self.takes(Topic.HOST_EGRESS) and self.direction is Direction.EGRESS else None
        match peer:
            case Anyone():
                return True
            case PodPeer(pods=pods, by_pods=by_pods):
                met = pod or (replace(host, host_network=False) if host and by_pods else None)
                return met is not None and pods.selects(met, self.snapshot.namespace_labels(met.namespace))
            case BlockPeer(addresses=block):
                return EVERY[family] <= block if self.address is None else self.address in block
            case NodePeer(nodes=nodes):
                found = self.snapshot.is_on_node(self.peer, nodes)
                return is_meant(peer, self.dialect.choices) if found is None else found
            case DomainPeer():  # nobody knows beforehand which addresses a name will have
                return False if pod else is_meant(peer, self.dialect.choices)
