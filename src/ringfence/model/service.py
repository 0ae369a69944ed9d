"""Services, what is known to be behind them, and what leads to them from outside."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ringfence.algebra.intervals import EMPTY, Intervals

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringfence.algebra.addresses import Address, Family
    from ringfence.algebra.traffic import Protocol
    from ringfence.model.origin import Origin


@dataclass(frozen=True, slots=True)
class ServicePort:
    """A port of a Service.

    Attributes:
        name: Its name; empty when it has none.
        protocol: TCP, UDP or SCTP.
        port: The Service's own port.
        target: Port number or port name on the endpoints.
        node_port: Port on every node; None when there is none.
    """

    name: str
    protocol: Protocol
    port: int
    target: int | str
    node_port: int | None = None


@dataclass(frozen=True, slots=True)
class Balancer:
    """A load balancer that was given to a Service: an entry of ``status.loadBalancer.ingress``.

    Attributes:
        address: Its address; None when only its name is known.
        hostname: Its name; empty when it has none.
        proxies: ``ipMode: Proxy``: it opens connections of its own, so nodes do not
            know its address for the Service's.
    """

    address: Address | None = None
    hostname: str = ""
    proxies: bool = False


@dataclass(frozen=True, slots=True)
class Service:
    """A Service: names for endpoints, resolved before policies are judged.

    ``publishNotReadyAddresses`` changes nothing here: whether a pod is ready is looked up in
    slices alone, and their conditions already speak for it. Session affinity chooses among
    endpoints that are all judged.

    Attributes:
        namespace: Its namespace.
        name: Its name.
        kind: ``ClusterIP``, ``NodePort``, ``LoadBalancer`` or ``ExternalName``.
        selector: Labels of its endpoints; None when it has no selector.
        ports: In the order written.
        addresses: Its cluster addresses, by family; empty when headless or not given.
        families: The families of ``ipFamilies``; empty when not given.
        headless: ``clusterIP: None``.
        external_name: The domain name that an ``ExternalName`` stands for; empty for others.
        external_addresses: ``externalIPs``, sorted: addresses that nodes take for its own.
        balancers: In the order of its status.
        local_from_outside: ``externalTrafficPolicy: Local``: a node hands what comes from
            outside to its own endpoints alone, and keeps the client's address.
        local_from_inside: ``internalTrafficPolicy: Local``: a pod reaches the endpoints on
            its own node alone.
        source_ranges: ``loadBalancerSourceRanges``; empty admits every address.
        origin: Where it was read.
    """

    namespace: str
    name: str
    kind: str
    selector: Mapping[str, str] | None
    ports: tuple[ServicePort, ...]
    origin: Origin
    addresses: Mapping[Family, Address] = field(default_factory=dict)
    families: tuple[Family, ...] = ()
    headless: bool = False
    external_name: str = ""
    external_addresses: tuple[Address, ...] = ()
    balancers: tuple[Balancer, ...] = ()
    local_from_outside: bool = False
    local_from_inside: bool = False
    source_ranges: Intervals = EMPTY

    def __str__(self) -> str:
        """Return ``namespace/name``."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class EndpointPort:
    """A port of an EndpointSlice; it belongs to the Service's port of the same name.

    Attributes:
        name: Its name; empty when it has none.
        protocol: TCP, UDP or SCTP.
        number: 1 to 65535; None when the slice leaves it open, which leads nowhere.
    """

    name: str
    protocol: Protocol
    number: int | None


@dataclass(frozen=True, slots=True)
class KnownEndpoint:
    """One endpoint of a slice.

    Attributes:
        address: Its address.
        ready: Takes new connections.
        draining: Terminates and still serves: takes new connections when nobody is ready.
        node: The node it is on; None when not known.
        pod: The name of the pod it is, in the slice's namespace; empty when it is none.
    """

    address: Address
    ready: bool = True
    draining: bool = False
    node: str | None = None
    pod: str = ""


@dataclass(frozen=True, slots=True)
class EndpointSlice:
    """Part of what is behind a Service, whatever its selector says.

    Attributes:
        namespace: Its namespace and the Service's.
        service: The Service's name.
        name: Its own name.
        ports: Every endpoint has all of them.
        endpoints: In the order written.
        origin: Where it was read.
    """

    namespace: str
    service: str
    name: str
    ports: tuple[EndpointPort, ...]
    endpoints: tuple[KnownEndpoint, ...]
    origin: Origin


@dataclass(frozen=True, slots=True)
class Backend:
    """A Service that a route leads to.

    Attributes:
        namespace: The Service's namespace.
        service: The Service's name.
        port: The Service's port by number or name; None when the route leaves it open.
    """

    namespace: str
    service: str
    port: int | str | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """A way in through a proxy: an Ingress, or a route of the Gateway API.

    Attributes:
        kind: Its API kind.
        namespace: Its namespace.
        name: Its name.
        hosts: The host names it answers to, sorted; empty for every one.
        backends: Where it leads, each once, in the order written.
        entry: An Ingress's class, empty for the default one; else empty.
        gateways: ``namespace/name`` of each Gateway that a route hangs on, sorted.
        origin: Where it was read.
    """

    kind: str
    namespace: str
    name: str
    hosts: tuple[str, ...]
    backends: tuple[Backend, ...]
    origin: Origin
    entry: str = ""
    gateways: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return ``Kind namespace/name``."""
        return f"{self.kind} {self.namespace}/{self.name}"
