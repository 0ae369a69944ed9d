"""The ways to an endpoint of a Service: what each side's policies see, for every place and every door."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ringfence.algebra.addresses import Family, read_address, read_cidr, render_address
from ringfence.algebra.traffic import Protocol
from ringfence.model.cluster import Pod
from ringfence.model.policy import Direction
from ringfence.model.service import Balancer
from ringfence.semantics.endpoints import Endpoint
from ringfence.semantics.ways import Door, Entry, Happening, Way, Ways, told_hop
from tests.parts import block, network_policy, node, pod, rule, service, service_port, snapshot

if TYPE_CHECKING:
    from ringfence.model.connection import End
    from ringfence.model.service import Service

NODES = (node("n1", "192.168.0.1"), node("n2", "192.168.0.2"), node("n3", "192.168.0.3"), node("n4", "192.168.0.4"))
CLIENTS: dict[str, End] = {
    "pod on n1": pod("x/client", "", "10.0.0.9", node="n1"),
    "pod on n2": pod("x/client", "", "10.0.0.9", node="n2"),
    "pod anywhere": pod("x/client", "", "10.0.0.9"),
    "host pod on n1": pod("x/client", "", node="n1", host_network=True),
    "node n1": read_address("192.168.0.1"),
    "outside": read_address("203.0.113.5"),
}
ON_N2 = Endpoint(pod("x/server", "app=a", "10.0.0.2", node="n2"), 8080, "n2")
ANYWHERE = Endpoint(pod("x/server", "app=a", "10.0.0.2"), 8080)
WORLD = snapshot(*NODES)
OFFLINE = snapshot()

PLAIN = service("x/web", "app=a", ports=(service_port(80, 8080, node_port=30080),))
INNER = replace(PLAIN, local_from_inside=True)
LOCAL = replace(PLAIN, local_from_outside=True)
GUARDED = replace(PLAIN, source_ranges=read_cidr("203.0.113.0/24"))
PROXY = Balancer(read_address("198.51.100.9"), proxies=True)
KEEPS = Balancer(read_address("198.51.100.9"))


def through(web: Service, door: Door, **facts: object) -> Entry:
    """A door of a Service."""
    number = 30080 if door is Door.NODE else 80
    return Entry(web, web.ports[0], door, Family.IPV4, Protocol.TCP, number, "the door", **facts)  # type: ignore[arg-type]


def named(end: End | None) -> str:
    """An end as the tables have it: a pod by its name, an address as it is written."""
    if end is None:
        return "?"
    return end.name if isinstance(end, Pod) else render_address(end)


def seen(way: Way) -> str:
    """What both sides see: the client's policies the first, the server's the second; and where it comes in."""
    nodes = f" at {','.join(sorted(way.nodes))}" if way.nodes else ""
    return f"{named(way.peer)}:{way.peer_port} / {named(way.source)}{nodes}"


TRUTH = [
    # the cluster address: translated where the client is, and both see each other
    (PLAIN, Door.CLUSTER, {}, "pod on n1", ["server:8080 / client"]),
    (PLAIN, Door.CLUSTER, {}, "host pod on n1", ["server:8080 / client"]),
    (PLAIN, Door.CLUSTER, {}, "node n1", ["server:8080 / 192.168.0.1"]),
    (PLAIN, Door.CLUSTER, {}, "outside", []),
    (INNER, Door.CLUSTER, {}, "pod on n1", []),
    (INNER, Door.CLUSTER, {}, "pod on n2", ["server:8080 / client"]),
    (INNER, Door.CLUSTER, {}, "pod anywhere", ["server:8080 / client"]),
    (PLAIN, Door.HEADLESS, {}, "pod on n1", ["server:8080 / client"]),
    (PLAIN, Door.HEADLESS, {}, "outside", []),
    # a node port: egress sees another node, ingress sees the node that had to pass it on
    (PLAIN, Door.NODE, {"node": "n1"}, "pod on n1", ["server:8080 / 192.168.0.1 at n1"]),
    (PLAIN, Door.NODE, {"node": "n2"}, "pod on n1", ["192.168.0.2:30080 / client at n2"]),
    (PLAIN, Door.NODE, {"node": "n3"}, "pod on n1", ["192.168.0.3:30080 / 192.168.0.3 at n3"]),
    (PLAIN, Door.NODE, {"node": "n2"}, "pod on n2", ["server:8080 / client at n2"]),
    (PLAIN, Door.NODE, {"node": "n1"}, "node n1", ["server:8080 / 192.168.0.1 at n1"]),
    (PLAIN, Door.NODE, {"node": "n2"}, "outside", ["192.168.0.2:30080 / 203.0.113.5 at n2"]),
    (PLAIN, Door.NODE, {"node": "n3"}, "outside", ["192.168.0.3:30080 / 192.168.0.3 at n3"]),
    (
        PLAIN,
        Door.NODE,
        {},
        "outside",
        ["192.168.0.2:30080 / 203.0.113.5 at n2", "192.168.0.1:30080 / 192.168.0.1 at n1,n3,n4"],
    ),
    (
        PLAIN,
        Door.NODE,
        {},
        "pod on n1",
        [
            "server:8080 / 192.168.0.1 at n1",
            "192.168.0.2:30080 / client at n2",
            "192.168.0.3:30080 / 192.168.0.3 at n3,n4",
        ],
    ),
    # externalTrafficPolicy Local: only where the endpoint is, and the client is kept
    (LOCAL, Door.NODE, {"node": "n2"}, "outside", ["192.168.0.2:30080 / 203.0.113.5 at n2"]),
    (LOCAL, Door.NODE, {"node": "n3"}, "outside", []),
    (LOCAL, Door.NODE, {"node": "n1"}, "pod on n1", ["server:8080 / client at n1"]),
    (LOCAL, Door.NODE, {"node": "n1"}, "node n1", ["server:8080 / 192.168.0.1 at n1"]),
    (LOCAL, Door.NODE, {"node": "n1"}, "host pod on n1", ["server:8080 / client at n1"]),
    (LOCAL, Door.NODE, {"node": "n3"}, "pod on n1", []),
    (LOCAL, Door.NODE, {}, "outside", ["192.168.0.2:30080 / 203.0.113.5 at n2"]),
    # an address outside that nodes know for the Service's: pods never get to it
    (PLAIN, Door.EXTERNAL, {}, "pod on n1", ["server:8080 / 192.168.0.1 at n1"]),
    (PLAIN, Door.EXTERNAL, {}, "pod on n2", ["server:8080 / client at n2"]),
    (LOCAL, Door.EXTERNAL, {}, "pod on n1", ["server:8080 / client at n1"]),
    (LOCAL, Door.EXTERNAL, {}, "outside", ["192.168.0.2:80 / 203.0.113.5 at n2"]),
    (PLAIN, Door.EXTERNAL, {"outside_only": True}, "pod on n1", []),
    (PLAIN, Door.BALANCER, {"balancer": KEEPS}, "pod on n2", ["server:8080 / client at n2"]),
    (LOCAL, Door.BALANCER, {"balancer": KEEPS}, "outside", ["192.168.0.2:80 / 203.0.113.5 at n2"]),
    # a load balancer that connects anew: pods leave the cluster, and nobody knows who comes back
    (PLAIN, Door.BALANCER, {"balancer": PROXY, "address": PROXY.address}, "pod on n1", ["198.51.100.9:80 / ?"]),
    (PLAIN, Door.BALANCER, {"balancer": PROXY, "address": PROXY.address}, "outside", ["198.51.100.9:80 / ?"]),
]


@pytest.mark.parametrize(("web", "door", "facts", "client", "ways"), TRUTH)
def test_each_side_sees_what_the_packet_bears_there(
    web: Service, door: Door, facts: dict[str, object], client: str, ways: list[str]
):
    """The endpoint is on n2; a row gives what egress sees, what ingress sees, and the nodes that take the packet."""
    found = Ways(WORLD).to(through(web, door, **facts), CLIENTS[client], ON_N2)

    assert [seen(way) for way in found] == ways


@pytest.mark.parametrize(
    ("web", "door", "client", "ways"),
    [
        (PLAIN, Door.NODE, "outside", ["a node:30080 / 203.0.113.5", "a node:30080 / a node"]),
        (LOCAL, Door.NODE, "outside", ["a node:30080 / 203.0.113.5"]),
        (PLAIN, Door.EXTERNAL, "pod anywhere", ["server:8080 / client", "server:8080 / a node"]),
        (LOCAL, Door.EXTERNAL, "pod anywhere", ["server:8080 / client", "server:8080 / client"]),
        (
            PLAIN,
            Door.NODE,
            "pod anywhere",
            ["server:8080 / client", "server:8080 / a node", "a node:30080 / client", "a node:30080 / a node"],
        ),
    ],
)
def test_where_no_node_is_known_every_place_is_thought_of(web: Service, door: Door, client: str, ways: list[str]):
    """The node of the endpoint, the node of the client, the node of both, and another."""
    found = Ways(OFFLINE).to(through(web, door), CLIENTS[client], ANYWHERE)

    assert [seen(way) for way in found] == ways


def test_nodes_that_a_block_tells_apart_are_ways_of_their_own():
    """The others are one."""
    policy = network_policy("x/p", "", ingress=(rule(block("192.168.0.4/32")),))
    found = Ways(snapshot(*NODES, policy)).to(through(PLAIN, Door.NODE), CLIENTS["outside"], ON_N2)

    assert [sorted(way.nodes) for way in found] == [["n2"], ["n1", "n3"], ["n4"]]


def test_nodes_that_are_alike_speak_for_each_other_and_not_for_those_that_are_not():
    """Whoever is first among the others gives the address, never the endpoint's own node."""
    on_n1 = Endpoint(pod("x/server", "app=a", "10.0.0.2", node="n1"), 8080, "n1")
    found = Ways(WORLD).to(through(PLAIN, Door.NODE), CLIENTS["outside"], on_n1)

    assert [seen(way) for way in found] == [
        "192.168.0.1:30080 / 203.0.113.5 at n1",
        "192.168.0.2:30080 / 192.168.0.2 at n2,n3,n4",
    ]


def test_on_an_overlay_a_node_passes_on_under_the_end_of_its_tunnel():
    """Clients still send to its own address."""
    tunnelled = replace(NODES[2], tunnels=(read_address("10.244.3.0"),))
    (way,) = Ways(snapshot(*NODES[:2], tunnelled)).to(through(PLAIN, Door.NODE, node="n3"), CLIENTS["pod on n1"], ON_N2)

    assert seen(way) == "192.168.0.3:30080 / 10.244.3.0 at n3"


@pytest.mark.parametrize(
    ("client", "barred"),
    [("203.0.113.5", ""), ("198.51.100.5", "{client} is outside loadBalancerSourceRanges of x/web")],
)
@pytest.mark.parametrize("balancer", [PROXY, KEEPS])
def test_a_load_balancer_refuses_who_is_outside_its_ranges(client: str, barred: str, balancer: Balancer):
    """Before any policy is asked."""
    entry = through(GUARDED, Door.BALANCER, balancer=balancer, address=balancer.address)

    for way in Ways(WORLD).to(entry, read_address(client), ON_N2):
        assert way.barred == barred
        assert (way.hops[0].happening is Happening.FILTERED) is bool(barred)


def test_ranges_hold_for_load_balancers_alone():
    """The cluster address is open to everybody inside."""
    (way,) = Ways(WORLD).to(through(GUARDED, Door.CLUSTER), CLIENTS["pod on n1"], ON_N2)

    assert way.barred == ""


def hops(entry: Entry, client: str, endpoint: Endpoint | None = ON_N2) -> list[tuple[str, str, str, str]]:
    """The hops of the only way: where, what happens, who is judged there, and against whom."""
    (way,) = Ways(WORLD).to(entry, CLIENTS[client], endpoint)
    names = {"{client}": "client", "{server}": "server", "{node}": "n"}
    told = [told_hop(hop, names) for hop in way.hops]
    return [(f"{h.at} {h.port}", h.happening.value, h.judged.value if h.judged else "", h.seen) for h in told]


EGRESS, INGRESS = Direction.EGRESS.value, Direction.INGRESS.value
HOPS = [
    (
        through(PLAIN, Door.CLUSTER),
        "pod on n1",
        [("the door 80", "translated", EGRESS, "server"), ("server 8080", "arrives", INGRESS, "client")],
    ),
    (
        through(PLAIN, Door.HEADLESS),
        "pod on n1",
        [("the door 80", "resolved", EGRESS, "server"), ("server 8080", "arrives", INGRESS, "client")],
    ),
    (
        through(PLAIN, Door.NODE, node="n3"),
        "pod on n1",
        [
            ("client 30080", "sent", EGRESS, "n"),
            ("n 30080", "translated", "", ""),
            ("n 8080", "masqueraded", "", ""),
            ("server 8080", "arrives", INGRESS, "n"),
        ],
    ),
    (
        through(PLAIN, Door.NODE, node="n2"),
        "outside",
        [("n 30080", "translated", "", ""), ("server 8080", "arrives", INGRESS, "client")],
    ),
    (
        through(PLAIN, Door.BALANCER, balancer=PROXY, address=PROXY.address),
        "pod on n1",
        [
            ("the door 80", "proxied", EGRESS, "the door"),
            ("server 8080", "arrives", INGRESS, "the load balancer, from an address that is not known"),
        ],
    ),
    (
        through(PLAIN, Door.CLUSTER, aliases=("svc:a", "svc:b")),
        "pod on n1",
        [
            ("svc:a 80", "resolved", "", ""),
            ("svc:b 80", "resolved", "", ""),
            ("the door 80", "translated", EGRESS, "server"),
            ("server 8080", "arrives", INGRESS, "client"),
        ],
    ),
]


@pytest.mark.parametrize(("entry", "client", "expected"), HOPS)
def test_every_hop_says_where_the_packet_is_and_who_is_judged_there(
    entry: Entry, client: str, expected: list[tuple[str, str, str, str]]
):
    """Each side is judged at one hop at most."""
    assert hops(entry, client) == expected


def test_a_name_outside_and_the_cache_of_the_node_end_where_no_policy_of_a_server_is():
    """For whoever is inside; from outside nothing leads there."""
    assert hops(through(PLAIN, Door.NAME), "pod on n1", None) == [("the door 80", "leaves", EGRESS, "the door")]
    cache = through(PLAIN, Door.CACHE, address=read_address("10.96.0.10"))
    assert hops(cache, "pod on n1", None) == [("10.96.0.10 80", "arrives", EGRESS, "10.96.0.10")]
    assert Ways(WORLD).to(cache, CLIENTS["outside"], None) == ()


def test_what_is_taken_for_granted_is_said():
    """Of the node of a client, and of a load balancer of which nothing is written."""
    (inner,) = Ways(WORLD).to(through(INNER, Door.CLUSTER), CLIENTS["pod anywhere"], ON_N2)
    (sure,) = Ways(WORLD).to(through(INNER, Door.CLUSTER), CLIENTS["pod on n2"], ON_N2)
    (balanced,) = Ways(WORLD).to(through(LOCAL, Door.BALANCER), CLIENTS["outside"], ON_N2)
    (known,) = Ways(WORLD).to(through(LOCAL, Door.BALANCER, balancer=KEEPS), CLIENTS["outside"], ON_N2)

    assert [each.topic for each in inner.assumptions] == ["pod-node"]
    assert sure.assumptions == ()
    assert [each.topic for each in balanced.assumptions] == ["load-balancer"]
    assert known.assumptions == ()
