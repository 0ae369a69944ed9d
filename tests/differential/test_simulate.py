"""Compiled programs against the definition, on random worlds: every connection, at every hop.

A connection is allowed when its packets pass the program of each node on their way.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given

from ringfence.algebra.addresses import Family
from ringfence.algebra.traffic import Protocol
from ringfence.dataplane.attribution import Attributor
from ringfence.dataplane.compile import compile_program
from ringfence.dataplane.expressions import CtDirection
from ringfence.dataplane.nft import NUMBERS, Hook
from ringfence.dataplane.plan import plan_node
from ringfence.dataplane.simulate import Packet, simulate
from ringfence.model.cluster import Pod
from ringfence.semantics.dialects import RINGFENCE
from ringfence.semantics.engine import Engine
from ringfence.semantics.judging import Judge
from ringfence.semantics.spec import verdict
from ringfence.semantics.verdict import Outcome
from tests.worlds import Limits, connections, snapshots

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.algebra.addresses import Address
    from ringfence.model.connection import Connection, End
    from ringfence.model.snapshot import Snapshot

ADDRESSED = Limits(addressed=True)
CLIENT_PORT = 53
"""A client's own port that the worlds' rules name too: who confuses the two is found out."""

SAMPLE = 5
"""Every so many connections are enough for attribution; no number of ports is a multiple of it."""


def numbers(connection: Connection) -> tuple[int, ...]:
    """The protocol numbers that a connection may bear: without ports it is not ICMP alone."""
    icmp = 1 if connection.family is Family.IPV4 else 58
    return (NUMBERS[connection.protocol],) if connection.protocol is not Protocol.ICMP else (icmp, 47)


def packets(snapshot: Snapshot, connection: Connection) -> Iterator[Packet]:
    """The packets that open a connection, met in forward."""
    source, destination = (_address(snapshot, end, connection.family) for end in (connection.client, connection.server))
    for number in numbers(connection):
        yield Packet(source, destination, number, CLIENT_PORT, connection.port)


def answer(packet: Packet) -> Packet:
    """The packet that answers one, in a connection that nobody has judged yet."""
    return replace(
        packet,
        source=packet.destination,
        destination=packet.source,
        source_port=packet.destination_port,
        destination_port=packet.source_port,
        ct_direction=CtDirection.REPLY,
    )


def nodes(snapshot: Snapshot, connection: Connection) -> list[str]:
    """The nodes that have a pod of a connection, the client's first; none when it stays in one pod."""
    pods = [each if isinstance(each, Pod) else snapshot.pod_at(each) for each in (connection.client, connection.server)]
    if pods[0] and pods[0] == pods[1] and connection.via is None:
        return []
    return list(dict.fromkeys(pod.node for pod in pods if pod and pod.selectable and pod.node))


def _address(snapshot: Snapshot, end: End, family: Family) -> Address:
    return snapshot.addresses_of(end)[family] if isinstance(end, Pod) else end


@given(snapshots(ADDRESSED))
def test_packets_pass_all_nodes_when_the_definition_allows_their_connection(snapshot: Snapshot):
    """Original and reply packets are accepted on every node exactly when the connection is allowed."""
    engine = Engine(snapshot)
    programs = {node: compile_program(plan_node(engine, node)) for node in snapshot.nodes}
    for connection in connections(snapshot):
        way = nodes(snapshot, connection)
        allowed = not way or verdict(snapshot, connection).outcome is Outcome.ALLOWED
        for packet in packets(snapshot, connection):
            passed = [simulate(programs[node], at_hook(snapshot, node, packet)).accepted for node in way]
            assert all(passed) is allowed, (connection, packet)
            back = [simulate(programs[node], answer(packet)).accepted for node in way]
            assert all(back) is allowed, (connection, packet)


def at_hook(snapshot: Snapshot, node: str, packet: Packet) -> Packet:
    """The packet where a node meets it: on its way in when it is for the node itself."""
    to_node = packet.destination in snapshot.nodes[node].addresses
    return replace(packet, hook=Hook.INPUT if to_node else Hook.FORWARD)


@given(snapshots(ADDRESSED))
def test_a_dropped_packet_is_attributed_to_the_half_that_denied_it(snapshot: Snapshot):
    """The log prefix leads back to the pod, the direction and the deciding origins of the definition."""
    engine = Engine(snapshot)
    for node in snapshot.nodes:
        plan = plan_node(engine, node)
        program, attributor = compile_program(plan), Attributor(Judge.of(snapshot, RINGFENCE), plan)
        for connection in list(connections(snapshot))[::SAMPLE]:
            if node not in nodes(snapshot, connection):
                continue
            denied = {(h.direction, h.reason, h.origins) for h in verdict(snapshot, connection).halves}
            for packet in packets(snapshot, connection):
                passage = simulate(program, at_hook(snapshot, node, packet))
                if not passage.accepted:
                    found = attributor.attribute(passage.log_prefix, packet)
                    assert found
                    assert found.agrees
                    assert (found.half.direction, found.half.reason, found.half.origins) in denied
