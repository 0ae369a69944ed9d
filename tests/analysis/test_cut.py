"""The least cut where it is easy to say which it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.algebra.traffic import ALL
from ringfence.analysis.cut import least_cut
from ringfence.analysis.edits import Does
from ringfence.model.policy import Action, Direction, Tier
from ringfence.semantics.answer import Respondent
from ringfence.semantics.dialects import KUBERNETES
from ringfence.semantics.question import Question
from tests.parts import block, cluster_policy, network_policy, pod, pods, rule, service, snapshot, tcp

if TYPE_CHECKING:
    from ringfence.analysis.weighing import Change
    from ringfence.model.snapshot import Snapshot

A, B, C = pod("x/a", "app=a"), pod("x/b", "app=b"), pod("x/c", "app=c")


def cut(world: Snapshot, client: str, server: str) -> Change | None:
    """The least cut of one port."""
    return least_cut(Respondent(world).answer(Question.of(client, server, 80)), world, KUBERNETES)


def test_a_rule_for_this_alone_goes():
    """Nothing of it would be left."""
    change = cut(
        snapshot(A, B, network_policy("x/b", "app=b", ingress=(rule(pods("app=a"), traffic=tcp(80)),))), "x/a", "x/b"
    )

    assert change
    assert [(edit.does, edit.direction) for edit in change.edits] == [(Does.REMOVES_RULE, Direction.INGRESS)]
    assert change.others == ()


def test_a_rule_keeps_other_ports_of_the_pair_and_other_pairs():
    """What is narrowed leaves everybody else, and the same pair on other ports."""
    wide = network_policy("x/b", "app=b", ingress=(rule(pods(""), traffic=tcp(80, 81)),))

    change = cut(snapshot(A, B, C, wide), "x/a", "x/b")

    assert change
    assert [edit.does for edit in change.edits] == [Does.NARROWS_RULE]
    assert [str(one.traffic) for one in change.edits[0].instead] == [str(tcp(80, 81)), str(tcp(81))]
    assert change.others == ()


def test_every_rule_that_accepts_is_narrowed():
    """One alone would change nothing."""
    one = network_policy("x/one", "app=b", ingress=(rule(pods("app=a"), traffic=tcp(80), at="one"),))
    two = network_policy("x/two", "app=b", ingress=(rule(pods("app=a"), traffic=tcp(80, 81), at="two"),))

    change = cut(snapshot(A, B, C, one, two), "x/a", "x/b")

    assert change
    assert {edit.policy.name for edit in change.edits} == {"x/one", "x/two"}
    assert change.others == ()


def test_a_policy_for_more_pods_leaves_one_of_them_to_a_policy_of_its_own():
    """So that the others keep what they have."""
    shared = network_policy("x/all", "", ingress=(rule(pods("app=a"), traffic=tcp(80)),))

    change = cut(snapshot(A, B, C, shared), "x/a", "x/b")

    assert change
    assert [edit.does for edit in change.edits] == [Does.LEAVES_OUT, Does.ADDS_POLICY]
    assert change.others == ()


def test_where_nothing_isolates_a_policy_accepts_everything_else():
    """What no rule can name, ICMP and port 0 of this pair, is closed besides, and told."""
    known = pod("x/a", "app=a", "10.0.0.1"), pod("x/b", "app=b", "10.0.0.2"), pod("x/c", "app=c", "10.0.0.3")

    change = cut(snapshot(*known), "x/a", "x/b")

    assert change
    assert [edit.does for edit in change.edits] == [Does.ADDS_POLICY]
    assert {str(pod) for row in change.others for pod in (*row.clients.pods, *row.servers.pods)} <= {"x/a", "x/b"}
    assert all(row.traffic != ALL for row in change.others)


def test_the_admin_tier_denies_where_it_is_in_use():
    """Before whatever has a say there, for the pair on its port alone."""
    both = (rule(pods(""), action=Action.ACCEPT),)
    accept = cluster_policy("open", Tier.ADMIN, ingress=both, egress=both, priority=3)

    change = cut(snapshot(A, B, C, accept), "x/a", "x/b")

    assert change
    assert [(edit.policy.tier, edit.policy.priority) for edit in change.edits] == [(Tier.ADMIN, 2)]
    assert change.edits[0].written[0].action is Action.DENY
    assert change.others == ()


def test_an_address_is_an_exception_of_its_block():
    """The rest of the block stays."""
    wide = network_policy("x/b", "app=b", ingress=(rule(block("10.0.0.0/8"), traffic=tcp(80)),))

    change = cut(snapshot(B, wide), "10.1.2.3", "x/b")

    assert change
    assert [peer.text for one in change.edits[0].instead for peer in one.peers] == ["10.0.0.0/8 except 10.1.2.3/32"]
    assert change.others == ()


def test_a_service_is_cut_at_the_pods_behind_it():
    """On their own port."""
    wide = network_policy("x/b", "app=b", ingress=(rule(pods("app=a"), traffic=tcp(8080, 8081)),))
    world = snapshot(A, B, C, wide, services=(service("x/s", "app=b"),))

    change = cut(world, "x/a", "svc:x/s")

    assert change
    assert [one.traffic for edit in change.edits for one in edit.instead] == [tcp(8081)]
    assert change.others == ()


def test_what_no_policy_can_deny_is_said():
    """A pod and itself, and a world where nothing is allowed."""
    itself = cut(snapshot(A, B), "x/a", "x/a")
    closed = network_policy("x/b", "app=b", ingress=())

    assert itself
    assert itself.reason == "no rule or policy denies all of it"
    assert cut(snapshot(A, B, closed), "x/a", "x/b") is None
