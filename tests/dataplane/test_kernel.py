"""Programs in a real kernel: it holds what was meant, and does to a packet what the simulation does."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.algebra.addresses import Family, family_of, read_cidr
from ringfence.algebra.intervals import Intervals
from ringfence.dataplane.compile import LARGE, compile_program
from ringfence.dataplane.expressions import CtDirection, CtState
from ringfence.dataplane.nft import Hook
from ringfence.dataplane.plan import plan_node
from ringfence.dataplane.simulate import ACK, Packet, simulate
from ringfence.edges.packets import ICMP, ICMPV6, SCTP, TCP, UDP
from ringfence.semantics.engine import Engine
from tests.dataplane.kernel import canonical, loaded
from tests.dataplane.small import small_plan
from tests.dataplane.wire import LOCAL, passed
from tests.worlds import NUMBERS, Limits, boundary_addresses, snapshots

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.algebra.addresses import Address
    from ringfence.model.snapshot import Snapshot

pytestmark = pytest.mark.kernel
GRE, UNASSIGNED = 47, 253
ADDRESSED = Limits(addressed=True)
NOT_ROUTED = Intervals.union(
    map(read_cidr, ("0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/3", "::/16", "fe80::/10", "ff00::/8"))
)
"""Addresses with which no router forwards anything, whatever its firewall says."""
CLIENT_PORTS = 30_000
"""Where clients' ports begin: no rule names them, so no packet answers another."""

SAMPLE = 3


@given(snapshots(ADDRESSED), st.sampled_from((1, LARGE)))
def test_the_kernel_lets_pass_what_the_simulation_accepts(snapshot: Snapshot, large: int):
    """For others and for the node: every kind of protocol, tracked or not, opening or not, with ports or without."""
    program = compile_program(plan_node(Engine(snapshot), "n1"), large=large)
    sent = list(packets(snapshot))[::SAMPLE]

    assert passed(program.render(), sent) == [simulate(program, packet).accepted for packet in sent]


@given(snapshots(ADDRESSED))
def test_the_kernel_reads_the_chains_of_replies_likewise(snapshot: Snapshot):
    """Replies to connections that nobody judged do not exist yet, so opening packets are judged as if they were."""
    program = compile_program(plan_node(Engine(snapshot), "n1"))
    as_replies = program.render().replace("ct direction original goto fwd_o", "ct direction original goto fwd_r")
    new = [packet for packet in packets(snapshot) if packet.state is CtState.NEW and packet.hook is Hook.FORWARD]
    sent = new[::SAMPLE]
    replies = [replace(packet, ct_direction=CtDirection.REPLY) for packet in sent]

    assert passed(as_replies, sent) == [simulate(program, packet).accepted for packet in replies]


def packets(snapshot: Snapshot) -> Iterator[Packet]:
    """Packets from and to the pods of a node, none of which is an answer to another."""
    local = [a for pod in snapshot.pods if pod.node == "n1" for a in pod.addresses.values()]
    others = [a for pod in snapshot.pods for a in pod.addresses.values()]
    others += [a for a in boundary_addresses(snapshot) if a not in NOT_ROUTED]
    pairs = [pair for own, other in product(local, others) for pair in ((own, other), (other, own))]
    for source, destination in dict.fromkeys(pairs):
        if family_of(source) is family_of(destination):
            hook = Hook.INPUT if destination in LOCAL else Hook.FORWARD
            yield from (replace(packet, hook=hook) for packet in between(source, destination))


def between(source: Address, destination: Address) -> Iterator[Packet]:
    """Packets of every protocol and port; client and server ports are exchanged in what looks like a reply."""
    numbers = sorted({near for number in NUMBERS for near in (number - 1, number, number + 1)} | {0, 65_535})
    for protocol, (index, port) in product((TCP, UDP, SCTP), enumerate(numbers)):
        for state in (CtState.NEW, CtState.UNTRACKED):
            yield Packet(source, destination, protocol, CLIENT_PORTS + index, port, state=state)
        yield Packet(source, destination, protocol, port, CLIENT_PORTS + index, state=CtState.UNTRACKED)
        yield Packet(source, destination, protocol, None, None, state=CtState.UNTRACKED)
    for index, port in enumerate(numbers):
        yield Packet(source, destination, TCP, CLIENT_PORTS + len(numbers) + index, port, tcp_flags=ACK)
    echo = ICMP if family_of(source) is Family.IPV4 else ICMPV6
    for protocol, port in product((echo, GRE, UNASSIGNED), (80, None)):
        yield Packet(source, destination, protocol, port, port, state=CtState.UNTRACKED)
        # What has no ports answers whatever comes the other way.
        if source < destination and port:
            yield Packet(source, destination, protocol, port, port)


def test_what_the_kernel_lists_can_be_loaded_again():
    """A listing is whole and means the same."""
    listing = loaded(compile_program(small_plan()).render())

    assert canonical(loaded(listing)) == canonical(listing)
