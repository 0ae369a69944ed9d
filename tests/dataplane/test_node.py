"""What stands in the way of policies on a node, from facts about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ringfence.algebra.addresses import Family
from ringfence.dataplane.compile import compile_program
from ringfence.dataplane.expressions import Goto, Jump
from ringfence.dataplane.features import FEATURES
from ringfence.dataplane.handling import Handling
from ringfence.dataplane.netlink.survey import BaseChain, Survey
from ringfence.dataplane.node import NodeFacts, examine
from ringfence.model.finding import Weight
from tests.dataplane.small import WIRING, small_plan

if TYPE_CHECKING:
    from ringfence.dataplane.nft import Program

KERNEL = "6.12.0"
BRIDGE = {"br0": "bridge", "eth0": "veth"}
FAULTS = {
    "a flowtable": (NodeFacts(KERNEL, survey=Survey(flowtables=("inet fw ft",))), "flowtable", "inet fw ft"),
    "a bridge without br_netfilter": (
        NodeFacts(KERNEL, links=BRIDGE),
        "bridge",
        "load the module br_netfilter and set",
    ),
    "a bridge with half of it": (
        NodeFacts(KERNEL, links=BRIDGE, bridged={Family.IPV4: True, Family.IPV6: False}),
        "bridge",
        "IPv6 between pods on one bridge is not judged; set net.bridge.bridge-nf-call-ip6tables=1",
    ),
    "macvlan": (NodeFacts(KERNEL, links={"mv0": "macvlan"}), "link", "macvlan: mv0"),
    "IPVS": (NodeFacts(KERNEL, virtual_servers=True), "ipvs", "IPVS"),
    "our bits of the mark": (NodeFacts(KERNEL, survey=Survey(marking=("ip mangle PRE",))), "mark", "ip mangle PRE"),
    "no conntrack": (NodeFacts(KERNEL, connections=False), "conntrack", "nf_conntrack_netlink"),
    "no feature": (NodeFacts(KERNEL, refused=((FEATURES[6], "no such file"),)), "kernel", "NFLOG (no such file)"),
}
NOTES = {
    "before us": (
        NodeFacts(KERNEL, survey=Survey(dropping=(BaseChain("ip fw c", "forward", -11),))),
        "table",
        "ip fw c may drop before us (forward -11)",
    ),
    "after us": (
        NodeFacts(KERNEL, survey=Survey(dropping=(BaseChain("ip filter FORWARD", "forward", 0),))),
        "table",
        "ip filter FORWARD may drop after us (forward 0)",
    ),
    "at a device": (
        NodeFacts(KERNEL, survey=Survey(dropping=(BaseChain("netdev fw c", "ingress", 0),))),
        "table",
        "netdev fw c may drop before us",
    ),
    "untracked": (NodeFacts(KERNEL, survey=Survey(untracking=("ip raw PRE",))), "untracked", "ip raw PRE"),
    "no owner": (NodeFacts(KERNEL, owners=False), "owner", "Linux 6.9"),
    "an old nft": (NodeFacts(KERNEL, (1, 0, 5)), "nft", "nft is 1.0.5, older than"),
    "a new nft": (NodeFacts(KERNEL, (1, 1, 3)), "nft", "nft is 1.1.3, newer than"),
    "no nft": (NodeFacts(KERNEL, ()), "nft", "not installed"),
    "iptables": (NodeFacts(KERNEL, legacy=("ip filter",)), "iptables-legacy", "ip filter"),
    "no table": (NodeFacts(KERNEL, held=False), "held", "nothing of ours is enforced"),
    "no rate": (NodeFacts(KERNEL, refused=((FEATURES[-1], "no such file"),)), "kernel", "rate"),
}


@pytest.mark.parametrize(("facts", "topic", "said"), FAULTS.values(), ids=FAULTS)
def test_what_lets_packets_past_is_a_fault(facts: NodeFacts, topic: str, said: str):
    """One line: what it is, what follows, what to do."""
    (found,) = examine(facts)

    assert (found.weight, found.topic) == (Weight.FAULT, topic)
    assert said in str(found)


@pytest.mark.parametrize(("facts", "topic", "said"), NOTES.values(), ids=NOTES)
def test_what_takes_more_or_is_not_seen_is_a_note(facts: NodeFacts, topic: str, said: str):
    """It lets nothing past that policies deny."""
    (found,) = examine(facts)

    assert (found.weight, found.topic) == (Weight.NOTE, topic)
    assert said in str(found)


def test_a_node_where_all_is_well_has_nothing_to_be_said_of():
    """Nor of a bridge whose packets meet the hooks, a newer fix of nft, and what filters the node's own packets."""
    output = Survey(dropping=(BaseChain("ip filter OUTPUT", "output", 0),))
    bridged = dict.fromkeys(Family, True)

    assert examine(NodeFacts(KERNEL, (1, 0, 9), survey=output, links=BRIDGE, bridged=bridged)) == ()


def test_faults_come_first():
    """In the order of notes and faults, nothing else is changed."""
    found = examine(NodeFacts(KERNEL, (), survey=Survey(untracking=("a",), marking=("b",))))

    assert [each.topic for each in found] == ["mark", "untracked", "nft"]


def test_every_kind_of_expression_is_tried():
    """A kernel that takes all features takes what we compile."""
    compiled = compile_program(small_plan(wiring=WIRING), Handling(reset=True, logs=1))
    needed, tried = kinds(compiled), set().union(*(kinds(feature.program) for feature in FEATURES))

    # Elements of maps lead to chains as these do.
    assert needed - tried == {Goto, Jump}


def kinds(program: Program) -> set[type]:
    """The kinds of expressions in a program's rules."""
    return {type(each) for chain in program.chains for rule in chain.rules for each in rule.expressions}
