"""Policies in audit: judged like any other, or left out where our own enforcement is asked about."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ringfence.cli.output import say
from ringfence.report.counting import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ringfence.model.policy import Policy
    from ringfence.readers import Reading
    from ringfence.semantics.dialects import Dialect

_NAMED = 3
"""Policies that a note names; the others are counted."""


def judged(reading: Reading, dialect: Dialect, also: Policy | None = None) -> Reading:
    """Return what a dialect judges of what was read; a note says which policies are in audit.

    Args:
        reading: What was read.
        dialect: Who decides.
        also: A policy that is asked about, and stays whether it is in audit or not.
    """
    snapshot = reading.snapshot
    audited = tuple(policy for policy in snapshot.audited if policy is not also)
    if not audited:
        return reading
    note = _note(audited, dialect)
    say("note", note)
    if dialect.audits:
        left = tuple(policy for policy in snapshot.policies if policy is also or not policy.audited)
        snapshot = replace(snapshot, policies=left)
    return replace(reading, snapshot=snapshot, notes=(*reading.notes, note))


def _note(audited: Sequence[Policy], dialect: Dialect) -> str:
    count = counted(len(audited), "policy is", "policies are")
    what = "left out, as they are not enforced" if dialect.audits else "judged all the same"
    named = [f"{policy.kind} {policy.name} {policy.origin}" for policy in audited[:_NAMED]]
    more = [f"and {len(audited) - _NAMED:,} more"] if len(audited) > _NAMED else []
    return f"{count} in audit, which ringfence's own enforcement alone honors; {what}: {', '.join([*named, *more])}"
