"""What stands around a question and is worth knowing: proxies that lead in, the DNS cache of nodes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import render_address
from ringfence.algebra.intervals import Intervals
from ringfence.algebra.traffic import Protocol, point
from ringfence.semantics.remark import Remark

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ringfence.algebra.addresses import Address
    from ringfence.model.cluster import Pod
    from ringfence.model.naming import Directory
    from ringfence.model.service import Backend, Route, Service, ServicePort
    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics.sides import Party

_DNS = Intervals.of((point(protocol, 53),) * 2 for protocol in (Protocol.UDP, Protocol.TCP))

_DNS_LABEL = ("k8s-app", "kube-dns")
"""What the pods of the cluster's DNS bear, CoreDNS too."""

_GATEWAY_LABEL = "gateway.networking.k8s.io/gateway-name"
"""What the pods that a Gateway runs on bear. Source: Gateway API, GEP-1762."""

_NAME_LABELS = ("app.kubernetes.io/name", "app.kubernetes.io/instance", "app", "k8s-app", "name")
"""Labels by which the pods of an ingress controller are called like it."""

_PARTS = ("controller", "proxy", "")
"""What ``app.kubernetes.io/component`` says of those that take requests; admission jobs say another."""


@dataclass(frozen=True)
class Surroundings:
    """Knows what leads to the Services of one snapshot beside their own doors."""

    snapshot: Snapshot
    directory: Directory

    def ways_in(self, services: Iterable[tuple[Service, ServicePort | None]]) -> Iterator[Remark]:
        """Yield what leads to ports of Services through a proxy, for clients from outside."""
        wanted = list(services)
        for route in self.snapshot.routes:
            if any(_leads_to(backend, *each) for backend in route.backends for each in wanted):
                yield Remark("entry-point", self._way_in(route), (route.origin,))

    def cache(self, client: Party, pods: Iterable[Pod], asked: Address | None, traffic: Intervals) -> Iterator[Remark]:
        """Yield that pods ask the DNS cache on their node, where a question is about DNS.

        Args:
            client: Who asks.
            pods: The servers that are pods.
            asked: The address that was asked about, if it was one.
            traffic: What is asked about.
        """
        binds = self._binds
        if not binds or not client.pods or not traffic & _DNS:
            return
        key, value = _DNS_LABEL
        shown = " and ".join(map(render_address, binds))
        if asked in binds:
            text = f"the DNS cache of the client's node is at {shown}"
        elif any(pod.labels.get(key) == value for pod in pods):
            text = f"pods ask the DNS cache of their own node first, at {shown}"
        else:
            return
        origins = tuple(pod.origin for pod in self.snapshot.pods if pod.binds)[:1]
        text += ": a rule that selects the DNS pods does not match it; an ipBlock or a rule without peers does"
        yield Remark("node-local-dns", text, origins)

    def proxies(self, route: Route) -> tuple[Pod, ...]:
        """Return the pods of the proxy that answers for a route, as far as labels tell; empty when they do not."""
        return tuple(pod for pod in self.directory.pods if self._serves(pod, route))

    @cached_property
    def told_of(self) -> frozenset[int]:
        """The traffic of which something may be worth knowing: points of the line."""
        return frozenset(first for first, _ in _DNS) if self._binds else frozenset()

    @cached_property
    def _binds(self) -> tuple[Address, ...]:
        """The addresses of the DNS cache of nodes."""
        return tuple(dict.fromkeys(address for pod in self.snapshot.pods for address in pod.binds))

    def _way_in(self, route: Route) -> str:
        hosts = f", host {', '.join(route.hosts)}" if route.hosts else ""
        pods = self.proxies(route)
        said = f"entered through {route}{hosts}"
        if pods:
            return f"{said}: {self.directory.render(pods)} is the client then"
        through = f"ingress class {route.entry}" if route.entry else "the default ingress class"
        if route.gateways:
            through = f"Gateway {', '.join(route.gateways)}"
        return f"{said}: the client then is a pod of {through}, and none is known here"

    def _serves(self, pod: Pod, route: Route) -> bool:
        """Tell whether a pod is one of the proxy that answers for a route."""
        if route.gateways:
            return f"{pod.namespace}/{pod.labels.get(_GATEWAY_LABEL, '')}" in route.gateways
        controller = self.snapshot.controllers.get(route.entry, "").rpartition("/")[2]
        names = {name for name in (controller, route.entry, f"ingress-{route.entry}") if name.rstrip("-")}
        if pod.labels.get("app.kubernetes.io/component", "") not in _PARTS or pod.dormant:
            return False
        return any(pod.labels.get(label) in names for label in _NAME_LABELS)


def _leads_to(backend: Backend, service: Service, port: ServicePort | None) -> bool:
    if (backend.namespace, backend.service) != (service.namespace, service.name):
        return False
    return backend.port is None or port is None or backend.port in {port.port, port.name}
