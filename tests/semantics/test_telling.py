"""What is judged of one is told of many."""

from __future__ import annotations

from dataclasses import replace

from ringfence.algebra.addresses import read_address
from ringfence.model.policy import Direction
from ringfence.semantics.telling import CLIENT, SERVER, stand_in, tell, told
from ringfence.semantics.verdict import Assumption, Half, Outcome, Verdict
from tests.parts import pod


def test_a_stand_in_is_the_pod_under_another_name():
    """An address has none."""
    assert stand_in(pod("x/a", "app=a"), CLIENT) == replace(pod("x/a", "app=a"), name="{client}")
    assert stand_in(read_address("10.0.0.1"), CLIENT) == read_address("10.0.0.1")


def test_every_text_of_a_verdict_is_told_of_others():
    """Reasons, and what is assumed."""
    half = Half(Direction.EGRESS, Outcome.ALLOWED, None, "{client} to {server}", assumptions=(Assumption("t", SERVER),))
    spoken = told(Verdict(half, half), {CLIENT: "x/a", SERVER: "2 pods"})

    assert tell("{client}{client}", {CLIENT: "a"}) == "aa"
    assert {each.reason for each in spoken.halves} == {"x/a to 2 pods"}
    assert {each.text for each in spoken.assumptions} == {"2 pods"}
