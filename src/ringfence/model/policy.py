"""Policies of every kind in one shape: readers translate, nothing after them knows kinds.

A NetworkPolicy is a policy of the NetworkPolicy tier whose rules all accept and whose
``isolates`` names its policy types. A ClusterNetworkPolicy is one of the Admin or
Baseline tier whose ordered rules accept, deny or pass, and which isolates nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from ringfence.algebra.intervals import Intervals
from ringfence.algebra.selectors import EVERYTHING, Selector
from ringfence.algebra.traffic import ALL, point

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ringfence.algebra.traffic import Protocol
    from ringfence.model.cluster import ContainerPort, Pod
    from ringfence.model.origin import Origin


class Direction(Enum):
    """A direction, seen from the subject."""

    INGRESS = "Ingress"
    EGRESS = "Egress"

    __hash__ = object.__hash__  # a member is one object; the default hashes its name in Python, each time anew


class Tier(Enum):
    """Tiers in the order they are consulted."""

    ADMIN = "Admin"
    NETWORK_POLICY = "NetworkPolicy"
    BASELINE = "Baseline"

    __hash__ = object.__hash__  # likewise


class Action(Enum):
    """What a rule does; Pass hands the connection to the next tier."""

    ACCEPT = "Accept"
    DENY = "Deny"
    PASS = "Pass"  # noqa: S105 - an action, not a password


class Fault(Enum):
    """What is in error where a rule means no more than it safely can, in the words of a reason."""

    RULE = "which is in error"
    POLICY = "whose policy is in error"


@dataclass(frozen=True, slots=True)
class PodSelector:
    """Pods by labels, within namespaces by name or by labels.

    Attributes:
        scope: The name of the one namespace, or a selector on namespace labels.
        pods: A selector on pod labels.
    """

    scope: str | Selector = EVERYTHING
    pods: Selector = EVERYTHING

    def selects(self, pod: Pod, namespace_labels: Mapping[str, str]) -> bool:
        """Tell whether the pod is meant; host-network and terminal pods never are."""
        if not pod.selectable:
            return False
        if isinstance(self.scope, str):
            if self.scope != pod.namespace:
                return False
        elif not self.scope.matches(namespace_labels):
            return False
        return self.pods.matches(pod.labels)


@dataclass(frozen=True, slots=True)
class Anyone:
    """Every peer, inside the cluster and out: what a rule without ``from`` or ``to`` means."""


@dataclass(frozen=True, slots=True)
class PodPeer:
    """Pods as peers; no address outside and no node ever matches.

    Attributes:
        pods: Which pods.
        origin: Where it was read.
        by_pods: A NetworkPolicy gives a ``podSelector`` for them, an empty one too. Only
            dialects to which that makes a difference look at it.
    """

    pods: PodSelector
    origin: Origin
    by_pods: bool = False


@dataclass(frozen=True, slots=True)
class BlockPeer:
    """Addresses as peers: ``ipBlock`` or ``networks``; the address of a pod matches too.

    Attributes:
        addresses: The block less its ``except`` entries, of one family.
        text: The block as people write it, for reasons.
        origin: Where it was read.
    """

    addresses: Intervals
    text: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class NodePeer:
    """Nodes as peers: their addresses, and the host-network pods on them.

    Attributes:
        nodes: A selector on Node labels.
        origin: Where it was read.
    """

    nodes: Selector
    origin: Origin


@dataclass(frozen=True, slots=True)
class DomainPeer:
    """Domain names as peers: some addresses outside, never known which.

    Attributes:
        names: As written; ``*.`` at the beginning stands for one or more labels.
        origin: Where it was read.
    """

    names: tuple[str, ...]
    origin: Origin


Peer = Anyone | PodPeer | BlockPeer | NodePeer | DomainPeer


@dataclass(frozen=True, slots=True)
class NamedPort:
    """A port by name, to be resolved on the pod at the destination.

    Attributes:
        name: The container port's name.
        protocol: The protocol it must have; None for any.
    """

    name: str
    protocol: Protocol | None


@dataclass(frozen=True, slots=True)
class Rule:
    """One entry of a policy's ingress or egress.

    Attributes:
        action: What it does with a connection that matches.
        peers: One of them must match; empty matches nobody.
        traffic: The traffic named by number; ``traffic.ALL`` for a rule without ports.
        named: The ports given by name, beside ``traffic``.
        origin: Where it was read; holds its index and name.
        fault: What is in error, where its meaning follows from that; None where nothing is.
    """

    action: Action
    peers: tuple[Peer, ...]
    traffic: Intervals
    origin: Origin
    named: tuple[NamedPort, ...] = ()
    fault: Fault | None = None

    @property
    def words(self) -> str:
        """What a reason calls it: its place, and that it is in error where it means what it does for that."""
        if self.fault is None:
            return self.origin.rule_words
        closed = self.fault is Fault.RULE and Anyone() in self.peers and self.traffic == ALL
        return f"{self.origin.rule_words}, {self.fault.value}{' and denies everything' if closed else ''}"

    def traffic_to(self, server: Pod | None) -> Intervals:
        """Return the traffic that the rule names when it goes to this destination.

        Args:
            server: The pod at the destination, or None for an address that is no pod's.
                Names mean nothing there, nor on the host network.
        """
        if not self.named or server is None or not server.selectable:
            return self.traffic
        return self.traffic | resolve(self.named, server.ports)


def has_equals(policies: Iterable[Policy]) -> bool:
    """Tell whether two of some policies stand in one ordered tier with the same priority."""
    turns = [(policy.tier, policy.priority) for policy in policies if policy.tier is not Tier.NETWORK_POLICY]
    return len(set(turns)) < len(turns)


def resolve(named: tuple[NamedPort, ...], ports: tuple[ContainerPort, ...]) -> Intervals:
    """Return the traffic that port names mean on a pod with these ports; a name it lacks means nothing."""
    wanted = {(port.name, port.protocol) for port in named}
    return Intervals.of(
        (point(port.protocol, port.number),) * 2
        for port in ports
        if port.name and ((port.name, port.protocol) in wanted or (port.name, None) in wanted)
    )


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy of any kind.

    Attributes:
        kind: Its API kind.
        name: ``namespace/name``, or the name alone for a cluster-scoped policy.
        tier: The tier it stands in.
        priority: Within Admin and Baseline: lower is consulted first. 0 in between.
        in_error: Whether an error outside its rules leaves open whom it is for, so that a
            NetworkPolicy isolates in both directions and none of its rules matches.
        audited: Whether it is in audit: marked to be judged and told, and not to be enforced. Only our
            own enforcement honors that.
        subject: The pods it applies to.
        isolates: Directions in which it makes its subject deny by default; the policy
            types of a NetworkPolicy, empty for other tiers.
        ingress: Rules for connections to the subject, in order.
        egress: Rules for connections from the subject, in order.
        origin: The object's first line.
    """

    kind: str
    name: str
    tier: Tier
    subject: PodSelector
    origin: Origin
    isolates: frozenset[Direction] = frozenset()
    ingress: tuple[Rule, ...] = ()
    egress: tuple[Rule, ...] = ()
    priority: int = 0
    in_error: bool = False
    audited: bool = False

    @property
    def faulty(self) -> bool:
        """Whether it means less than is written, because something in it is in error."""
        return self.in_error or any(rule.fault for rule in (*self.ingress, *self.egress))

    def words(self, direction: Direction) -> str:
        """Return what a reason calls it as what isolates: its name, and what in it accepts less for an error."""
        wrong = ", ".join(rule.origin.rule_words for rule in self.rules(direction) if rule.fault)
        if self.in_error:
            return f"{self.name} (in error)"
        return f"{self.name} ({wrong} in error)" if wrong else self.name

    def rules(self, direction: Direction) -> tuple[Rule, ...]:
        """Return the rules of one direction, in order."""
        return self.ingress if direction is Direction.INGRESS else self.egress
