"""Which connections are tried in a lab."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING

from ringfence.algebra.traffic import PORTLESS, PORTS, Protocol, at, by_protocol, point
from ringfence.edges.probe import Probe
from ringfence.lab.services import Frontend, frontends
from ringfence.model.cluster import Pod
from ringfence.model.connection import Connection
from ringfence.model.policy import Direction

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator

    from ringfence.algebra.addresses import Family
    from ringfence.algebra.intervals import Intervals
    from ringfence.lab.ends import Ends
    from ringfence.lab.services import Endpoint
    from ringfence.model.connection import End
    from ringfence.semantics.engine import Engine

ENOUGH = 20_000
"""Above so many probes, one pair stands for all pairs of two classes."""

_UNDECLARED_FROM = 7
"""Where to look for a port that nobody names."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A connection to be tried.

    Attributes:
        connection: What is asked. Through a Service with several endpoints the kernel
            chooses the server, and the first one stands for it until then.
        frontend: The port of the Service that it goes through, or None.
    """

    connection: Connection
    frontend: Frontend | None = None

    def probe(self, ends: Ends) -> Probe:
        """Return the packet to send."""
        asked, through = self.connection, self.frontend
        source = ends.address(asked.client, asked.family)
        if through:
            return Probe(source, through.address, asked.protocol, through.port.port)
        return Probe(source, ends.address(asked.server, asked.family), asked.protocol, asked.port)

    def towards(self, endpoint: Endpoint) -> Connection:
        """Return the connection that it becomes when this endpoint is chosen."""
        return replace(self.connection, server=endpoint.pod, port=endpoint.port)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is tried.

    Attributes:
        trials: Those with one server follow each other.
        total: How many there would be if every pair were tried.
    """

    trials: tuple[Trial, ...]
    total: int


@dataclass(frozen=True)
class Trials:
    """Plans the trials of one lab.

    Attributes:
        engine: The engine for the lab's snapshot.
        ends: Who is there.
    """

    engine: Engine
    ends: Ends

    def plan(self, *, every: bool = False) -> Plan:
        """Choose what to try.

        Args:
            every: Try every pair, however many there are.
        """
        pairs = list(self._pairs())
        total = sum(len(self.traffic(client, server)) for client, server, _ in pairs)
        if total > ENOUGH and not every:
            pairs = list(self._one_for_all(pairs))
        services = tuple(self._through_services())
        return Plan((*self._direct(pairs), *services), total + len(services))

    def traffic(self, client: End, server: End) -> frozenset[int]:
        """Return what is worth trying between two ends, as points of traffic."""
        named = self._declared(server) if isinstance(server, Pod) else self._egress_ports(client)
        unnamed = {Protocol.TCP, Protocol.UDP}
        if any(at(value)[0] is Protocol.SCTP for value in named):
            unnamed.add(Protocol.SCTP)
        return named | {point(protocol, self._undeclared) for protocol in unnamed} | {PORTLESS}

    def through(self, client: End, frontend: Frontend) -> Trial:
        """Return the trial of a Service's port; it must have an endpoint."""
        first = frontend.endpoints[0]
        asked = (frontend.port.protocol, first.port, frontend.family, str(frontend.service))
        return Trial(Connection(client, first.pod, *asked), frontend)

    def _pairs(self) -> Iterator[tuple[End, End, Family]]:
        """Yield ordered pairs with a pod at one end at least, by server."""
        for family, ends in self.ends.by_family.items():
            for server, client in product(ends, ends):
                if client != server and (isinstance(client, Pod) or isinstance(server, Pod)):
                    yield client, server, family

    def _one_for_all(self, pairs: Iterable[tuple[End, End, Family]]) -> Iterator[tuple[End, End, Family]]:
        """Yield one pair for all that neither policies nor the way between them can tell apart."""
        alike: dict[Hashable, list[tuple[End, End, Family]]] = defaultdict(list)
        for client, server, family in pairs:
            near = self.ends.place(client).node == self.ends.place(server).node
            alike[self._class(client), self._class(server), family, near].append((client, server, family))
        # Each group gives another of its members, so that every end has its turn.
        return (group[turn % len(group)] for turn, group in enumerate(alike.values()))

    def _class(self, end: End) -> Hashable:
        if isinstance(end, Pod):
            return self.engine.class_of(end), end.host_network
        blocks = self.engine.snapshot.blocks
        return self.ends.place(end).on_host, tuple(end in block for block in blocks)

    def _direct(self, pairs: Iterable[tuple[End, End, Family]]) -> Iterator[Trial]:
        for client, server, family in pairs:
            for value in sorted(self.traffic(client, server)):
                protocol, port = at(value)
                yield Trial(Connection(client, server, protocol, port, family))

    def _through_services(self) -> Iterator[Trial]:
        """Yield, for every port of a Service, one client of each class and each of its own endpoints."""
        for turn, frontend in enumerate(frontends(self.engine.snapshot)):
            if not frontend.endpoints:
                continue
            classes = [[pod for pod in pods if self._is_client(pod, frontend)] for pods in self.engine.classes]
            clients = [pods[turn % len(pods)] for pods in classes if pods]
            own = [each.pod for each in frontend.endpoints]
            for client in {str(pod): pod for pod in (*clients, *own)}.values():
                yield self.through(client, frontend)

    def _is_client(self, pod: Pod, frontend: Frontend) -> bool:
        return frontend.family in self.engine.snapshot.addresses_of(pod)

    def _declared(self, server: Pod) -> frozenset[int]:
        """Return what a pod declares, what Services want of it, and what ingress rules for it name."""
        return self._declared_by_pod[str(server)]

    @cached_property
    def _declared_by_pod(self) -> dict[str, frozenset[int]]:
        snapshot = self.engine.snapshot
        found = {str(pod): {point(p.protocol, p.number) for p in pod.ports} for pod in snapshot.pods}
        for frontend in frontends(snapshot):
            for endpoint in frontend.endpoints:
                found[str(endpoint.pod)].add(point(frontend.port.protocol, endpoint.port))
        for pods in filter(None, self.engine.classes):
            named = self._rule_ports(pods[0], Direction.INGRESS)
            for pod in pods:
                found[str(pod)] |= named
        return {name: frozenset(values) for name, values in found.items()}

    def _egress_ports(self, client: End) -> frozenset[int]:
        """Return what the egress rules for a client name; nothing for an address."""
        if not isinstance(client, Pod):
            return frozenset()
        index = self.engine.class_of(client)
        if index not in self._egress_by_class:
            self._egress_by_class[index] = frozenset(self._rule_ports(client, Direction.EGRESS))
        return self._egress_by_class[index]

    @cached_property
    def _egress_by_class(self) -> dict[int, frozenset[int]]:
        return {}

    def _rule_ports(self, subject: Pod, direction: Direction) -> set[int]:
        """Return both ends of every port range that a rule for a pod names."""
        snapshot = self.engine.snapshot
        labels = snapshot.namespace_labels(subject.namespace)
        selecting = (policy for policy in snapshot.policies if policy.subject.selects(subject, labels))
        return {value for policy in selecting for rule in policy.rules(direction) for value in _ends_of(rule.traffic)}

    @cached_property
    def _undeclared(self) -> int:
        """The first port that no pod declares and no rule names."""
        snapshot = self.engine.snapshot
        rules = [rule for policy in snapshot.policies for d in Direction for rule in policy.rules(d)]
        spans = [span for rule in rules for span in _port_ranges(rule.traffic)]
        declared = {at(value)[1] for values in self._declared_by_pod.values() for value in values}
        free = (
            port
            for port in range(_UNDECLARED_FROM, PORTS)
            if port not in declared and not any(first <= port <= last for _, first, last in spans)
        )
        return next(free, _UNDECLARED_FROM)


def _port_ranges(traffic: Intervals) -> Iterator[tuple[Protocol, int, int]]:
    """Yield the port ranges that a rule names; a protocol with all its ports names none."""
    for protocol, pairs in by_protocol(traffic).items():
        for first, last in pairs:
            if protocol is not Protocol.ICMP and last - first < PORTS - 2:
                yield protocol, first, last


def _ends_of(traffic: Intervals) -> Iterator[int]:
    for protocol, first, last in _port_ranges(traffic):
        yield from (point(protocol, first), point(protocol, last))
