"""What our tables need of a kernel, feature by feature: each is a small table to try.

A kernel is not asked for its version: distributions take features back to old kernels and
build new ones without them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import Family
from ringfence.algebra.intervals import Intervals
from ringfence.dataplane.commands import AddTable
from ringfence.dataplane.delta import delta
from ringfence.dataplane.expressions import (
    SOURCE,
    Bits,
    Counter,
    CtDirection,
    CtState,
    Dispatch,
    Equals,
    Field,
    Goto,
    Limit,
    Log,
    Lookup,
    Reset,
    Rule,
    Stamp,
    Within,
    Word,
)
from ringfence.dataplane.handling import MASK
from ringfence.dataplane.links import link_number
from ringfence.dataplane.names import LOG_GROUP, TABLE
from ringfence.dataplane.nft import ADDRESS, Chain, Datatype, Element, Hook, Map, Program, Set

if TYPE_CHECKING:
    from ringfence.dataplane.commands import Command
    from ringfence.dataplane.expressions import Expression

TRIAL = f"{TABLE}-trial"
"""The table of which the kernel is asked whether it would take it; it never holds one of this name."""

_TCP = Within(Field.L4PROTO, Intervals.point(6))
_MODULES = "load the module {}, or run a kernel that has it"


@dataclass(frozen=True, slots=True)
class Feature:
    """Something that a kernel may lack.

    Attributes:
        name: What it is, for people.
        consequence: What follows where it is not there.
        remedy: What to do.
        program: A table that needs it, and nothing else that one before it does not.
        needed: Whether policies cannot be enforced without it.
    """

    name: str
    consequence: str
    remedy: str
    program: Program
    needed: bool = True

    def commands(self) -> tuple[Command, ...]:
        """Return what makes the table."""
        table = self.program.table
        return AddTable(table), *delta(Program(table, (), (), ()), self.program).change


def _trial(*rules: tuple[Expression, ...], sets: tuple[Set, ...] = (), maps: tuple[Map, ...] = ()) -> Program:
    chain = Chain("hook_forward", tuple(map(Rule, rules)), Hook.FORWARD)
    return Program(TRIAL, sets, maps, (chain, Chain("end", (Rule((Word.DROP,)),))))


def _verdict_maps() -> Program:
    """Return a table that looks addresses of both families up in maps that lead to chains."""
    maps = [
        Map(f"pods{family.value}", (ADDRESS[family],), (Element(((first, first),), Goto("end")),))
        for family, first in ((Family.IPV4, 1), (Family.IPV6, 1 << 64))
    ]
    lookups = [(Dispatch((SOURCE[family],), each.name),) for family, each in zip(Family, maps, strict=True)]
    return _trial(*lookups, maps=tuple(maps))


def _boxes() -> Program:
    key = (Datatype.IPV4_ADDR, Datatype.INET_PROTO, Datatype.INET_SERVICE)
    boxes = Set("boxes", key, (((1, 9), (6, 6), (80, 90)),), interval=True)
    return _trial((Lookup((Field.IP_SADDR, Field.L4PROTO, Field.DPORT), boxes.name), Word.ACCEPT), sets=(boxes,))


def _names_of_links() -> Program:
    link = link_number("pod0")
    bound = Set("bound", (Datatype.IFNAME, Datatype.IPV4_ADDR), (((link, link), (1, 1)),))
    return _trial((Lookup((Field.IIFNAME, Field.IP_SADDR), bound.name, negated=True), Word.DROP), sets=(bound,))


FEATURES = (
    Feature(
        "nftables with tables for both families",
        "no policy can be enforced",
        "load the module nf_tables, or run Linux 5.13 or newer",
        _trial((Counter(), Word.ACCEPT)),
    ),
    Feature("maps that lead to chains", "no policy can be enforced", _MODULES.format("nf_tables"), _verdict_maps()),
    Feature("ranges of several fields in sets", "no policy can be enforced", "run Linux 5.13 or newer", _boxes()),
    Feature(
        "names of links in sets",
        "nobody can be held to an address",
        _MODULES.format("nf_tables"),
        _names_of_links(),
    ),
    Feature(
        "rules about connections",
        "answers cannot be told from questions, so no policy can be enforced",
        _MODULES.format("nft_ct"),
        _trial(
            (Equals(Field.CT_STATE, CtState.NEW), Bits(Field.TCP_FLAGS, 0x17, 0x02), Word.ACCEPT),
            (Equals(Field.CT_DIRECTION, CtDirection.REPLY), Word.ACCEPT),
        ),
    ),
    Feature(
        "marks of connections",
        "a connection that is open cannot be judged again when policies change",
        "run a kernel with CONFIG_NF_CONNTRACK_MARK",
        _trial((Bits(Field.CT_MARK, MASK, 1 << 16), Word.ACCEPT), (Stamp(MASK, 1 << 16),)),
    ),
    Feature(
        "rules that log to NFLOG",
        "no table that logs what it drops can be loaded",
        _MODULES.format("nfnetlink_log"),
        _trial((Log("rf1 ", LOG_GROUP, 128), Counter(), Word.DROP)),
    ),
    Feature(
        "rules that reset",
        "connections in mid-stream cannot be reset, so no table can be loaded",
        _MODULES.format("nft_reject_inet"),
        _trial((_TCP, Reset())),
    ),
    Feature(
        "rules with a rate",
        "no limit can be set to what is logged",
        _MODULES.format("nft_limit"),
        _trial((Limit(10, 10), Log("rf1 ", LOG_GROUP, 128))),
        needed=False,
    ),
)
"""All of them; the first is part of every other."""
