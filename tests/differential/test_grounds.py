"""Lines of a few ends, and what decides about them, against the definition on random worlds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from ringfence.algebra.addresses import EVERY, Family
from ringfence.algebra.intervals import Intervals
from ringfence.algebra.traffic import ALL, point
from ringfence.analysis.reach import reasons
from ringfence.model.cluster import Pod
from ringfence.model.connection import Connection
from ringfence.model.policy import Direction
from ringfence.semantics.ends import Ends
from ringfence.semantics.engine import Engine
from ringfence.semantics.spec import verdict
from ringfence.semantics.summary import Meant, lines_between
from ringfence.semantics.verdict import Outcome
from tests.worlds import boundary_traffic, pairs, snapshots

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.model.connection import End
    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics.summary import Line
    from ringfence.semantics.verdict import Half, Verdict

POINTS = [
    (point(protocol, port), protocol, port) for protocol, port in boundary_traffic() if port in {0, 53, 54, 80, 81, 82}
]
BELOW = Intervals(((0, 80),))
"""Traffic that cuts what policies name."""


def holds(ends: Ends, end: End) -> bool:
    """Whether an end is among others."""
    return end in ends.pods if isinstance(end, Pod) else end in ends.addresses


def distinct(snapshot: Snapshot) -> Iterator[tuple[End, End, Family]]:
    """Every two ends that are not one, pods by name alone."""
    for client, server, family, _ in pairs(snapshot):
        if client != server and not any(not isinstance(end, Pod) and snapshot.pod_at(end) for end in (client, server)):
            yield client, server, family


def meant(snapshot: Snapshot, chosen: set[int], cut: int, traffic: Intervals) -> list[Meant]:
    """Some pods, and the addresses from some point on, in every family."""
    pods = [pod for number, pod in enumerate(snapshot.pods) if number in chosen and not pod.terminal]
    found = []
    for family in snapshot.families:
        first, last = EVERY[family].ranges[0]
        beyond = Intervals(((min(last, first + cut), last),))
        theirs = tuple(pod for pod in pods if family in snapshot.families_of(pod))
        found.append(Meant(Ends(theirs, beyond), family, traffic))
    return found


def is_meant(sides: list[Meant], end: End, family: Family) -> bool:
    """Whether an end is among those that are asked about."""
    return any(each.family is family and holds(each.ends, end) for each in sides)


def outcomes(
    engine: Engine, found: tuple[Line, ...], client: End, server: End, family: Family, at: int
) -> set[Outcome]:
    """What lines say of one connection."""
    held = [
        line
        for line in found
        if holds(line.clients, client) and holds(line.servers, server) and family in line.families
        if at in line.traffic
    ]
    near = {line.outcome for line in held if line.own_node and engine.share_node(client, server)}
    return near or {line.outcome for line in held if not line.own_node} or {Outcome.DENIED}


numbers = st.sets(st.integers(0, 3))
cuts = st.sampled_from([0, 0x0A000001, 0x0A000100, 0xC0A80001])


@given(snapshots(), numbers, numbers, cuts, st.sampled_from([ALL, BELOW]))
def test_lines_between_some_are_those_that_the_definition_allows(
    snapshot: Snapshot, clients: set[int], servers: set[int], cut: int, traffic: Intervals
):
    """Of those that are meant every connection is answered as defined; of others there is no line."""
    engine = Engine(snapshot)
    asked = meant(snapshot, clients, cut, ALL), meant(snapshot, servers, 0, traffic)
    found = lines_between(engine, *asked)
    for client, server, family in distinct(snapshot):
        inside = is_meant(asked[0], client, family) and is_meant(asked[1], server, family)
        for at, protocol, port in POINTS:
            told = outcomes(engine, found, client, server, family, at)
            if inside and at in traffic:
                assert told == {verdict(snapshot, Connection(client, server, protocol, port, family)).outcome}
            else:
                assert told == {Outcome.DENIED}


def judged(snapshot: Snapshot) -> list[tuple[tuple[End, End, Family], dict[int, Verdict]]]:
    """Every connection between two ends that are not one, by what the definition says."""
    return [
        ((client, server, family), {
            at: verdict(snapshot, Connection(client, server, protocol, port, family)) for at, protocol, port in POINTS
        })
        for client, server, family in distinct(snapshot)
    ]  # fmt: skip


@given(snapshots())
def test_grounds_are_the_origins_that_the_definition_gives(snapshot: Snapshot):
    """Every origin of any pair of a line is a ground of the line, and there is no other."""
    engine, defined = Engine(snapshot), judged(snapshot)
    for line in lines_between(engine):
        held = [
            (engine.share_node(*pair[:2]), pair[2], halves)
            for pair, halves in defined
            if holds(line.clients, pair[0]) and holds(line.servers, pair[1]) and pair[2] in line.families
        ]
        (row,) = reasons(engine, (line,))
        for direction in Direction:
            grounds = row.egress if direction is Direction.EGRESS else row.ingress
            near = [_half(v, direction) for share, _, told in held if share is line.own_node for v in _on(line, told)]
            origins = {origin for half in near for origin in half.origins}
            assert origins <= {each.origin for each in grounds.deciding}
            assert grounds.unjudged or all(half.tier for half in near)
            if not any(share for share, _, _ in held) and not _itself(line):
                assert origins == {each.origin for each in grounds.deciding}


def _half(found: Verdict, direction: Direction) -> Half:
    return found.egress if direction is Direction.EGRESS else found.ingress


def _on(line: Line, told: dict[int, Verdict]) -> Iterator[Verdict]:
    """Yield what is said of the traffic of a line."""
    yield from (found for at, found in told.items() if at in line.traffic)


def _itself(line: Line) -> bool:
    """Whether a pod is on both sides of a line, so that it meets itself, of which lines do not speak."""
    return bool({str(pod) for pod in line.clients.pods} & {str(pod) for pod in line.servers.pods})
