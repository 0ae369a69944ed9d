"""Whom somebody reaches, for programs.

The shape of every such document, of which ``schema/reach.json`` is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ringfence.algebra.addresses import Family  # noqa: TC001 - msgspec reads annotations
from ringfence.model.naming import Directory
from ringfence.model.policy import Tier  # noqa: TC001 - msgspec reads annotations
from ringfence.report.json_parts import (
    API_VERSION,
    ApiVersion,
    Assumption,
    Clients,
    Faults,
    Notes,
    Origin,
    OwnNode,
    Partial,
    Remark,
    Servers,
    Traffic,
    VerdictWord,
    as_assumption,
    as_ends,
    as_remarks,
    as_traffic,
    of_input,
    origins_of,
    render_document,
)
from ringfence.semantics.summary import assumptions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ringfence.analysis.reach import Row
    from ringfence.analysis.whom import Whom
    from ringfence.errors import ManifestError
    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics.grounds import Grounds


class Deciding(msgspec.Struct):
    """What decides in one direction about some of the pairs or some of the traffic."""

    tiers: list[Tier]
    origins: Annotated[list[Origin], Meta(description="Rules that match, or policies that isolate.")]
    unjudged: Annotated[bool, Meta(description="Whether some of it is allowed because no policy decides.")]


class Reached(msgspec.Struct):
    """Every client with every server; a pod with itself is not meant."""

    clients: Clients
    servers: Servers
    traffic: list[Traffic]
    families: list[Family]
    verdict: Annotated[VerdictWord, Meta(description="allowed or undecided.")]
    egress: Deciding
    ingress: Deciding
    own_node: OwnNode = UNSET


class Reach(msgspec.Struct, kw_only=True):
    """Whom a client reaches, or who reaches a server. What is in no entry of connections is denied."""

    api_version: ApiVersion = msgspec.field(name="apiVersion")
    kind: Literal["Reach"]
    client: Annotated[str | UnsetType, Meta(description="Who was asked about, in full; absent for everyone.")] = UNSET
    server: Annotated[str | UnsetType, Meta(description="Likewise.")] = UNSET
    connections: list[Reached]
    assumptions: list[Assumption]
    remarks: Annotated[list[Remark] | UnsetType, Meta(description="Absent when there are none.")] = UNSET
    partial: Partial = UNSET
    errors: Faults = UNSET
    notes: Notes = UNSET


def render_reach(
    rows: tuple[Row, ...],
    snapshot: Snapshot,
    sides: tuple[Whom | None, Whom | None],
    errors: Iterable[ManifestError] = (),
    notes: Iterable[str] = (),
) -> bytes:
    """Return a document, indented.

    Args:
        rows: Who reaches whom, and why.
        snapshot: What that was found in.
        sides: Who was asked about as clients and as servers; None for everyone.
        errors: What of the input was not read or is in error.
        notes: What of it was left out or passed over, or is not as it looks.
    """
    clients, servers = sides
    directory = Directory(snapshot)
    return render_document(
        Reach(
            api_version=API_VERSION,
            kind="Reach",
            client=clients.name if clients else UNSET,
            server=servers.name if servers else UNSET,
            connections=[as_reached(directory, row) for row in rows],
            assumptions=[as_assumption(each) for each in assumptions(snapshot)],
            remarks=as_remarks(tuple(remark for whom in sides if whom for remark in whom.remarks)),
            **of_input(errors, notes),
        )
    )


def as_reached(directory: Directory, row: Row) -> Reached:
    """Return a row as a document has it."""
    line = row.line
    return Reached(
        clients=as_ends(directory, line.clients),
        servers=as_ends(directory, line.servers),
        traffic=as_traffic(line.traffic),
        families=[*line.families],
        verdict=VerdictWord(line.outcome.value),
        egress=as_deciding(row.egress),
        ingress=as_deciding(row.ingress),
        own_node=line.own_node or UNSET,
    )


def as_deciding(grounds: Grounds) -> Deciding:
    """Return what decides as a document has it."""
    tiers = dict.fromkeys(each.tier for each in grounds.deciding)
    return Deciding([*tiers], origins_of(each.origin for each in grounds.deciding), grounds.unjudged)
