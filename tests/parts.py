"""Nouns of a cluster, spelled shortly for tests that need just a few."""

from __future__ import annotations

from typing import Any

from ringfence.algebra.addresses import family_of, read_address, read_cidr
from ringfence.algebra.intervals import Intervals
from ringfence.algebra.selectors import EVERYTHING, Selector
from ringfence.algebra.traffic import ALL, Protocol, ports
from ringfence.model.cluster import NAME_LABEL, ContainerPort, Namespace, Node, Pod
from ringfence.model.origin import Origin
from ringfence.model.policy import (
    Action,
    Anyone,
    BlockPeer,
    Direction,
    NamedPort,
    Peer,
    PodPeer,
    PodSelector,
    Policy,
    Rule,
    Tier,
)
from ringfence.model.service import Service, ServicePort
from ringfence.model.snapshot import Snapshot


def place(text: str = "") -> Origin:
    """An origin that is recognized by its pointer."""
    return Origin("parts.yaml", 1, 1, text, "Part/x")


def labels(text: str) -> dict[str, str]:
    """Labels from ``app=a,tier=b``."""
    return dict(pair.split("=") for pair in text.split(",") if pair)


def pod(name: str, text: str = "", *addresses: str, **facts: Any) -> Pod:
    """A pod of a namespace and name, with labels and addresses."""
    namespace, own = name.split("/")
    known = {family_of(address): address for address in map(read_address, addresses)}
    return Pod(namespace, own, labels(text), place(name), known, **facts)


def port(name: str, number: int, protocol: Protocol = Protocol.TCP) -> ContainerPort:
    """A named port of a container."""
    return ContainerPort(name, protocol, number)


def node(name: str, *addresses: str) -> Node:
    """A node with addresses."""
    return Node(name, {}, tuple(sorted(map(read_address, addresses))))


def pods(text: str = "", scope: str | Selector = EVERYTHING) -> PodPeer:
    """Pods with these labels as a peer; in all namespaces, unless a scope is given."""
    return PodPeer(PodSelector(scope, Selector.labels(labels(text))), place(text), by_pods=bool(text))


def block(cidr: str, *excepts: str) -> BlockPeer:
    """Addresses as a peer."""
    return BlockPeer(read_cidr(cidr) - Intervals.union(map(read_cidr, excepts)), cidr, place(cidr))


def rule(*peers: Peer, action: Action = Action.ACCEPT, **facts: Any) -> Rule:
    """A rule for these peers, or for everyone; its place is its peer's."""
    facts = {"traffic": ALL, "origin": place(facts.pop("at", "rule"))} | facts
    return Rule(action, peers or (Anyone(),), **facts)


def tcp(first: int, last: int = 0) -> Intervals:
    """TCP traffic to one port, or to a range of them."""
    return ports(Protocol.TCP, first, last or first)


def named(name: str, protocol: Protocol | None = Protocol.TCP) -> dict[str, Any]:
    """What a rule says when it names a port, and nothing by number."""
    return {"traffic": Intervals(), "named": (NamedPort(name, protocol),)}


def network_policy(name: str, text: str = "", **sides: tuple[Rule, ...]) -> Policy:
    """A NetworkPolicy for pods with these labels that isolates in the directions that are given."""
    subject = PodSelector(name.split("/", maxsplit=1)[0], Selector.labels(labels(text)))
    isolates = frozenset(Direction(side.capitalize()) for side in sides)
    return Policy("NetworkPolicy", name, Tier.NETWORK_POLICY, subject, place(name), isolates, **sides)


def cluster_policy(name: str, tier: Tier, priority: int = 0, **sides: tuple[Rule, ...]) -> Policy:
    """A ClusterNetworkPolicy for every pod."""
    return Policy("ClusterNetworkPolicy", name, tier, PodSelector(), place(name), priority=priority, **sides)


def snapshot(*parts: Pod | Policy | Node, **facts: Any) -> Snapshot:
    """A snapshot of these parts, whose namespaces have no labels but their names."""
    found = [part for part in parts if isinstance(part, Pod)]
    made = [part for part in parts if isinstance(part, Policy)]
    return Snapshot(
        tuple(sorted(found, key=lambda each: (each.namespace, each.name))),
        tuple(sorted(made, key=lambda each: (each.kind, each.name))),
        {each.namespace: Namespace(each.namespace, {NAME_LABEL: each.namespace}) for each in found},
        {part.name: part for part in parts if isinstance(part, Node)},
        **facts,
    )


def service(name: str, text: str = "", *addresses: str, **facts: Any) -> Service:
    """A Service whose selector has these labels, with one port 80 that leads to 8080, unless others are given."""
    namespace, own = name.split("/")
    known = {family_of(address): address for address in map(read_address, addresses)}
    facts = {"kind": "ClusterIP", "ports": (service_port(80, 8080),)} | facts
    selector = labels(text) or None
    return Service(namespace, own, selector=selector, origin=place(name), addresses=known, **facts)


def service_port(number: int, target: int | str, name: str = "", **facts: Any) -> ServicePort:
    """A TCP port of a Service, unless another protocol is given."""
    return ServicePort(name, facts.pop("protocol", Protocol.TCP), number, target, **facts)
