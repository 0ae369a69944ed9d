"""The smallest change where its parts meet: two directions, and other tiers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.analysis.edits import Adds
from ringfence.analysis.smallest import smallest_change
from ringfence.model.policy import Action, Direction, Tier
from ringfence.semantics.answer import Respondent
from ringfence.semantics.dialects import KUBERNETES
from ringfence.semantics.question import Question
from ringfence.semantics.verdict import Outcome
from tests.parts import cluster_policy, network_policy, pod, pods, rule, snapshot, tcp

if TYPE_CHECKING:
    from ringfence.analysis.smallest import Change
    from ringfence.model.snapshot import Snapshot

A, B, C = pod("x/a", "app=a"), pod("x/b", "app=b"), pod("x/c", "app=c")


def asked(world: Snapshot, client: str, server: str) -> Change | None:
    """The smallest change for one port."""
    return smallest_change(Respondent(world).answer(Question.of(client, server, 80)), world, KUBERNETES)


def test_one_policy_may_gain_in_both_directions():
    """Two edits of one policy are both in it, and each is looked for beside the other."""
    sides = {"ingress": (rule(pods("app=a"), traffic=tcp(22)),), "egress": (rule(pods("app=b"), traffic=tcp(22)),)}

    change = asked(snapshot(A, B, network_policy("x/p", **sides)), "x/a", "x/b")

    assert change
    assert [(edit.adds, edit.direction) for edit in change.edits] == [
        (Adds.PORTS, Direction.EGRESS),
        (Adds.PORTS, Direction.INGRESS),
    ]
    assert change.others == ()


def test_a_policy_against_a_baseline_says_what_it_closes():
    """Where no NetworkPolicy isolates a pod, the first one that does closes what nothing denied."""
    baseline = cluster_policy("base", Tier.BASELINE, ingress=(rule(pods("app=a"), action=Action.DENY),))

    change = asked(snapshot(A, B, C, baseline), "x/a", "x/b")

    assert change
    assert [edit.adds for edit in change.edits] == [Adds.POLICY]
    closed = {str(client) for row in change.others if row.after is Outcome.DENIED for client in row.clients.pods}
    assert closed - {"x/b"} == {"x/c"}  # a pod with itself is not meant


def test_nothing_is_said_where_nothing_is_denied():
    """An allowed answer needs no change."""
    assert asked(snapshot(A, B), "x/a", "x/b") is None
