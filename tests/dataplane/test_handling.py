"""Epochs: numbers in the mark, none of them twice at a time."""

from __future__ import annotations

import pytest

from ringfence.dataplane.handling import MASK, Epoch, Handling, Mode


@pytest.mark.parametrize(("mask", "last", "value"), [(MASK, 0x7FFF, 0x30000), (0xF0, 15, 0x30), (0x80, 1, 0x180)])
def test_a_number_stands_in_the_bits_of_the_mask(mask: int, last: int, value: int):
    """However wide they are and wherever they are."""
    assert (Epoch(1, mask).last, Epoch(3, mask).value) == (last, value)


def test_the_next_epoch_is_the_next_number():
    """And the first again after the last."""
    assert Epoch(1).next(()) == Epoch(2)
    assert Epoch(0x7FFF).next(()) == Epoch(1)


def test_a_number_that_a_connection_bears_is_passed_over():
    """It was judged by other rules; the bits beside the mask say nothing."""
    mask = 0xF0
    assert Epoch(14, mask).next([0xF3, 0x10, 0x08]) == Epoch(2, mask)


def test_there_is_none_when_all_are_in_use():
    """The number of the rules that are there is always in use."""
    assert Epoch(1, 0x30).next([0x20, 0x30]) is None
    assert Epoch(1, 0x80).next(()) is None


@pytest.mark.parametrize("mode", Mode)
def test_where_nothing_is_marked_nothing_is_renewed(mode: Mode):
    """Each packet is judged anyway, or none is judged again."""
    assert Handling(mode).renewed([]) == Handling(mode)


def test_every_packet_is_judged_when_no_number_is_free():
    """No connection may pass because it bears a number of old."""
    handling = Handling(Epoch(1, 0x30), reset=True)

    assert handling.renewed([0x20]) == Handling(Epoch(3, 0x30), reset=True)
    assert handling.renewed([0x20, 0x30]) == Handling(Mode.ALWAYS, reset=True)
