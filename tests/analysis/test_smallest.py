"""The smallest change where its parts meet: two directions, and other tiers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.analysis.edits import Does
from ringfence.analysis.smallest import smallest_change
from ringfence.model.policy import Action, Direction, Tier
from ringfence.semantics.answer import Respondent
from ringfence.semantics.dialects import KUBERNETES
from ringfence.semantics.question import Question
from tests.parts import cluster_policy, network_policy, pod, pods, rule, service, snapshot, tcp

if TYPE_CHECKING:
    from ringfence.analysis.weighing import Change
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
    assert [(edit.does, edit.direction) for edit in change.edits] == [
        (Does.ADDS_PORTS, Direction.EGRESS),
        (Does.ADDS_PORTS, Direction.INGRESS),
    ]
    assert change.others == ()


def test_what_a_baseline_denies_is_allowed_in_that_tier_where_a_policy_would_close_others():
    """The first NetworkPolicy that isolates a pod would close what nothing denied."""
    baseline = cluster_policy("base", Tier.BASELINE, ingress=(rule(pods("app=a"), action=Action.DENY),), priority=5)

    change = asked(snapshot(A, B, C, baseline), "x/a", "x/b")

    assert change
    assert [(edit.does, edit.policy.tier) for edit in change.edits] == [(Does.ADDS_POLICY, Tier.BASELINE)]
    assert change.edits[0].policy.priority < 5
    assert change.others == ()


def test_what_the_admin_tier_denies_is_allowed_there_alone():
    """Before the policy that denies, and nowhere where no priority is left before it."""
    deny = (rule(pods("app=a"), traffic=tcp(80), action=Action.DENY),)

    change = asked(snapshot(A, B, C, cluster_policy("deny", Tier.ADMIN, ingress=deny, priority=5)), "x/a", "x/b")

    assert change
    assert [(edit.policy.tier, edit.policy.priority) for edit in change.edits] == [(Tier.ADMIN, 4)]
    assert change.others == ()
    first = asked(snapshot(A, B, C, cluster_policy("deny", Tier.ADMIN, ingress=deny, priority=0)), "x/a", "x/b")
    assert first
    assert [edit.does for edit in first.edits] == [Does.NARROWS_RULE]


def test_a_change_for_a_service_is_about_the_pods_behind_it():
    """On their own port, as policies see it."""
    guarded = network_policy("x/b", "app=b", ingress=(rule(pods("app=c")),))
    world = snapshot(A, B, C, guarded, services=(service("x/s", "app=b"),))

    change = asked(world, "x/a", "svc:x/s")

    assert change
    assert [edit.does for edit in change.edits] == [Does.ADDS_RULE]
    assert change.edits[0].written[0].traffic == tcp(8080)
    assert change.others == ()


def test_nothing_is_said_where_nothing_is_denied():
    """An allowed answer needs no change."""
    assert asked(snapshot(A, B), "x/a", "x/b") is None
