"""Flows for programs: one line of JSON for each that was opened, has ended or was denied.

A line holds all that policies can tell of both ends, so that other policies can be asked
about it later and without the cluster. A key that does not apply is absent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ringfence.algebra.addresses import Family, render_address
from ringfence.model.cluster import Pod
from ringfence.model.policy import Direction
from ringfence.report.json import Half, as_half
from ringfence.report.json_parts import API_VERSION, ApiVersion, VerdictWord
from ringfence.semantics.verdict import combine

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ringfence.algebra.addresses import Address
    from ringfence.algebra.traffic import Protocol
    from ringfence.model.connection import End
    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics import verdict as verdicts


class FlowEnd(msgspec.Struct, kw_only=True):
    """Who was at one end, as policies saw it at that moment."""

    address: str
    port: Annotated[int | UnsetType, Meta(description="Absent for a protocol without ports.")] = UNSET
    pod: Annotated[str | UnsetType, Meta(description="namespace/name; absent for an address that is no pod's.")] = UNSET
    labels: Annotated[dict[str, str] | UnsetType, Meta(description="Of the pod.")] = UNSET
    namespace_labels: Annotated[dict[str, str] | UnsetType, Meta(description="Of its namespace.")] = UNSET
    workload: Annotated[str | UnsetType, Meta(description="Kind/name of what made the pod, where it is known.")] = UNSET
    node: Annotated[
        str | UnsetType, Meta(description="The node that the pod is on, or whose address it is; absent for neither.")
    ] = UNSET
    port_names: Annotated[
        list[str] | UnsetType, Meta(description="What a server's containers call this port; absent for nothing.")
    ] = UNSET


class Amount(msgspec.Struct, kw_only=True):
    """What went one way."""

    packets: int
    bytes: Annotated[int, Meta(description="Headers of IP included.")]


class Dialed(msgspec.Struct, kw_only=True):
    """Where the client sent to, where that is not the server's own address."""

    address: str
    port: int | UnsetType = UNSET
    service: Annotated[str | UnsetType, Meta(description="namespace/name, where it is known.")] = UNSET


class InAudit(msgspec.Struct, kw_only=True):
    """What would be with the policies in audit, which are judged and not enforced."""

    verdict: Annotated[
        VerdictWord, Meta(description="What all policies say of what this node enforces, those in audit among them.")
    ]
    egress: Annotated[Half | UnsetType, Meta(description="Absent where they would not change it.")] = UNSET
    ingress: Annotated[Half | UnsetType, Meta(description="Likewise.")] = UNSET


class FlowLine(msgspec.Struct, kw_only=True):
    """One flow as one node had it: when it was opened, when it ended, or a packet of it that was dropped."""

    api_version: ApiVersion = msgspec.field(name="apiVersion", default=API_VERSION)
    kind: Literal["Flow"] = "Flow"
    time: Annotated[str, Meta(description="When it was read, such as 2026-01-31T12:00:00+0100.")]
    node: str
    event: Annotated[
        Literal["opened", "ended", "denied"], Meta(description="What the node did: denied is one dropped packet.")
    ]
    verdict: Annotated[VerdictWord, Meta(description="What the policies say of what this node enforces.")]
    revision: Annotated[
        int | UnsetType,
        Meta(description="Which policies: 1 for those of the beginning, one more for each change."),
    ] = UNSET
    mismatch: Annotated[
        Literal[True] | UnsetType, Meta(description="The node did otherwise than the policies say: an alarm.")
    ] = UNSET
    client: FlowEnd
    server: FlowEnd
    protocol: Annotated[str, Meta(description="Its name, or protocol and its number.")]
    family: Family
    dialed: Dialed | UnsetType = UNSET
    egress: Annotated[Half | UnsetType, Meta(description="Absent where another node, or nobody, enforces it.")] = UNSET
    ingress: Annotated[Half | UnsetType, Meta(description="Likewise.")] = UNSET
    audit: Annotated[
        InAudit | UnsetType,
        Meta(description="What the policies in audit would change; never where it has ended."),
    ] = UNSET
    id: Annotated[int | UnsetType, Meta(description="The same when it is opened and when it ends.")] = UNSET
    sent: Annotated[Amount | UnsetType, Meta(description="By the client; once it ended, where the kernel counts.")] = (
        UNSET
    )
    returned: Annotated[Amount | UnsetType, Meta(description="By the server; likewise.")] = UNSET
    start: Annotated[str | UnsetType, Meta(description="UTC; once it ended, where the kernel takes times.")] = UNSET
    end: Annotated[str | UnsetType, Meta(description="Likewise.")] = UNSET
    tcp_state: Annotated[str | UnsetType, Meta(description="What conntrack made of it, such as established.")] = UNSET


class FlowsMissed(msgspec.Struct, kw_only=True):
    """Flows that no line tells of."""

    api_version: ApiVersion = msgspec.field(name="apiVersion", default=API_VERSION)
    kind: Literal["FlowsMissed"] = "FlowsMissed"
    time: str
    node: Annotated[str | UnsetType, Meta(description="Absent where lines were left out for a slow reader.")] = UNSET
    missed: Annotated[int, Meta(description="How many lines there would be.")]


def as_flow_end(snapshot: Snapshot, end: End, address: Address, port: int | None) -> FlowEnd:
    """Return an end; a host-network pod cannot be told from its node on the wire.

    Args:
        snapshot: Knows namespaces and nodes.
        end: The end.
        address: Its address.
        port: Its port; None where there is none.
    """
    found = FlowEnd(address=render_address(address), port=UNSET if port is None else port)
    if isinstance(end, Pod):
        found.pod, found.labels, found.node = str(end), dict(end.labels), end.node or UNSET
        found.namespace_labels = dict(snapshot.namespace_labels(end.namespace))
        found.workload = end.workload or UNSET
    else:
        found.node = snapshot.node_at(end) or UNSET
    return found


def port_names(server: End, protocol: Protocol, port: int) -> list[str] | UnsetType:
    """Return what the containers of a server call a port."""
    ports = server.ports if isinstance(server, Pod) else ()
    return [each.name for each in ports if each.name and (each.protocol, each.number) == (protocol, port)] or UNSET


def as_audit(turned: Sequence[verdicts.Half]) -> InAudit | UnsetType:
    """Return what policies in audit would change, from the halves that they would turn, egress first."""
    if not turned:
        return UNSET
    verdict = combine(turned[0].outcome, turned[-1].outcome)
    return InAudit(verdict=VerdictWord(verdict.value), **as_halves(turned))


def as_halves(halves: Iterable[verdicts.Half]) -> dict[str, Any]:
    """Return the halves of a flow by the names that they have in a line."""
    names = {Direction.EGRESS: "egress", Direction.INGRESS: "ingress"}
    return {names[half.direction]: as_half((half,)) for half in halves}
