"""Fields and open points for programs.

The shape of every such document, of which ``schema/explanation.json`` is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import Meta

from ringfence.report.explanation import DECIDED_IN, field_members

if TYPE_CHECKING:
    from ringfence.report.api_field import ApiField
    from ringfence.report.explanation import Explanation
    from ringfence.semantics.point import OpenPoint


class Choice(msgspec.Struct):
    """What is known of one dialect."""

    dialect: str
    choice: str
    certainty: Annotated[str, Meta(description="documented, source, reported or inferred.")]
    where: str
    remark: Annotated[str, Meta(description="Empty when the choice says all.")]


class Point(msgspec.Struct):
    """What the APIs leave open."""

    topic: str
    about: str
    upstream: str
    choices: Annotated[list[str], Meta(description="The first is the default, also of dialects that are not known.")]
    dialects: list[Choice]


class Member(msgspec.Struct):
    """A field of a policy kind."""

    path: str
    type: str
    about: str
    absent: Annotated[str, Meta(description="What it means when absent, null or empty.")]
    refused: Annotated[str, Meta(description="Empty when nothing beyond its type is refused.")]
    traps: Annotated[str, Meta(description="Empty when there are none.")]
    fields: list[str]
    decided_in: Annotated[list[str], Meta(description="Modules of ringfence.")]
    open_points: list[str]


class ExplanationDocument(msgspec.Struct):
    """What a name stands for: a field with the points that bear on it, or a point with the fields that it bears on."""

    api_version: Literal["ringfence.io/v1alpha1"] = msgspec.field(name="apiVersion")
    kind: Literal["Explanation"]
    fields: list[Member]
    open_points: list[Point]


def render_explanation(found: Explanation) -> bytes:
    """Return a document, indented."""
    body = ExplanationDocument(
        "ringfence.io/v1alpha1",
        "Explanation",
        [_member(each) for each in found.fields],
        [_point(each) for each in found.points],
    )
    return msgspec.json.format(msgspec.json.encode(body), indent=2) + b"\n"


def _member(field: ApiField) -> Member:
    texts = (field.path, field.type, field.about, field.absent, field.refused, field.traps)
    return Member(*texts, [*field_members(field)], [*DECIDED_IN[field.kind]], [*field.topics])


def _point(point: OpenPoint) -> Point:
    known = [
        Choice(name, stance.choice, stance.certainty, stance.source, stance.remark)
        for name, stance in point.stances.items()
    ]
    return Point(point.topic, point.about, point.upstream, [*point.choices], known)
