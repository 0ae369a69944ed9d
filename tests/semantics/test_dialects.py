"""Dialects are sets of choices, made from the table of open points."""

from __future__ import annotations

import pytest

from ringfence.semantics.dialects import DIALECTS, KUBERNETES, RINGFENCE, TIES, Dialect, Topic
from ringfence.semantics.open_points import OPEN_POINTS
from ringfence.semantics.verdict import Undefined


def test_the_default_and_the_kernel_take_every_default():
    """So what is answered by default is what the kernel does."""
    assert KUBERNETES.choices == RINGFENCE.choices == frozenset()


@pytest.mark.parametrize(
    ("name", "choices"),
    [
        ("calico", {Topic.HAIRPIN_EGRESS, Topic.HAIRPIN_INGRESS}),
        ("antrea", {Topic.HAIRPIN_EGRESS}),
        ("cilium", {Topic.BLOCK_PODS, Topic.BLOCK_NODES}),
        ("gke", {Topic.BLOCK_PODS, Topic.BLOCK_NODES}),
        ("aws", {Topic.POD_TO_OWN_NODE, Topic.SERVICE_ADDRESS, Topic.BASELINE}),
        ("ovn", {Topic.HOST_EGRESS}),
    ],
)
def test_a_dialect_takes_what_its_stances_say(name: str, choices: set[Topic]):
    """Written out, so that a change of the table is seen."""
    assert DIALECTS[name].choices == choices


def test_flipping_changes_one_point_and_back():
    """Twice is not at all."""
    flipped = KUBERNETES.flipped(Topic.ICMP)

    assert flipped.choices == {Topic.ICMP}
    assert flipped.flipped(Topic.ICMP) == KUBERNETES


def test_an_answer_names_those_who_choose_otherwise():
    """By the names of the table, sorted."""
    assert KUBERNETES.undefined(Topic.HAIRPIN_INGRESS) == Undefined("hairpin", "kubernetes", ("calico",))
    assert DIALECTS["aws"].undefined(Topic.POD_TO_OWN_NODE).otherwise == tuple(sorted(DIALECTS.keys() - {"aws"}))


def test_strict_reads_every_point_both_ways():
    """The dialect's own reading comes first; ties are undecided in every dialect and need no reading of their own."""
    strict = Dialect("any", frozenset({Topic.ICMP}), strict=True)

    assert strict.readings[0] == {Topic.ICMP}
    assert set(strict.readings[1:]) == {strict.choices ^ {topic} for topic in Topic} - {
        strict.choices | {tie} for tie in TIES
    }
    assert frozenset() in strict.readings


def test_every_topic_is_in_the_table():
    """And the other way round: a choice that means nothing to the deciders is the default."""
    assert {topic.value.partition("/")[0] for topic in Topic} <= {point.topic for point in OPEN_POINTS}
