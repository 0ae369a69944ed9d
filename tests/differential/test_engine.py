"""The engine against the definition, on random worlds: every pair, every boundary."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from ringfence.algebra.addresses import EVERY, Family, family_of
from ringfence.algebra.intervals import EMPTY
from ringfence.algebra.traffic import point
from ringfence.edges.bitmaps import BITMAPS
from ringfence.model.cluster import Pod
from ringfence.model.connection import Connection
from ringfence.model.policy import Direction
from ringfence.semantics.dialects import KUBERNETES, TIES, Dialect, Topic
from ringfence.semantics.engine import Engine, PairTraffic
from ringfence.semantics.sets import INTEGERS
from ringfence.semantics.spec import verdict
from ringfence.semantics.verdict import Outcome
from tests.worlds import boundary_addresses, boundary_traffic, pairs, snapshots

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ringfence.algebra.addresses import Address
    from ringfence.model.cluster import Node
    from ringfence.model.connection import End
    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics.ends import Ends
    from ringfence.semantics.reachability import Block
    from ringfence.semantics.sets import Sets


@st.composite
def collisions(draw: st.DrawFn) -> Snapshot:
    """A world in which pods have the addresses of other pods and of nodes, as stale manifests say."""
    world = draw(snapshots())
    known = [a for part in (*world.pods, *world.nodes.values()) for a in addresses_in(part)]
    taken = {family: st.sampled_from([a for a in known if family_of(a) is family] or [None]) for family in Family}
    pods = [replace(pod, addresses={f: draw(taken[f]) for f in pod.addresses}) for pod in world.pods]
    return replace(world, pods=tuple(pods))


def addresses_in(part: Pod | Node) -> Iterable[Address]:
    """The addresses that a part of a cluster claims."""
    return part.addresses.values() if isinstance(part, Pod) else part.addresses


worlds = snapshots() | collisions()
choices = st.frozensets(st.sampled_from([topic for topic in Topic if topic not in TIES]))
forms = st.sampled_from([INTEGERS, BITMAPS])
dialects = st.builds(Dialect, st.just("random"), choices, st.booleans())

POINTS = [(point(protocol, port), protocol, port) for protocol, port in boundary_traffic()]


def outcome(traffic: PairTraffic, at: int) -> Outcome:
    """What the engine's answer says of one point of traffic."""
    if at in traffic.allowed:
        return Outcome.ALLOWED
    return Outcome.UNDECIDED if at in traffic.undecided else Outcome.DENIED


def told(engine: Engine, found: Iterable[Block], client: End, server: End) -> PairTraffic:
    """What the only block that holds a pair says of it; nothing where none does."""
    inside = [b for b in found if holds(engine.ends(b.clients), client) and holds(engine.ends(b.servers), server)]
    (said,) = [each.own_node if engine.share_node(client, server) else each.traffic for each in inside] or [
        PairTraffic()
    ]
    return said


def holds(ends: Ends, end: End) -> bool:
    """Whether an end is among others."""
    return end in ends.pods if isinstance(end, Pod) else end in ends.addresses


@given(forms, worlds, dialects | st.just(KUBERNETES))
def test_every_connection_and_each_half_is_judged_as_defined(form: Sets, snapshot: Snapshot, dialect: Dialect):
    """The engine's sets hold exactly the connections that the definition allows."""
    engine = Engine(snapshot, dialect, form)
    for client, server, family, via in pairs(snapshot):
        whole = engine.allowed(client, server, family, via)
        egress = engine.half(Direction.EGRESS, client, server, family, via) if isinstance(client, Pod) else None
        ingress = engine.half(Direction.INGRESS, server, client, family, via) if isinstance(server, Pod) else None
        assert not whole.allowed & whole.undecided
        for at, protocol, port in POINTS:
            defined = verdict(snapshot, Connection(client, server, protocol, port, family, via), dialect)
            assert outcome(whole, at) is defined.outcome, defined
            assert egress is None or outcome(egress, at) is defined.egress.outcome, defined
            assert ingress is None or outcome(ingress, at) is defined.ingress.outcome, defined


@given(forms, worlds)
def test_permitted_addresses_are_those_that_the_definition_allows(form: Sets, snapshot: Snapshot):
    """What a pod may exchange with an address is what its half of the connection says."""
    engine = Engine(snapshot, sets=form)
    for pod in snapshot.pods:
        for family in () if pod.terminal else snapshot.families_of(pod):
            found = {*boundary_addresses(snapshot), *pod.addresses.values()}
            addresses = [address for address in found if address in EVERY[family]]
            for direction in Direction:
                permitted = engine.permitted(pod, direction, family)
                for address in addresses:
                    (traffic,) = (traffic for held, traffic in permitted if address in held)
                    for at, protocol, port in POINTS:
                        ends = (pod, address) if direction is Direction.EGRESS else (address, pod)
                        halves = verdict(snapshot, Connection(*ends, protocol, port, family, via="x/service"))
                        half = halves.egress if direction is Direction.EGRESS else halves.ingress
                        assert (at in traffic) is (half.outcome is Outcome.ALLOWED)


@given(forms, worlds)
def test_permitted_addresses_are_disjoint_and_complete(form: Sets, snapshot: Snapshot):
    """Every address of the family is in exactly one set, and no two sets have the same traffic."""
    engine = Engine(snapshot, sets=form)
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


@given(forms, worlds, dialects | st.just(KUBERNETES))
def test_blocks_hold_every_pair_with_the_traffic_that_is_defined(form: Sets, snapshot: Snapshot, dialect: Dialect):
    """Each pair is in one block with all its traffic, or in none because nothing may pass."""
    engine = Engine(snapshot, dialect, form)
    blocks = {family: list(engine.blocks(family)) for family in Family}
    for client, server, family, via in pairs(snapshot):
        # Blocks leave out a pod with itself, and put a pod in the place of its own address.
        if client == server or any(not isinstance(end, Pod) and snapshot.pod_at(end) for end in (client, server)):
            continue
        traffic = told(engine, blocks[family], client, server)
        for at, protocol, port in POINTS:
            defined = verdict(snapshot, Connection(client, server, protocol, port, family, via), dialect)
            assert outcome(traffic, at) is defined.outcome, (client, server, protocol, port)


@given(forms, worlds)
def test_blocks_say_something_and_could_not_be_fewer(form: Sets, snapshot: Snapshot):
    """No block is empty or speaks of outsiders alone; none has the servers and traffic of another."""
    for family in Family:
        engine = Engine(snapshot, sets=form)
        blocks = list(engine.blocks(family))
        for block in blocks:
            clients, servers = engine.ends(block.clients), engine.ends(block.servers)
            assert {block.traffic, block.own_node} != {PairTraffic()}
            assert clients.pods or (clients.addresses and not servers.addresses)
            assert servers.pods or servers.addresses
        assert len({(b.servers, b.traffic, b.own_node) for b in blocks}) == len(blocks)
