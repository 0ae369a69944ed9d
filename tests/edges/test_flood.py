"""Floods: every packet is counted in the phase in which it was sent, and what a rule takes is missing."""

from __future__ import annotations

import pytest

from ringfence.algebra.addresses import Family, read_address
from ringfence.algebra.traffic import Protocol
from ringfence.edges import links, nft
from ringfence.edges.flood import Flood, Stream
from ringfence.edges.netns import Network
from ringfence.edges.packets import TCP, UDP, Segments, read_tag
from tests.kernel.isolation import isolated

ENDS = {
    Family.IPV4: (read_address("192.0.2.1"), read_address("192.0.2.2")),
    Family.IPV6: (read_address("2001:db8::1"), read_address("2001:db8::2")),
}
CIDRS = {Family.IPV4: ("192.0.2.1/24", "192.0.2.2/24"), Family.IPV6: ("2001:db8::1/64", "2001:db8::2/64")}


def linked(family: Family) -> tuple[Network, Network]:
    """Two networks with a link between them; the second tracks connections and insists on checksums."""
    ends = Network.create(), Network.create()
    near = [f"link add near type veth peer name far netns {links.reference(ends[1])}", "link set near up"]
    links.configure([(ends[0], near)], ends)
    for network, name, cidr in zip(ends, ("near", "far"), CIDRS[family], strict=True):
        nodad = " nodad" if family is Family.IPV6 else ""
        links.configure([(network, [f"link set {name} up", f"addr add {cidr} dev {name}{nodad}"])])
    links.wait_until_up([(ends[0], "near"), (ends[1], "far")])
    chain = "type filter hook input priority 0; policy accept; ct state invalid drop;"
    nft.apply(ends[1], f"table inet t {{\n\tchain c {{ {chain}\n\t}}\n}}\n")
    return ends


@pytest.mark.kernel
@pytest.mark.parametrize("protocol", [Protocol.TCP, Protocol.UDP])
@pytest.mark.parametrize("family", Family)
@isolated
def test_what_a_rule_takes_is_missing_from_its_own_phase(family: Family, protocol: Protocol):
    """Before it everything arrives, and after it nothing."""
    sender, receiver = linked(family)
    flood = Flood(Stream(*ENDS[family], protocol, 7777), sender, [receiver])
    grown = [flood.turn() for _ in range(3)]
    nft.apply(receiver, f"add rule inet t c {protocol.value.lower()} dport 7777 drop\n")
    flood.turn()
    sent = flood.turn()
    *before, changing, denied, _ = flood.stop()

    assert grown == sorted(set(grown))
    assert len(before) == 3
    assert all(each.arrived == each.sent > 0 for each in before)
    assert 0 <= changing.arrived <= changing.sent
    assert denied.sent > 0 == denied.arrived
    assert sent == sum(each.sent for each in (*before, changing, denied))


@pytest.mark.parametrize("protocol", [TCP, UDP])
@pytest.mark.parametrize("family", Family)
def test_a_tag_is_read_back_and_nothing_else_is_taken_for_one(family: Family, protocol: int):
    """Whatever the port; an answer of TCP and what is cut short have none."""
    segments = Segments(*ENDS[family], protocol, 80)
    for port, tag in ((1, 1), (65_535, 0xFFFFFFFF), (4711, 0x12345678)):
        written = segments.write(port, tag)
        assert read_tag(protocol, written) == tag
        assert read_tag(protocol, written[:7]) == 0
    answer = bytearray(Segments(*ENDS[family], TCP, 80).write(1, 7))
    answer[13] |= 0x10
    assert read_tag(TCP, bytes(answer)) == 0
