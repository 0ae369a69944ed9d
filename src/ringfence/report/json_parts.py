"""What every document of JSON is made of: places, traffic, ends and errors, and how they are written.

A key that does not apply is absent; a list is never null.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Annotated, Literal, TypedDict

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ringfence.algebra.addresses import cidrs
from ringfence.algebra.traffic import PORTS, Protocol, by_protocol
from ringfence.semantics.answer import MIXED
from ringfence.semantics.verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ringfence.algebra.intervals import Intervals
    from ringfence.errors import ManifestError
    from ringfence.model import origin as places
    from ringfence.model.naming import Directory
    from ringfence.semantics import remark
    from ringfence.semantics import verdict as verdicts
    from ringfence.semantics.ends import Ends

ApiVersion = Literal["ringfence.io/v1alpha1"]
API_VERSION: ApiVersion = "ringfence.io/v1alpha1"
"""Of every whole document."""


class VerdictWord(Enum):
    """What is answered; mixed when the parts of an answer have different verdicts."""

    ALLOWED = Outcome.ALLOWED.value
    DENIED = Outcome.DENIED.value
    UNDECIDED = Outcome.UNDECIDED.value
    MIXED = MIXED


class Origin(msgspec.Struct):
    """A place in a manifest, or in an object of a live cluster."""

    source: Annotated[
        str,
        Meta(
            description="The path as given; - is standard input, cluster:CONTEXT a live cluster or a snapshot of one."
        ),
    ]
    line: Annotated[int, Meta(description="1-based; 0 when there is none.")]
    column: Annotated[int, Meta(description="1-based; 0 when there is none.")]
    pointer: Annotated[str, Meta(description="JSON pointer within the object; empty for the object itself.")]
    object: Annotated[str, Meta(description="Kind/namespace/name, or Kind/name without a namespace.")]
    rule: Annotated[int | None, Meta(description="0-based index of the rule within its direction.")]
    rule_name: Annotated[str | None, Meta(description="The rule's own name, where the API has one.")]
    template: Annotated[
        str | UnsetType, Meta(description="The file of a chart that it was rendered from, as helm template names it.")
    ] = UNSET
    resource_version: Annotated[str | UnsetType, Meta(description="Of an object of a live cluster.")] = UNSET
    field_manager: Annotated[
        str | UnsetType,
        Meta(description="Who last wrote the spec of an object of a live cluster, where that is known."),
    ] = UNSET


class Assumption(msgspec.Struct):
    """Something taken for granted, without which the answer would differ."""

    topic: str
    text: str
    origins: list[Origin]


class Remark(msgspec.Struct):
    """Something worth knowing beside the verdict."""

    topic: str
    text: str
    origins: list[Origin]


class Traffic(msgspec.Struct):
    """Ports of one protocol."""

    protocol: Annotated[Protocol, Meta(description="ICMP stands for every protocol without ports.")]
    ports: Annotated[
        list[str] | UnsetType, Meta(description="Numbers and ranges such as 8000-8010; absent for all ports.")
    ] = UNSET


class Fault(msgspec.Struct):
    """Something in the input that was not read or is in error."""

    source: Annotated[str, Meta(description="The path as given; - is standard input.")]
    line: Annotated[int, Meta(description="1-based; 0 when there is none.")]
    column: Annotated[int, Meta(description="1-based; 0 when there is none.")]
    pointer: Annotated[str, Meta(description="JSON pointer within the object; empty for the object itself.")]
    object: Annotated[str, Meta(description="Kind/namespace/name, or Kind/name without a namespace; may be empty.")]
    message: Annotated[str, Meta(description="What an API server says of the field, where it refuses it.")]
    field: Annotated[str | UnsetType, Meta(description="What an API server names when it refuses this.")] = UNSET
    reason: Annotated[
        str | UnsetType,
        Meta(description="Its reason, such as FieldValueInvalid; absent when it cannot even decode the field."),
    ] = UNSET
    hint: str | UnsetType = UNSET
    template: Annotated[
        str | UnsetType, Meta(description="The file of a chart that it was rendered from, as helm template names it.")
    ] = UNSET


Partial = Annotated[Literal[True] | UnsetType, Meta(description="Part of the input was not read or is in error.")]
Faults = Annotated[list[Fault] | UnsetType, Meta(description="What was not read or is in error.")]
Notes = Annotated[
    list[str] | UnsetType, Meta(description="What of the input was left out or passed over, or is not as it looks.")
]
"""What every whole document says of its input; absent where there is nothing to say."""

Clients = Annotated[list[str], Meta(description="Workloads, pods or CIDRs; CIDRs stand for those who are no pods.")]
Servers = Annotated[list[str], Meta(description="Likewise.")]
OwnNode = Annotated[
    Literal[True] | UnsetType,
    Meta(description="Only where one end is on the network of the node that the other is on; goes before others."),
]
"""The sides of a row of a map, and of which of its pairs it speaks."""


class OfInput(TypedDict):
    """The members of a whole document that tell of its input."""

    partial: Literal[True] | UnsetType
    errors: list[Fault] | UnsetType
    notes: list[str] | UnsetType


def of_input(errors: Iterable[ManifestError], notes: Iterable[str]) -> OfInput:
    """Return what a whole document says of its input.

    Args:
        errors: What of the input was not read or is in error.
        notes: What of it was left out or passed over, or is not as it looks.
    """
    faults = as_faults(errors)
    return OfInput(partial=True if faults else UNSET, errors=faults, notes=[*notes] or UNSET)


def as_faults(errors: Iterable[ManifestError]) -> list[Fault] | UnsetType:
    """Return errors as a document has them; a document without any has no list."""
    found = [
        Fault(
            *(each.origin.source, each.origin.line, each.origin.column, each.origin.pointer, each.origin.object),
            message=each.message.removeprefix(f"{each.field}: ") if each.field else each.message,
            field=each.field or UNSET,
            reason=each.reason or UNSET,
            hint=each.hint or UNSET,
            template=each.origin.template or UNSET,
        )
        for each in errors
    ]
    return found or UNSET


def as_traffic(traffic: Intervals) -> list[Traffic]:
    """Return traffic, protocol by protocol."""
    return [Traffic(protocol, _ports(protocol, ranges)) for protocol, ranges in by_protocol(traffic).items()]


def _ports(protocol: Protocol, ranges: tuple[tuple[int, int], ...]) -> list[str] | UnsetType:
    """Write ranges as PORT is asked; port 0, which nobody can ask about, only when alone."""
    if protocol is Protocol.ICMP or ranges == ((0, PORTS - 1),):
        return UNSET
    shown = [(first or min(1, last), last) for first, last in ranges]
    return [str(first) if first == last else f"{first}-{last}" for first, last in shown]


def origins_of(origins: Iterable[places.Origin]) -> list[Origin]:
    """Return places, each once."""
    return [
        Origin(
            source=o.source,
            line=o.line,
            column=o.column,
            pointer=o.pointer,
            object=o.object,
            rule=o.rule,
            rule_name=o.rule_name,
            resource_version=o.resource_version or UNSET,
            template=o.template or UNSET,
            field_manager=o.field_manager or UNSET,
        )
        for o in dict.fromkeys(origins)
    ]


def as_remarks(remarks: tuple[remark.Remark, ...]) -> list[Remark] | UnsetType:
    """Return remarks; a document without any has no list."""
    return [Remark(each.topic, each.text, origins_of(each.origins)) for each in remarks] or UNSET


def as_assumption(assumption: verdicts.Assumption) -> Assumption:
    """Return an assumption."""
    return Assumption(assumption.topic, assumption.text, origins_of(assumption.origins))


def as_ends(directory: Directory, ends: Ends) -> list[str]:
    """Return one side: names of pods, then CIDRs of those who are none."""
    return [*directory.names_of(ends.pods), *cidrs(directory.filled(ends.addresses))]


def schema(*shapes: type[msgspec.Struct]) -> bytes:
    """Return the JSON Schema of a document that is any of these."""
    found, shared = msgspec.json.schema_components(shapes, ref_template="#/$defs/{name}")
    draft = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return render_document(draft | {"anyOf": [*found], "$defs": shared})


def render_document(body: object) -> bytes:
    """Return a whole document, indented."""
    return msgspec.json.format(msgspec.json.encode(body), indent=2) + b"\n"
