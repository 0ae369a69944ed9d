"""What could be left out, on clusters that fit in the head."""

from __future__ import annotations

from dataclasses import replace

from ringfence.algebra.addresses import Family
from ringfence.analysis.redundancy import Lack, redundancy
from ringfence.model.policy import Action, Tier
from ringfence.semantics.dialects import Dialect, Topic
from ringfence.semantics.engine import Engine
from tests.parts import block, cluster_policy, network_policy, pod, rule, snapshot

A, B = pod("x/a", "app=a", "10.0.0.1", "fd00::1"), pod("x/b", "app=b", "10.0.0.2", "fd00::2")
BOTH = {"families": (Family.IPV4, Family.IPV6)}


def test_a_policy_that_matters_in_one_family_matters():
    """It lets all of IPv4 in, and nobody of IPv6."""
    four = network_policy("x/p", "app=a", ingress=(rule(block("0.0.0.0/0")),))
    both = replace(four, ingress=(*four.ingress, rule(block("::/0"))))

    assert list(redundancy(Engine(snapshot(A, B, four, **BOTH)), pairs=True)) == []
    assert [each.lack for each in redundancy(Engine(snapshot(A, B, both, **BOTH)), pairs=True)] == [Lack.ROW]


def test_where_a_policy_holds_the_baseline_off_in_both_directions_it_is_needed_for_either():
    """It lets everybody in, which is as good as nothing, and keeps the Baseline tier from closing the way out."""
    policy = network_policy("x/p", "app=a", ingress=(rule(),))
    baseline = cluster_policy("b", Tier.BASELINE, egress=(rule(action=Action.DENY),))
    world = snapshot(A, B, policy, baseline, **BOTH)

    assert not Engine(world).changes_without(policy)
    assert Engine(world, Dialect("one", frozenset({Topic.BASELINE}))).changes_without(policy)


def test_what_isolation_says_already_is_not_said_to_the_own_node():
    """No NetworkPolicy keeps a pod from its own node, and an Admin Deny does; another after it adds nothing."""
    first = cluster_policy("first", Tier.ADMIN, 1, ingress=(rule(action=Action.DENY),))
    second = cluster_policy("second", Tier.ADMIN, 2, ingress=(rule(action=Action.DENY),))
    closed = network_policy("x/closed", "", ingress=())
    engine = Engine(snapshot(A, B, first, second, closed, **BOTH))

    assert [engine.changes_without(each) for each in (first, second, closed)] == [False, False, False]
    assert Engine(snapshot(A, B, first, closed, **BOTH)).changes_without(first)


def test_the_last_policy_that_isolates_is_what_holds_the_baseline_tier_off():
    """It lets in all that came in without it, but for what the Baseline tier would say then."""
    everyone = network_policy("x/everyone", "app=a", ingress=(rule(),))
    again = network_policy("x/again", "app=a", ingress=(rule(),))
    baseline = cluster_policy("b", Tier.BASELINE, ingress=(rule(action=Action.DENY),))

    assert Engine(snapshot(A, B, everyone, baseline, **BOTH)).changes_without(everyone)
    assert not Engine(snapshot(A, B, everyone, again, baseline, **BOTH)).changes_without(everyone)
