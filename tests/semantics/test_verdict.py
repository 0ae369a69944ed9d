"""How two halves make a verdict."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ringfence.model.policy import Direction, Tier
from ringfence.semantics.verdict import (
    Assumption,
    Half,
    Outcome,
    Undefined,
    Verdict,
    combine,
    origins_of,
    settle,
    unite_undefined,
)
from tests.parts import place

YES, NO, MAYBE = Outcome.ALLOWED, Outcome.DENIED, Outcome.UNDECIDED


def half(direction: Direction = Direction.EGRESS, outcome: Outcome = YES, **facts: object) -> Half:
    """A half that says just this."""
    return Half(direction, outcome, None, "because", **facts)


@pytest.mark.parametrize(
    ("egress", "ingress", "both"),
    [(YES, YES, YES), (YES, NO, NO), (NO, YES, NO), (MAYBE, YES, MAYBE), (YES, MAYBE, MAYBE), (MAYBE, NO, NO)],
)
def test_a_connection_needs_both_halves(egress: Outcome, ingress: Outcome, both: Outcome):
    """One denial settles it; otherwise one open half leaves it open."""
    assert combine(egress, ingress) is both
    assert Verdict(half(outcome=egress), half(Direction.INGRESS, ingress)).outcome is both


def test_what_both_halves_say_is_said_once():
    """Assumptions keep their order, open points are sorted."""
    first, second = Assumption("pod-address", "one"), Assumption("pod-address", "two")
    icmp, tie = Undefined("icmp", "ringfence"), Undefined("equal-priority", "ringfence")
    verdict = Verdict(
        half(assumptions=(second, first), undefined=(icmp,)), half(assumptions=(first,), undefined=(icmp, tie))
    )

    assert verdict.assumptions == (second, first)
    assert verdict.undefined == (tie, icmp)


def test_origins_of_several_halves_are_listed_once():
    """In the order in which they decided."""
    one, other = place("one"), place("other")

    assert origins_of([half(origins=(other, one)), half(origins=(one,))]) == (other, one)


def test_a_half_that_denies_whatever_is_chosen_leaves_nothing_open():
    """Nobody would answer otherwise, whatever the other half rests on."""
    icmp = Undefined("icmp", "ringfence")
    open_half = half(outcome=Outcome.ALLOWED, undefined=(icmp,))

    assert Verdict(open_half, half(Direction.INGRESS, Outcome.DENIED)).undefined == ()
    assert Verdict(open_half, half(Direction.INGRESS, Outcome.ALLOWED)).undefined == (icmp,)
    assert Verdict(open_half, half(Direction.INGRESS, Outcome.DENIED, undefined=(icmp,))).undefined == (icmp,)


def test_one_point_on_both_sides_is_said_once():
    """With all who choose otherwise on either."""
    one, other = (
        Undefined("hairpin", "kubernetes", ("antrea", "calico")),
        Undefined("hairpin", "kubernetes", ("calico",)),
    )

    assert unite_undefined([other, one]) == (one,)


def test_each_that_may_decide_is_named_though_all_end_alike():
    """What allows comes first where they do not; what no policy decides needs one reason alone."""
    one, other = (replace(half(outcome=NO), reason=text, origins=(place(text),)) for text in ("one", "other"))
    free = replace(half(), reason="nobody decides")

    assert settle([one, other, one], "it") == replace(
        one, reason="the reason depends on it: either one or other", origins=(place("one"), place("other"))
    )
    assert settle([one, free], "it").reason == "the answer depends on it: either nobody decides or one"
    assert settle([one, one], "it") == one
    assert settle([half(), free], "it") == half()


def test_of_several_that_may_decide_the_first_tier_is_told():
    """In the order in which tiers are asked."""
    tiers = [replace(half(outcome=NO, origins=(place("x"),)), tier=tier) for tier in (Tier.BASELINE, None, Tier.ADMIN)]

    assert settle(tiers).tier is Tier.ADMIN
