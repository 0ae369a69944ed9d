"""Commands as messages: the bytes of one of each, to be read beside ``nf_tables.h``."""

from __future__ import annotations

import pytest

from ringfence.algebra.addresses import read_address
from ringfence.algebra.intervals import Intervals
from ringfence.dataplane.commands import (
    AddChain,
    AddElements,
    AddSet,
    AddTable,
    Command,
    DeleteChain,
    DeleteElements,
    DeleteSet,
    DeleteTable,
    FillChain,
)
from ringfence.dataplane.expressions import Field, Jump, Rule, Within, Word
from ringfence.dataplane.netlink.requests import OWNED, PERSISTENT, Requests
from ringfence.dataplane.nft import Chain, Datatype, Element, Hook, Map, Set

HOST = read_address("10.0.0.9")
BOXES = (Datatype.IPV4_ADDR, Datatype.INET_PROTO, Datatype.INET_SERVICE)
RANGES = Set("r", BOXES, (((HOST, HOST + 1), (6, 6), (80, 90)),), interval=True)
MAP = Map("m", (Datatype.IPV4_ADDR,), (Element(((HOST, HOST),), Jump("c")),))
TABLE = "0600010074000000"
"""The attribute of the table's name; those that follow it differ."""

BYTES: list[tuple[Command, str]] = [
    (AddTable("t"), "0800020000000000"),
    (DeleteTable("t"), ""),
    (AddChain("t", Chain("c", ())), "0600030063000000"),
    (
        AddChain("t", Chain("c", (), Hook.FORWARD)),
        "0600030063000000 14000480 0800010000000002 08000200fffffff6 0800050000000001 0b00070066696c74657200 00",
    ),
    (DeleteChain("t", "c"), "0600030063000000"),
    (DeleteSet("t", RANGES), "0600020072000000"),
    (
        AddSet("t", RANGES),
        (
            "0600020072000000 0800030000000084 080004000000730d 080005000000000c 08000a0000000001"
            "2c000980 28000280 0c000180 0800010000000004 0c000180 0800010000000001 0c000180 0800010000000002"
        ),
    ),
    (
        AddSet("t", MAP),
        (
            "060002006d000000 0800030000000008 0800040000000007 0800050000000004"
            "08000600ffffff00 0800070000000000 08000a0000000001"
        ),
    ),
    (
        AddElements("t", RANGES),
        (
            "0600020072000000 30000380 2c000180"
            "14000180 10000100 0a00000906000000005000 00 14000a80 10000100 0a0000 0a06000000005a0000"
        ),
    ),
    (
        DeleteElements("t", MAP),
        (
            "060002006d000000 2c000380 28000180 0c000180 080001000a000009"
            "18000280 14000280 08000100fffffffd 0600020063000000"
        ),
    ),
]


@pytest.mark.parametrize(("command", "expected"), BYTES, ids=[str(command) for command, _ in BYTES])
def test_a_command_is_these_bytes(command: Command, expected: str):
    """Every attribute, in order, as the kernel's header names them."""
    ((message,),) = Requests().units([command])

    assert message.attributes.hex() == TABLE + expected.replace(" ", "")


def test_an_owned_table_says_so():
    """Only its maker changes it, and it outlives its maker."""
    ((message,),) = Requests(OWNED | PERSISTENT).units([AddTable("t")])

    assert message.attributes.hex().endswith("0800020000000006")


def test_a_chain_is_filled_in_one_go():
    """It is emptied, and what a rule lists in place is a set that the rule names by its number."""
    listed = Within(Field.L4PROTO, Intervals.of([(1, 1), (58, 58)]))
    chain = Chain("c", (Rule((Word.ACCEPT,)), Rule((listed, Word.DROP))))
    (unit,) = Requests().units([FillChain("t", chain)])

    assert [(each.kind, each.about) for each in unit] == [
        (8, "chain c"),
        (6, "a rule of chain c"),
        (9, "a rule of chain c"),
        (12, "a rule of chain c"),
        (6, "a rule of chain c"),
    ]
    assert "0800040000000001" in unit[-1].attributes.hex()
    assert "08000a0000000001" in unit[2].attributes.hex()
