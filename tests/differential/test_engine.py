"""The engine against the definition, on random worlds: every pair, every boundary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from tests.worlds import boundary_addresses, boundary_traffic, connections, snapshots

from ringfence.algebra.addresses import EVERY, Family
from ringfence.algebra.intervals import EMPTY
from ringfence.algebra.traffic import point
from ringfence.model.cluster import Pod
from ringfence.model.connection import Connection
from ringfence.model.policy import Direction
from ringfence.semantics.engine import Ends, Engine, PairTraffic
from ringfence.semantics.spec import verdict
from ringfence.semantics.verdict import Outcome

if TYPE_CHECKING:
    from ringfence.model.connection import End
    from ringfence.model.snapshot import Snapshot


def outcome(traffic: PairTraffic, at: int) -> Outcome:
    """What the engine's answer says of one point of traffic; it must not say two things."""
    assert not traffic.allowed & traffic.undecided
    if at in traffic.allowed:
        return Outcome.ALLOWED
    return Outcome.UNDECIDED if at in traffic.undecided else Outcome.DENIED


def holds(ends: Ends, end: End) -> bool:
    """Whether an end is among others."""
    return end in ends.pods if isinstance(end, Pod) else end in ends.addresses


@given(snapshots())
def test_every_connection_and_each_of_its_halves_is_judged_as_defined(snapshot: Snapshot):
    """The engine's sets hold exactly the connections that the definition allows."""
    engine = Engine(snapshot)
    for connection in connections(snapshot):
        client, server, family, via = connection.client, connection.server, connection.family, connection.via
        defined, at = verdict(snapshot, connection), point(connection.protocol, connection.port)
        assert outcome(engine.allowed(client, server, family, via), at) is defined.outcome, connection
        if isinstance(client, Pod):
            half = engine.half(Direction.EGRESS, client, server, family, via)
            assert outcome(half, at) is defined.egress.outcome, connection
        if isinstance(server, Pod):
            half = engine.half(Direction.INGRESS, server, client, family, via)
            assert outcome(half, at) is defined.ingress.outcome, connection


@given(snapshots())
def test_permitted_addresses_are_those_that_the_definition_allows(snapshot: Snapshot):
    """What a pod may exchange with an address is what its half of the connection says."""
    engine = Engine(snapshot)
    for pod in snapshot.pods:
        for family in () if pod.terminal else snapshot.families_of(pod):
            addresses = [address for address in boundary_addresses(snapshot) if address in EVERY[family]]
            for direction in Direction:
                permitted = engine.permitted(pod, direction, family)
                for address in addresses:
                    (traffic,) = (traffic for held, traffic in permitted if address in held)
                    for protocol, port in boundary_traffic():
                        ends = (pod, address) if direction is Direction.EGRESS else (address, pod)
                        halves = verdict(snapshot, Connection(*ends, protocol, port, family, via="x/service"))
                        half = halves.egress if direction is Direction.EGRESS else halves.ingress
                        assert (point(protocol, port) in traffic) is (half.outcome is Outcome.ALLOWED)


@given(snapshots())
def test_permitted_addresses_are_disjoint_and_complete(snapshot: Snapshot):
    """Every address of the family is in exactly one set, and no two sets have the same traffic."""
    engine = Engine(snapshot)
    for pod in snapshot.pods:
        for family in () if pod.terminal else snapshot.families_of(pod):
            for direction in Direction:
                permitted = engine.permitted(pod, direction, family)
                together = EMPTY
                for addresses, _ in permitted:
                    assert addresses
                    assert not together & addresses
                    together |= addresses
                assert together == EVERY[family]
                assert len({traffic for _, traffic in permitted}) == len(permitted)


@given(snapshots())
def test_blocks_hold_every_pair_with_the_traffic_that_is_defined(snapshot: Snapshot):
    """Each pair is in one block with all its traffic, or in none because nothing may pass."""
    engine = Engine(snapshot)
    blocks = {family: list(engine.blocks(family)) for family in Family}
    for connection in connections(snapshot):
        client, server = connection.client, connection.server
        if client == server or any(not isinstance(end, Pod) and snapshot.pod_at(end) for end in (client, server)):
            continue  # a pod's own address stands for the pod
        found = [b.traffic for b in blocks[connection.family] if holds(b.clients, client) and holds(b.servers, server)]
        (traffic,) = found or [PairTraffic()]
        at = point(connection.protocol, connection.port)
        assert outcome(traffic, at) is verdict(snapshot, connection).outcome, connection


@given(snapshots())
def test_blocks_are_not_empty_and_each_has_a_pod(snapshot: Snapshot):
    """A block that says nothing, or speaks of outsiders alone, is not given."""
    for family in Family:
        for block in Engine(snapshot).blocks(family):
            assert block.traffic.allowed or block.traffic.undecided
            assert block.clients.pods or block.clients.addresses
            assert block.servers.pods or block.servers.addresses
            assert block.clients.pods or block.servers.pods
            assert not (block.clients.addresses and block.servers.addresses) or block.clients.pods


@given(snapshots())
def test_blocks_of_the_same_servers_and_traffic_are_one(snapshot: Snapshot):
    """No two blocks could be written as one."""
    for family in Family:
        blocks = list(Engine(snapshot).blocks(family))
        assert len({(tuple(map(str, b.servers.pods)), b.servers.addresses, b.traffic) for b in blocks}) == len(blocks)
