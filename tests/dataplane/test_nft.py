"""Nouns and their text."""

from __future__ import annotations

import pytest

from ringfence.algebra.addresses import EVERY, Family, cidrs, read_address, read_cidr
from ringfence.algebra.intervals import Intervals
from ringfence.dataplane.expressions import (
    Counter,
    CtDirection,
    CtState,
    Dispatch,
    Equals,
    Expression,
    Field,
    Goto,
    Jump,
    Log,
    Lookup,
    Rule,
    Within,
    Word,
)
from ringfence.dataplane.nft import Chain, Datatype, Element, Hook, Map, Program, Set

TEXTS: list[tuple[Expression, str]] = [
    (Equals(Field.CT_STATE, CtState.NEW), "ct state new"),
    (Equals(Field.CT_DIRECTION, CtDirection.REPLY), "ct direction reply"),
    (Within(Field.IP6_HOPLIMIT, Intervals.point(255)), "ip6 hoplimit 255"),
    (Within(Field.ICMPV6_TYPE, Intervals.of([(130, 132), (143, 143)])), "icmpv6 type { 130-132, 143 }"),
    (Within(Field.IP6_SADDR, read_cidr("fe80::/10")), "ip6 saddr fe80::/10"),
    (Lookup((Field.IP_SADDR, Field.L4PROTO, Field.DPORT), "s"), "ip saddr . meta l4proto . th dport @s"),
    (Lookup((Field.L4PROTO,), "s", negated=True), "meta l4proto != @s"),
    (Dispatch((Field.IP6_DADDR,), "m"), "ip6 daddr vmap @m"),
    (Log("rf1 e x ", 7, 128), 'log prefix "rf1 e x " group 7 snaplen 128'),
    (Counter(), "counter"),
    (Jump("c"), "jump c"),
    (Goto("c"), "goto c"),
    (Word.DROP, "drop"),
]


@pytest.mark.parametrize(("expression", "text"), TEXTS, ids=[text for _, text in TEXTS])
def test_an_expression_knows_its_text(expression: Expression, text: str):
    """Each noun is written as nft reads it."""
    assert str(expression) == text


@pytest.mark.parametrize(
    ("first", "last", "text"),
    [
        ("10.0.0.1", "10.0.0.1", "10.0.0.1"),
        ("10.0.0.0", "10.0.0.255", "10.0.0.0/24"),
        ("10.0.0.1", "10.0.0.2", "10.0.0.1-10.0.0.2"),
        ("128.0.0.0", "255.255.255.255", "128.0.0.0/1"),
        ("fd00::", "fd00::ffff", "fd00::/112"),
        ("fd00::1", "fd00::ffff", "fd00::1-fd00::ffff"),
    ],
)
def test_a_range_of_addresses_is_written_as_short_as_it_can_be(first: str, last: str, text: str):
    """One address, a CIDR where there is one, or both ends."""
    datatype = Datatype.IPV6_ADDR if ":" in first else Datatype.IPV4_ADDR
    named = Set("s", (datatype,), (((read_address(first), read_address(last)),),), interval=True)

    assert list(named.texts()) == [text]


@pytest.mark.parametrize(("family", "text"), [(Family.IPV4, cidrs(EVERY[Family.IPV4])[0]), (Family.IPV6, "::/0")])
def test_all_addresses_of_a_family_are_one_cidr(family: Family, text: str):
    """So it is even for IPv6, which does not begin at 0 on the line of addresses."""
    datatype = {Family.IPV4: Datatype.IPV4_ADDR, Family.IPV6: Datatype.IPV6_ADDR}[family]
    named = Set("s", (datatype,), ((EVERY[family].ranges[0],),), interval=True)

    assert list(named.texts()) == [text]


def test_a_program_is_one_transaction_that_replaces_the_table():
    """The table is added, so that deleting it never fails, and then made anew."""
    address = (read_address("10.0.0.1"),) * 2
    program = Program(
        "t",
        (Set("s", (Datatype.INET_PROTO, Datatype.INET_SERVICE), (((6, 6), (80, 90)),), interval=True),),
        (Map("m", (Datatype.IPV4_ADDR,), (Element((address,), Jump("c")),)),),
        (
            Chain("b", (Rule((Dispatch((Field.IP_SADDR,), "m"),)),), Hook.FORWARD),
            Chain("c", (Rule((Lookup((Field.L4PROTO, Field.DPORT), "s"), Word.RETURN)), Rule((Counter(), Word.DROP)))),
        ),
    )

    assert program.render() == (
        "add table inet t\n"
        "delete table inet t\n"
        "table inet t {\n"
        "\tset s {\n"
        "\t\ttype inet_proto . inet_service; flags interval;\n"
        "\t\telements = {\n"
        "\t\t\t6 . 80-90,\n"
        "\t\t}\n"
        "\t}\n"
        "\tmap m {\n"
        "\t\ttype ipv4_addr : verdict;\n"
        "\t\telements = {\n"
        "\t\t\t10.0.0.1 : jump c,\n"
        "\t\t}\n"
        "\t}\n"
        "\tchain b {\n"
        "\t\ttype filter hook forward priority filter - 10; policy accept;\n"
        "\t\tip saddr vmap @m\n"
        "\t}\n"
        "\tchain c {\n"
        "\t\tmeta l4proto . th dport @s return\n"
        "\t\tcounter drop\n"
        "\t}\n"
        "}\n"
    )
