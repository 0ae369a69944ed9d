"""What is open to the outside, for which cause."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.algebra.addresses import read_address
from ringfence.analysis.exposure import Exposure, expose
from ringfence.analysis.whom import Names
from ringfence.model.service import Balancer
from ringfence.semantics.dialects import KUBERNETES
from ringfence.semantics.engine import Engine
from tests.parts import block, network_policy, pod, pods, rule, service, service_port, snapshot, tcp

if TYPE_CHECKING:
    from ringfence.analysis.reach import Row
    from ringfence.model.snapshot import Snapshot


def exposed(world: Snapshot) -> Exposure:
    """How a world and its outside reach each other."""
    return expose(Engine(world), Names(world, "x"), KUBERNETES)


def shown(rows: tuple[Row, ...]) -> list[tuple[str, bool]]:
    """The pods of each row, and whether nothing isolates them."""
    found = []
    for row in rows:
        inward = bool(row.line.servers.pods)
        grounds = row.ingress if inward else row.egress
        members = row.line.servers.pods if inward else row.line.clients.pods
        found.append((" ".join(map(str, members)), grounds.unjudged and not grounds.deciding))
    return found


def test_pods_that_nothing_isolates_are_in_rows_of_their_own():
    """Also where rules open others as widely, in either direction."""
    wide = network_policy("x/wide", "app=a", ingress=(rule(),), egress=(rule(),))
    found = exposed(snapshot(pod("x/a", "app=a"), pod("x/b"), wide))

    assert shown(found.inward) == [("x/b", True), ("x/a", False)]
    assert shown(found.outward) == [("x/b", True), ("x/a", False)]


def test_a_door_names_those_who_get_in():
    """By address, on the way through its Service; one that leads nobody in is told too."""
    policy = network_policy("x/a", "app=a", ingress=(rule(block("198.51.100.0/24"), traffic=tcp(8080)),))
    closed = network_policy("x/b", "app=b", ingress=())
    facts = {"kind": "NodePort", "local_from_outside": True}
    doors = tuple(service(f"x/{name}", f"app={name}", **facts) for name in "ab")
    world = snapshot(pod("x/a", "app=a"), pod("x/b", "app=b"), policy, closed, services=doors)
    first, second = exposed(world).doors

    assert [(part.client, part.server) for part in first.parts] == [("198.51.100.0/24", "svc:x/a")]
    assert second.parts == ()


def test_each_kind_of_door_is_told_by_the_port_that_is_open():
    """A node port by its own number; a load balancer has both, and its nodes ask nobody where he comes from."""
    ranged = {"balancers": (Balancer(read_address("192.0.2.9")),), "source_ranges": block("198.51.100.0/24").addresses}
    services = (
        service("x/a", "app=a", kind="NodePort", ports=(service_port(81, 8080, node_port=30081),)),
        service("x/b", "app=a", kind="LoadBalancer", ports=(service_port(82, 8080, node_port=30082),), **ranged),
        service("x/c", "app=a", kind="LoadBalancer", ports=(service_port(83, 8080),)),
        service("x/d", "app=a", kind="NodePort", ports=(service_port(84, 8080),)),
        service("x/e", "app=a", external_addresses=(read_address("192.0.2.8"),), ports=(service_port(85, 8080),)),
    )
    doors = exposed(snapshot(pod("x/a", "app=a"), network_policy("y/p"), services=services)).doors

    assert [(door.service.name, door.number, door.on_nodes) for door in doors] == [
        ("a", 30081, True),
        ("b", 82, False),
        ("b", 30082, True),
        ("c", 83, False),
        ("d", None, True),
        ("e", 85, False),
    ]
    assert {part.client for part in doors[1].parts} == {"198.51.100.0/24"}
    assert {part.client for part in doors[2].parts} == {"internet"}


def test_a_door_holds_the_ways_that_begin_there_alone():
    """What comes by an external address of a node port's Service is no way by the nodes."""
    facts = {"kind": "NodePort", "external_addresses": (read_address("192.0.2.8"),)}
    services = (service("x/a", "app=a", ports=(service_port(81, 8080, node_port=30081),), **facts),)
    outer, nodes = exposed(snapshot(pod("x/a", "app=a"), network_policy("y/p"), services=services)).doors

    assert {part.hops[0].port for part in outer.parts} == {81}
    assert {part.hops[0].port for part in nodes.parts} == {30081}


def test_a_service_inside_the_cluster_is_no_door():
    """Its address leads nobody in."""
    policy = network_policy("x/a", "", ingress=(rule(pods()),))
    world = snapshot(pod("x/a", "app=a"), policy, services=(service("x/a", "app=a"),))

    assert exposed(world).doors == ()
    assert shown(exposed(world).inward) == []
