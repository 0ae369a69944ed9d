"""Quarantine: whatever needs what is refused denies everything, and nothing else changes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ringfence.dataplane.compile import compile_program
from ringfence.dataplane.expressions import Counter, Goto, Rule, Word
from ringfence.dataplane.nft import Chain, Program
from ringfence.dataplane.quarantine import quarantine
from tests.dataplane.small import small_plan

SMALL = compile_program(small_plan())


def test_both_ways_of_a_class_are_closed_and_its_sets_are_gone():
    """They lead to the chain that logs and counts; the sets of another class stay."""
    found = quarantine(SMALL, "e_10.0.0.9_pa")
    assert found

    denied = (Rule((Goto("e_10.0.0.9_deny"),)),)
    assert [found.chain_by_name[name].rules for name in ("e_10.0.0.9", "e_10.0.0.9_r")] == [denied, denied]
    assert [each.name for each in SMALL.sets if each.name not in found.set_by_name] == [
        "e_10.0.0.9_ra",
        "e_10.0.0.9_pa",
        "e_10.0.0.9_qa",
    ]
    changed = {"e_10.0.0.9", "e_10.0.0.9_r"}
    assert [each for each in found.chains if each.name not in changed] == [
        each for each in SMALL.chains if each.name not in changed
    ]


@pytest.mark.parametrize("name", ["eg4", "judged4", "fwd_o", "hook_forward", "", "e_10.0.0.9_xa"])
def test_what_every_packet_meets_cannot_be_closed(name: str):
    """Maps, the fixed chains and the sets that they look into; and what is not there at all."""
    assert quarantine(SMALL, name) is None


def test_what_is_closed_is_not_closed_again():
    """Whoever is refused something for a second time is told so."""
    found = quarantine(SMALL, "i_10.0.0.5")
    assert found

    assert quarantine(found, "i_10.0.0.5") is None


def test_a_chain_that_leads_to_other_judges_drops_by_itself():
    """What those would accept is denied too."""
    itself = Chain("h_10.0.0.5", (Rule((Goto("i_10.0.0.5"),)),))
    program: Program = replace(SMALL, chains=(*SMALL.chains, itself))
    found = quarantine(program, itself.name)
    assert found

    assert found.chain_by_name[itself.name].rules == (Rule((Counter(), Word.DROP)),)
