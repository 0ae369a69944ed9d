"""Deltas: nothing for nothing, and in the kernel the same end whatever the start."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.algebra.addresses import EVERY, Family
from ringfence.algebra.intervals import Intervals
from ringfence.dataplane.commands import AddElements, DeleteElements, FillChain
from ringfence.dataplane.compile import compile_program
from ringfence.dataplane.delta import delta, replacement
from ringfence.dataplane.expressions import Dispatch, Field, Jump, Rule
from ringfence.dataplane.handling import Epoch, Handling
from ringfence.dataplane.nft import Chain, Datatype, Element, Hook, Map, Program, Set
from ringfence.dataplane.plan import plan_node
from ringfence.semantics.engine import Engine
from tests.dataplane.kernel import canonical, loaded
from tests.dataplane.small import MANIFESTS, small_plan
from tests.worlds import Limits, snapshots

if TYPE_CHECKING:
    from ringfence.model.snapshot import Snapshot

ADDRESSED = Limits(pods=6, addressed=True)
SMALL = compile_program(small_plan())
ANOTHER_WEB = """\
apiVersion: v1
kind: Pod
metadata: {name: web-3, namespace: shop, labels: {app: web}}
spec: {nodeName: n1, containers: [{name: main}]}
status: {podIP: 10.0.0.200}
"""


def test_equal_programs_need_nothing():
    """Nothing is sent to the kernel when it holds what it should."""
    nothing = delta(SMALL, compile_program(small_plan()))

    assert (nothing.program, nothing.transactions()) == (SMALL, ())


def test_one_more_pod_is_a_few_elements():
    """A replica that joins classes that exist changes no chain."""
    (change,) = delta(SMALL, compile_program(small_plan(more=ANOTHER_WEB))).transactions()

    assert change == (
        "add element inet ringfence judged4 { 10.0.0.200 }\n"
        "add element inet ringfence i_10.0.0.5_a { 10.0.0.200 . 6 . 5432 }\n"
        "add element inet ringfence eg4 { 10.0.0.200 : jump e_10.0.0.9 }\n"
        "add element inet ringfence self4 { 10.0.0.200 . 10.0.0.200 : goto allow }\n"
        "add element inet ringfence eg4_r { 10.0.0.200 : jump e_10.0.0.9_r }\n"
        "add element inet ringfence self4_r { 10.0.0.200 . 10.0.0.200 : goto allow }\n"
    )


def test_another_policy_refills_the_chains_of_its_class_alone():
    """New elements come before the rules, old ones after; a set that nothing names goes in the end, alone."""
    changed = MANIFESTS.replace("  - ports: [{port: 53, protocol: UDP}]\n", "").replace("port: 443", "port: 8443")
    port, reply = "ip daddr . meta l4proto . th dport", "ip saddr . meta l4proto . th sport"

    change, tidying = delta(SMALL, compile_program(small_plan(manifests=changed))).transactions()

    assert change == (
        "add element inet ringfence e_10.0.0.9_ra {"
        " 0.0.0.0-9.255.255.255 . 6 . 8443, 11.0.0.0-255.255.255.255 . 6 . 8443 }\n"
        "flush chain inet ringfence e_10.0.0.9\n"
        f"add rule inet ringfence e_10.0.0.9 {port} @e_10.0.0.9_ra return\n"
        "add rule inet ringfence e_10.0.0.9 ip daddr @e_10.0.0.9_pa return\n"
        "add rule inet ringfence e_10.0.0.9 goto e_10.0.0.9_deny\n"
        "flush chain inet ringfence e_10.0.0.9_r\n"
        f"add rule inet ringfence e_10.0.0.9_r {reply} @e_10.0.0.9_ra return\n"
        "add rule inet ringfence e_10.0.0.9_r ip saddr @e_10.0.0.9_pa return\n"
        "add rule inet ringfence e_10.0.0.9_r goto e_10.0.0.9_deny\n"
        "delete element inet ringfence e_10.0.0.9_ra {"
        " 0.0.0.0-9.255.255.255 . 6 . 443, 11.0.0.0-255.255.255.255 . 6 . 443 }\n"
    )
    assert tidying == "delete set inet ringfence e_10.0.0.9_qa\n"


def test_a_class_that_is_gone_takes_its_chains_and_sets_with_it():
    """Nobody is led there any more, the chains are emptied, and then nothing names anything that is deleted."""
    without_the_last_policy = MANIFESTS.rpartition("---\n")[0]
    change, tidying = delta(SMALL, compile_program(small_plan(manifests=without_the_last_policy))).transactions()

    assert "delete element inet ringfence eg4 { 10.0.0.9 }" in change.splitlines()
    assert tidying.splitlines() == [
        "flush chain inet ringfence e_10.0.0.9",
        "flush chain inet ringfence e_10.0.0.9_r",
        "flush chain inet ringfence e_10.0.0.9_deny",
        "delete set inet ringfence e_10.0.0.9_ra",
        "delete set inet ringfence e_10.0.0.9_pa",
        "delete set inet ringfence e_10.0.0.9_qa",
        "delete chain inet ringfence e_10.0.0.9",
        "delete chain inet ringfence e_10.0.0.9_r",
        "delete chain inet ringfence e_10.0.0.9_deny",
    ]


def test_marks_change_last():
    """Where a change takes several transactions, a new epoch vouches for all of them."""
    changed = small_plan(manifests=MANIFESTS.replace("port: 443", "port: 8443"))
    (change,) = delta(SMALL, compile_program(changed, Handling(Epoch(2)))).transactions()
    marking = [line for line in change.splitlines() if line.startswith("flush chain")]

    assert "delete element inet ringfence e_10.0.0.9_ra" in change
    assert marking[-3:] == [f"flush chain inet ringfence {name}" for name in ("hook_forward", "hook_input", "allow")]
    assert change.index("delete element") < change.index(marking[-3])


def test_nothing_is_marked_while_a_table_is_filled():
    """Where a first load takes several transactions, connections pass that were not judged by all of it."""
    *others, last = replacement(SMALL)

    assert isinstance(last, FillChain)
    assert last.chain.name == "allow"
    assert [each for each in others if isinstance(each, FillChain) and each.chain.name == "allow"] == []


FORWARD = Chain("hook_forward", (Rule((Dispatch((Field.IP_SADDR,), "m"),)),), Hook.FORWARD)


def with_map(*elements: Element) -> Program:
    """A program of one map, which one rule looks into."""
    return Program("t", (), (Map("m", (Datatype.IPV4_ADDR,), elements),), (FORWARD, Chain("a", ()), Chain("b", ())))


ONE, TWO = ((1, 1),), ((2, 2),)


def test_an_element_that_is_to_say_something_else_makes_another_map():
    """The rule changes over to a map that was filled before; the old one goes when nothing looks into it."""
    actual = with_map(Element(ONE, Jump("a")), Element(TWO, Jump("a")))
    desired = with_map(Element(ONE, Jump("b")), Element(TWO, Jump("a")))
    change, tidying = delta(actual, desired).transactions()

    assert change == (
        "add map inet t m.1 { type ipv4_addr : verdict; }\n"
        "add element inet t m.1 { 0.0.0.1 : jump b, 0.0.0.2 : jump a }\n"
        "flush chain inet t hook_forward\n"
        "add rule inet t hook_forward ip saddr vmap @m.1\n"
    )
    assert tidying == "delete map inet t m\n"


def test_another_map_keeps_its_name_until_it_has_to_give_way_too():
    """What is there by another name changes in place, and the first name that is free comes next."""
    first, second = with_map(Element(ONE, Jump("a"))), with_map(Element(ONE, Jump("b")))
    held = delta(first, second).program
    grown = delta(held, with_map(Element(ONE, Jump("b")), Element(TWO, Jump("b"))))

    assert grown.transactions() == ("add element inet t m.1 { 0.0.0.2 : jump b }\n",)
    assert [each.name for each in delta(grown.program, first).program.maps] == ["m"]


def test_ranges_that_overlap_what_goes_make_another_set():
    """Ranges beside what goes are added in place."""

    def ranges(*pairs: tuple[int, int]) -> Program:
        return Program("t", (Set("s", (Datatype.IPV4_ADDR,), tuple((p,) for p in pairs), interval=True),), (), ())

    beside, within = delta(ranges((0, 9)), ranges((10, 19))), delta(ranges((0, 9)), ranges((5, 19)))

    assert [command.splitlines()[0][:11] for command in beside.transactions()[0].splitlines()] == [
        "add element",
        "delete elem",
    ]
    assert [each.name for each in within.program.sets] == ["s.1"]


@given(programs := snapshots(ADDRESSED), programs)
def test_no_key_is_deleted_and_added_again(before: Snapshot, after: Snapshot):
    """Older kernels may find neither while a transaction takes effect."""
    actual, desired = (compile_program(plan_node(Engine(each), "n1")) for each in (before, after))
    for part in ("change", "tidying"):
        commands = getattr(delta(actual, desired), part)
        gone, added = (
            [(each.named.name, key) for each in commands if isinstance(each, kind) for key in each.named.keys]
            for kind in (DeleteElements, AddElements)
        )

        assert [
            pair
            for pair in product(gone, added)
            if pair[0][0] == pair[1][0]
            and all(a[0] <= b[1] and b[0] <= a[1] for a, b in zip(pair[0][1], pair[1][1], strict=True))
        ] == []


def test_a_replacement_deletes_what_is_there_in_the_same_transaction():
    """It makes the table first, because nothing that is not there can be deleted."""
    assert [str(command) for command in replacement(with_map())[:4]] == [
        "add table inet t",
        "delete table inet t",
        "add table inet t",
        "add chain inet t hook_forward { type filter hook forward priority filter - 10; policy accept; }",
    ]


@st.composite
def changes(draw: st.DrawFn) -> tuple[Snapshot, Snapshot]:
    """One cluster and the next: other policies over the same pods, or nothing as it was."""
    before, after = draw(snapshots(ADDRESSED)), draw(snapshots(ADDRESSED))
    return before, after if draw(st.integers(0, 3)) == 0 else replace(before, policies=after.policies)


@pytest.mark.kernel
@given(changes())
def test_the_kernel_ends_where_a_fresh_load_ends(change: tuple[Snapshot, Snapshot]):
    """Whatever a node held, the delta leaves exactly what loading the new program leaves."""
    actual, desired = (compile_program(plan_node(Engine(each), "n1")) for each in change)

    assert canonical(loaded(actual.render(), *delta(actual, desired).transactions())) == canonical(
        loaded(desired.render())
    )


@st.composite
def intervals(draw: st.DrawFn, space: Intervals) -> Intervals:
    """A few ranges that begin and end where others do, at the ends of the space, or anywhere."""
    ((lowest, highest),) = space.ranges
    places = st.integers(lowest, lowest + 8) | st.integers(highest - 8, highest) | st.integers(lowest, highest)
    pairs = draw(st.lists(st.tuples(places, places), max_size=4))
    return Intervals.of((min(pair), max(pair)) for pair in pairs)


@st.composite
def interval_sets(draw: st.DrawFn) -> Program:
    """A program of nothing but interval sets, of every key that we use."""
    port_space, protocol = Intervals.of([(0, 65_535)]), (6, 6)
    four, six = (draw(intervals(EVERY[family])) for family in Family)
    numbers = draw(intervals(port_space))
    boxes = [(pair, protocol, other) for pair in draw(intervals(EVERY[Family.IPV6])) for other in numbers]
    service = (Datatype.INET_PROTO, Datatype.INET_SERVICE)
    sets = (
        Set("four", (Datatype.IPV4_ADDR,), tuple((pair,) for pair in four), interval=True),
        Set("six", (Datatype.IPV6_ADDR,), tuple((pair,) for pair in six), interval=True),
        Set("ports", service, tuple((protocol, pair) for pair in numbers), interval=True),
        Set("boxes", (Datatype.IPV6_ADDR, *service), tuple(boxes), interval=True),
    )
    return Program("t", sets, (), ())


@pytest.mark.kernel
@given(interval_sets(), interval_sets())
def test_ranges_give_way_to_ranges_that_overlap_them(actual: Program, desired: Program):
    """The kernel and nft refuse overlaps: what overlaps goes to another set."""
    assert canonical(loaded(actual.render(), *delta(actual, desired).transactions())) == canonical(
        loaded(desired.render())
    )
