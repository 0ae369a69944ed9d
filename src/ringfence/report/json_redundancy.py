"""What could be left out, for programs.

The shape of the document, of which ``schema/redundancy.json`` is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ringfence.model.policy import Direction  # noqa: TC001 - msgspec reads annotations
from ringfence.report.json_parts import (
    API_VERSION,
    ApiVersion,
    Faults,
    Notes,
    Origin,
    Partial,
    of_input,
    origins_of,
    render_document,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ringfence.analysis.redundancy import Idle
    from ringfence.errors import ManifestError


class Omissible(msgspec.Struct):
    """A policy, or a rule of one, without which nothing would be answered otherwise."""

    policy: Annotated[str, Meta(description="Kind and name.")]
    direction: Annotated[Direction | UnsetType, Meta(description="Of the rule; absent for a whole policy.")]
    lack: Annotated[
        Literal["subject", "peer", "row", "pair"],
        Meta(
            description="It selects no pod, matches nobody, changes nothing for the pods it selects, or no connection."
        ),
    ]
    origin: Origin
    instead: Annotated[list[Origin], Meta(description="What decides beside it about whom it means.")]


class Redundancy(msgspec.Struct, kw_only=True):
    """What could be left out, each alone."""

    api_version: ApiVersion = msgspec.field(name="apiVersion")
    kind: Literal["Redundancy"]
    omissible: list[Omissible]
    partial: Partial = UNSET
    errors: Faults = UNSET
    notes: Notes = UNSET


def render_redundancy(found: Sequence[Idle], errors: Iterable[ManifestError] = (), notes: Iterable[str] = ()) -> bytes:
    """Return a document, indented.

    Args:
        found: What could be left out.
        errors: What of the input was not read or is in error.
        notes: What of it was left out or passed over, or is not as it looks.
    """
    return render_document(
        Redundancy(
            api_version=API_VERSION,
            kind="Redundancy",
            omissible=[_omissible(each) for each in found],
            **of_input(errors, notes),
        )
    )


def _omissible(each: Idle) -> Omissible:
    (origin,) = origins_of([(each.rule or each.policy).origin])
    return Omissible(
        policy=f"{each.policy.kind}/{each.policy.name}",
        direction=each.direction or UNSET,
        lack=each.lack.name.lower(),  # type: ignore[arg-type]
        origin=origin,
        instead=origins_of(ground.origin for ground in each.instead.deciding),
    )
