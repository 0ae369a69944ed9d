"""Connections as netpol-analyzer prints them, for scripts that read its text format.

A line is ``CLIENT => SERVER : TRAFFIC``, once for each pair of workloads, or of a workload and
a range of addresses, between which something is allowed. A workload is
``shop/web[Deployment]``, a pod without one ``shop/job[Pod]``. All words of that format are here.

Source: github.com/np-guard/netpol-analyzer, ``pkg/netpol/connlist``: ``conns_formatter.go``
(lines and their order), ``connlist.go`` (which pairs), ``internal/ingressanalyzer`` (Ingresses).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import render_address
from ringfence.algebra.intervals import EMPTY, Intervals, atoms
from ringfence.algebra.traffic import WITH_PORTS, Protocol, by_protocol, ports
from ringfence.model.cluster import Pod
from ringfence.model.naming import Directory
from ringfence.model.policy import BlockPeer, Direction
from ringfence.semantics.assumptions import rules_of
from ringfence.semantics.endpoints import endpoints
from ringfence.semantics.verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ringfence.model.service import Backend, Service, ServicePort
    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics.ends import Ends
    from ringfence.semantics.summary import Line

ALL_CONNECTIONS = "All Connections"
NO_CONNECTIONS = "No Connections"

INGRESS = "Ingress"
"""The kind of route that the format knows."""

CONTROLLER = "{ingress-controller}"
"""The end that stands for whatever pods carry out Ingresses; no pod can have such a name."""

NamedEnd = str | tuple[int, int]
"""The name of a workload, or the first and last of a range of addresses."""

Connections = Mapping[tuple[NamedEnd, NamedEnd], Intervals]
"""What is allowed between each pair of ends."""

_CONTROLLER_NAMESPACE = "ingress-controller-ns"

SAYABLE = Intervals.union(ports(protocol, 1) for protocol in WITH_PORTS)
"""All that the format has words for: neither ICMP nor port 0."""


def with_controller(snapshot: Snapshot) -> Snapshot:
    """Return a snapshot with a pod more that opens what Ingresses lead to, where there is any.

    It has no labels, and is in a namespace of its own.
    """
    origins = [route.origin for route in snapshot.routes if route.kind == INGRESS]
    if not origins:
        return snapshot
    pods = (*snapshot.pods, Pod(_CONTROLLER_NAMESPACE, CONTROLLER, {}, origins[0]))
    return replace(snapshot, pods=tuple(sorted(pods, key=lambda pod: (pod.namespace, pod.name))))


def says(line: Line) -> bool:
    """Tell whether the format has words for a line: it has none for what is undecided, on the own node or portless."""
    return not line.own_node and line.outcome is Outcome.ALLOWED and bool(line.traffic & SAYABLE)


def connections(lines: Iterable[Line], snapshot: Snapshot) -> dict[tuple[NamedEnd, NamedEnd], Intervals]:
    """Return what is allowed between each pair of ends, in the order in which it is printed.

    Pods of one workload are one end: what any of them may open or take is allowed. Lines that
    the format has no words for are left out.

    Args:
        lines: The map of the snapshot.
        snapshot: One that :func:`with_controller` returned.
    """
    names = _Names(snapshot)
    behind = _behind_ingresses(snapshot)
    found: dict[NamedEnd, dict[NamedEnd, Intervals]] = {}
    for line in lines:
        if not says(line):
            continue
        servers = names.of(line.servers, Direction.EGRESS)
        for client in names.of(line.clients, Direction.INGRESS):
            told = found.setdefault(client, {})
            for server in servers:
                traffic = line.traffic if client != CONTROLLER else line.traffic & behind.get(server, EMPTY)
                if server not in (client, CONTROLLER) and traffic:
                    told[server] = told[server] | traffic if server in told else traffic
    ordered = ((client, server) for client in sorted(found, key=name) for server in sorted(found[client], key=name))
    return {(client, server): found[client][server] for client, server in ordered}


def name(end: NamedEnd) -> str:
    """Return what lines call an end."""
    return end if isinstance(end, str) else f"{render_address(end[0])}-{render_address(end[1])}"


def render_connections(connections: Connections) -> str:
    """Return a line for each pair that something is allowed between; none is no text."""
    words: dict[Intervals, str] = {}
    for traffic in connections.values():
        if traffic not in words:
            words[traffic] = render_traffic(traffic)
    told = ((name(client), name(server), words[said]) for (client, server), said in connections.items())
    return "".join(f"{client} => {server} : {said}\n" for client, server, said in told)


def render_traffic(traffic: Intervals) -> str:
    """Return traffic as ``TCP 80,443,UDP 53``, ``All Connections`` or ``No Connections``."""
    if traffic & SAYABLE == SAYABLE:
        return ALL_CONNECTIONS
    told = by_protocol(traffic & SAYABLE)
    said = (f"{protocol.value} {','.join(map(_range, ranges))}" for protocol, ranges in told.items())
    return ",".join(sorted(said)) or NO_CONNECTIONS


def _range(ports: tuple[int, int]) -> str:
    first, last = ports
    return str(first) if first == last else f"{first}-{last}"


class _Names:
    """Names the ends of one snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._directory = Directory(snapshot)
        self._blocks = {
            direction: [
                Intervals((span,))
                for rule in rules_of(snapshot.policies, direction)
                for peer in rule.peers
                if isinstance(peer, BlockPeer)
                for span in peer.addresses
            ]
            for direction in Direction
        }

    def of(self, ends: Ends, direction: Direction) -> list[NamedEnd]:
        """Name workloads once each, and addresses by ranges that no block of the rules of a direction cuts."""
        found = dict.fromkeys(map(workload_name, ends.pods))
        return [*found, *atoms(self._directory.filled(ends.addresses), self._blocks[direction])]


def workload_name(pod: Pod) -> str:
    """Name the workload of a pod: ``shop/web[Deployment]``; a pod without one is its own."""
    if pod.name == CONTROLLER:
        return CONTROLLER
    kind, _, name = pod.workload.partition("/")
    return f"{pod.namespace}/{name}[{kind.partition('.')[0]}]" if kind else f"{pod.namespace}/{pod.name}[Pod]"


def _behind_ingresses(snapshot: Snapshot) -> dict[NamedEnd, Intervals]:
    """Return the ports that Ingresses lead to, by the name of the workload: TCP that its pods declare."""
    services = {(service.namespace, service.name): service for service in snapshot.services}
    found: dict[NamedEnd, Intervals] = defaultdict(Intervals)
    for backend in (b for route in snapshot.routes if route.kind == INGRESS for b in route.backends):
        service = services.get((backend.namespace, backend.service))
        if service is None:
            continue
        for port in _ports_of(service, backend):
            for each in (e for f in snapshot.families for e in endpoints(snapshot, service, port, f)):
                if isinstance(each.end, Pod) and _declares(each.end, each.port):
                    found[workload_name(each.end)] |= ports(Protocol.TCP, each.port, each.port)
    return found


def _ports_of(service: Service, backend: Backend) -> tuple[ServicePort, ...]:
    """Return the ports of a Service that a backend names: the first that fits, or all where it names none."""
    if backend.port is None:
        return service.ports
    return tuple(port for port in service.ports if backend.port in {port.port, port.name, port.target})[:1]


def _declares(pod: Pod, number: int) -> bool:
    return any(port.number == number and port.protocol is Protocol.TCP for port in pod.ports)
