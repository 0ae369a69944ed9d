"""Looking at a node: what its kernel takes, and what else is there."""

from __future__ import annotations

import pytest

from ringfence.algebra.addresses import Family
from ringfence.dataplane.compile import compile_program
from ringfence.dataplane.expressions import Log, Rule
from ringfence.dataplane.features import FEATURES, Feature
from ringfence.dataplane.netlink.messages import attribute, nested, number, text
from ringfence.dataplane.netlink.survey import BaseChain, Listing, Survey, read_survey
from ringfence.dataplane.nft import Chain, Hook, Program
from ringfence.edges import links, nft
from ringfence.edges.enforcement import Enforcer
from ringfence.edges.netns import Network
from ringfence.edges.nftables import Nftables
from ringfence.edges.node import look
from tests.dataplane.small import small_plan
from tests.kernel.isolation import isolated

pytestmark = pytest.mark.kernel
OTHERS = """\
table ip filter {
	chain reject_some {
		tcp dport 22 reject
	}
	chain FORWARD {
		type filter hook forward priority 0; policy drop;
	}
	chain early {
		type filter hook prerouting priority -400; policy accept;
		jump reject_some
	}
	chain harmless {
		type filter hook forward priority 5; policy accept;
		counter accept
	}
	chain untrack {
		type filter hook prerouting priority raw; policy accept;
		udp dport 53 notrack
	}
}
table inet marks {
	chain ours { ct mark set ct mark & 0xff | 0x1
	}
	chain a_constant { ct mark set 0x1
	}
	chain theirs { ct mark set ct mark & 0xffff0000 | 0x1
	}
}
table bridge fw {
	chain c {
		type filter hook forward priority 0; policy accept;
		ether type vmap { ip : drop }
	}
}
"""
FOUND = Survey(
    dropping=(
        BaseChain("ip filter FORWARD", "forward", 0),
        BaseChain("ip filter early", "prerouting", -400),
        BaseChain("bridge fw c", "forward", 0),
    ),
    untracking=("ip filter untrack",),
    marking=("inet marks ours", "inet marks a_constant"),
)


@isolated
def test_what_else_is_there_is_seen_and_our_own_table_is_not():
    """Chains that may drop at the node's hooks, by themselves or where they lead, and rules that touch connections."""
    network = Network.create()
    nft.apply(network, OTHERS)
    kernel = Nftables(network)
    found = kernel.survey()

    assert set(found.dropping) == set(FOUND.dropping)
    assert (found.untracking, found.marking) == (FOUND.untracking, FOUND.marking)
    Enforcer(kernel).apply(compile_program(small_plan()))
    assert kernel.survey() == found


@isolated
def test_a_node_is_looked_at_without_changing_it():
    """This kernel has all features; what is on the node is seen in its own network."""
    network = Network.create()
    kernel = Nftables(network)
    generation = kernel.generation()
    lines = ["link add br0 type bridge", "link add v0 type veth peer name v1"]
    links.configure([(network, lines)])
    facts = look(network)

    assert (facts.refused, facts.connections, facts.held) == ((), True, False)
    assert facts.links == {"br0": "bridge", "v0": "veth", "v1": "veth"}
    assert set(facts.bridged) in ({*Family}, set())
    assert kernel.generation() == generation
    Enforcer(kernel).apply(compile_program(small_plan()))
    assert look(network).held


@isolated
def test_a_feature_that_the_kernel_refuses_is_told_with_its_words():
    """Nothing of it stays; what is refused is the part that cannot be had."""
    network = Network.create()
    kernel = Nftables(network)
    program = Program("trial", (), (), (Chain("c", (Rule((Log("x" * 128, 1, 1),)),), Hook.FORWARD),))
    refused = kernel.refusal(Feature("logs", "", "", program).commands())

    assert refused
    assert refused.name == "c"
    assert all(kernel.refusal(each.commands()) is None for each in FEATURES)
    assert nft.list_ruleset(network) == ""


def rule(*expressions: bytes) -> bytes:
    """A rule of chain c in table t."""
    return text(1, "t") + text(2, "c") + nested(4, *expressions)


def connmark(revision: int, *values: int, tail: bytes) -> bytes:
    """What iptables makes of its target CONNMARK: the values are in host byte order."""
    info = b"".join(value.to_bytes(4, "little") for value in values) + tail
    return nested(1, text(1, "target"), nested(2, text(1, "CONNMARK"), number(2, revision), attribute(3, info)))


CONNMARKS = {
    "set others' bits": (connmark(1, 0x1, 0xFF, 0, tail=b"\0\0\0\0"), False),
    "set all bits": (connmark(1, 0x1, 0xFFFFFFFF, 0, tail=b"\0\0\0\0"), True),
    "turn ours over": (connmark(1, 0x10000, 0, 0, tail=b"\0\0\0\0"), True),
    "save others' bits": (connmark(1, 0, 0xFF, 0xFF, tail=b"\1\0\0\0"), False),
    "save ours": (connmark(1, 0, 0xFFFFFFFF, 0xFFFFFFFF, tail=b"\1\0\0\0"), True),
    "restore to the packet": (connmark(1, 0, 0xFFFFFFFF, 0xFFFFFFFF, tail=b"\2\0\0\0"), False),
    "set others' bits, newly": (connmark(2, 0x1, 0xFF, 0, tail=b"\0\0\0\0"), False),
    "save with a shift": (connmark(2, 0, 0xFF, 0xFF, tail=b"\0\x08\1\0"), True),
    "something shorter": (connmark(1, 0x1, tail=b""), True),
}


@pytest.mark.parametrize(("target", "ours"), CONNMARKS.values(), ids=CONNMARKS)
def test_rules_of_iptables_are_known_by_the_bits_they_write(target: bytes, ours: bool):  # noqa: FBT001
    """Of conntrack's mark; what a packet's own mark becomes is none of our business."""
    chain = text(1, "t") + text(3, "c")
    found = read_survey([Listing("ip", (chain,), (rule(target),), ())])

    assert found.marking == (("ip t c",) if ours else ())


def test_flowtables_are_named():
    """This kernel may have none, so it is not asked."""
    flowtable = text(1, "fw") + text(2, "fast")

    assert read_survey([Listing("inet", (), (), (flowtable,))]).flowtables == ("inet fw fast",)
