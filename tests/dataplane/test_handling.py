"""Epochs: numbers in the mark, none of them twice at a time."""

from __future__ import annotations

from itertools import islice

import pytest

from ringfence.dataplane.compile import compile_program
from ringfence.dataplane.handling import MASK, Epoch, Handling, Mode, stamped
from ringfence.dataplane.plan import closed_node


@pytest.mark.parametrize(("mask", "last", "value"), [(MASK, 0x7FFF, 0x30000), (0xF0, 15, 0x30), (0x80, 1, 0x180)])
def test_a_number_stands_in_the_bits_of_the_mask(mask: int, last: int, value: int):
    """However wide they are and wherever they are."""
    assert (Epoch(1, mask).last, Epoch(3, mask).value) == (last, value)


def test_the_next_epoch_is_the_next_number():
    """And the first again after the last; each once, until connections are looked at again."""
    assert [each.number for each in islice(Epoch(0x7FFD).free(()), 3)] == [0x7FFE, 0x7FFF, 1]
    assert len({*Epoch(5).free(())}) == len([*Epoch(5).free(())]) == 0x7FFE


def test_a_number_that_a_connection_bears_is_passed_over():
    """It was judged by other rules; the bits beside the mask say nothing."""
    assert [each.number for each in Epoch(13, 0xF0).free([0xF3, 0x10, 0x08])] == [14, *range(2, 13)]


def test_there_is_none_when_all_are_in_use():
    """The number of the rules that are there is always in use."""
    assert [*Epoch(1, 0x30).free([0x20, 0x30])] == []
    assert [*Epoch(1, 0x80).free(())] == []


def test_what_rules_stamp_is_told():
    """Nothing where each packet is judged."""
    plan = closed_node("n1", "pod")

    assert stamped(compile_program(plan, Handling(Epoch(3, 0xF0)))) == {0x30}
    assert stamped(compile_program(plan, Handling(Mode.ALWAYS))) == frozenset()
