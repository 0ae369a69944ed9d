"""What is told of policies in audit, on random worlds: what the definition would say if they were enforced."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from ringfence.dataplane.audit import turned
from ringfence.semantics.dialects import RINGFENCE
from ringfence.semantics.judging import Judge
from ringfence.semantics.spec import verdict
from ringfence.semantics.verdict import Half, Outcome
from tests.worlds import Limits, connections, snapshots

if TYPE_CHECKING:
    from ringfence.model.snapshot import Snapshot

SAMPLE = 23
"""Every so many connections are enough; no number of ports is a multiple of it."""


@st.composite
def audits(draw: st.DrawFn) -> Snapshot:
    """A world of which some policies are in audit, of any tier."""
    snapshot = draw(snapshots(Limits(addressed=True)))
    marked = [replace(policy, audited=draw(st.booleans())) for policy in snapshot.policies]
    return replace(snapshot, policies=tuple(marked))


def passes(half: Half) -> bool:
    """Whether packets pass: what is undecided is dropped."""
    return half.outcome is Outcome.ALLOWED


@given(audits())
def test_what_policies_in_audit_would_turn_is_told_and_nothing_else(declared: Snapshot):
    """Half by half, between the world that is enforced and the one that is declared, as the definition has them."""
    enforced = declared.enforced
    assert enforced.policies == tuple(policy for policy in declared.policies if not policy.audited)
    judge = Judge.of(declared, RINGFENCE)
    for connection in list(connections(declared))[::SAMPLE]:
        now = verdict(enforced, connection, RINGFENCE).halves
        then = verdict(declared, connection, RINGFENCE).halves
        expected = [other for half, other in zip(now, then, strict=True) if passes(half) is not passes(other)]
        assert [*turned(now, connection, judge)] == expected
