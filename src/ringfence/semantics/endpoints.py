"""What is behind a port of a Service: which ends, on which port, on which node.

EndpointSlices, and Endpoints where there are none, say it for certain, and then the
selector is not looked at. Without them it is every pod that the selector matches: whether
one is ready a manifest cannot tell.

Sources: k8s.io/endpointslice ``utils.go`` (ports by name), k8s.io/kubernetes
``pkg/proxy/topology.go`` (who takes connections).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import family_of
from ringfence.model.cluster import Pod

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from ringfence.algebra.addresses import Address, Family
    from ringfence.model.connection import End
    from ringfence.model.service import EndpointSlice, KnownEndpoint, Service, ServicePort
    from ringfence.model.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An end behind a Service port.

    Attributes:
        end: The pod, or an address that is no pod's.
        port: The port on it.
        node: The node it is on; None when not known.
    """

    end: End
    port: int
    node: str | None = None

    @property
    def key(self) -> Hashable:
        """What tells it from others."""
        return (key_of(self.end), self.port)


def endpoints(snapshot: Snapshot, service: Service, port: ServicePort, family: Family) -> tuple[Endpoint, ...]:
    """Return who may take what is sent to a port of a Service, each once.

    Args:
        snapshot: Where the Service is.
        service: The Service.
        port: One of its ports.
        family: Only ends that have, or will have, an address of this family.
    """
    slices = slices_of(snapshot, service)
    if slices:
        found = _known(snapshot, slices, port, family)
    elif service.selector is not None:
        pods = [pod for pod in selected(snapshot, service) if family in snapshot.families_of(pod)]
        found = [Endpoint(pod, number, pod.node) for pod in pods if (number := _number(pod, port))]
    else:
        found = []
    return each_once(found)


def each_once(found: Iterable[Endpoint]) -> tuple[Endpoint, ...]:
    """Return endpoints without repetitions, in order."""
    return tuple({each.key: each for each in found}.values())


def key_of(end: End) -> str | Address:
    """Return what tells an end from others: a pod's name, which is no address."""
    return str(end) if isinstance(end, Pod) else end


def slices_of(snapshot: Snapshot, service: Service) -> list[EndpointSlice]:
    """Return the slices of a Service; empty when nothing but its selector tells who is behind it."""
    return [s for s in snapshot.slices if s.namespace == service.namespace and s.service == service.name]


def selected(snapshot: Snapshot, service: Service) -> list[Pod]:
    """Return the pods that a Service's selector matches; none without a selector, none that has ended."""
    if service.selector is None:
        return []
    wanted = service.selector.items()
    return [
        pod
        for pod in snapshot.pods
        if pod.namespace == service.namespace and not pod.terminal and wanted <= pod.labels.items()
    ]


def _number(pod: Pod, port: ServicePort) -> int | None:
    """Return what a target port means on a pod; a name that it lacks means nothing."""
    if isinstance(port.target, int):
        return port.target
    named = (each for each in pod.ports if each.name == port.target and each.protocol is port.protocol)
    return next((each.number for each in named), None)


def _known(snapshot: Snapshot, slices: list[EndpointSlice], port: ServicePort, family: Family) -> list[Endpoint]:
    """Return the endpoints of slices that take connections; those that drain when nobody else does."""
    listed = [
        (each, number, known)
        for each in slices
        for number in _numbers(each, port)
        for known in each.endpoints
        if family_of(known.address) is family
    ]
    ready = [found for found in listed if found[2].ready]
    taken = ready or [found for found in listed if found[2].draining]
    return [
        Endpoint(end, number, known.node or (end.node if isinstance(end, Pod) else snapshot.node_at(end)))
        for each, number, known in taken
        for end in [_end(snapshot, each, known)]
    ]


def _numbers(known: EndpointSlice, port: ServicePort) -> list[int]:
    """Return the numbers of a Service's port in a slice; one that is left open leads nowhere."""
    same = (each for each in known.ports if each.name == port.name and each.protocol is port.protocol)
    return [each.number for each in same if each.number]


def _end(snapshot: Snapshot, known_in: EndpointSlice, known: KnownEndpoint) -> End:
    """Return the pod that an endpoint is, or its address when it is none that was read."""
    pod = snapshot.pod_named(known_in.namespace, known.pod)
    return pod if pod and not pod.terminal else snapshot.pod_at(known.address) or known.address
