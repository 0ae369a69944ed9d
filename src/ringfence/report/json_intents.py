"""How intents stand, for programs.

The shape of every such document, of which ``schema/intents.json`` is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ringfence.algebra.addresses import Family  # noqa: TC001 - msgspec reads annotations
from ringfence.algebra.traffic import Protocol
from ringfence.analysis.intents import Aim  # noqa: TC001 - msgspec reads annotations
from ringfence.analysis.proving import Standing  # noqa: TC001 - msgspec reads annotations
from ringfence.report.intents import name_end
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
    of_input,
    origins_of,
    render_document,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ringfence.analysis import proving
    from ringfence.errors import ManifestError
    from ringfence.semantics.verdict import Half


class Side(msgspec.Struct):
    """What the policies of one end say."""

    verdict: VerdictWord
    reason: str
    origins: Annotated[list[Origin], Meta(description="Rules that matched, or policies that isolate.")]


class Counterexample(msgspec.Struct, kw_only=True):
    """A connection that is not as the intent says, or may not be."""

    client: str
    server: str
    protocol: Protocol
    port: Annotated[int | UnsetType, Meta(description="Absent for ICMP.")] = UNSET
    family: Family
    verdict: VerdictWord
    egress: Side
    ingress: Side
    assumptions: list[Assumption]


class Finding(msgspec.Struct, kw_only=True):
    """How one intent stands."""

    aim: Aim
    text: Annotated[str, Meta(description="What the intent says.")]
    name: Annotated[str | UnsetType, Meta(description="What its author calls it.")] = UNSET
    standing: Standing
    origin: Origin
    counterexample: Annotated[Counterexample | UnsetType, Meta(description="Absent where it is held.")] = UNSET
    grounds: Annotated[
        list[Origin] | UnsetType,
        Meta(description="Of isolated groups that are: the policies and rules that keep them apart."),
    ] = UNSET


class IntentsDocument(msgspec.Struct, kw_only=True):
    """How the intents of a file stand, in its order."""

    api_version: ApiVersion = msgspec.field(name="apiVersion")
    kind: Literal["Findings"]
    findings: list[Finding]
    partial: Partial = UNSET
    errors: Faults = UNSET
    notes: Notes = UNSET


def render_findings(
    findings: tuple[proving.Finding, ...], errors: Iterable[ManifestError] = (), notes: Iterable[str] = ()
) -> bytes:
    """Return a document, indented.

    Args:
        findings: In the order of their file.
        errors: What of the input was not read or is in error.
        notes: What of it was left out or passed over, or is not as it looks.
    """
    return render_document(
        IntentsDocument(
            api_version=API_VERSION,
            kind="Findings",
            findings=[_finding(each) for each in findings],
            **of_input(errors, notes),
        )
    )


def _finding(found: proving.Finding) -> Finding:
    intent = found.intent
    (origin,) = origins_of([intent.origin])
    return Finding(
        aim=intent.aim,
        text=str(intent),
        name=intent.name or UNSET,
        standing=found.standing,
        origin=origin,
        counterexample=_counterexample(found.counterexample) if found.counterexample else UNSET,
        grounds=origins_of(each.origin for each in found.grounds) if found.grounds else UNSET,
    )


def _counterexample(example: proving.Counterexample) -> Counterexample:
    asked, judged = example.connection, example.verdict
    return Counterexample(
        client=name_end(asked.client),
        server=name_end(asked.server),
        protocol=asked.protocol,
        port=UNSET if asked.protocol is Protocol.ICMP else asked.port,
        family=asked.family,
        verdict=VerdictWord(judged.outcome.value),
        egress=_side(judged.egress),
        ingress=_side(judged.ingress),
        assumptions=[as_assumption(each) for each in judged.assumptions],
    )


def _side(half: Half) -> Side:
    return Side(VerdictWord(half.outcome.value), half.reason, origins_of(half.places))
