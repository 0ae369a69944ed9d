"""The fake kernel: how chains, rules and fields behave, and what every program does with conntrack."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ringfence.algebra.addresses import read_address
from ringfence.algebra.intervals import Intervals
from ringfence.dataplane.compile import compile_program
from ringfence.dataplane.expressions import (
    Counter,
    CtDirection,
    CtState,
    Dispatch,
    Equals,
    Field,
    Goto,
    Jump,
    Log,
    Lookup,
    Rule,
    Statement,
    Within,
    Word,
)
from ringfence.dataplane.handling import Epoch, Handling, Mode
from ringfence.dataplane.nft import Chain, Datatype, Element, Hook, Map, Program, Set
from ringfence.dataplane.plan import plan_node
from ringfence.dataplane.simulate import ACK, RST, SYN, Packet, Passage, simulate
from ringfence.semantics.engine import Engine
from tests.dataplane.small import small_plan, small_snapshot

if TYPE_CHECKING:
    from ringfence.algebra.addresses import Address

DB, WEB, STRANGER, NODE = map(read_address, ("10.0.0.5", "10.0.0.9", "10.9.9.9", "192.168.0.1"))
POD6, LINK_LOCAL, NODE6 = map(read_address, ("fd00::5", "fe80::5", "fd01::1"))
TCP, UDP, ICMP, ICMPV6 = 6, 17, 1, 58
MARK = Epoch().value
TO_DB = Packet(STRANGER, DB, TCP, 40_000, 5432)
LOGGED = Rule((Log("deny ", 7, 128),))
DROP = Rule((Counter(), Word.DROP))

ISOLATED6 = """\
apiVersion: v1
kind: Pod
metadata: {name: six, namespace: shop, labels: {app: six}}
spec: {nodeName: n1, containers: [{name: main}]}
status: {podIP: "fd00::5"}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: six-alone, namespace: shop}
spec: {podSelector: {matchLabels: {app: six}}, policyTypes: [Egress]}
"""


def program(*rules: Rule, **chains: tuple[Rule, ...]) -> Program:
    """A base chain in forward, and the chains it may lead to."""
    others = tuple(Chain(name, each) for name, each in chains.items())
    return Program("t", (), (), (Chain("base", rules, Hook.FORWARD), *others))


def test_a_base_chain_accepts_what_no_rule_decides():
    """The policy of the chain is accept."""
    assert simulate(program(), TO_DB) == Passage(accepted=True, log_prefix="", trail=("base",))


def test_another_hook_s_chain_is_not_run():
    """A packet in input does not meet what stands in forward."""
    assert simulate(program(DROP), replace(TO_DB, hook=Hook.INPUT)).accepted


@pytest.mark.parametrize(
    ("lead", "in_chain", "after", "accepted"),
    [
        (Jump("c"), (), DROP, False),
        (Jump("c"), (Rule((Word.RETURN,)), DROP), Rule((Word.ACCEPT,)), True),
        (Jump("c"), (Rule((Word.ACCEPT,)),), DROP, True),
        (Goto("c"), (), DROP, True),
        (Goto("c"), (Rule((Word.RETURN,)), DROP), DROP, True),
        (Goto("c"), (DROP,), Rule((Word.ACCEPT,)), False),
    ],
)
def test_jump_comes_back_and_goto_does_not(
    lead: Statement,
    in_chain: tuple[Rule, ...],
    after: Rule,
    accepted: bool,  # noqa: FBT001
):
    """What follows a chain is judged after a jump alone, by its end or by return."""
    passage = simulate(program(Rule((lead,)), after, c=in_chain), TO_DB)

    assert passage == Passage(accepted, "", ("base", "c"))


def test_return_goes_back_to_the_last_jump_even_through_goto():
    """A chain that was entered by goto returns to where its own chain was jumped from."""
    chains = {"first": (Rule((Goto("second"),)), DROP), "second": (Rule((Word.RETURN,)),)}
    passage = simulate(program(Rule((Jump("first"),)), LOGGED, DROP, **chains), TO_DB)

    assert passage == Passage(accepted=False, log_prefix="deny ", trail=("base", "first", "second"))


def test_a_map_without_the_key_lets_the_packet_go_on():
    """Only addresses in the map are led away."""
    found = Map("m", (Datatype.IPV4_ADDR,), (Element(((DB, DB),), Word.DROP),))
    base = Chain("base", (Rule((Dispatch((Field.IP_DADDR,), "m"),)),), Hook.FORWARD)
    both = Program("t", (), (found,), (base,))

    assert not simulate(both, TO_DB).accepted
    assert simulate(both, replace(TO_DB, destination=WEB)).accepted


@pytest.mark.parametrize("negated", [False, True])
def test_a_rule_about_a_field_that_the_packet_lacks_never_holds(negated: bool):  # noqa: FBT001
    """An IPv6 packet has no IPv4 address, and not even a negated lookup of it holds."""
    lookup = Rule((Lookup((Field.IP_SADDR,), "s", negated=negated), Word.DROP))
    made = Program("t", (Set("s", (Datatype.IPV4_ADDR,)),), (), (Chain("base", (lookup,), Hook.FORWARD),))

    assert simulate(made, Packet(POD6, NODE6, TCP)).accepted
    assert simulate(made, TO_DB).accepted is not negated


@pytest.mark.parametrize("state", [CtState.INVALID, CtState.UNTRACKED])
def test_a_packet_without_a_connection_has_no_direction(state: CtState):
    """Conntrack knows neither its opener nor its reply."""
    rules = (Rule((Equals(Field.CT_DIRECTION, way), Word.DROP)) for way in CtDirection)

    assert simulate(program(*rules), replace(TO_DB, state=state)).accepted


def test_only_icmpv6_has_an_icmpv6_type():
    """The byte of another protocol that stands in its place means nothing."""
    rule = Rule((Within(Field.ICMPV6_TYPE, Intervals.point(135)), Word.DROP))
    packet = Packet(POD6, NODE6, ICMPV6, icmp_type=135)

    assert not simulate(program(rule), packet).accepted
    assert simulate(program(rule), replace(packet, protocol=TCP)).accepted


def test_a_packet_too_short_for_ports_has_none():
    """A rule on ports passes it by."""
    rule = Rule((Within(Field.DPORT, Intervals.of([(0, 65_535)])), Word.DROP))

    assert not simulate(program(rule), TO_DB).accepted
    assert simulate(program(rule), replace(TO_DB, destination_port=None)).accepted


@pytest.mark.parametrize(
    ("changes", "accepted"),
    [
        ({}, False),
        ({"state": CtState.ESTABLISHED, "mark": MARK}, True),
        ({"state": CtState.ESTABLISHED, "mark": MARK | 0x8000FFFF}, True),
        ({"state": CtState.ESTABLISHED, "mark": MARK, "ct_direction": CtDirection.REPLY}, True),
        ({"state": CtState.ESTABLISHED}, False),
        ({"state": CtState.ESTABLISHED, "mark": 2 * MARK}, False),
        ({"state": CtState.ESTABLISHED, "tcp_flags": ACK, "source": WEB}, True),
        ({"mark": MARK}, True),
        ({"state": CtState.RELATED, "mark": MARK}, False),
        ({"state": CtState.RELATED, "source": WEB}, True),
        ({"state": CtState.RELATED, "ct_direction": CtDirection.REPLY}, True),
        ({"state": CtState.RELATED}, False),
        ({"state": CtState.RELATED, "protocol": ICMP}, True),
        ({"protocol": ICMP}, False),
        ({"state": CtState.UNTRACKED}, False),
        ({"state": CtState.UNTRACKED, "source": WEB}, True),
        ({"state": CtState.INVALID}, False),
        ({"state": CtState.INVALID, "source": DB, "destination": STRANGER}, False),
        ({"state": CtState.INVALID, "destination": STRANGER}, True),
    ],
)
def test_conntrack_decides_what_is_judged(changes: dict[str, object], accepted: bool):  # noqa: FBT001
    """Known connections and errors about them pass; the rest is judged; invalid packets touch no isolated pod."""
    assert simulate(compile_program(small_plan()), replace(TO_DB, **changes)).accepted is accepted  # type: ignore[arg-type]


@pytest.mark.parametrize("ends", [(WEB, DB), (DB, STRANGER), (STRANGER, DB)])
@pytest.mark.parametrize("flags", [ACK, SYN | ACK, SYN | RST, 0])
def test_nobody_picks_up_a_connection_of_an_isolated_pod_in_mid_stream(ends: tuple[Address, Address], flags: int):
    """Whoever its opener was, and whether it would be allowed or not: it is reset, and not logged."""
    passage = simulate(compile_program(small_plan()), Packet(*ends, TCP, 40_000, 5432, tcp_flags=flags))

    assert (passage.accepted, passage.reset, passage.log_prefix) == (False, True, "")


def test_a_connection_that_nobody_judges_is_picked_up():
    """Its packets are none of our business."""
    assert simulate(compile_program(small_plan()), Packet(STRANGER, NODE, TCP, tcp_flags=ACK)).accepted


@pytest.mark.parametrize(
    ("established", "passes", "mark"),
    [(Epoch(3), False, 3 * MARK), (Epoch(3, 0xF0), False, 0x30), (Mode.ALWAYS, False, 0), (Mode.TRUST, True, 0)],
)
def test_a_known_connection_is_judged_again_as_it_is_handled(established: Epoch | Mode, passes: bool, mark: int):  # noqa: FBT001
    """One of an earlier epoch or of none; what is allowed bears the epoch from then on, beside other bits."""
    made = compile_program(small_plan(), Handling(established))
    denied = replace(TO_DB, state=CtState.ESTABLISHED, tcp_flags=ACK, mark=0x8000)

    assert simulate(made, denied).accepted is passes
    allowed = replace(denied, source=WEB)
    assert simulate(made, allowed).mark == 0x8000 | mark
    assert simulate(made, replace(TO_DB, source=WEB)).mark == mark


@pytest.mark.parametrize(
    "packet",
    [
        TO_DB,
        Packet(WEB, DB, TCP, 40_000, 5432, state=CtState.UNTRACKED),
        Packet(STRANGER, NODE, TCP, 40_000, 22),
        Packet(WEB, NODE, TCP, 40_000, 10_250, Hook.INPUT),
    ],
)
def test_what_is_denied_or_has_no_connection_or_is_not_ours_is_not_marked(packet: Packet):
    """A mark says that everything on the way of a connection was judged and allowed."""
    assert simulate(compile_program(small_plan()), packet).mark == 0


def test_a_client_that_is_judged_alone_is_marked_too():
    """Allowed egress to somebody whom nobody judges, in forward and to the node, and what a pod sends itself."""
    made = compile_program(small_plan())
    out = Packet(WEB, STRANGER, UDP, 40_000, 53)

    assert simulate(made, out).mark == MARK
    assert simulate(made, replace(out, hook=Hook.INPUT)).mark == MARK
    assert simulate(made, replace(TO_DB, source=DB)).mark == MARK


def test_a_denied_tcp_packet_is_answered_when_that_is_wanted():
    """And logged first; other protocols are dropped as ever."""
    made = compile_program(small_plan(), Handling(reset=True))
    passage = simulate(made, TO_DB)

    assert (passage.accepted, passage.reset, passage.log_prefix) == (False, True, "rf1 i 10.0.0.5 ")
    assert not simulate(made, replace(TO_DB, protocol=UDP)).reset
    assert not simulate(made, replace(TO_DB, protocol=UDP)).accepted


def test_logs_can_be_limited_and_drops_are_not():
    """The limit ends the rule that logs, and the next one counts and drops."""
    made = compile_program(small_plan(), Handling(logs=100))

    assert [str(each) for each in made.chain_by_name["i_10.0.0.5_deny"].rules] == [
        'limit rate 100/second burst 100 packets log prefix "rf1 i 10.0.0.5 " group 29286 snaplen 128',
        "counter drop",
    ]
    assert not simulate(made, TO_DB).accepted


def test_a_reply_is_judged_by_the_roles_of_its_connection():
    """An answer of the database passes as its question would, though nobody may open what it looks like."""
    made = compile_program(small_plan())
    question = Packet(WEB, DB, TCP, 40_000, 5432)
    reply = Packet(DB, WEB, TCP, 5432, 40_000, ct_direction=CtDirection.REPLY)

    assert simulate(made, question).trail == ("hook_forward", "fwd_o", "e_10.0.0.9", "i_10.0.0.5", "allow")
    assert simulate(made, reply).trail == ("hook_forward", "fwd_r", "e_10.0.0.9_r", "i_10.0.0.5_r", "allow")
    assert simulate(made, reply).accepted
    assert not simulate(made, replace(reply, source_port=40_000, destination_port=5432)).accepted


def test_egress_to_the_node_itself_is_judged_on_its_way_in():
    """A pod is held to its policy towards its node; what it answers its node is not judged."""
    made = compile_program(small_plan())
    to_node = Packet(WEB, NODE, TCP, 40_000, 10_250, Hook.INPUT)

    assert simulate(made, to_node).log_prefix == "rf1 e 10.0.0.9 "
    assert simulate(made, replace(to_node, destination_port=443)).accepted
    assert simulate(made, replace(to_node, source=DB)).accepted
    assert simulate(made, replace(to_node, ct_direction=CtDirection.REPLY)).accepted


@pytest.mark.parametrize(
    ("icmp_type", "hop_limit", "source", "accepted"),
    [
        (132, 1, LINK_LOCAL, True),
        (133, 255, POD6, True),
        (135, 255, POD6, True),
        (136, 255, POD6, True),
        (135, 254, POD6, False),
        (134, 255, POD6, False),
        (137, 255, POD6, False),
        (143, 1, LINK_LOCAL, True),
        (143, 1, POD6, False),
        (143, 2, POD6, False),
        (128, 255, POD6, False),
    ],
)
def test_neighbor_discovery_passes_only_when_it_is_genuine(icmp_type: int, hop_limit: int, source: int, accepted: bool):  # noqa: FBT001
    """An isolated IPv6 pod finds its node, and sends nothing else under that name."""
    made = compile_program(plan_node(Engine(small_snapshot(ISOLATED6)), "n1"))
    packet = Packet(read_address("fd00::5"), NODE6, ICMPV6, 0, 0, Hook.INPUT, CtState.UNTRACKED)
    packet = replace(packet, source=source, icmp_type=icmp_type, hop_limit=hop_limit)  # type: ignore[arg-type]

    assert simulate(made, packet).accepted is accepted


def test_a_router_forwards_no_neighbor_discovery():
    """In forward it would be a way around the policy."""
    made = compile_program(plan_node(Engine(small_snapshot(ISOLATED6)), "n1"))
    packet = Packet(POD6, NODE6, ICMPV6, 0, 0, Hook.FORWARD, CtState.UNTRACKED, hop_limit=255, icmp_type=135)

    assert not simulate(made, packet).accepted
