"""Each expression that we write, beside what ``nft`` makes of its text: the kernel's own steps, as nft prints them."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace

import pytest

from ringfence.algebra.intervals import Intervals
from ringfence.dataplane.compile import compile_program
from ringfence.dataplane.delta import replacement
from ringfence.dataplane.expressions import Dispatch, Expression, Field, Lookup, Reset, Rule, Within, Word
from ringfence.dataplane.nft import Chain, Datatype, Map, Program, Set
from ringfence.edges import nft
from ringfence.edges.netns import Network
from ringfence.edges.nftables import Nftables
from ringfence.edges.programs import find_program
from tests.dataplane.netlink.test_rules import SIMPLE
from tests.dataplane.small import WIRING, small_plan
from tests.kernel.isolation import isolated

pytestmark = pytest.mark.kernel
TYPES = {
    Field.IP_SADDR: Datatype.IPV4_ADDR,
    Field.IP_DADDR: Datatype.IPV4_ADDR,
    Field.IP6_SADDR: Datatype.IPV6_ADDR,
    Field.IP6_DADDR: Datatype.IPV6_ADDR,
    Field.L4PROTO: Datatype.INET_PROTO,
    Field.SPORT: Datatype.INET_SERVICE,
    Field.DPORT: Datatype.INET_SERVICE,
    Field.IIFNAME: Datatype.IFNAME,
    Field.OIFNAME: Datatype.IFNAME,
}


TCP = Within(Field.L4PROTO, Intervals.point(6))

SHORTENED = "ip saddr 10.0.0.0/8"
"""Of a block of whole bytes nft loads those alone and compares them; we mask. The compiler has none."""


def program() -> Program:
    """A chain for each expression, and a set or map for each that names one."""
    sets: list[Set] = []
    maps: list[Map] = []
    chains = [Chain("a", ()), Chain("b", ())]
    for number, expression in enumerate(SIMPLE):
        found: Expression = expression
        match expression:
            case Lookup(fields, name):
                key = tuple(TYPES[field] for field in fields)
                sets.append(Set(f"s{number}", key, interval=name == "boxes"))
                found = replace(expression, set_name=f"s{number}")
            case Dispatch(fields):
                maps.append(Map(f"m{number}", tuple(TYPES[field] for field in fields)))
                found = replace(expression, map_name=f"m{number}")
        if str(found) != SHORTENED:
            # Of a reset nft says itself that it is for TCP.
            insisting = (TCP,) if isinstance(found, Reset) else ()
            chains.append(Chain(f"c{number}", (Rule((*insisting, found)),)))
    return Program("t", tuple(sets), tuple(maps), tuple(chains))


def steps(network: Network) -> tuple[list[str], list[str]]:
    """What nft prints of the steps of all rules in order, and of all elements, sorted.

    The numbers that the kernel gives out are left out, and so is the end without a beginning
    with which nft begins a set of ranges, and the swap of a single byte, which nft from 1.1 on
    does not say, nor do we: newer kernels refuse it.
    """
    command = [find_program("nft"), "--debug=netlink", "list", "ruleset"]
    with network.entered():
        done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own words
    printed = re.sub(r"^(inet \S+ \S+) [\d ]+$", r"\1", done.stdout, flags=re.MULTILINE).splitlines()
    elements = sorted(
        line for line in printed if line.startswith("\telement") and not re.search(" 0+  : 1 .end.", line)
    )
    steps = [line for line in printed if re.match(r"inet \S+ [^@]|  \[", line)]
    return [line for line in steps if not re.search(r"\[ byteorder reg \d+ = hton\(reg \d+, 2, 1\) ]", line)], elements


@isolated
def check(desired: Program, count: int) -> None:
    """Load a program as text and as messages, and compare what nft prints of both."""
    by_text, by_message = Network.create(), Network.create()
    nft.apply(by_text, desired.render())
    Nftables(by_message).apply(replacement(desired))

    assert steps(by_message) == steps(by_text)
    assert len(steps(by_text)[0]) >= count


def test_each_expression_is_the_steps_that_nft_makes_of_it():
    """Of each at least one."""
    check(program(), len(SIMPLE))


def test_a_compiled_program_is_the_steps_that_nft_makes_of_it():
    """Together, and with the elements of its sets."""
    check(compile_program(small_plan(wiring=WIRING)), 100)


def test_no_expression_of_a_compiled_program_goes_untried():
    """A statement that is new in the compiler belongs into the list."""
    used = {
        type(each)
        for chain in compile_program(small_plan(wiring=WIRING)).chains
        for rule in chain.rules
        for each in rule.expressions
    }

    assert used <= {type(each) for each in SIMPLE} | {Word}
