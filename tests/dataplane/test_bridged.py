"""The table of a bridge: what a pod may say of itself at its port, and nothing else."""

from __future__ import annotations

from pathlib import Path

from ringfence.algebra.addresses import read_address, render_address
from ringfence.dataplane.bridged import Port, bridge_program
from ringfence.dataplane.compile import compile_program
from ringfence.dataplane.plan import Wiring
from tests.dataplane.small import WIRING, small_plan

GOLDEN = Path(__file__).with_name("bridged.nft")
PORTS = (
    Port("pod1", 0x0272_6601_0002, (read_address("10.0.0.9"), read_address("fd00::9"))),
    Port("pod0", 0x0272_6601_0001, (read_address("10.0.0.5"),)),
)


def test_the_table_of_a_bridge_is_written_as_ever():
    """The whole text for two ports, compared byte by byte; read ``bridged.nft`` to see it."""
    assert bridge_program("pod", PORTS).render() == GOLDEN.read_text()


def test_a_pod_makes_an_address_of_its_hardware_address():
    """The bit that says that it is a local one turned over, and two bytes in between: RFC 4291, appendix A."""
    assert render_address(PORTS[0].link_local) == "fe80::72:66ff:fe01:2"


def test_neighbors_find_each_other_across_a_bridge_alone():
    """Where packets are routed nothing of the kind is forwarded, so there is no way around the policies."""
    bridged = compile_program(small_plan(wiring=Wiring("cni0", dict.fromkeys(WIRING.links, "cni0"), bridged=True)))
    routed = compile_program(small_plan(wiring=WIRING))
    first, second = (str(each.chain_by_name["hook_forward"].rules[0]) for each in (bridged, routed))

    assert first == "icmpv6 type { 133, 135-136 } ip6 hoplimit 255 accept"
    assert second.startswith("oifname ")
