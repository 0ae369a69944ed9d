"""Which policies judge a class, and in which order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ringfence.algebra.addresses import Family
from ringfence.algebra.intervals import EMPTY
from ringfence.algebra.traffic import ALL
from ringfence.model.policy import Action, Direction, Tier
from ringfence.semantics.program import Compiler, Meeting
from ringfence.semantics.universe import Universe
from tests.parts import cluster_policy, named, network_policy, pod, pods, port, rule, snapshot, tcp

if TYPE_CHECKING:
    from ringfence.algebra.intervals import Intervals
    from ringfence.model.policy import Policy

ME, PEER = pod("x/a", "app=a", ports=(port("web", 80),)), pod("x/b", "app=b", ports=(port("web", 8080),))


def allowed(
    *policies: Policy, direction: Direction = Direction.INGRESS, meeting: Meeting = Meeting.ORDINARY
) -> Intervals:
    """What the policies surely let ``x/a`` exchange with ``x/b``, if they met in this way."""
    universe = Universe(snapshot(ME, PEER, *policies))
    compiler = Compiler(universe)
    program = compiler.program(
        universe.classes[universe.class_of(ME)], direction, compiler.in_force(universe.snapshot.policies)
    )
    (atom,) = universe.atoms_of(PEER, Family.IPV4)
    return compiler.traffic.traffic(compiler.rows.mask_at(compiler.bounds(program, meeting)[0], atom))


def deny(traffic: Intervals = ALL) -> tuple:
    """A rule that denies everyone."""
    return (rule(action=Action.DENY, traffic=traffic),)


def test_without_policies_everything_is_allowed():
    """Nothing isolates by default."""
    assert allowed() == ALL


def test_isolation_is_by_direction():
    """A policy that isolates for egress says nothing of ingress."""
    assert allowed(network_policy("x/p", egress=())) == ALL
    assert allowed(network_policy("x/p", egress=()), direction=Direction.EGRESS) == EMPTY


def test_rules_of_all_network_policies_are_united():
    """Each accepts some more."""
    one = network_policy("x/p", ingress=(rule(pods("app=b"), traffic=tcp(80)),))
    other = network_policy("x/q", ingress=(rule(traffic=tcp(443)), rule(pods("app=c"))))

    assert allowed(one, other) == tcp(80) | tcp(443)


@pytest.mark.parametrize(("first", "second", "expected"), [(1, 2, EMPTY), (2, 1, ALL), (1, 1, EMPTY)])
def test_the_lower_priority_goes_first_and_a_tie_is_sure_of_nothing(first: int, second: int, expected: Intervals):
    """Policy ``b`` denies what policy ``a`` accepts."""
    denying = cluster_policy("b", Tier.ADMIN, first, ingress=deny())
    accepting = cluster_policy("a", Tier.ADMIN, second, ingress=(rule(),))

    assert allowed(denying, accepting) == expected


def test_tiers_are_consulted_in_order():
    """Admin before NetworkPolicy before Baseline; Pass goes to the next one."""
    admin, baseline = (
        cluster_policy("a", Tier.ADMIN, ingress=deny(tcp(1))),
        cluster_policy("b", Tier.BASELINE, ingress=deny()),
    )
    passing = cluster_policy("p", Tier.ADMIN, ingress=(rule(action=Action.PASS, traffic=tcp(80, 90)), *deny()))
    isolating = network_policy("x/p", ingress=(rule(traffic=tcp(1, 85)),))

    assert allowed(baseline) == EMPTY
    assert allowed(isolating, baseline) == tcp(1, 85)
    assert allowed(admin, isolating) == tcp(2, 85)
    assert allowed(passing, isolating) == tcp(80, 85)
    assert allowed(passing, baseline) == EMPTY
    assert allowed(passing) == tcp(80, 90)


def test_a_pass_in_the_baseline_tier_ends_at_the_default():
    """There is no tier below."""
    passing = cluster_policy("p", Tier.BASELINE, ingress=(rule(action=Action.PASS, traffic=tcp(80)), *deny()))

    assert allowed(passing) == tcp(80)


@pytest.mark.parametrize("meeting", [Meeting.OWN_NODE, Meeting.ITSELF])
def test_only_the_admin_tier_stands_before_the_own_node_and_a_hairpin(meeting: Meeting):
    """A NetworkPolicy cannot keep them out."""
    admin, isolating = cluster_policy("a", Tier.ADMIN, ingress=deny(tcp(1))), network_policy("x/p", ingress=())

    assert allowed(admin, isolating, meeting=meeting) == ALL - tcp(1)


def test_the_baseline_tier_judges_a_hairpin_and_never_the_own_node():
    """The own-node rule belongs to the tier before it, whether or not that tier isolates."""
    baseline = cluster_policy("b", Tier.BASELINE, ingress=deny(tcp(1)))

    assert allowed(baseline, meeting=Meeting.ITSELF) == ALL - tcp(1)
    assert allowed(baseline, meeting=Meeting.OWN_NODE) == ALL


def test_port_names_are_resolved_at_the_destination():
    """At the subject for ingress, at the peer for egress."""
    rules = (rule(**named("web")),)

    assert allowed(network_policy("x/p", ingress=rules)) == tcp(80)
    assert allowed(network_policy("x/p", egress=rules), direction=Direction.EGRESS) == tcp(8080)


def test_equal_programs_are_one():
    """Classes that the same policies judge share what is worked out for them."""
    telling_apart = network_policy("y/q", egress=(rule(pods("app=a")),))
    universe = Universe(snapshot(ME, PEER, network_policy("x/p", ingress=()), telling_apart))
    compiler = Compiler(universe)

    assert len(universe.classes) == 2
    one, other = (
        compiler.program(each, Direction.INGRESS, compiler.in_force(universe.snapshot.policies))
        for each in universe.classes
    )
    assert one is other
    assert compiler.bounds(one) is compiler.bounds(other)
