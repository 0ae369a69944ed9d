"""Which doors of which Services a question means, and who is behind each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import EVERY, Address, Family, family_of, render_address
from ringfence.algebra.traffic import Protocol
from ringfence.errors import InputError
from ringfence.model.naming import AddressName, NodeName, ServiceName
from ringfence.semantics.endpoints import Endpoint, each_once, endpoints, selected, slices_of
from ringfence.semantics.ways import Door, Entry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.model.naming import Name
    from ringfence.model.service import Service, ServicePort
    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics.places import Places
    from ringfence.semantics.question import Question

_ON_NODES = frozenset({"LoadBalancer", "NodePort"})
"""The kinds of Services for which every node opens a port."""

_DOMAIN = ("svc", "cluster")
"""What follows the name and namespace of a Service in its domain name; the rest can be chosen."""


@dataclass(frozen=True, slots=True)
class Opening:
    """A door of a Service that a question means.

    Attributes:
        entry: The door.
        asked: The port that was asked about.
        endpoints: Who is behind it; empty where that is nobody of the cluster.
    """

    entry: Entry
    asked: int
    endpoints: tuple[Endpoint, ...]


class Entrances:
    """Finds the doors of the Services of one snapshot."""

    def __init__(self, snapshot: Snapshot, places: Places) -> None:
        self._snapshot = snapshot
        self._places = places

    def find(self, name: Name, question: Question) -> tuple[Opening, ...] | None:
        """Return the doors that a question means; None when its server is no Service and no door of one.

        Raises:
            InputError: there is no such Service, or it has no such port.
        """
        match name:
            case ServiceName():
                service, aliases = self._resolved(self._places.service("server", name))
                return self._opened(service, question, list(self._by_name(service, question, aliases)))
            case AddressName(addresses) if addresses.count() == 1:
                return self._at(Address(addresses.ranges[0][0]), question)
            case NodeName(node):
                return self._on(node, question)
        return None

    def _resolved(self, service: Service) -> tuple[Service, tuple[str, ...]]:
        """Follow names that stand for other Services of the cluster; each is followed once."""
        aliases: list[str] = []
        while service.kind == "ExternalName" and f"svc:{service}" not in aliases:
            aliases.append(f"svc:{service}")
            name, _, rest = service.external_name.partition(".")
            namespace, _, domain = rest.partition(".")
            found = self._places.find(namespace, name)
            if found is None or domain.split(".")[:2] not in (["svc"], [*_DOMAIN]):
                return service, tuple(aliases[:-1])
            service = found
        return service, tuple(aliases)

    def _by_name(self, service: Service, question: Question, aliases: tuple[str, ...]) -> Iterator[Opening]:
        name = f"svc:{service}"
        for family in self._families(service, question):
            if service.kind == "ExternalName":
                yield from self._outside(service, question, family)
            elif service.headless:
                yield from self._headless(service, question, family, aliases)
            else:
                for port in service.ports:
                    if _means(question, port.protocol, port.port, port.name):
                        inner = self._cluster_entry(service, port, family, name)
                        yield self._opening(replace(inner, aliases=aliases), port.port)
                        yield from (self._opening(e, port.port) for e in self._outer(service, port, family))
                    elif (
                        port.node_port
                        and service.kind in _ON_NODES
                        and _means(question, port.protocol, port.node_port, "")
                    ):
                        yield self._opening(_node_entry(service, port, family), port.node_port)

    def _at(self, address: Address, question: Question) -> tuple[Opening, ...] | None:
        """Return the doors at one address: of a Service, or of a node that takes its port for a Service's."""
        family = family_of(address)
        for service in self._snapshot.services:
            entries = [each for port in service.ports for each in self._entries_at(service, port, address, family)]
            if entries:
                meant = [e for e in entries if e.port and _means(question, e.protocol, e.port.port, e.port.name)]
                return self._opened(service, question, [self._opening(e, e.number or 0) for e in meant])
        node = self._snapshot.node_at(address)
        return self._on(node, question, address) if node is not None else None

    def _entries_at(self, service: Service, port: ServicePort, address: Address, family: Family) -> Iterator[Entry]:
        text = render_address(address)
        if address in service.addresses.values():
            yield self._cluster_entry(service, port, family, text)
        if address in service.external_addresses:
            yield Entry(service, port, Door.EXTERNAL, family, port.protocol, port.port, text, address)
        for balancer in service.balancers:
            if balancer.address == address:
                entry = Entry(service, port, Door.BALANCER, family, port.protocol, port.port, text, address)
                yield replace(entry, balancer=balancer)

    def _on(self, node: str, question: Question, address: Address | None = None) -> tuple[Opening, ...] | None:
        """Return the node ports of a node that a question means; None when there are none."""
        found = []
        for service in self._snapshot.services:
            for port in service.ports:
                if number := _node_port(service, port, question):
                    families = [f for f in self._families(service, question) if address is None or address in EVERY[f]]
                    entries = (replace(_node_entry(service, port, family), node=node) for family in families)
                    found += [self._opening(entry, number) for entry in entries]
        return tuple(found) or None

    def _outside(self, service: Service, question: Question, family: Family) -> Iterator[Opening]:
        """Yield the door of a name that stands for somebody outside; it leaves ports as they are."""
        protocol = question.protocol or Protocol.TCP
        for number in _numbers(question, service, self._places_of_names(service, question)):
            entry = Entry(service, None, Door.NAME, family, protocol, number, service.external_name)
            yield Opening(replace(entry, aliases=(f"svc:{service}",)), number, ())

    def _places_of_names(self, service: Service, question: Question) -> list[int]:
        return [port.port for port in service.ports if _means(question, port.protocol, port.port, port.name)]

    def _headless(
        self, service: Service, question: Question, family: Family, aliases: tuple[str, ...]
    ) -> Iterator[Opening]:
        """Yield the doors of a headless Service: its pods' own ports, which nothing translates."""
        name, protocol = f"svc:{service}", question.protocol or Protocol.TCP
        if isinstance(question.port, tuple) and question.port[0] == question.port[1]:
            number = question.port[0]
            entry = Entry(service, None, Door.HEADLESS, family, protocol, number, name, aliases=aliases)
            behind = (replace(each, port=number) for each in self._everybody(service, family))
            yield Opening(entry, number, each_once(behind))
            return
        for port in service.ports:
            if _means(question, port.protocol, port.port, port.name):
                entry = Entry(service, port, Door.HEADLESS, family, port.protocol, port.port, name, aliases=aliases)
                yield self._opening(entry, port.port)

    def _everybody(self, service: Service, family: Family) -> list[Endpoint]:
        """Return who is behind any port of a Service, or behind none that it has."""
        found = [each for port in service.ports for each in endpoints(self._snapshot, service, port, family)]
        if found or service.ports or slices_of(self._snapshot, service):
            return found
        pods = selected(self._snapshot, service)
        return [Endpoint(pod, 0, pod.node) for pod in pods if family in self._snapshot.families_of(pod)]

    def _cluster_entry(self, service: Service, port: ServicePort, family: Family, name: str) -> Entry:
        address = service.addresses.get(family)
        bound = address is not None and any(address in pod.binds for pod in self._snapshot.pods)
        door = Door.CACHE if bound else Door.CLUSTER
        return Entry(service, port, door, family, port.protocol, port.port, name, address)

    def _outer(self, service: Service, port: ServicePort, family: Family) -> Iterator[Entry]:
        """Yield the doors for whoever is outside."""
        common = (family, port.protocol, port.port)
        for address in service.external_addresses:
            if family_of(address) is family:
                entry = Entry(service, port, Door.EXTERNAL, *common, render_address(address), address)
                yield replace(entry, outside_only=True)
        if service.kind == "LoadBalancer":
            for balancer in service.balancers or (None,):
                at = balancer.address if balancer else None
                if at is None or family_of(at) is family:
                    known = render_address(at) if at is not None else (balancer and balancer.hostname)
                    entry = Entry(service, port, Door.BALANCER, *common, known or f"the load balancer of {service}", at)
                    yield replace(entry, balancer=balancer, outside_only=True)
        elif service.kind == "NodePort":
            yield replace(_node_entry(service, port, family), outside_only=True)

    def _opening(self, entry: Entry, asked: int) -> Opening:
        if entry.door is Door.CACHE or entry.port is None:
            return Opening(entry, asked, ())
        return Opening(entry, asked, endpoints(self._snapshot, entry.service, entry.port, entry.family))

    def _families(self, service: Service, question: Question) -> tuple[Family, ...]:
        """Return the families of a Service's addresses, else those it asks for, else those of the cluster."""
        have = tuple(service.addresses) or service.families or self._snapshot.families
        return tuple(family for family in have if question.family in (None, family))

    def _opened(self, service: Service, question: Question, found: list[Opening]) -> tuple[Opening, ...]:
        """Return what was found, or say why it is nothing.

        Raises:
            InputError: the Service has no such port.
        """
        if question.protocol is Protocol.ICMP:
            message = f"server: Service {service} has ports alone, and ICMP has none"
            raise InputError(message, "ask about the pods behind it")
        if not found:
            raise self._no_port(service, question)
        return tuple(found)

    def _no_port(self, service: Service, question: Question) -> InputError:
        if not self._families(service, question) and question.family:
            return InputError(f"server: Service {service} has no IPv{question.family.value} address")
        message = f"server: Service {service} has no such port"
        for port in service.ports:
            for family in self._snapshot.families:
                behind = endpoints(self._snapshot, service, port, family)
                if any(_means(question, port.protocol, each.port, "") for each in behind):
                    hint = f"that is the port of its pods: ask about {port.port} or about the pods"
                    return InputError(message, hint)
        has = (f"{p.port}/{p.protocol.value}{f' ({p.name})' if p.name else ''}" for p in service.ports)
        return InputError(message, f"it has {', '.join(has)}" if service.ports else "")


def _means(question: Question, protocol: Protocol, number: int, name: str) -> bool:
    """Tell whether a question is about a port, by its number or name."""
    if question.protocol not in (None, protocol):
        return False
    match question.port:
        case None:
            return True
        case (first, last):
            return first <= number <= last
    return bool(name) and question.port == name


def _node_port(service: Service, port: ServicePort, question: Question) -> int | None:
    """Return the port that every node opens for a Service's, if it is what is asked about by number."""
    if question.port is None or not port.node_port or service.kind not in _ON_NODES:
        return None
    return port.node_port if _means(question, port.protocol, port.node_port, "") else None


def _numbers(question: Question, service: Service, named: list[int]) -> list[int]:
    """Return the ports asked about where a name leaves them as they are.

    Raises:
        InputError: there is not one number.
    """
    if isinstance(question.port, tuple) and question.port[0] == question.port[1]:
        return [question.port[0]]
    if not named:
        message = f"server: {service.external_name}, which Service {service} stands for, is asked about by one port"
        raise InputError(message, "give the number of one port")
    return named


def _node_entry(service: Service, port: ServicePort, family: Family) -> Entry:
    return Entry(service, port, Door.NODE, family, port.protocol, port.node_port, f"the node port of {service}")
