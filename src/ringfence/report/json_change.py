"""What would turn an answer, for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ringfence.algebra.addresses import Family  # noqa: TC001 - msgspec reads annotations
from ringfence.analysis.difference import Where
from ringfence.analysis.edits import Does  # noqa: TC001 - msgspec reads annotations
from ringfence.model.policy import Direction, Tier  # noqa: TC001 - msgspec reads annotations
from ringfence.report.change import tell_edit, write_edit
from ringfence.report.difference import in_order
from ringfence.report.json_parts import (
    Assumption,
    Origin,
    Traffic,
    VerdictWord,
    as_assumption,
    as_ends,
    as_traffic,
    origins_of,
)

if TYPE_CHECKING:
    from ringfence.analysis import edits, weighing
    from ringfence.analysis.difference import Shift
    from ringfence.model.naming import Directory


class Edit(msgspec.Struct):
    """What one policy would say otherwise, or a policy more."""

    policy: Annotated[str, Meta(description="Kind/namespace/name.")]
    direction: Direction
    tier: Annotated[Tier, Meta(description="Admin and Baseline are no namespace's: only who may write there can.")]
    does: Does
    text: str
    yaml: Annotated[
        str,
        Meta(
            description="Items of a list that is there, rules in place of one, the selector of a policy that leaves "
            "pods out, or a whole policy; empty for a rule that is removed."
        ),
    ]
    origin: Annotated[
        Origin | UnsetType, Meta(description="The rule or policy that it changes; absent for a new policy.")
    ] = UNSET


class Besides(msgspec.Struct):
    """Connections that were not asked about and would be answered otherwise."""

    clients: list[str]
    servers: list[str]
    traffic: list[Traffic]
    families: list[Family]
    before: VerdictWord
    after: VerdictWord
    where: Annotated[
        Where | UnsetType,
        Meta(description="Only pairs that share a node, or only those that do not; absent for all."),
    ] = UNSET


class Change(msgspec.Struct):
    """The smallest change that allows what is denied, or the least cut that denies what is allowed."""

    edits: Annotated[list[Edit], Meta(description="All together; empty where there are none.")]
    besides: Annotated[list[Besides], Meta(description="Complete.")]
    reason: Annotated[str | UnsetType, Meta(description="Why there is no edit.")] = UNSET
    assumptions: Annotated[
        list[Assumption] | UnsetType, Meta(description="What the answer would then rest on and does not now.")
    ] = UNSET


def as_change(change: weighing.Change, directory: Directory) -> Change:
    """Return a change as a document has it."""
    besides = [_besides(row, directory) for row in in_order(change.others)]
    assumed = [as_assumption(each) for each in change.assumptions]
    return Change([_edit(each) for each in change.edits], besides, change.reason or UNSET, assumed or UNSET)


def _edit(edit: edits.Edit) -> Edit:
    return Edit(
        policy=f"{edit.policy.kind}/{edit.policy.name}",
        direction=edit.direction,
        tier=edit.policy.tier,
        does=edit.does,
        text=tell_edit(edit),
        yaml=write_edit(edit),
        origin=origins_of([edit.place])[0] if edit.place else UNSET,
    )


def _besides(row: Shift, directory: Directory) -> Besides:
    return Besides(
        clients=as_ends(directory, row.clients),
        servers=as_ends(directory, row.servers),
        traffic=as_traffic(row.traffic),
        families=[*row.families],
        before=VerdictWord(row.before.value),
        after=VerdictWord(row.after.value),
        where=UNSET if row.where is Where.ANYWHERE else row.where,
    )
