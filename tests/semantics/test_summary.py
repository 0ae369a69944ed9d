"""The map in few lines says what the definition says of every pair."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given

from ringfence.algebra.addresses import EVERY, Family, read_address
from ringfence.algebra.intervals import EMPTY, Intervals
from ringfence.algebra.traffic import ALL, point
from ringfence.model.cluster import Pod
from ringfence.semantics.ends import Ends
from ringfence.semantics.engine import Engine
from ringfence.semantics.spec import verdict
from ringfence.semantics.summary import Line, Meant, assumptions, lines, lines_between
from ringfence.semantics.verdict import Outcome
from tests.parts import block, network_policy, pod, pods, rule, snapshot, tcp
from tests.worlds import connections, snapshots

if TYPE_CHECKING:
    from ringfence.model.snapshot import Snapshot


def holds(ends: Ends, end: Pod | int) -> bool:
    """Whether an end is among some."""
    return end in ends.pods if isinstance(end, Pod) else end in ends.addresses


@given(snapshots())
def test_every_pair_is_in_one_line_or_nothing_passes(world: Snapshot):
    """A line's outcome is the definition's; a connection in no line is denied."""
    engine = Engine(world)
    found = lines(engine)
    for asked in connections(world):
        pair = (world.pod_at(end) or end if not isinstance(end, Pod) else end for end in (asked.client, asked.server))
        client, server = pair
        if asked.via or asked.port not in (53, 80, 81) or client == server:
            continue
        meant = [
            line
            for line in found
            if holds(line.clients, client) and holds(line.servers, server) and asked.family in line.families
            if point(asked.protocol, asked.port) in line.traffic
        ]
        near = [line.outcome for line in meant if line.own_node and engine.share_node(client, server)]
        told = near or [line.outcome for line in meant if not line.own_node]
        assert (told or [Outcome.DENIED]) == [verdict(world, asked).outcome], asked


def shown(found: tuple[Line, ...]) -> list[tuple[str, str]]:
    """Lines, briefly."""
    return [
        tuple(" ".join(map(str, e.pods)) or str(len(e.addresses.ranges)) for e in (f.clients, f.servers)) for f in found
    ]


def test_lines_are_as_few_as_the_rectangles_that_they_say():
    """Clients of the same servers, and servers of the same clients, share a line."""
    policies = [
        network_policy(f"x/{name}", f"app={name}", ingress=(rule(pods("app=c"), traffic=tcp(80)),)) for name in "ab"
    ]
    cut = [network_policy("x/c", "app=c", ingress=()), network_policy("x/out", "", egress=(rule(pods()),))]
    world = snapshot(*(pod(f"x/{name}", f"app={name}") for name in "abc"), *policies, *cut)

    assert shown(lines(Engine(world))) == [("x/c", "x/a x/b")]


def test_a_lone_pod_with_itself_is_no_line():
    """It always reaches itself, and nobody asks."""
    policies = [network_policy("x/a", "", ingress=(rule(pods()),), egress=(rule(pods()),))]
    assert lines(Engine(snapshot(pod("x/a"), *policies))) == ()


def test_families_are_told_by_a_line():
    """Where both families are answered alike there is one line; addresses tell their own."""
    world = snapshot(pod("x/a"), pod("y/b"), families=tuple(Family))
    inside, outside, back = lines(Engine(world))

    assert inside == Line(Ends(world.pods), Ends(world.pods), ALL, tuple(Family), Outcome.ALLOWED)
    assert outside.servers.addresses == back.clients.addresses == EVERY[Family.IPV4] | EVERY[Family.IPV6]
    assert outside.families == tuple(Family)


def test_a_namespace_in_focus_keeps_the_pairs_that_begin_or_end_there():
    """Each pair once, whichever of its ends it is."""
    world = snapshot(pod("x/a"), pod("y/b"), pod("z/c"), network_policy("z/c", "", ingress=(), egress=()))

    assert shown(lines(Engine(world), "x")) == [("x/a", "x/a y/b"), ("x/a", "1"), ("y/b", "x/a"), ("1", "x/a")]
    assert shown(lines(Engine(world), "z")) == []


def test_what_the_lines_rest_on_is_said():
    """Families and addresses that the input does not show."""
    world = snapshot(pod("x/a"), network_policy("x/p", "", ingress=(rule(block("10.0.0.0/8")),)))
    assert [each.topic for each in assumptions(world)] == ["family", "pod-address"]


def test_those_who_are_like_those_that_are_meant_are_not_meant():
    """No policy tells these pods apart, nor these addresses, and still one alone is asked about."""
    world = snapshot(pod("x/a", "", "10.0.0.1"), pod("x/b", "", "10.0.0.2"), pod("x/c", "", "10.0.0.3"))
    address = Intervals.point(read_address("192.0.2.1"))
    clients = [Meant(Ends((world.pods[0],), address), Family.IPV4)]
    servers = [Meant(Ends((world.pods[1],)), Family.IPV4)]

    assert shown(lines_between(Engine(world), clients, servers)) == [("x/a", "x/b"), ("1", "x/b")]
    assert [line.clients.addresses for line in lines_between(Engine(world), clients, servers)] == [EMPTY, address]
