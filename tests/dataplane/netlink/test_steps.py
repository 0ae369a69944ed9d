"""Steps and their bytes: there and back, and whatever is left unread makes a step unknown."""

from __future__ import annotations

import pytest

from ringfence.dataplane.expressions import Goto, Jump, Word
from ringfence.dataplane.netlink.messages import attribute, nested, number, read_attributes, text
from ringfence.dataplane.netlink.steps import (
    Compare,
    Count,
    Ct,
    Decide,
    Find,
    Mask,
    Meta,
    Payload,
    Rate,
    Refuse,
    Report,
    SetCt,
    Step,
    Swap,
    Unknown,
    decode_steps,
    decode_verdict,
    encode_step,
    encode_verdict,
)

STEPS: list[Step] = [
    Meta(15, 1),
    Ct(0, 1),
    SetCt(3, 1),
    Payload(1, 12, 4, 9),
    Compare(1, 5, b"\x85"),
    Mask(1, b"\xff\xc0"),
    Mask(1, b"\xff\xff\0\x80", b"\0\0\1\0"),
    Swap(9),
    Find(1, "s"),
    Find(1, "s", negated=True),
    Find(1, "m", is_map=True),
    Decide(Word.RETURN),
    Decide(Jump("c")),
    Report("rf1 e x ", 29_286, 128),
    Count(),
    Refuse(1),
    Rate(100, 50),
]


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_a_step_is_read_as_it_was_written(step: Step):
    """Every step, whatever it holds."""
    assert list(decode_steps(encode_step(step) * 2)) == [step, step]


@pytest.mark.parametrize("step", [each for each in STEPS if not isinstance(each, Count | Decide)], ids=str)
def test_a_step_with_more_in_it_is_unknown(step: Step):
    """A source register, another flag: something that we do not know may change what it means."""
    parts = read_attributes(read_attributes(encode_step(step))[1])
    (found,) = decode_steps(nested(1, attribute(1, parts[1]), nested(2, parts[2], number(9, 1))))

    assert isinstance(found, Unknown)


def test_a_step_that_has_no_reader_is_unknown():
    """It keeps its name, for people."""
    assert list(decode_steps(nested(1, text(1, "quota"), nested(2, number(1, 5))))) == [Unknown("quota", number(1, 5))]


@pytest.mark.parametrize("statement", [*Word, Jump("a"), Goto("b")], ids=str)
def test_what_to_do_is_read_as_it_was_written(statement: Word | Jump | Goto):
    """As data of a rule and of a map alike."""
    assert decode_verdict(encode_verdict(statement)) == statement


@pytest.mark.parametrize("data", [b"", nested(2), nested(2, number(1, 3)), number(1, 0)])
def test_what_we_never_do_is_none(data: bytes):
    """Nothing at all, queueing, or a value that is no verdict."""
    assert decode_verdict(data) is None
