"""What differs between two worlds, for programs.

The shape of the document, of which ``schema/difference.json`` is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ringfence.algebra.addresses import Family  # noqa: TC001 - msgspec reads annotations
from ringfence.analysis.difference import Where
from ringfence.model.naming import Directory
from ringfence.report.json_parts import (
    API_VERSION,
    ApiVersion,
    Assumption,
    Clients,
    Faults,
    Notes,
    Partial,
    Servers,
    Traffic,
    VerdictWord,
    as_assumption,
    as_ends,
    as_traffic,
    of_input,
    render_document,
)
from ringfence.report.json_reach import Deciding, Reached, as_deciding, as_reached
from ringfence.semantics.summary import assumptions

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ringfence.analysis.difference import Account
    from ringfence.analysis.reach import Row
    from ringfence.errors import ManifestError
    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics.grounds import Grounds
    from ringfence.semantics.verdict import Outcome


class Judged(msgspec.Struct):
    """What is answered in one of the worlds, and what decides."""

    verdict: VerdictWord
    egress: Deciding
    ingress: Deciding


class Changed(msgspec.Struct):
    """Every client with every server, and traffic that is answered otherwise; a pod with itself is not meant."""

    clients: Clients
    servers: Servers
    traffic: list[Traffic]
    families: list[Family]
    before: Judged
    after: Judged
    where: Annotated[
        Literal["own node", "other nodes"] | UnsetType,
        Meta(
            description="Only where one end is on the network of the node that the other is on, "
            "or only where none is; absent for both."
        ),
    ] = UNSET


class Difference(msgspec.Struct, kw_only=True):
    """What differs between two worlds."""

    api_version: ApiVersion = msgspec.field(name="apiVersion")
    kind: Literal["Difference"]
    changed: Annotated[list[Changed], Meta(description="Between ends that are in both.")]
    new: Annotated[list[Reached], Meta(description="What passes to and from pods that only the world after has.")]
    gone: Annotated[list[Reached], Meta(description="What passed to and from pods that only the world before has.")]
    assumptions: Annotated[list[Assumption], Meta(description="What either world rests on.")]
    exposes: Annotated[
        bool, Meta(description="Whether somebody outside reaches a pod that it did not reach before, perhaps.")
    ]
    partial: Partial = UNSET
    errors: Faults = UNSET
    notes: Notes = UNSET


def render_difference(
    accounts: Sequence[Account],
    rows: tuple[Sequence[Row], Sequence[Row]],
    worlds: tuple[Snapshot, Snapshot],
    *,
    exposes: bool,
    errors: Iterable[ManifestError] = (),
    notes: Iterable[str] = (),
) -> bytes:
    """Return a document, indented.

    Args:
        accounts: What differs between ends that are in both worlds, and why.
        rows: What passes to and from pods that are gone, and that are new.
        worlds: Before and after.
        exposes: Whether somebody outside reaches a pod that it did not reach before.
        errors: What of the input was not read or is in error.
        notes: What of it was left out or passed over, or is not as it looks.
    """
    before, after = map(Directory, worlds)
    gone, new = rows
    assumed = {each.text: each for world in worlds for each in assumptions(world)}
    return render_document(
        Difference(
            api_version=API_VERSION,
            kind="Difference",
            changed=[as_changed(after, account) for account in accounts],
            new=[as_reached(after, row) for row in new],
            gone=[as_reached(before, row) for row in gone],
            assumptions=[as_assumption(each) for each in assumed.values()],
            exposes=exposes,
            **of_input(errors, notes),
        )
    )


def as_changed(directory: Directory, account: Account) -> Changed:
    """Return a shift and what decides about it as a document has it."""
    shift = account.shift
    where: Literal["own node", "other nodes"] | UnsetType = UNSET
    if shift.where is not Where.ANYWHERE:
        where = "own node" if shift.where is Where.OWN_NODE else "other nodes"
    return Changed(
        clients=as_ends(directory, shift.clients),
        servers=as_ends(directory, shift.servers),
        traffic=as_traffic(shift.traffic),
        families=[*shift.families],
        before=_judged(shift.before, account.before),
        after=_judged(shift.after, account.after),
        where=where,
    )


def _judged(outcome: Outcome, grounds: tuple[Grounds, Grounds]) -> Judged:
    return Judged(VerdictWord(outcome.value), *map(as_deciding, grounds))
