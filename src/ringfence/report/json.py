"""Answers for programs: JSON, the same bytes for the same answer.

These classes are the shape of every answer, and ``schema/*.json`` are made of them. A key
that does not apply is absent; a list is never null.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ringfence.algebra.addresses import Family  # noqa: TC001 - msgspec reads annotations
from ringfence.algebra.traffic import Protocol  # noqa: TC001 - msgspec reads annotations
from ringfence.model.naming import Directory
from ringfence.model.policy import Direction, Tier  # noqa: TC001 - msgspec reads annotations
from ringfence.report.json_change import Change, as_change
from ringfence.report.json_parts import (
    API_VERSION,
    ApiVersion,
    Assumption,
    Clients,
    Fault,
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
    as_faults,
    as_remarks,
    as_traffic,
    of_input,
    origins_of,
    render_document,
)
from ringfence.semantics.answer import MIXED
from ringfence.semantics.summary import assumptions
from ringfence.semantics.ways import Happening  # noqa: TC001 - msgspec reads annotations

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ringfence.algebra.intervals import Intervals
    from ringfence.analysis import weighing
    from ringfence.errors import ManifestError, RingfenceError
    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics import answer as semantics
    from ringfence.semantics import unknown as unknowns
    from ringfence.semantics import verdict as verdicts
    from ringfence.semantics import ways
    from ringfence.semantics.question import Question
    from ringfence.semantics.summary import Line


class Undefined(msgspec.Struct):
    """A point that the API leaves open."""

    topic: str
    dialect: Annotated[str, Meta(description="Whose choice was taken.")]
    otherwise: Annotated[
        list[str], Meta(description="The dialects that choose otherwise; the point is open even if none does.")
    ]


class Unknown(msgspec.Struct):
    """Something that is not known, and on which undecided answers depend."""

    topic: Literal["domain-name", "node"]
    text: str


class Hop(msgspec.Struct):
    """One stop on the way to an endpoint of a Service."""

    at: Annotated[str, Meta(description="The address or name where the packet is.")]
    protocol: Protocol
    port: Annotated[int | UnsetType, Meta(description="The port there; absent when it is not known yet.")]
    happening: Annotated[Happening, Meta(description="What happens to the packet there.")]
    text: str
    judged: Annotated[
        Direction | UnsetType, Meta(description="Whose policies are judged there: those of the client, or the server.")
    ] = UNSET
    seen: Annotated[str | UnsetType, Meta(description="Whom these policies see at the other end.")] = UNSET


class Half(msgspec.Struct):
    """One direction: egress is judged at the client, ingress at the server."""

    verdict: VerdictWord
    tier: Annotated[
        Tier | None,
        Meta(description="The tier that decided; null when no policy did, or several tiers for several members."),
    ]
    reason: str
    origins: Annotated[list[Origin], Meta(description="Rules that matched, or policies that isolate.")]
    nearest: Annotated[
        list[Origin] | UnsetType, Meta(description="Rules that miss by their peers alone or by their ports alone.")
    ] = UNSET
    passed: Annotated[
        list[Origin] | UnsetType, Meta(description="Rules of tiers above that passed it on, or perhaps did.")
    ] = UNSET


class Answer(msgspec.Struct, kw_only=True):
    """The answer to one question: it has egress and ingress or, when it is divided, parts."""

    api_version: ApiVersion | UnsetType = msgspec.field(name="apiVersion", default=UNSET)
    kind: Literal["Verdict"] | UnsetType = UNSET
    client: Annotated[
        str, Meta(description="As asked, in full; in parts also names or CIDRs, joined by comma and space.")
    ]
    server: Annotated[
        str, Meta(description="As asked, in full; in parts also names or CIDRs, joined by comma and space.")
    ]
    port: Annotated[int | str | UnsetType, Meta(description="A number, a range such as 8000-8010, or a name.")] = UNSET
    protocol: Protocol | UnsetType = UNSET
    traffic: Annotated[
        list[Traffic] | UnsetType, Meta(description="What is meant, where port and protocol do not say it.")
    ] = UNSET
    family: Annotated[Family | UnsetType, Meta(description="Absent when it holds for several families.")] = UNSET
    verdict: VerdictWord
    egress: Half | UnsetType = UNSET
    ingress: Half | UnsetType = UNSET
    hops: Annotated[
        list[Hop] | UnsetType, Meta(description="The way to a Service, from the client on; absent for no Service.")
    ] = UNSET
    assumptions: list[Assumption]
    undefined: list[Undefined]
    remarks: Annotated[list[Remark] | UnsetType, Meta(description="Absent when there are none.")] = UNSET
    parts: Annotated[
        list[Answer] | UnsetType,
        Meta(
            description="Complete; only when the verdict is mixed, families differ, or several ways lead to a Service."
        ),
    ] = UNSET
    change: Annotated[
        Change | UnsetType,
        Meta(description="What would allow what is denied; of documents that deny something."),
    ] = UNSET
    cut: Annotated[
        Change | UnsetType, Meta(description="What would deny what is allowed; of documents that were asked for it.")
    ] = UNSET
    partial: Partial = UNSET
    errors: Annotated[
        list[Fault] | UnsetType,
        Meta(description="What was not read or is in error; of documents, and of the first answer of a batch."),
    ] = UNSET
    notes: Annotated[
        list[str] | UnsetType,
        Meta(description="What of the input was left out or passed over, or is not as it looks; of documents."),
    ] = UNSET


class Brief(msgspec.Struct):
    """What is answered, and nothing else."""

    verdict: VerdictWord
    partial: Partial = UNSET


class Refusal(msgspec.Struct):
    """A line of questions that cannot be answered."""

    line: Annotated[int, Meta(description="1-based number of the line.")]
    error: str
    hint: str | UnsetType = UNSET


class Connections(msgspec.Struct):
    """Every client with every server; a pod with itself is not meant."""

    clients: Clients
    servers: Servers
    traffic: list[Traffic]
    families: list[Family]
    verdict: Annotated[VerdictWord, Meta(description="allowed or undecided.")]
    own_node: OwnNode = UNSET


class Reachability(msgspec.Struct, kw_only=True):
    """Who reaches whom, on what. What is in no entry of connections is denied."""

    api_version: ApiVersion = msgspec.field(name="apiVersion")
    kind: Literal["Reachability"]
    connections: list[Connections]
    assumptions: list[Assumption]
    undefined: Annotated[
        list[Undefined],
        Meta(description="What the answers about some pairs rest on; of these pairs any may be in no entry."),
    ]
    unknown: Annotated[
        list[Unknown], Meta(description="What would have to be known to decide the answers about some pairs.")
    ]
    partial: Partial = UNSET
    errors: Faults = UNSET
    notes: Notes = UNSET


def render_answer(
    answer: semantics.Answer,
    errors: Iterable[ManifestError] = (),
    notes: Iterable[str] = (),
    *,
    change: weighing.Change | None = None,
    cut: weighing.Change | None = None,
) -> bytes:
    """Return a whole document, indented.

    Args:
        answer: The answer.
        errors: What of the input was not read or is in error.
        notes: What of it was left out or passed over, or is not as it looks.
        change: What would allow what it denies; None says nothing of it.
        cut: What would deny what it allows; likewise.
    """
    faults = as_faults(errors)
    body = _answer(answer, partial=bool(faults))
    body.api_version, body.kind, body.errors, body.notes = API_VERSION, "Verdict", faults, [*notes] or UNSET
    body.change = as_change(change, answer.directory) if change else UNSET
    body.cut = as_change(cut, answer.directory) if cut else UNSET
    return render_document(body)


def render_line(answer: semantics.Answer, *, partial: bool, errors: Iterable[ManifestError] = ()) -> bytes:
    """Return a JSON line.

    Args:
        answer: The answer.
        partial: Whether part of the input was not read or is in error.
        errors: Why, where this line is to say so.
    """
    body = _answer(answer, partial=partial)
    body.errors = as_faults(errors)
    return msgspec.json.encode(body) + b"\n"


def render_brief(verdict: str, *, partial: bool) -> bytes:
    """Return the JSON line of an answer without its reasons.

    Args:
        verdict: What is answered, or ``mixed``.
        partial: Whether part of the input was not read or is in error.
    """
    return msgspec.json.encode(Brief(VerdictWord(verdict), partial or UNSET)) + b"\n"


def render_refusal(line: int, error: RingfenceError) -> bytes:
    """Return the JSON line of a question that cannot be answered."""
    return msgspec.json.encode(Refusal(line, error.message, error.hint or UNSET)) + b"\n"


def render_reachability(
    lines: Iterable[Line],
    snapshot: Snapshot,
    errors: Iterable[ManifestError] = (),
    notes: Iterable[str] = (),
    undefined: Iterable[verdicts.Undefined] = (),
    unknown: Iterable[unknowns.Unknown] = (),
) -> bytes:
    """Return the whole map as a document, indented.

    Args:
        lines: The map.
        snapshot: What it is of.
        errors: What of the input was not read or is in error.
        notes: What of it was left out or passed over, or is not as it looks.
        undefined: The open points that it rests on.
        unknown: What is not known and would decide what is undecided.
    """
    directory = Directory(snapshot)
    found = [
        Connections(
            clients=as_ends(directory, line.clients),
            servers=as_ends(directory, line.servers),
            traffic=as_traffic(line.traffic),
            families=[*line.families],
            verdict=VerdictWord(line.outcome.value),
            own_node=line.own_node or UNSET,
        )
        for line in lines
    ]
    assumed = [as_assumption(each) for each in assumptions(snapshot)]
    return render_document(
        Reachability(
            api_version=API_VERSION,
            kind="Reachability",
            connections=found,
            assumptions=assumed,
            undefined=[as_undefined(each) for each in undefined],
            unknown=[as_unknown(each) for each in unknown],
            **of_input(errors, notes),
        )
    )


def _answer(answer: semantics.Answer, *, partial: bool) -> Answer:
    """Return an answer as a JSON line has it."""
    question, divided = answer.question, answer.divided
    port, protocol, traffic = as_spoken(answer.traffic, question)
    return Answer(
        client=question.client,
        server=question.server,
        port=port,
        protocol=protocol,
        traffic=traffic,
        family=_family(answer.families),
        verdict=VerdictWord(answer.verdict),
        egress=UNSET if divided else as_half(answer.egress),
        ingress=UNSET if divided else as_half(answer.ingress),
        hops=_hops(answer.hops),
        assumptions=[as_assumption(each) for each in answer.assumptions],
        undefined=[as_undefined(each) for each in answer.undefined],
        remarks=as_remarks(answer.remarks),
        parts=[_part(part, answer) for part in answer.parts] if divided else UNSET,
        partial=partial or UNSET,
    )


def _part(part: semantics.Part, whole: semantics.Answer) -> Answer:
    """Return a part; an end that is not all that was asked is written without ``except``, as the map has it."""
    asked, directory = whole.question, whole.directory
    port, protocol, traffic = as_spoken(part.traffic)
    return Answer(
        client=part.client if part.client == asked.client else ", ".join(as_ends(directory, part.clients)),
        server=part.server if part.server == asked.server else ", ".join(as_ends(directory, part.servers)),
        port=port,
        protocol=protocol,
        traffic=traffic,
        family=_family(part.families),
        verdict=VerdictWord(part.verdict.outcome.value),
        egress=as_half((part.verdict.egress,)),
        ingress=as_half((part.verdict.ingress,)),
        hops=_hops(part.hops),
        assumptions=[as_assumption(each) for each in part.verdict.assumptions],
        undefined=[as_undefined(each) for each in part.verdict.undefined],
        remarks=as_remarks(part.remarks),
    )


def as_spoken(
    traffic: Intervals, question: Question | None = None
) -> tuple[int | str | UnsetType, Protocol | UnsetType, list[Traffic] | UnsetType]:
    """Return traffic as port and protocol where they can say it, else as a list.

    Args:
        traffic: The traffic.
        question: Who asked for it: a port's name is said as it was asked, and beside it what it means.
    """
    first, *others = as_traffic(traffic)
    if question and isinstance(question.port, str):
        return question.port, question.protocol or UNSET, [first, *others]
    if others or (first.ports and len(first.ports) > 1):
        return UNSET, UNSET, [first, *others]
    if not first.ports:
        return UNSET, first.protocol, UNSET
    (port,) = first.ports
    return int(port) if port.isdecimal() else port, first.protocol, UNSET


def _family(families: tuple[Family, ...]) -> Family | UnsetType:
    return families[0] if len(families) == 1 else UNSET


def as_half(halves: tuple[verdicts.Half, ...]) -> Half:
    """Return one half of an answer; what several members say differently is joined."""
    outcomes = {half.outcome.value for half in halves}
    tiers = {half.tier for half in halves}
    nearest = origins_of(origin for half in halves for origin in half.nearest)
    passed = origins_of(origin for half in halves for origin in half.passed)
    return Half(
        verdict=VerdictWord(outcomes.pop() if len(outcomes) == 1 else MIXED),
        tier=tiers.pop() if len(tiers) == 1 else None,
        reason="; ".join(dict.fromkeys(half.reason for half in halves)),
        origins=origins_of(origin for half in halves for origin in half.origins),
        nearest=nearest or UNSET,
        passed=passed or UNSET,
    )


def _hops(hops: tuple[ways.Hop, ...]) -> list[Hop] | UnsetType:
    return [
        Hop(
            at=hop.at,
            protocol=hop.protocol,
            port=hop.port or UNSET,
            happening=hop.happening,
            text=hop.text,
            judged=hop.judged or UNSET,
            seen=hop.seen or UNSET,
        )
        for hop in hops
    ] or UNSET


def as_undefined(undefined: verdicts.Undefined) -> Undefined:
    """Return an open point."""
    return Undefined(undefined.topic, undefined.dialect, list(undefined.otherwise))


def as_unknown(unknown: unknowns.Unknown) -> Unknown:
    """Return something that is not known."""
    return Unknown(unknown.topic, unknown.words)
