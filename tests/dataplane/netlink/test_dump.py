"""What the kernel holds, read as a program: the same by both ways of loading, and nothing foreign passed over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given

from ringfence.dataplane.bridged import bridge_program
from ringfence.dataplane.compile import compile_program
from ringfence.dataplane.delta import delta, replacement
from ringfence.dataplane.netlink.dump import read_dump
from ringfence.dataplane.netlink.messages import read_attributes
from ringfence.dataplane.netlink.steps import Swap, decode_steps
from ringfence.dataplane.nft import Program, TableFamily
from ringfence.dataplane.plan import plan_node
from ringfence.edges import nft
from ringfence.edges.netns import Network
from ringfence.edges.nftables import Nftables
from ringfence.semantics.engine import Engine
from tests.dataplane.small import WIRING, small_plan
from tests.dataplane.test_bridged import PORTS
from tests.kernel.isolation import isolated
from tests.worlds import Limits, snapshots

if TYPE_CHECKING:
    from ringfence.dataplane.netlink.dump import Dump, Held
    from ringfence.dataplane.netlink.steps import Step
    from ringfence.model.snapshot import Snapshot

pytestmark = pytest.mark.kernel
SMALL = compile_program(small_plan())
TABLE = SMALL.table
EXPRESSIONS = 4


def dumped(network: Network, family: TableFamily = TableFamily.INET) -> Dump:
    """What a namespace holds of our table."""
    kernel = Nftables(network, family=family)
    found, _ = kernel.dump(TABLE)
    kernel.close()
    assert found
    return found


def held(network: Network) -> Held:
    """The same as a program."""
    return read_dump(dumped(network))


def canonical(program: Program) -> Program:
    """A program with its parts sorted by name."""
    parts = (program.sets, program.maps, program.chains)
    ordered = (tuple(sorted(part, key=lambda each: each.name)) for part in parts)
    return Program(program.table, *ordered, family=program.family)


def steps(rule: bytes) -> list[Step]:
    """The steps of a rule, but for the swap of a single byte, which nft says before 1.1 and we do not."""
    return [step for step in decode_steps(read_attributes(rule)[EXPRESSIONS]) if not isinstance(step, Swap)]


@isolated
def check_both_ways(*programs: Program) -> None:
    """Load each program as text and as messages, and compare everything that the kernel says of them."""
    for program in programs:
        by_text, by_message = Network.create(), Network.create()
        nft.apply(by_text, program.render())
        kernel = Nftables(by_message, family=program.family)
        kernel.apply(replacement(program))
        kernel.close()
        first, second = dumped(by_text, program.family), dumped(by_message, program.family)

        assert [steps(rule) for rule in first.rules] == [steps(rule) for rule in second.rules]
        assert nft.list_ruleset(by_text) == nft.list_ruleset(by_message)
        assert read_dump(first) == read_dump(second)
        assert (read_dump(second).foreign, read_dump(second).program) == ((), canonical(program))
        assert delta(read_dump(second).program, program).transactions() == ()
        by_text.close()
        by_message.close()


def test_text_and_messages_leave_the_same_in_the_kernel():
    """Every rule byte by byte, every set, map and chain, and what nft lists."""
    check_both_ways(SMALL, compile_program(small_plan("n2")), compile_program(small_plan(wiring=WIRING)))


def test_text_and_messages_of_a_bridge_s_table_leave_the_same_in_the_kernel():
    """Frames, ARP and neighbor discovery, which no other table reads."""
    check_both_ways(bridge_program("pod", PORTS))


@given(snapshots(Limits(pods=6, addressed=True)))
def test_text_and_messages_of_any_cluster_leave_the_same_in_the_kernel(snapshot: Snapshot):
    """Tiers, ranges, both families and hairpins among them."""
    check_both_ways(*(compile_program(plan_node(Engine(snapshot), node)) for node in ("n1", "n2")))


FOREIGN = {
    "insert rule inet ringfence fwd_o tcp dport 80 accept": "",
    "insert rule inet ringfence fwd_o ip saddr 10.0.0.9 accept": "",
    "insert rule inet ringfence fwd_o tcp dport { 80, 443 } accept": "a rule of chain fwd_o",
    "insert rule inet ringfence fwd_o limit rate 1/second": "",
    "insert rule inet ringfence fwd_o limit rate over 1/second": "a rule of chain fwd_o",
    "insert rule inet ringfence fwd_o limit rate 1/minute": "a rule of chain fwd_o",
    "insert rule inet ringfence fwd_o quota over 1 mbytes": "a rule of chain fwd_o",
    'add element inet ringfence judged4 { 10.9.9.9 comment "mine" }': "",
    'add element inet ringfence eg4 { 10.9.9.9 comment "mine" : accept }': "",
    "add set inet ringfence timed { type ipv4_addr; flags timeout; }": "set timed",
    "add set inet ringfence other { type mark; }": "set other",
    "add map inet ringfence marks { type ipv4_addr : mark; }": "map marks",
    "add map inet ringfence spans { type ipv4_addr : verdict; flags interval; }": "map spans",
    "add chain inet ringfence early { type filter hook forward priority -20; }": "chain early: its hook",
    "add chain inet ringfence first { type filter hook prerouting priority filter - 10; }": "chain first: its hook",
    "add chain inet ringfence fwd_r; add rule inet ringfence fwd_r jump { drop; }": "chain __chain",
    "add chain inet ringfence hook_forward { policy drop; }": "chain hook_forward: its hook",
    "add table inet ringfence { flags dormant; }": "the table is dormant",
}
"""What somebody else may do to our table, and the beginning of what is said of it; empty where it is as if ours."""


@pytest.mark.parametrize("command", FOREIGN)
def test_what_is_not_ours_is_named(command: str):
    """Rules, sets, elements, chains, hooks and the table itself; and the table can be made whole again."""
    check_foreign(command)


@isolated
def check_foreign(command: str) -> None:
    """Do something to our table, see that it is noticed, and make the table whole again."""
    network = Network.create()
    nft.apply(network, SMALL.render())
    nft.apply(network, command.replace("; ", "\n", 1) + "\n" if "jump {" in command else command + "\n")
    found = held(network)

    if FOREIGN[command]:
        assert [words for words in found.foreign if words.startswith(FOREIGN[command])]
    else:
        assert (found.foreign, found.program == canonical(SMALL)) == ((), False)
    repair(network, found)
    again = held(network)
    assert (again.foreign, delta(again.program, SMALL).transactions()) == ((), ())


def repair(network: Network, found: Held) -> None:
    """Bring a table to what it should be: by its differences, or all anew."""
    kernel = Nftables(network)
    if found.repairable:
        needed = delta(found.program, SMALL)
        kernel.apply(needed.change)
        kernel.apply(needed.tidying)
    else:
        kernel.apply(replacement(SMALL))
    kernel.close()
