"""Addresses bound to links, pods that are not known yet, and tunnels that pods open."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ringfence.algebra.addresses import Address, read_address
from ringfence.dataplane.compile import compile_program
from ringfence.dataplane.nft import Hook
from ringfence.dataplane.plan import Wiring
from ringfence.dataplane.simulate import CtState, Packet, simulate
from tests.dataplane.small import WIRING, small_plan

DB, WEB, FAR_WEB, STRANGER = map(read_address, ("10.0.0.5", "10.0.0.9", "10.0.1.9", "172.16.1.1"))
NODE, FAR_NODE, POD6, LINK_LOCAL, NOBODY6 = map(
    read_address, ("192.168.0.1", "192.168.0.2", "fd00::5", "fe80::5", "::")
)
TCP, UDP, ICMPV6 = 6, 17, 58
PROGRAM = compile_program(small_plan(wiring=WIRING))
TO_DB = Packet(WEB, DB, TCP, 40_000, 5432, link="pod1", out_link="pod0")
DUAL_STACK = """\
apiVersion: v1
kind: Pod
metadata: {name: six, namespace: shop}
spec: {nodeName: n1, containers: [{name: main}]}
status: {podIP: "fd00::5"}
"""


@pytest.mark.parametrize(
    ("source", "link", "passes"),
    [
        (WEB, "pod1", True),
        (WEB, "pod0", False),
        (WEB, "pod7", False),
        (WEB, "uplink", False),
        (FAR_WEB, "uplink", True),
        (FAR_WEB, "pod1", False),
        (STRANGER, "pod1", False),
    ],
)
@pytest.mark.parametrize("hook", [Hook.FORWARD, Hook.INPUT])
def test_an_address_comes_from_its_own_link_alone(source: Address, link: str, passes: bool, hook: Hook):  # noqa: FBT001
    """Whatever the policies say, in forward and to the node, before conntrack sees the packet."""
    destination = NODE if hook is Hook.INPUT else FAR_NODE
    packet = Packet(source, destination, UDP, 1, 53, hook=hook, link=link, out_link="uplink")

    for state in CtState:
        passage = simulate(PROGRAM, replace(packet, state=state, mark=0x10000))
        assert (passage.trail[-1] not in {"hook_prerouting", "from_pod"}) is passes


@pytest.mark.parametrize(("out_link", "passes"), [("pod0", True), ("pod1", False), ("pod7", False), ("uplink", True)])
def test_a_pod_that_is_not_known_at_a_link_receives_nothing(out_link: str, passes: bool):  # noqa: FBT001
    """Not even what belongs to a connection that was allowed; what goes elsewhere is not the guard's."""
    for state in (CtState.NEW, CtState.ESTABLISHED):
        assert simulate(PROGRAM, replace(TO_DB, out_link=out_link, state=state, mark=0x10000)).accepted is passes


def test_a_pod_whose_link_is_not_known_neither_sends_nor_receives():
    """It is on the node, and nobody has said yet where."""
    made = compile_program(small_plan(wiring=Wiring("pod", {"shop/db": "pod0"})))

    assert not simulate(made, replace(TO_DB, destination=STRANGER, out_link="uplink", destination_port=443)).accepted
    assert not simulate(made, Packet(FAR_WEB, WEB, TCP, 1, 1, link="uplink", out_link="pod1")).accepted


def test_a_program_without_links_holds_nobody_to_an_address():
    """Where it is not known how pods hang on the node."""
    made = compile_program(small_plan())

    assert Hook.PREROUTING not in {chain.hook for chain in made.chains}
    assert simulate(made, replace(TO_DB, link="uplink", out_link="uplink")).accepted


@pytest.mark.parametrize("destination", [NODE, FAR_NODE, STRANGER])
@pytest.mark.parametrize(
    ("protocol", "port", "tunnel"),
    [
        (UDP, 4789, True),
        (UDP, 8472, True),
        (UDP, 6081, True),
        (4, None, True),
        (41, None, True),
        (47, None, True),
        (TCP, 4789, False),
        (UDP, 4790, False),
        (50, None, False),
    ],
)
def test_a_pod_opens_no_tunnel_to_a_node(destination: Address, protocol: int, port: int | None, tunnel: bool):  # noqa: FBT001
    """Its own or another, isolated or not; to others it may send what its policies allow."""
    hook, out_link = (Hook.INPUT, "") if destination == NODE else (Hook.FORWARD, "uplink")
    packet = Packet(DB, destination, protocol, port, port, hook=hook, link="pod0", out_link=out_link)

    assert simulate(PROGRAM, packet).accepted is not (tunnel and destination != STRANGER)
    assert simulate(PROGRAM, replace(packet, source=FAR_NODE, link="uplink")).accepted


@pytest.mark.parametrize(
    ("source", "icmp_type", "hop_limit", "passes"),
    [
        (LINK_LOCAL, 133, 255, True),
        (LINK_LOCAL, 136, 255, True),
        (NOBODY6, 135, 255, True),
        (NOBODY6, 143, 1, True),
        (LINK_LOCAL, 143, 1, True),
        (LINK_LOCAL, 135, 254, False),
        (LINK_LOCAL, 134, 255, False),
        (LINK_LOCAL, 137, 255, False),
        (LINK_LOCAL, 128, 64, False),
        (NOBODY6, 128, 255, False),
        (read_address("fd00::6"), 135, 255, False),
        (POD6, 128, 64, True),
    ],
)
def test_a_pod_finds_its_node_before_it_has_an_address(source: Address, icmp_type: int, hop_limit: int, passes: bool):  # noqa: FBT001
    """Genuine neighbor discovery comes from addresses that no policy knows; nothing else does."""
    wiring = Wiring("pod", {"shop/six": "pod2"})
    made = compile_program(small_plan(more=DUAL_STACK, wiring=wiring))
    packet = Packet(
        source, read_address("fd01::1"), ICMPV6, 0, 0, Hook.INPUT, hop_limit=hop_limit, icmp_type=icmp_type, link="pod2"
    )

    assert simulate(made, packet).accepted is passes
