"""What is reachable from outside, through what, and what outside is reachable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.analysis.reach import reasons
from ringfence.analysis.whom import CLIENT, in_families
from ringfence.model.policy import Direction
from ringfence.semantics.answer import Respondent
from ringfence.semantics.question import Question
from ringfence.semantics.summary import lines_between
from ringfence.semantics.surroundings import Surroundings
from ringfence.semantics.verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.analysis.reach import Row
    from ringfence.analysis.whom import Names
    from ringfence.model.cluster import Pod
    from ringfence.model.service import Route, Service, ServicePort
    from ringfence.semantics.answer import Part
    from ringfence.semantics.dialects import Dialect
    from ringfence.semantics.engine import Engine
    from ringfence.semantics.summary import Meant


@dataclass(frozen=True, slots=True)
class Door:
    """One port that a Service opens to the outside, on nodes or at addresses of its own.

    Attributes:
        service: The Service: a node port, a load balancer, or one with external addresses.
        port: Its port that the door leads to.
        on_nodes: Whether the door is the port of nodes; else a load balancer or an external address.
        parts: Who gets in, and who perhaps; empty where policies let nobody in.
    """

    service: Service
    port: ServicePort
    on_nodes: bool
    parts: tuple[Part, ...]

    @property
    def number(self) -> int | None:
        """The port that is open; None for one of nodes that is not given yet."""
        return self.port.node_port if self.on_nodes else self.port.port


@dataclass(frozen=True, slots=True)
class WayIn:
    """An Ingress or a route of the Gateway API, whose proxy is the client of those behind it.

    Attributes:
        route: It.
        proxies: The pods of its proxy; empty where none are known.
        rows: What the proxy reaches of what the route leads to; empty where no proxy is known.
        servers: Who is behind the Services that it leads to.
    """

    route: Route
    proxies: tuple[Pod, ...]
    rows: tuple[Row, ...]
    servers: tuple[Pod, ...]


@dataclass(frozen=True, slots=True)
class Exposure:
    """How a cluster and its outside reach each other.

    Rows of pods that a policy isolates and of such as none does are apart, so that a row is
    there either because of rules, or because nothing isolates its pods.

    Attributes:
        inward: Addresses outside that may open connections to pods, if something leads them there.
        doors: What Services open to them, a port each.
        ways: What proxies lead to.
        outward: Pods that may open connections to addresses outside.
    """

    inward: tuple[Row, ...]
    doors: tuple[Door, ...]
    ways: tuple[WayIn, ...]
    outward: tuple[Row, ...]


def expose(engine: Engine, names: Names, dialect: Dialect) -> Exposure:
    """Return how a cluster and its outside reach each other.

    Args:
        engine: The engine of the snapshot, in the dialect.
        names: Finds names in the same snapshot.
        dialect: Who decides what the APIs leave open.
    """
    outside = names.find(CLIENT, "internet").meant
    inward = [lines_between(engine, outside, pods) for pods in _by_isolation(engine, names, Direction.INGRESS)]
    outward = [lines_between(engine, pods, outside) for pods in _by_isolation(engine, names, Direction.EGRESS)]
    return Exposure(
        inward=tuple(row for lines in inward for row in reasons(engine, lines)),
        doors=tuple(_doors(names, dialect)),
        ways=tuple(_ways_in(engine, names)),
        outward=tuple(row for lines in outward for row in reasons(engine, lines)),
    )


def _by_isolation(engine: Engine, names: Names, direction: Direction) -> Iterator[tuple[Meant, ...]]:
    """Yield the pods that nothing isolates, then those that a policy does."""
    for isolated in (False, True):
        pods = (pod for pod in names.directory.pods if engine.is_isolated(pod, direction) is isolated)
        yield in_families(names.snapshot, pods)


def _doors(names: Names, dialect: Dialect) -> Iterator[Door]:
    """Yield every port that a Service opens to the outside, with those who get in there."""
    respondent = Respondent(names.snapshot, dialect=dialect)
    for service in names.snapshot.services:
        for port in service.ports:
            for on_nodes in _kinds_of_door(service, port):
                number = port.node_port if on_nodes and port.node_port else port.port
                question = Question.of("internet", f"svc:{service}", number, port.protocol.value)
                parts = respondent.answer(question).parts
                passing = (part for part in parts if part.verdict.outcome is not Outcome.DENIED)
                through = tuple(part for part in passing if _goes_through(part, port, on_nodes=on_nodes))
                yield Door(service, port, on_nodes, through)


def _kinds_of_door(service: Service, port: ServicePort) -> Iterator[bool]:
    """Yield whether it is on nodes, for each kind of door that a port of a Service has to the outside."""
    if service.kind == "LoadBalancer" or service.external_addresses:
        yield False
    if service.kind == "NodePort" or (service.kind == "LoadBalancer" and port.node_port):
        yield True


def _goes_through(part: Part, port: ServicePort, *, on_nodes: bool) -> bool:
    """Tell whether a way begins at the port of a node, or does not."""
    return not part.hops or (part.hops[0].port == port.node_port) is on_nodes


def _ways_in(engine: Engine, names: Names) -> Iterator[WayIn]:
    """Yield every route that leads to somebody, with what its proxy reaches there."""
    surroundings = Surroundings(names.snapshot, names.directory)
    services = {(each.namespace, each.name): each for each in names.snapshot.services}
    for route in names.snapshot.routes:
        meant = [
            each
            for backend in route.backends
            if (service := services.get((backend.namespace, backend.service)))
            for each in names.behind(service, backend.port)
        ]
        if meant:
            proxies = surroundings.proxies(route)
            clients = in_families(names.snapshot, proxies)
            rows = reasons(engine, lines_between(engine, clients, meant)) if proxies else ()
            servers = {(pod.namespace, pod.name): pod for each in meant for pod in each.ends.pods}
            yield WayIn(route, proxies, rows, tuple(servers[key] for key in sorted(servers)))
