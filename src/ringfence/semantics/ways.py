"""The ways that a packet may take to an endpoint of a Service, hop by hop.

Nodes translate the address of a Service into that of an endpoint, and sometimes let the
packet go on under their own address. Policies are judged after the first and before the
second, each side at its own node; so on some ways client and server do not see each other:

======================================  ==========================  =========================
The packet goes to                      egress is judged against    ingress is judged against
======================================  ==========================  =========================
the cluster address                     the endpoint                the client
a headless Service                      the endpoint                the client
a node port of the client's own node    the endpoint                the client on that node,
                                                                    the node on every other
a node port of another node             that node and its port      the client on that node,
                                                                    the node on every other
the same, ``externalTrafficPolicy``     that node and its port      the client, and only on
Local                                                               that node
a load balancer that is no proxy        the endpoint, as if it were the client's own node's port
the same, from outside                  nothing                     as on a node port
a load balancer that is a proxy         the balancer                an address that is not known
======================================  ==========================  =========================

A pod that goes by its own node, or to an external address or a load balancer, is under neither
traffic policy, as if it came back in from a balancer. At a node port of another node it is one
of many outside, unless kube-proxy there counts it among its pods: with
``--detect-local-mode=ClusterCIDR``, the default, it does where the pod's own address gets there.

Sources: k8s.io/kubernetes ``pkg/proxy/iptables/proxier.go`` and ``pkg/proxy/topology.go``;
kubernetes.io/docs/reference/networking/virtual-ips.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import EVERY, Address, Family, family_of, render_address
from ringfence.model.cluster import Pod
from ringfence.model.origin import Origin
from ringfence.model.policy import Direction
from ringfence.semantics.space import AddressSpace, Signature
from ringfence.semantics.telling import CLIENT, NODE, SERVER, tell
from ringfence.semantics.verdict import Assumption

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ringfence.algebra.traffic import Protocol
    from ringfence.model.connection import End
    from ringfence.model.service import Balancer, Service, ServicePort
    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics.endpoints import Endpoint

A_NODE = Pod("", "a node", {}, Origin("", 0, 0, "", ""), host_network=True)
"""Stands for a node of which nothing is known: its address can be any."""


class Door(Enum):
    """What kind of place of a Service packets are sent to."""

    CLUSTER = "the cluster address"
    HEADLESS = "the addresses of its pods"
    NODE = "a node port"
    EXTERNAL = "an external address"
    BALANCER = "a load balancer"
    NAME = "a name outside"
    CACHE = "the DNS cache on the client's own node"


class Happening(Enum):
    """What happens to a packet at a hop."""

    SENT = "sent"
    RESOLVED = "resolved"
    TRANSLATED = "translated"
    MASQUERADED = "masqueraded"
    PROXIED = "proxied"
    FILTERED = "filtered"
    ARRIVES = "arrives"
    LEAVES = "leaves"


@dataclass(frozen=True, slots=True)
class Hop:
    """One stop of a packet.

    Attributes:
        at: The address or name it is at.
        protocol: Its protocol.
        port: Its port there; None when it is not known yet.
        happening: What happens.
        text: The same as a clause for people.
        judged: The side whose policies are judged here; None for none.
        seen: What these policies see at the other end; empty when none are judged.
    """

    at: str
    protocol: Protocol
    port: int | None
    happening: Happening
    text: str
    judged: Direction | None = None
    seen: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """Where packets for a port of a Service are sent to.

    Attributes:
        service: The Service.
        port: Its port; None where the port that was asked about is left as it is.
        door: What kind of place it is.
        family: The family of the packets.
        protocol: Their protocol.
        number: The port there; None when it is not known yet.
        name: How people call the place.
        address: Its address; None when it is not known, or is that of any node.
        node: For a node port: the node; None for any.
        balancer: For a load balancer: which.
        outside_only: Who is inside goes by another way, so none is asked about here.
        aliases: Names of Services that stand for this one, in the order they are resolved.
    """

    service: Service
    port: ServicePort | None
    door: Door
    family: Family
    protocol: Protocol
    number: int | None
    name: str
    address: Address | None = None
    node: str | None = None
    balancer: Balancer | None = None
    outside_only: bool = False
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Gate:
    """Nodes that take a packet for a Service alike.

    Attributes:
        names: Their names; empty for a node that is not known.
        address: Where the packet is sent to.
        speaks_from: The address under which it goes on to pods on other nodes.
        of_client: It is the client's own node.
        of_server: It is the endpoint's own node.
    """

    names: frozenset[str] = frozenset()
    address: End = A_NODE
    speaks_from: End = A_NODE
    of_client: bool = False
    of_server: bool = False


@dataclass(frozen=True, slots=True)
class Way:
    """One way to one endpoint.

    Attributes:
        hops: What happens, from the client on.
        peer: What the client's egress policies see; None when its address is not known.
        peer_port: On which port they see it.
        server: Who takes it; None when that is nobody whom policies apply to.
        port: The port there.
        source: What the server's ingress policies see; None when its address is not known.
        nodes: The nodes that stand for :data:`NODE` in what is said.
        barred: Why it ends before any policy is asked; empty when it does not.
        assumptions: What it takes for granted.
    """

    hops: tuple[Hop, ...]
    peer: End | None
    peer_port: int
    server: End | None
    port: int
    source: End | None
    nodes: frozenset[str] = frozenset()
    barred: str = ""
    assumptions: tuple[Assumption, ...] = field(default=())


@dataclass(frozen=True)
class Ways:
    """Finds the ways in one cluster."""

    snapshot: Snapshot

    def to(self, entry: Entry, client: End, endpoint: Endpoint | None) -> tuple[Way, ...]:
        """Return every way from a client through an entry to one endpoint; empty when none leads there.

        Args:
            entry: Where the client sends its packets.
            client: Who sends them.
            endpoint: Who is meant to take them; None for a door behind which nobody of the
                cluster is.
        """
        if entry.outside_only and self.is_inside(client):
            return ()
        found = tuple(self._ways(entry, client, endpoint))
        names = (*entry.aliases, entry.name)
        resolved = tuple(
            Hop(alias, entry.protocol, entry.number, Happening.RESOLVED, f"the name stands for {names[place + 1]}")
            for place, alias in enumerate(entry.aliases)
        )
        return tuple(replace(way, hops=(*resolved, *way.hops)) for way in found)

    def is_inside(self, client: End) -> bool:
        """Tell whether a client's packets are translated on a node before they leave it."""
        return isinstance(client, Pod) or self.snapshot.node_at(client) is not None

    def _ways(self, entry: Entry, client: End, endpoint: Endpoint | None) -> Iterator[Way]:
        match entry.door:
            case Door.NAME | Door.CACHE:
                yield from self._away(entry, client)
            case Door.CLUSTER | Door.HEADLESS:
                if endpoint and self.is_inside(client):
                    yield from self._inside(entry, client, endpoint)
            case Door.BALANCER if entry.balancer and entry.balancer.proxies and endpoint:
                yield from self._proxied(entry, client, endpoint)
            case _:
                if endpoint:
                    for gate in self._gates(entry, client, endpoint):
                        yield from self._through(entry, client, endpoint, gate)

    def _away(self, entry: Entry, client: End) -> Iterator[Way]:
        """Yield the way to somebody to whom no policy applies: no endpoint of the cluster."""
        if not self.is_inside(client):
            return
        number = entry.number or 0
        where = entry.name if entry.address is None else render_address(entry.address)
        if entry.door is Door.CACHE:
            text = f"answered by {entry.door.value}, which no node translates"
            hop = Hop(where, entry.protocol, entry.number, Happening.ARRIVES, text, Direction.EGRESS, where)
        else:
            text = "leaves the cluster, to an address that only DNS knows"
            hop = Hop(where, entry.protocol, entry.number, Happening.LEAVES, text, Direction.EGRESS, where)
        yield Way((hop,), entry.address, number, entry.address, number, client)

    def _inside(self, entry: Entry, client: End, endpoint: Endpoint) -> Iterator[Way]:
        """Yield the way that nodes translate, or nobody does, for a client in the cluster."""
        assumptions: tuple[Assumption, ...] = ()
        if entry.door is Door.CLUSTER and entry.service.local_from_inside:
            node = self._node_of(client)
            if node is not None and endpoint.node is not None and node != endpoint.node:
                return
            if node is None or endpoint.node is None:
                text = f"{SERVER} is taken to be on the node of {CLIENT}, for internalTrafficPolicy is Local"
                assumptions = (Assumption("pod-node", text, (entry.service.origin,)),)
        if entry.door is Door.HEADLESS:
            text = f"the name stands for {SERVER}, {entry.protocol.value} {endpoint.port}; nothing is translated"
            first = Hop(entry.name, entry.protocol, entry.number, Happening.RESOLVED, text)
        else:
            first = Hop(entry.name, entry.protocol, entry.number, Happening.TRANSLATED, _translated(endpoint, entry))
        first = replace(first, judged=Direction.EGRESS, seen=SERVER)
        yield Way(
            hops=(first, _arrival(endpoint, entry, CLIENT)),
            peer=endpoint.end,
            peer_port=endpoint.port,
            server=endpoint.end,
            port=endpoint.port,
            source=client,
            assumptions=assumptions,
        )

    def _through(self, entry: Entry, client: End, endpoint: Endpoint, gate: Gate) -> Iterator[Way]:
        """Yield the way through one node, or nodes that are alike."""
        pod_at_home = gate.of_client and isinstance(client, Pod) and not client.host_network
        local = entry.service.local_from_outside
        if local and not gate.of_server and not gate.of_client:
            return
        at_home = gate.of_client or (entry.door is not Door.NODE and self.is_inside(client))
        own = gate.of_server or local or (gate.of_client and not pod_at_home)
        source = client if own else gate.speaks_from
        word = _word(gate)
        at_node = entry.door is Door.NODE
        text = _translated(endpoint, entry) + ("" if at_node else f" on {word}")
        where = word if at_node else entry.name
        hops = [Hop(where, entry.protocol, entry.number, Happening.TRANSLATED, text)]
        if at_home:
            hops[0] = replace(hops[0], judged=Direction.EGRESS, seen=SERVER)
        elif self.is_inside(client):
            sent = Hop(CLIENT, entry.protocol, entry.number, Happening.SENT, f"sent to {word}", Direction.EGRESS, word)
            hops.insert(0, sent)
        if not own:
            text = "goes on under the address of that node"
            hops.append(Hop(word, entry.protocol, endpoint.port, Happening.MASQUERADED, text))
        hops.append(_arrival(endpoint, entry, CLIENT if own else word))
        filtered = self._filter(entry, client)
        yield Way(
            hops=(filtered,) if filtered else tuple(hops),
            peer=endpoint.end if at_home else gate.address,
            peer_port=endpoint.port if at_home else entry.number or 0,
            server=endpoint.end,
            port=endpoint.port,
            source=source,
            nodes=frozenset() if filtered else gate.names,
            barred=filtered.text if filtered else "",
            assumptions=self._balanced(entry),
        )

    def _proxied(self, entry: Entry, client: End, endpoint: Endpoint) -> Iterator[Way]:
        """Yield the way through a proxy outside the cluster, which opens a connection of its own."""
        filtered = self._filter(entry, client)
        text = "leaves the cluster" if self.is_inside(client) else "taken by the load balancer"
        proxied = Hop(entry.name, entry.protocol, entry.number, Happening.PROXIED, f"{text}, which connects anew")
        if self.is_inside(client):
            proxied = replace(proxied, judged=Direction.EGRESS, seen=entry.name)
        arrival = _arrival(endpoint, entry, "the load balancer, from an address that is not known")
        yield Way(
            hops=(filtered,) if filtered else (proxied, arrival),
            peer=entry.address,
            peer_port=entry.number or 0,
            server=endpoint.end,
            port=endpoint.port,
            source=None,
            barred=filtered.text if filtered else "",
        )

    def _filter(self, entry: Entry, client: End) -> Hop | None:
        """Return the hop at which a load balancer refuses a client, or None when it does not."""
        ranges = entry.service.source_ranges
        if entry.door is not Door.BALANCER or not ranges:
            return None
        addresses = self.snapshot.addresses_of(client) if isinstance(client, Pod) else {family_of(client): client}
        address = addresses.get(entry.family)
        if ranges & EVERY[entry.family] == EVERY[entry.family] or (address is not None and address in ranges):
            return None
        text = f"{CLIENT} is outside loadBalancerSourceRanges of {entry.service}"
        return Hop(entry.name, entry.protocol, entry.number, Happening.FILTERED, text)

    def _balanced(self, entry: Entry) -> tuple[Assumption, ...]:
        """Say what is taken for granted of a load balancer of which the input says nothing, or only its name."""
        if entry.door is not Door.BALANCER or (entry.balancer and entry.balancer.address is not None):
            return ()
        text = f"the load balancer of {entry.service} is taken to keep the address of its clients"
        return (Assumption("load-balancer", text, (entry.service.origin,)),)

    def _gates(self, entry: Entry, client: End, endpoint: Endpoint) -> Iterator[Gate]:
        """Yield the nodes at which packets may come in; those that policies cannot tell apart as one."""
        home, there = self._node_of(client), endpoint.node
        inside = self.is_inside(client)
        if entry.node is not None:
            yield self._gate(entry.node, entry.family, home, there)
            return
        if inside and entry.door is not Door.NODE:  # its own node takes the packet for the Service's
            yield from self._own_gates(entry, home, there)
            return
        known = self._gates_of(entry.family)
        if not known:
            homes = (True, False) if inside else (False,)
            yield from (Gate(of_client=own, of_server=near) for own in homes for near in (True, False))
            return
        singled = sorted({node for node in (home, there) if node is not None})
        yield from (self._gate(node, entry.family, home, there) for node in singled)
        for alike in known:
            if rest := [gate for gate in alike if not gate.names & {*singled}]:
                names = frozenset[str]().union(*(gate.names for gate in rest))
                yield from self._perhaps(
                    replace(rest[0], names=names),
                    client_known=not inside or home is not None,
                    server_known=there is not None,
                )

    def _own_gates(self, entry: Entry, home: str | None, there: str | None) -> Iterator[Gate]:
        """Yield the client's own node, which may be the endpoint's too where one of both is not known."""
        if home is not None:
            gate = self._gate(home, entry.family, home, there)
            yield gate
            if there is None:
                yield replace(gate, of_server=True)
            return
        yield Gate(of_client=True, of_server=True)
        yield Gate(of_client=True)

    @staticmethod
    def _perhaps(gate: Gate, *, client_known: bool, server_known: bool) -> Iterator[Gate]:
        """Yield a gate as the client's or endpoint's own too, where it may be."""
        for own in (False,) if client_known else (True, False):
            for near in (False,) if server_known else (True, False):
                yield replace(gate, of_client=own, of_server=near)

    def _gate(self, node: str, family: Family, home: str | None, there: str | None) -> Gate:
        """Return the gate that is one node."""
        found = self.snapshot.nodes.get(node)
        addresses = [a for a in (found.addresses if found else ()) if family_of(a) is family]
        tunnels = [a for a in (found.tunnels if found else ()) if family_of(a) is family]
        unknown = replace(A_NODE, node=node)
        address: End = addresses[0] if addresses else unknown
        speaks_from: End = tunnels[0] if tunnels else address
        return Gate(frozenset({node}), address, speaks_from, of_client=node == home, of_server=node == there)

    def _gates_of(self, family: Family) -> list[list[Gate]]:
        """Return the nodes that have an address of a family, those in the same blocks together."""
        space = AddressSpace.of(self.snapshot.blocks)
        alike: dict[tuple[Signature, ...], list[Gate]] = {}
        for node in self.snapshot.nodes:
            gate = self._gate(node, family, None, None)
            ends = [end for end in (gate.address, gate.speaks_from) if not isinstance(end, Pod)]
            if ends:
                alike.setdefault(tuple(space.signature(end) for end in ends), []).append(gate)
        return list(alike.values())

    def _node_of(self, client: End) -> str | None:
        return client.node if isinstance(client, Pod) else self.snapshot.node_at(client)


def _word(gate: Gate) -> str:
    """Return what hops call a gate: by name, or what is known of a node without one."""
    if gate.names:
        return NODE
    if gate.of_server:
        return "the node of both" if gate.of_client else f"the node of {SERVER}"
    return f"the node of {CLIENT}" if gate.of_client else "another node"


def _translated(endpoint: Endpoint, entry: Entry) -> str:
    return f"translated to {SERVER} {entry.protocol.value} {endpoint.port}"


def _arrival(endpoint: Endpoint, entry: Entry, source: str) -> Hop:
    text = f"arrives from {source}"
    return Hop(SERVER, entry.protocol, endpoint.port, Happening.ARRIVES, text, Direction.INGRESS, source)


def told_hop(hop: Hop, names: Mapping[str, str]) -> Hop:
    """Return a hop that speaks of others."""
    return replace(hop, at=tell(hop.at, names), text=tell(hop.text, names), seen=tell(hop.seen, names))
