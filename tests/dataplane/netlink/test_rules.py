"""Rules and the kernel's steps: there and back, and nothing foreign is taken for ours."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ringfence.algebra.addresses import read_cidr
from ringfence.algebra.intervals import Intervals
from ringfence.dataplane.expressions import (
    Bits,
    Counter,
    CtDirection,
    CtState,
    Dispatch,
    Equals,
    Expression,
    Field,
    Foreign,
    Goto,
    Jump,
    Limit,
    Log,
    Lookup,
    Reset,
    Rule,
    Stamp,
    Within,
    Word,
)
from ringfence.dataplane.links import link_number, links_named
from ringfence.dataplane.netlink.rules import ANONYMOUS, Anonymous, Writer, read_rule
from ringfence.dataplane.netlink.steps import Compare, Find, Meta, Payload, Step, Swap, Unknown

LISTED = Intervals.of([(1, 1), (58, 58)])
TYPES = Intervals.of([(130, 132), (143, 143)])
SIMPLE: list[Expression] = [
    *(Equals(Field.CT_STATE, state) for state in CtState),
    *(Equals(Field.CT_DIRECTION, way) for way in CtDirection),
    Within(Field.IP6_HOPLIMIT, Intervals.point(255)),
    Within(Field.ICMPV6_TYPE, Intervals.of([(133, 136)])),
    Within(Field.ICMPV6_TYPE, TYPES),
    Bits(Field.TCP_FLAGS, 0x17, 0x02, negated=True),
    Bits(Field.TCP_FLAGS, 0x17, 0x02),
    Bits(Field.CT_MARK, 0x7FFF0000, 0x10000),
    Stamp(0x7FFF0000, 0x10000),
    Stamp(0x7FFF0000, 0),
    Reset(),
    Within(Field.L4PROTO, LISTED),
    Within(Field.L4PROTO, Intervals.point(58)),
    Within(Field.IP6_SADDR, read_cidr("fe80::/10")),
    Within(Field.IP_SADDR, read_cidr("10.0.0.0/8")),
    Within(Field.IP_DADDR, Intervals.of([(7, 12)])),
    Within(Field.DPORT, Intervals.of([(80, 90)])),
    Within(Field.IIFNAME, links_named("pod")),
    Within(Field.OIFNAME, links_named("pod-")),
    Within(Field.IIFNAME, Intervals.point(link_number("eth0"))),
    Lookup((Field.IIFNAME, Field.IP_SADDR), "values"),
    Lookup((Field.OIFNAME, Field.IP6_DADDR), "values", negated=True),
    Lookup((Field.L4PROTO,), "with_ports", negated=True),
    Lookup((Field.IP_SADDR, Field.L4PROTO, Field.DPORT), "values"),
    Lookup((Field.IP6_DADDR, Field.L4PROTO, Field.SPORT), "boxes"),
    Lookup((Field.L4PROTO, Field.DPORT), "boxes"),
    Dispatch((Field.IP_DADDR,), "map"),
    Dispatch((Field.IP6_SADDR, Field.IP6_DADDR), "map"),
    Log("rf1 e x ", 29_286, 128),
    Limit(100, 50),
    Counter(),
    Jump("a"),
    Goto("b"),
    *Word,
]


def written(rule: Rule) -> tuple[list[Step], dict[str, Intervals]]:
    """The steps of a rule as the kernel gives them back: its anonymous sets by the names that it chose."""
    anonymous: list[Anonymous] = []

    def number_set(found: Anonymous) -> int:
        anonymous.append(found)
        return len(anonymous)

    writer = Writer(number_set)
    for expression in rule.expressions:
        writer.write(expression)
    named = [
        step._replace(set_name=f"__set{step.set_id}", set_id=0)
        if isinstance(step, Find) and step.set_name == ANONYMOUS
        else step
        for step in writer.steps
    ]
    return named, {f"__set{number}": each.values for number, each in enumerate(anonymous, 1)}


@given(st.lists(st.sampled_from(SIMPLE), min_size=1, max_size=4))
def test_a_rule_is_read_back_as_it_was_written(expressions: list[Expression]):
    """Whatever stands beside what, with conditions asked once; no packet is of both versions of IP."""
    rule = Rule(tuple(expressions))
    texts = [str(each) for each in expressions]
    assume(not (any("ip " in text for text in texts) and any("ip6 " in text or "icmpv6" in text for text in texts)))

    assert read_rule(*written(rule)) == rule


@pytest.mark.parametrize("rule", [Rule((each, Word.DROP)) for each in SIMPLE], ids=str)
def test_a_rule_with_a_step_too_few_or_in_another_order_is_never_taken_for_ours(rule: Rule):
    """What is read as a rule is written as those very steps."""
    steps, anonymous = written(rule)
    others = [list(each) for each in permutations(steps)] if len(steps) < 6 else [steps[::-1]]
    others += [steps[:index] + steps[index + 1 :] for index in range(len(steps))]
    for other in others:
        found = read_rule(other, anonymous)

        assert isinstance(found.expressions[0], Foreign) or written(found)[0] == other


def test_a_byte_brought_into_order_is_as_good_as_none():
    """As nft before 1.1 writes keys of ranges; we do not, and it means the same."""
    boxes = Rule((Lookup((Field.IP_DADDR, Field.L4PROTO, Field.DPORT), "boxes"), Word.ACCEPT))
    steps, anonymous = written(boxes)
    place = next(index for index, step in enumerate(steps) if isinstance(step, Meta) and step.key == 16)

    assert not any(isinstance(step, Swap) for step in steps)
    assert read_rule([*steps[: place + 1], Swap(9), *steps[place + 1 :]], anonymous) == boxes


FOREIGN: list[list[Step]] = [
    [Unknown("quota", b"")],
    [Meta(15, 1), Compare(1, 0, b"\x02"), Payload(1, 12, 4, 1), Compare(1, 1, b"\x0a\0\0\1")],
    [Meta(15, 1), Compare(1, 0, b"\x0a"), Payload(1, 12, 4, 1), Compare(1, 0, b"\x0a\0\0\1")],
    [Payload(1, 12, 4, 1), Find(1, "values")],
]


@pytest.mark.parametrize("steps", FOREIGN)
def test_what_we_never_write_is_foreign(steps: list[Step]):
    """An unknown step, another comparison, another version of IP, and no condition at all."""
    found = read_rule(steps, {})

    assert [type(each) for each in found.expressions] == [Foreign]


def test_a_rule_that_is_not_ours_cannot_be_written():
    """A program with such a rule came from the kernel and never goes there."""
    writer = Writer(lambda _: 0)

    with pytest.raises(ValueError, match="not ours: quota"):
        writer.write(Foreign("quota"))


def test_a_condition_is_asked_once_in_a_rule():
    """The second field of IPv6 needs no word about IPv6, and the type of ICMPv6 says both."""
    both = (Within(Field.ICMPV6_TYPE, TYPES), Within(Field.IP6_HOPLIMIT, Intervals.point(255)))
    steps, _ = written(Rule(both))

    assert [step.key for step in steps if isinstance(step, Meta)] == [15, 16]


def test_registers_are_those_of_a_key_of_several_fields():
    """A field begins four bytes after a short one and sixteen after an address of IPv6."""
    first, _ = written(Rule((Lookup((Field.IP_SADDR, Field.L4PROTO, Field.DPORT), "values"),)))
    second, _ = written(Rule((Dispatch((Field.IP6_SADDR, Field.IP6_DADDR), "map"),)))

    assert [step.register for step in first[2:5] if not isinstance(step, Unknown)] == [1, 9, 10]
    assert [step.register for step in second[2:4] if isinstance(step, Payload)] == [1, 2]


def test_a_list_of_one_range_needs_no_set():
    """It is compared; one that has more is looked up."""
    listed, _ = written(Rule((Within(Field.L4PROTO, Intervals.of([(1, 2)])),)))

    assert not [step for step in listed if isinstance(step, Find)]
