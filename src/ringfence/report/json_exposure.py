"""What is reachable from outside, and what outside is reachable, for programs.

The shape of every such document, of which ``schema/exposure.json`` is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import UNSET, Meta

from ringfence.report.exposure import name_port
from ringfence.report.json_parts import (
    API_VERSION,
    ApiVersion,
    Assumption,
    Faults,
    Notes,
    Origin,
    Partial,
    VerdictWord,
    as_assumption,
    as_ends,
    of_input,
    origins_of,
    render_document,
)
from ringfence.report.json_reach import Reached, as_reached
from ringfence.semantics.ends import Ends
from ringfence.semantics.summary import assumptions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ringfence.analysis import exposure as analysis
    from ringfence.errors import ManifestError
    from ringfence.model.naming import Directory
    from ringfence.semantics.answer import Part


class Entrant(msgspec.Struct):
    """Who gets in through a door."""

    clients: list[str]
    servers: list[str]
    verdict: Annotated[VerdictWord, Meta(description="allowed or undecided.")]
    reason: Annotated[str, Meta(description="What the servers' policies say.")]
    origins: list[Origin]


class Door(msgspec.Struct):
    """A port of a Service that is open to the outside."""

    service: str
    kind: Annotated[str, Meta(description="NodePort, LoadBalancer, or another with external addresses.")]
    port: Annotated[str, Meta(description="What is open: TCP 30080, or TCP, port not given.")]
    service_port: Annotated[int, Meta(description="The port of the Service that it leads to.")]
    on_nodes: Annotated[bool, Meta(description="Whether it is open on nodes, and not at addresses of the Service.")]
    entrants: Annotated[list[Entrant], Meta(description="Empty where policies let nobody in.")]
    origin: Origin


class WayIn(msgspec.Struct):
    """An Ingress or a route of the Gateway API: its proxy is the client of those behind it."""

    route: str
    hosts: list[str]
    proxies: Annotated[list[str], Meta(description="Empty where no pod of the proxy is known.")]
    servers: list[str]
    connections: Annotated[list[Reached], Meta(description="What the proxy reaches of the servers.")]
    origin: Origin


class ExposureDocument(msgspec.Struct, kw_only=True):
    """How a cluster and its outside reach each other. What is in no entry is denied."""

    api_version: ApiVersion = msgspec.field(name="apiVersion")
    kind: Literal["Exposure"]
    inward: Annotated[
        list[Reached],
        Meta(description="Addresses outside to pods; with ingress unjudged and no origins nothing isolates the pods."),
    ]
    doors: list[Door]
    ways_in: list[WayIn]
    outward: Annotated[list[Reached], Meta(description="Pods to addresses outside; likewise of egress.")]
    assumptions: list[Assumption]
    partial: Partial = UNSET
    errors: Faults = UNSET
    notes: Notes = UNSET


def render_exposure(
    found: analysis.Exposure, directory: Directory, errors: Iterable[ManifestError] = (), notes: Iterable[str] = ()
) -> bytes:
    """Return a document, indented.

    Args:
        found: What is reachable.
        directory: Names the pods of the snapshot.
        errors: What of the input was not read or is in error.
        notes: What of it was left out or passed over, or is not as it looks.
    """
    return render_document(
        ExposureDocument(
            api_version=API_VERSION,
            kind="Exposure",
            inward=[as_reached(directory, row) for row in found.inward],
            doors=[_door(directory, each) for each in found.doors],
            ways_in=[_way_in(directory, each) for each in found.ways],
            outward=[as_reached(directory, row) for row in found.outward],
            assumptions=[as_assumption(each) for each in assumptions(directory.snapshot)],
            **of_input(errors, notes),
        )
    )


def _door(directory: Directory, door: analysis.Door) -> Door:
    (origin,) = origins_of([door.service.origin])
    entrants: list[Entrant] = []
    for each in (_entrant(directory, part) for part in door.parts):
        if each not in entrants:  # ways by several nodes are one entry where they end alike
            entrants.append(each)
    return Door(
        service=str(door.service),
        kind=door.service.kind,
        port=name_port(door),
        service_port=door.port.port,
        on_nodes=door.on_nodes,
        entrants=entrants,
        origin=origin,
    )


def _entrant(directory: Directory, part: Part) -> Entrant:
    half = part.verdict.ingress
    verdict = VerdictWord(part.verdict.outcome.value)
    clients, servers = as_ends(directory, part.clients), as_ends(directory, part.servers)
    return Entrant(clients, servers, verdict, half.reason, origins_of(half.places))


def _way_in(directory: Directory, way: analysis.WayIn) -> WayIn:
    (origin,) = origins_of([way.route.origin])
    proxies, servers = (as_ends(directory, Ends(pods)) for pods in (way.proxies, way.servers))
    rows = [as_reached(directory, row) for row in way.rows]
    return WayIn(str(way.route), [*way.route.hosts], proxies, servers, rows, origin)
