"""What a lab says to programs: the shapes of its JSON, of which ``report/schema/lab.json`` is made.

As in :mod:`ringfence.report.json`, a key that does not apply is absent, and a list is never null.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ringfence.algebra.addresses import Family  # noqa: TC001 - msgspec reads annotations
from ringfence.algebra.traffic import Protocol  # noqa: TC001 - msgspec reads annotations
from ringfence.edges.probe import Fate  # noqa: TC001 - msgspec reads annotations
from ringfence.lab.ends import render_end
from ringfence.model.policy import Direction  # noqa: TC001 - msgspec reads annotations
from ringfence.report.json import Half  # noqa: TC001 - msgspec reads annotations
from ringfence.report.json_flows import InAudit  # noqa: TC001 - msgspec reads annotations
from ringfence.report.json_parts import ApiVersion, Origin, Partial, VerdictWord, schema

if TYPE_CHECKING:
    from ringfence.lab.judge import Comparison
    from ringfence.model.connection import Connection


class LabNode(msgspec.Struct, kw_only=True):
    """A node of a lab."""

    name: str
    addresses: list[str]
    pods: Annotated[list[str], Meta(description="The pods on it, by namespace/name.")]


class Lab(msgspec.Struct, kw_only=True):
    """What a lab consists of."""

    api_version: ApiVersion = msgspec.field(name="apiVersion")
    kind: Literal["Lab"]
    name: str
    nodes: list[LabNode]
    pods: Annotated[dict[str, list[str]], Meta(description="The addresses of every pod, by namespace/name.")]
    services: Annotated[dict[str, list[str]], Meta(description="Likewise of every Service that has one.")]
    outside: Annotated[list[str], Meta(description="The addresses of those who are no pod, node or Service.")]
    partial: Partial = UNSET


class LabConnection(msgspec.Struct, kw_only=True):
    """One connection."""

    client: Annotated[str, Meta(description="namespace/name of a pod, or an address.")]
    server: Annotated[str, Meta(description="Likewise; behind a Service the pod that the kernel chose.")]
    port: Annotated[int, Meta(description="As policies see it; 0 for a protocol without ports.")]
    protocol: Protocol
    family: Family


class Tried(LabConnection, kw_only=True):
    """A connection that was tried, and three answers to it."""

    through: Annotated[str, Meta(description="The Service that it was sent to; empty for none.")]
    engine: Annotated[bool, Meta(description="Whether the engine allows it.")]
    undecided: Annotated[bool, Meta(description="Whether the engine leaves it undecided; it must be dropped then.")]
    program: Annotated[bool, Meta(description="Whether the compiled programs let it through in the simulation.")]
    kernel: Annotated[Fate, Meta(description="What became of a real packet.")]


class Difference(Tried, kw_only=True):
    """A connection on which the three do not agree."""

    text: str
    packet: str


class FamilyTally(msgspec.Struct, kw_only=True):
    """The connections of one family: how many were tried, and how many each allows."""

    family: Family
    tried: int
    engine: int
    undecided: Annotated[int, Meta(description="How many the engine leaves undecided.")]
    program: int
    kernel: int
    denied: Annotated[int, Meta(description="How many the kernel was seen to drop.")]
    differences: int


class NodeRules(msgspec.Struct, kw_only=True):
    """What a node's kernel holds, compared with the engine for every packet of its pods."""

    node: str
    pods: Annotated[int, Meta(description="How many were compared, those of both families twice.")]
    wrong: Annotated[list[str], Meta(description="What differs, and what is not ours, in words.")]


class DeniedFlow(LabConnection, kw_only=True):
    """A flow that passes its node's rules unjudged although policies deny it."""

    flow: Annotated[str, Meta(description="Its addresses and ports, in words.")]
    egress: Annotated[Half | UnsetType, Meta(description="What is not allowed of what its node enforces.")] = UNSET
    ingress: Annotated[Half | UnsetType, Meta(description="Likewise.")] = UNSET


class NodeFlows(msgspec.Struct, kw_only=True):
    """What a node tracks, and what of it was judged again."""

    node: str
    read: Annotated[int, Meta(description="All that the kernel tracks there.")]
    judged: Annotated[int, Meta(description="How many pass unjudged and are of a pod of the node.")]
    others: Annotated[int, Meta(description="How many pass unjudged and are of nobody's on the node.")]
    anew: Annotated[int, Meta(description="How many are of another epoch, or of none: judged at their next packet.")]
    denied: list[DeniedFlow]


class LabVerification(msgspec.Struct, kw_only=True):
    """Engine, simulated programs and kernel, compared."""

    api_version: ApiVersion = msgspec.field(name="apiVersion")
    kind: Literal["LabVerification"]
    tried: int
    total: Annotated[int, Meta(description="How many there would have been with every pair.")]
    through_services: int
    undecided: Annotated[int, Meta(description="How many the engine leaves undecided.")]
    missed: Annotated[int, Meta(description="How many log entries the kernel threw away meanwhile.")]
    families: list[FamilyTally]
    differences: list[Difference]
    nodes: list[NodeRules]
    flows: Annotated[list[NodeFlows] | UnsetType, Meta(description="Absent where nobody asked for them.")] = UNSET
    partial: Partial = UNSET


class Probed(Tried, kw_only=True):
    """A connection that was tried by hand."""

    agrees: Annotated[bool, Meta(description="Whether the three agree.")]
    node: Annotated[str, Meta(description="The node that dropped it; empty for none.")]


class LabProbe(msgspec.Struct, kw_only=True):
    """Connections tried by hand."""

    api_version: ApiVersion = msgspec.field(name="apiVersion")
    kind: Literal["LabProbe"]
    connections: list[Probed]
    partial: Partial = UNSET


class PlayedStep(msgspec.Struct, kw_only=True):
    """A step of a play, and what came of it."""

    source: Annotated[str, Meta(description="The file of the play, as given.")]
    line: Annotated[int, Meta(description="1-based.")]
    step: Annotated[str, Meta(description="What was to be done, in a few words.")]
    said: Annotated[str, Meta(description="What happened.")]
    good: Annotated[bool, Meta(description="Whether it went as policies and the step have it.")]


class FloodTally(msgspec.Struct, kw_only=True):
    """The packets of a flood."""

    name: str
    sent: int
    arrived: int
    leaked: Annotated[int, Meta(description="How many arrived though policies denied them.")]
    lost: Annotated[int, Meta(description="How many did not though policies allowed them.")]


class LabPlay(msgspec.Struct, kw_only=True):
    """A script of steps, carried out."""

    api_version: ApiVersion = msgspec.field(name="apiVersion")
    kind: Literal["LabPlay"]
    steps: list[PlayedStep]
    floods: list[FloodTally]
    partial: Partial = UNSET


class DropEntry(msgspec.Struct, kw_only=True):
    """A line of ``lab drops``: a packet that was dropped, or how many are not told."""

    time: Annotated[str, Meta(description="When it was read, such as 2026-01-31T12:00:00+0100.")]
    node: Annotated[str | UnsetType, Meta(description="The node that dropped it; absent beside unread.")] = UNSET
    missed: Annotated[
        int | UnsetType, Meta(description="So many log entries were thrown away by the kernel before they were read.")
    ] = UNSET
    unread: Annotated[
        int | UnsetType, Meta(description="So many lines are left out here, because this one's reader was too slow.")
    ] = UNSET
    client: Annotated[str | UnsetType, Meta(description="Absent, as all that follows, where nothing is known.")] = UNSET
    server: str | UnsetType = UNSET
    port: Annotated[int | UnsetType, Meta(description="0 for a protocol without ports.")] = UNSET
    protocol: Annotated[str | UnsetType, Meta(description="Its name, or protocol and its number.")] = UNSET
    family: Family | UnsetType = UNSET
    pod: Annotated[str | UnsetType, Meta(description="The pod whose policies judged it.")] = UNSET
    direction: Direction | UnsetType = UNSET
    verdict: Annotated[VerdictWord | UnsetType, Meta(description="What the definition says.")] = UNSET
    mismatch: Annotated[
        Literal[True] | UnsetType, Meta(description="It was dropped although it is allowed: an alarm.")
    ] = UNSET
    reason: str | UnsetType = UNSET
    origins: list[Origin] | UnsetType = UNSET
    nearest: list[Origin] | UnsetType = UNSET
    passed: list[Origin] | UnsetType = UNSET
    audit: Annotated[
        InAudit | UnsetType, Meta(description="What the policies in audit would change; absent where that is nothing.")
    ] = UNSET


def named(connection: Connection) -> dict[str, Any]:
    """Return what names a connection, by the names of :class:`LabConnection`."""
    return {
        "client": render_end(connection.client),
        "server": render_end(connection.server),
        "port": connection.port,
        "protocol": connection.protocol,
        "family": connection.family,
    }


def answers(comparison: Comparison) -> dict[str, Any]:
    """Return a connection and what was answered to it, by the names of :class:`Tried`."""
    return named(comparison.connection) | {
        "through": comparison.through,
        "engine": comparison.engine,
        "undecided": comparison.undecided,
        "program": comparison.program,
        "kernel": comparison.result.fate,
    }


def plain(document: msgspec.Struct) -> dict[str, Any]:
    """Return a document as JSON has it."""
    made: dict[str, Any] = msgspec.to_builtins(document)
    return made


def lab_schema() -> bytes:
    """Return the JSON Schema of whatever a lab says."""
    return schema(Lab, LabVerification, LabProbe, LabPlay, DropEntry)
