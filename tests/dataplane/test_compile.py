"""Compiled programs: the golden text of a small one, and what holds for all of them."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, product
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.algebra.addresses import EVERY, Address, Family, read_address, read_cidr
from ringfence.algebra.intervals import EMPTY, Intervals
from ringfence.algebra.traffic import ALL, PORTLESS, Protocol, point, ports
from ringfence.dataplane import names
from ringfence.dataplane.compile import compile_program
from ringfence.dataplane.expressions import Dispatch, Goto, Jump, Lookup
from ringfence.dataplane.nft import NUMBERS, Program
from ringfence.dataplane.plan import LocalClass, NodePlan, Wiring, plan_node
from ringfence.dataplane.simulate import Packet, simulate
from ringfence.model.policy import Direction
from ringfence.semantics.engine import Engine
from tests.dataplane.small import WIRING, pod, small_plan, small_snapshot
from tests.worlds import Limits, boundary_addresses, boundary_traffic, snapshots

if TYPE_CHECKING:
    from ringfence.model.snapshot import Snapshot

ADDRESSED = Limits(pods=6, addressed=True)
GOLDEN = Path(__file__).with_name("small.nft")
MOST_RULES = 9
OWN, PEER, STRANGER = map(read_address, ("10.0.0.5", "10.0.0.7", "10.9.9.9"))
HTTP, DNS = ports(Protocol.TCP, 80, 80), ports(Protocol.UDP, 53, 53)


def program_of(*rows: tuple[Intervals, Intervals], direction: Direction = Direction.INGRESS) -> Program:
    """The program of one pod at OWN whose class has these rows; nothing is allowed with the rest, if any."""
    rest = EVERY[Family.IPV4] - Intervals.union(addresses for addresses, _ in rows)
    every = (*rows, (rest, EMPTY)) if rest else rows
    local_class = LocalClass(direction, Family.IPV4, (pod(small_snapshot(), "db"),), every)
    return compile_program(NodePlan("n1", (local_class,), ()))


def elements(program: Program) -> dict[str, list[str]]:
    """The elements of the sets of its classes, by the end of the set's name."""
    made = [named for named in program.sets if named.name[1] == "_"]
    return {named.name.rpartition("_")[2]: list(named.texts()) for named in made}


def test_a_small_program_is_written_as_ever():
    """The whole text for one node, compared byte by byte; read ``small.nft`` to see the layout."""
    assert compile_program(small_plan(wiring=WIRING)).render() == GOLDEN.read_text()


def test_traffic_goes_to_the_set_of_its_kind():
    """Single values, ranges, whole peers, ports of anybody, and protocols without ports."""
    block, whole, everything = read_cidr("172.16.0.0/12"), Intervals.point(STRANGER), EVERY[Family.IPV4]
    peer = Intervals.point(PEER)
    rows = [
        (peer, DNS | HTTP),
        (block, DNS | HTTP | Intervals.point(PORTLESS)),
        (whole, ALL),
        (everything - peer - block - whole, DNS),
    ]

    assert elements(program_of(*rows)) == {
        "a": ["10.0.0.7 . 6 . 80"],
        "ra": ["172.16.0.0/12 . 6 . 80"],
        "pa": ["10.9.9.9"],
        "qa": ["17 . 53"],
        "na": ["172.16.0.0/12"],
    }


def test_a_few_denials_are_written_instead_of_everything_else():
    """What takes fewer elements is written down, and the chain's last rule is the other."""
    program = program_of((Intervals.point(PEER), ALL - HTTP), (EVERY[Family.IPV4] - Intervals.point(PEER), ALL))

    assert elements(program) == {"d": ["10.0.0.7 . 6 . 80"]}
    assert [str(rule) for rule in program.chain_by_name["i_10.0.0.5"].rules] == [
        "ip saddr . meta l4proto . th dport @i_10.0.0.5_d goto i_10.0.0.5_deny",
        "goto allow",
    ]


def test_neighboring_addresses_are_spelled_out():
    """Pods are often numbered in a row; a small box is single elements, a large one is a range."""
    few, many = Intervals.of([(PEER, PEER + 3)]), Intervals.of([(PEER, PEER + 99)])

    assert len(elements(program_of((few, HTTP)))["a"]) == few.count()
    assert elements(program_of((many, HTTP))) == {"ra": ["10.0.0.7-10.0.0.106 . 6 . 80"]}


@pytest.mark.parametrize("direction", Direction)
def test_every_protocol_without_ports_is_alike(direction: Direction):
    """ICMP stands for all of them, and where ports would stand means nothing, even beyond the end."""
    program = program_of((Intervals.point(PEER), Intervals.point(PORTLESS)), direction=direction)
    ends = (OWN, PEER) if direction is Direction.EGRESS else (PEER, OWN)
    for number, there in product(range(256), (None, 0, 80)):
        packet = Packet(*ends, number, there, there)
        assert simulate(program, packet).accepted is (number not in NUMBERS.values()), packet


def test_protocols_without_ports_are_allowed_with_anybody():
    """Where every row has them there is no set to look into."""
    peer, portless = Intervals.point(PEER), Intervals.point(PORTLESS)
    program = program_of((peer, HTTP | portless), (EVERY[Family.IPV4] - peer, portless))

    assert elements(program) == {"a": ["10.0.0.7 . 6 . 80"]}
    assert simulate(program, Packet(STRANGER, OWN, 1, None, None)).accepted
    assert not simulate(program, Packet(STRANGER, OWN, 6)).accepted


@given(snapshots(ADDRESSED), st.data())
def test_a_class_s_chain_accepts_what_its_rows_allow(snapshot: Snapshot, data: st.DataObject):
    """Sets and rules hold the function of the plan, at every boundary of addresses and ports."""
    plan = plan_node(Engine(snapshot), data.draw(st.sampled_from(sorted(snapshot.nodes))))
    for each in plan.classes:
        alone = compile_program(replace(plan, classes=(each,), hairpins=()))
        own = data.draw(st.sampled_from(each.addresses))
        for peer in boundary_addresses(snapshot):
            if peer not in EVERY[each.family] or peer == own:
                continue
            (traffic,) = (traffic for addresses, traffic in each.rows if peer in addresses)
            ends: tuple[Address, Address] = (own, peer) if each.direction is Direction.EGRESS else (peer, own)
            for protocol, port in boundary_traffic():
                packet = Packet(*ends, NUMBERS.get(protocol, 1), 53, port)
                assert simulate(alone, packet).accepted is (point(protocol, port) in traffic), packet


@given(snapshots(ADDRESSED))
def test_elements_are_sorted_and_never_overlap(snapshot: Snapshot):
    """The kernel refuses intervals that overlap, and the same program is always the same bytes."""
    for program in programs(snapshot):
        for named in program.sets:
            assert list(named.elements) == sorted(set(named.elements))
            assert named.interval or all(first == last for key in named.elements for first, last in key)
            for one, other in combinations(named.elements, 2):
                fields = zip(one, other, strict=True)
                assert any(a[1] < b[0] or b[1] < a[0] for a, b in fields), (named.name, one, other)
        for mapped in program.maps:
            keys = [element.key for element in mapped.elements]
            assert keys == sorted(set(keys))


@given(snapshots(ADDRESSED))
def test_chains_are_short_and_whatever_they_name_is_there(snapshot: Snapshot):
    """At most nine rules each; every chain, set and map that is named exists, and nothing else does."""
    for program in programs(snapshot):
        expressions = [each for chain in program.chains for rule in chain.rules for each in rule.expressions]
        statements = [element.statement for mapped in program.maps for element in mapped.elements]
        chains = {each.chain for each in (*expressions, *statements) if isinstance(each, Jump | Goto)}
        sets = {names.PORTED} | {each.set_name for each in expressions if isinstance(each, Lookup)}
        maps = {each.map_name for each in expressions if isinstance(each, Dispatch)}
        reached = {chain.name for chain in program.chains if not chain.hook}

        assert all(len(chain.rules) <= MOST_RULES for chain in program.chains)
        assert chains == reached
        assert sets == {named.name for named in program.sets}
        assert maps == {mapped.name for mapped in program.maps}


@given(snapshots(ADDRESSED))
def test_a_program_does_not_grow_with_the_number_of_policies(snapshot: Snapshot):
    """Policies that say again what others say change nothing: there is no chain for a policy."""
    again = [replace(policy, name=f"{policy.name}-{n}") for policy in snapshot.policies for n in range(3)]
    more = replace(snapshot, policies=tuple(sorted((*snapshot.policies, *again), key=lambda p: (p.kind, p.name))))

    assert programs(more) == programs(snapshot)


def programs(snapshot: Snapshot) -> list[Program]:
    """The program of every node, with its pods on links of their own."""
    engine = Engine(snapshot)
    wiring = Wiring("pod", {str(pod): f"pod{number}" for number, pod in enumerate(snapshot.pods)})
    return [compile_program(plan_node(engine, node, wiring)) for node in snapshot.nodes]


def test_a_node_without_isolated_pods_has_the_fixed_chains_alone():
    """They lead nowhere, and everything is accepted."""
    program = compile_program(NodePlan("n3", (), ()))

    assert [chain.name for chain in program.chains] == [
        names.FORWARD,
        names.INPUT,
        names.FORWARD_RELATED,
        names.INPUT_RELATED,
        names.FORWARD_ORIGINAL,
        names.FORWARD_REPLY,
        names.INPUT_ORIGINAL,
        names.DROP_INVALID,
        names.MIDSTREAM,
        names.ALLOW,
    ]
    assert simulate(program, Packet(PEER, STRANGER, 6, 1, 1)).accepted
