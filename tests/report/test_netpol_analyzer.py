"""The map in netpol-analyzer's words."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given

from ringfence.algebra.addresses import Family
from ringfence.algebra.intervals import EMPTY, Intervals
from ringfence.algebra.traffic import ALL, Protocol, point, ports
from ringfence.model.service import Backend, Route
from ringfence.report.netpol_analyzer import (
    connections,
    name,
    render_connections,
    render_traffic,
    says,
    with_controller,
)
from ringfence.report.netpol_analyzer_diff import render_differences
from ringfence.semantics.engine import Engine
from ringfence.semantics.summary import lines
from tests.parts import block, network_policy, place, pod, pods, port, rule, service, service_port, snapshot, tcp
from tests.worlds import snapshots

if TYPE_CHECKING:
    from ringfence.model.snapshot import Snapshot

WEB = [pod(f"x/web-{n}", "app=web", workload="Deployment/web", ports=(port("http", 8080),)) for n in (0, 1)]
DB = pod("x/db", "app=db")
TCP, UDP = ports(Protocol.TCP), ports(Protocol.UDP)


def listed(world: Snapshot) -> list[str]:
    """The lines of a snapshot."""
    world = with_controller(world)
    return render_connections(connections(lines(Engine(world)), world)).splitlines()


@pytest.mark.parametrize(
    ("traffic", "words"),
    [
        (ALL, "All Connections"),
        (TCP | UDP | ports(Protocol.SCTP), "All Connections"),
        (EMPTY, "No Connections"),
        (Intervals.point(point(Protocol.ICMP, 0)), "No Connections"),
        (TCP, "TCP 1-65535"),
        (tcp(80) | tcp(443) | ports(Protocol.UDP, 53, 53), "TCP 80,443,UDP 53"),
        (ports(Protocol.SCTP, 9, 9) | tcp(8000, 8010), "SCTP 9,TCP 8000-8010"),
        (TCP - tcp(80), "TCP 1-79,81-65535"),
    ],
)
def test_traffic_is_said_by_protocol_in_alphabetical_order(traffic: Intervals, words: str):
    """Port 0 and ICMP have no words, so what has all the rest has everything."""
    assert render_traffic(traffic) == words


def test_workloads_are_named_with_their_kind_and_never_beside_themselves():
    """Replicas are one end; who has no workload is a pod."""
    assert listed(snapshot(*WEB, DB)) == [
        "0.0.0.0-255.255.255.255 => x/db[Pod] : All Connections",
        "0.0.0.0-255.255.255.255 => x/web[Deployment] : All Connections",
        "x/db[Pod] => 0.0.0.0-255.255.255.255 : All Connections",
        "x/db[Pod] => x/web[Deployment] : All Connections",
        "x/web[Deployment] => 0.0.0.0-255.255.255.255 : All Connections",
        "x/web[Deployment] => x/db[Pod] : All Connections",
    ]


def test_addresses_are_cut_where_a_block_of_that_direction_begins_or_ends():
    """Also where both sides of the cut have the same; blocks of the other direction cut nothing."""
    opened = network_policy("x/p", ingress=(rule(block("10.0.0.0/8", "10.1.0.0/16")), rule(block("0.0.0.0/0"))))

    assert listed(snapshot(DB, opened)) == [
        "0.0.0.0-9.255.255.255 => x/db[Pod] : All Connections",
        "10.0.0.0-10.0.255.255 => x/db[Pod] : All Connections",
        "10.1.0.0-10.1.255.255 => x/db[Pod] : All Connections",
        "10.2.0.0-10.255.255.255 => x/db[Pod] : All Connections",
        "11.0.0.0-255.255.255.255 => x/db[Pod] : All Connections",
        "x/db[Pod] => 0.0.0.0-255.255.255.255 : All Connections",
    ]


def test_an_address_that_a_pod_has_cuts_nothing():
    """Whoever is outside is a range as if no pod had an address in it."""
    assert "0.0.0.0-255.255.255.255 => x/a[Pod] : All Connections" in listed(snapshot(pod("x/a", "", "10.0.0.1")))


def test_what_one_pod_of_a_workload_may_do_the_workload_may():
    """The format has one line for all of them."""
    alone = pod("x/web-2", "app=web,canary=1", workload="Deployment/web")
    closed = network_policy("x/db", "app=db", ingress=(rule(pods("canary=1"), traffic=tcp(5432)),))

    assert "x/web[Deployment] => x/db[Pod] : TCP 5432" in listed(snapshot(*WEB, alone, DB, closed))


def test_what_an_ingress_leads_to_is_opened_by_its_controller():
    """On ports that the pods declare, as far as their policies let a pod without labels in."""
    entry = Route("Ingress", "x", "shop", (), (Backend("x", "web", 80), Backend("x", "none", 80)), place("shop"))
    services = (service("x/web", "app=web", ports=(service_port(80, "http"), service_port(81, 81))),)
    undeclared = Route("Ingress", "x", "other", (), (Backend("x", "web", 81),), place("other"))
    world = snapshot(*WEB, DB, services=services, routes=(entry,))
    closed = snapshot(*WEB, network_policy("x/web", ingress=(rule(pods()),)), services=services, routes=(entry,))
    labelled = snapshot(*WEB, network_policy("x/web", ingress=(rule(pods("a=b")),)), services=services, routes=(entry,))

    assert not [line for line in listed(replace(world, routes=(undeclared,))) if "{" in line]
    assert [line for line in listed(world) if "{" in line] == ["{ingress-controller} => x/web[Deployment] : TCP 8080"]
    assert [line for line in listed(closed) if "{" in line] == ["{ingress-controller} => x/web[Deployment] : TCP 8080"]
    assert [line for line in listed(labelled) if "{" in line] == []


def test_a_difference_is_told_of_ranges_as_long_as_they_can_be():
    """Whatever blocks cut them, neighbors that are alike before and alike after are one."""
    before = snapshot(DB, network_policy("x/p", ingress=(rule(block("10.0.0.0/8", "10.1.0.0/16")),)))
    after = snapshot(DB, network_policy("x/p", ingress=(rule(block("10.0.0.0/9")), rule(block("10.128.0.0/9")))))
    told = [connections(lines(Engine(world)), world) for world in (before, after)]

    assert render_differences(*told, (before, after)) == (
        "Connectivity diff:\n"
        "diff-type: added, source: 10.1.0.0-10.1.255.255, destination: x/db[Pod], "
        "dir1: No Connections, dir2: All Connections\n"
    )
    assert render_differences(told[0], told[0], (before, before)) == ""
    closed = snapshot(DB, network_policy("x/p", ingress=()))
    opened = render_differences(connections(lines(Engine(closed)), closed), told[1], (closed, after))
    (line,) = (line for line in opened.splitlines() if "source: 10." in line)
    assert line.startswith("diff-type: added, source: 10.0.0.0-10.255.255.255, destination: x/db[Pod], dir1: No")
    wider = snapshot(DB, network_policy("x/p", ingress=(rule(block("10.0.0.0/7", "10.1.0.0/16")),)))
    assert "source: 11.0.0.0-11.255.255.255," in render_differences(
        told[0], connections(lines(Engine(wider)), wider), (before, wider)
    )


def test_what_the_format_has_no_words_for_is_known():
    """A pod whose range is cut by a block is undecided."""
    cut = network_policy("x/p", "app=a", ingress=(rule(block("10.0.0.0/25")),))
    world = snapshot(pod("x/a", "app=a"), pod("x/b"), cut, pod_ranges=block("10.0.0.0/24").addresses)
    found = lines(Engine(world))

    assert [line.outcome.value for line in found if not says(line)] == ["undecided"]
    assert not [line for line in listed(world) if "x/b[Pod] => x/a[Pod]" in line]


@given(snapshots())
def test_every_pair_of_workloads_has_what_some_pair_of_their_pods_has(world: Snapshot):
    """The engine says it pair by pair; the order is that of the lines as text."""
    engine = Engine(world)
    told = connections(lines(engine), world)
    alive = [pod for pod in world.pods if not pod.terminal]
    expected: dict[tuple[str, str], Intervals] = {}
    for client in alive:
        for server in alive:
            for family in Family:
                ends = tuple(f"{end}[Pod]" for end in (client, server))
                shared = set(world.families_of(client)) & set(world.families_of(server))
                if client == server or family not in shared & set(world.families) or engine.share_node(client, server):
                    continue
                expected[ends] = expected.get(ends, EMPTY) | engine.allowed(client, server, family).allowed

    near = {tuple(f"{end}[Pod]" for end in (a, b)) for a in alive for b in alive if engine.share_node(a, b)}
    between = {ends: traffic for ends, traffic in told.items() if all(isinstance(end, str) for end in ends)}
    assert {ends: traffic for ends, traffic in expected.items() if render_traffic(traffic) != "No Connections"} == {
        ends: traffic for ends, traffic in between.items() if ends not in near
    }
    assert list(told) == sorted(told, key=lambda ends: (name(ends[0]), name(ends[1])))
