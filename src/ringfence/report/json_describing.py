"""One policy in plain words, for programs.

The shape of every such document, of which ``schema/description.json`` is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ringfence.model.policy import Action, Direction, Tier  # noqa: TC001 - msgspec reads annotations
from ringfence.report.describing import name_peer, name_pods, name_traffic
from ringfence.report.json_difference import Changed, as_changed
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

    from ringfence.analysis.describing import Clause, Description
    from ringfence.analysis.difference import Account
    from ringfence.errors import ManifestError
    from ringfence.model.naming import Directory


class MeantPeer(msgspec.Struct):
    """Whom a peer means."""

    text: str
    pods: Annotated[list[str], Meta(description="Workloads and pods that it means now by their labels.")]


class DescribedRule(msgspec.Struct):
    """One rule."""

    direction: Direction
    action: Action
    traffic: Annotated[str, Meta(description="Port names as they are written.")]
    peers: list[MeantPeer]
    origin: Origin


class Trap(msgspec.Struct):
    """Something that a policy says and its author may not mean."""

    text: str
    origin: Origin


class DescriptionDocument(msgspec.Struct, kw_only=True):
    """One policy."""

    api_version: ApiVersion = msgspec.field(name="apiVersion")
    kind: Literal["Description"]
    policy: Annotated[str, Meta(description="Kind/namespace/name, or Kind/name without a namespace.")]
    tier: Tier
    priority: Annotated[int | UnsetType, Meta(description="Absent for NetworkPolicies.")] = UNSET
    audited: Annotated[
        Literal[True] | UnsetType, Meta(description="It is in audit: our own enforcement does not enforce it.")
    ] = UNSET
    subject: str
    selected: Annotated[list[str], Meta(description="Workloads and pods that it selects now.")]
    isolates: list[Direction]
    rules: list[DescribedRule]
    traps: list[Trap]
    changed: Annotated[list[Changed], Meta(description="What differs between the input without it and with it.")]
    origin: Origin
    partial: Partial = UNSET
    errors: Faults = UNSET
    notes: Notes = UNSET


def render_description(
    found: Description,
    accounts: Sequence[Account],
    directory: Directory,
    errors: Iterable[ManifestError] = (),
    notes: Iterable[str] = (),
) -> bytes:
    """Return a document, indented.

    Args:
        found: The policy.
        accounts: What it changes, and why.
        directory: Names the pods of the snapshot.
        errors: What of the input was not read or is in error.
        notes: What of it was left out or passed over, or is not as it looks.
    """
    policy = found.policy
    (origin,) = origins_of([policy.origin])
    return render_document(
        DescriptionDocument(
            api_version=API_VERSION,
            kind="Description",
            policy=f"{policy.kind}/{policy.name}",
            tier=policy.tier,
            priority=UNSET if policy.kind == "NetworkPolicy" else policy.priority,
            audited=True if policy.audited else UNSET,
            subject=name_pods(policy.subject),
            selected=[*directory.names_of(found.selected)],
            isolates=sorted(policy.isolates, key=lambda each: each.value),
            rules=[_rule(directory, clause) for clause in found.clauses],
            traps=[Trap(each.text, *origins_of([each.origin])) for each in found.traps],
            changed=[as_changed(directory, account) for account in accounts],
            origin=origin,
            **of_input(errors, notes),
        )
    )


def _rule(directory: Directory, clause: Clause) -> DescribedRule:
    (origin,) = origins_of([clause.rule.origin])
    peers = [MeantPeer(name_peer(each), [*directory.names_of(each.pods)]) for each in clause.peers]
    return DescribedRule(clause.direction, clause.rule.action, name_traffic(clause.rule), peers, origin)
