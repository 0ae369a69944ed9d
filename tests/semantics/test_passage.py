"""Answers about Services: each side is judged by what it sees."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given

from ringfence.algebra.addresses import read_address, read_cidr
from ringfence.algebra.traffic import Protocol
from ringfence.model.connection import Connection
from ringfence.model.policy import Action, Tier
from ringfence.model.service import Balancer, EndpointPort, EndpointSlice, KnownEndpoint
from ringfence.semantics.answer import Answer, Respondent
from ringfence.semantics.dialects import DIALECTS, KUBERNETES, Dialect
from ringfence.semantics.question import Question
from ringfence.semantics.spec import verdict
from ringfence.semantics.verdict import Undefined
from tests.parts import (
    block,
    cluster_policy,
    network_policy,
    node,
    place,
    pod,
    pods,
    rule,
    service,
    service_port,
    snapshot,
    tcp,
)
from tests.worlds import snapshots

if TYPE_CHECKING:
    from ringfence.model.policy import Peer, Policy
    from ringfence.model.service import Service
    from ringfence.model.snapshot import Snapshot

NODES = (node("n1", "192.168.0.1"), node("n2", "192.168.0.2"))
PODS = (
    pod("x/client", "app=c", "10.0.0.9", node="n1"),
    pod("x/db-0", "app=db", "10.0.0.1", node="n1"),
    pod("x/db-1", "app=db", "10.0.0.2", node="n2"),
)
PORTS = (service_port(80, 8080, "sql", node_port=30080),)
DB = service("x/db", "app=db", "10.96.0.1", ports=PORTS)
PORTED = replace(DB, kind="NodePort")


def ask(
    web: Service,
    client: str,
    server: str,
    port: int | str | None = None,
    *policies: Policy,
    dialect: Dialect = KUBERNETES,
    **facts: object,
) -> Answer:
    """The answer about one Service in the cluster of these tests."""
    world = replace(snapshot(*PODS, *NODES, *policies), services=(web,), **facts)  # type: ignore[arg-type]
    return Respondent(world, dialect=dialect).answer(Question.of(client, server, port))


def told(answer: Answer) -> list[tuple[str, str, str]]:
    """Each part: whether both halves allow, from whom to whom."""
    word = {"allowed": "+", "denied": "-", "undecided": "?"}
    return [
        ("".join(word[half.outcome.value] for half in part.verdict.halves), part.client, part.server)
        for part in answer.parts
    ]


ON_TARGET = network_policy("x/db", "app=db", ingress=(rule(pods("app=c"), traffic=tcp(8080)),))
ON_PORT = network_policy("x/db", "app=db", ingress=(rule(pods("app=c"), traffic=tcp(80)),))


def test_policies_are_judged_on_the_port_of_the_pod():
    """The question and its answer are about the port of the Service."""
    answer = ask(DB, "x/client", "svc:x/db", 80, ON_TARGET)

    assert told(answer) == [("++", "x/client", "svc:x/db")]
    assert answer.traffic == tcp(80)
    assert [hop.text for hop in answer.hops] == ["translated to x/db-0, x/db-1 TCP 8080", "arrives from x/client"]


def test_a_rule_for_the_port_of_the_service_is_pointed_out():
    """It is the mistake that everybody makes once."""
    answer = ask(DB, "x/client", "svc:x/db", 80, ON_PORT)
    (remark,) = answer.remarks

    assert answer.verdict == "denied"
    assert remark.topic == "service-port"
    assert remark.text.startswith("accepted by x/db rule None on TCP 80, the port of the Service; ")
    assert remark.text.endswith("TCP 8080")
    assert remark.origins == (ON_PORT.ingress[0].origin,)
    assert ask(DB, "x/client", "svc:x/db", 80, ON_TARGET).remarks == ()
    assert ask(DB, "x/client", "svc:x/db", 80, network_policy("x/none", "app=db", ingress=())).remarks == ()


def test_whether_a_block_means_the_address_of_the_service_is_an_open_point():
    """The API does not say whether policies are judged before it is translated, or after."""
    named = network_policy("x/out", "app=c", egress=(rule(block("10.96.0.0/16")),))
    both = network_policy("x/out", "app=c", egress=(rule(block("10.0.0.0/8")),))
    answer, early = (ask(DB, "x/client", "10.96.0.1", 80, named, dialect=DIALECTS[d]) for d in ("kubernetes", "aws"))

    assert (answer.verdict, early.verdict) == ("denied", "allowed")
    assert answer.undefined == (Undefined("service-address", "kubernetes", ("aws",)),)
    assert "service-address" not in {point.topic for point in ask(DB, "x/client", "10.96.0.1", 80, both).undefined}
    assert "service-address" not in {point.topic for point in ask(DB, "x/client", "svc:x/db", 80).undefined}


def test_who_looks_before_translation_sees_the_port_of_the_service_too():
    """The address and the port belong together."""
    to_services = block("10.96.0.0/16")
    at_service, at_pod = (
        network_policy("x/out", "app=c", egress=(rule(to_services, traffic=tcp(port)),)) for port in (80, 8080)
    )

    assert ask(DB, "x/client", "10.96.0.1", 80, at_service, dialect=DIALECTS["aws"]).verdict == "allowed"
    assert ask(DB, "x/client", "10.96.0.1", 80, at_pod, dialect=DIALECTS["aws"]).verdict == "denied"


@pytest.mark.parametrize(
    ("peer", "port", "verdict"),
    [
        (pods("app=db"), 8080, "allowed"),
        (pods("app=db"), 80, "denied"),
        (pods("role=main"), 8080, "denied"),
        (pods("app=db", "y"), 8080, "denied"),
        (pods(), 8080, "allowed"),
        (block("10.96.0.0/16"), 80, "allowed"),
        (block("10.96.0.0/16"), 8080, "denied"),
        (block("10.0.0.0/24"), 8080, "denied"),
    ],
)
def test_who_looks_before_translation_knows_a_service_by_what_it_selects(peer: Peer, port: int, verdict: str):
    """Whatever labels its pods bear beside that; a selector is for their port, a block for the Service's."""
    main = replace(PODS[1], labels={"app": "db", "role": "main"})
    out = network_policy("x/out", "app=c", egress=(rule(peer, traffic=tcp(port)),))
    world = replace(snapshot(PODS[0], main, *NODES, out), services=(DB,))
    answer = Respondent(world, dialect=DIALECTS["aws"]).answer(Question.of("x/client", "svc:x/db", 80))

    assert answer.verdict == verdict
    assert "ip-block-pods" not in {point.topic for point in answer.undefined}


def test_what_the_api_leaves_open_of_host_network_pods_is_no_matter_of_nodes():
    """A node that passes a packet on is an address, and a pod on its network is one of which that is said."""
    by_node = ask(PORTED, "203.0.113.5", "svc:x/db", 80, FROM_CLIENT, nodes={})
    host = pod("x/host", "app=c", node="n1", host_network=True)
    world = replace(snapshot(*PODS, host, FROM_CLIENT), services=(DB,))
    by_pod = Respondent(world).answer(Question.of("x/host", "svc:x/db", 80))

    assert "host-network" not in {point.topic for point in by_node.undefined}
    assert "host-network" in {point.topic for point in by_pod.undefined}


TO_NODE = network_policy("x/out", "app=c", egress=(rule(block("192.168.0.2/32"), traffic=tcp(30080)),))
TO_PODS = network_policy("x/out", "app=c", egress=(rule(pods("app=db"), traffic=tcp(8080)),))
FROM_NODE = network_policy("x/in", "app=db", ingress=(rule(block("192.168.0.2/32")),))
FROM_CLIENT = network_policy("x/in", "app=db", ingress=(rule(pods("app=c")),))


@pytest.mark.parametrize(
    ("egress", "ingress", "parts"),
    [
        (TO_NODE, FROM_NODE, [("++", "x/client", "x/db-0"), ("+-", "x/client", "x/db-1")]),
        (TO_NODE, FROM_CLIENT, [("++", "x/client", "x/db-1"), ("+-", "x/client", "x/db-0")]),
        (TO_PODS, FROM_CLIENT, [("--", "x/client", "x/db-0"), ("-+", "x/client", "x/db-1")]),
    ],
)
def test_client_and_server_need_not_see_each_other(egress: Policy, ingress: Policy, parts: list[tuple[str, str, str]]):
    """By the port of another node: egress sees that node, and the pod on the third sees it too."""
    assert sorted(told(ask(PORTED, "x/client", "node:n2", 30080, egress, ingress))) == sorted(parts)


@pytest.mark.parametrize("server", ["192.168.0.2", "node:n2"])
def test_the_port_of_a_node_is_the_service_s(server: str):
    """Other ports of the node are its own."""
    assert all(part.hops for part in ask(PORTED, "x/client", server, 30080).parts)
    assert ask(PORTED, "x/client", server, 30081).parts[0].hops == ()


def test_from_outside_a_pod_sees_the_client_on_its_own_node_and_another_node_elsewhere():
    """So a block of clients admits some of them only sometimes."""
    clients = network_policy("x/in", "app=db", ingress=(rule(block("203.0.113.0/24")),))
    local = replace(PORTED, local_from_outside=True)

    ways = told(ask(PORTED, "203.0.113.5", "svc:x/db", 80, clients))
    assert [halves for halves, _, _ in ways] == ["++", "++", "+-", "+-"]
    assert {halves for halves, _, _ in told(ask(local, "203.0.113.5", "svc:x/db", 80, clients))} == {"++"}


@pytest.mark.parametrize(
    ("client", "server", "halves", "assumed"),
    [
        ("x/client", "node:n1", ["++"], []),
        ("x/client", "node:n2", ["+-"], ["node-port"]),
        ("x/host", "node:n1", ["++"], []),
        ("x/host", "node:n2", ["+-"], []),
        ("node:n1", "node:n1", ["++"], []),
        ("node:n1", "node:n2", ["+-"], []),
        ("203.0.113.5", "node:n1", ["+-"], []),
        ("203.0.113.5", "node:n3", ["++"], []),
    ],
)
def test_a_traffic_policy_is_for_who_comes_from_elsewhere(
    client: str, server: str, halves: list[str], assumed: list[str]
):
    """By its own node a pod gets to any endpoint, by another one to those on it, where that counts it as outside."""
    local = replace(PORTED, local_from_outside=True)
    host = pod("x/host", node="n1", host_network=True)
    there = pod("x/db-2", "app=db", "10.0.0.3", node="n3")
    world = replace(snapshot(PODS[0], host, there, *NODES, node("n3", "192.168.0.3")), services=(local,))
    answer = Respondent(world).answer(Question.of(client, server, 30080))

    assert [each for each, _, _ in told(answer)] == halves
    assert [each.topic for each in answer.assumptions] == assumed


def test_an_inner_service_leads_to_the_node_s_own_endpoints():
    """On another node there is none, and that is nobody's policy."""
    inner = replace(DB, local_from_inside=True)
    (part,) = ask(inner, "x/client", "svc:x/db", 80).parts
    assert [str(each) for each in part.servers.pods] == ["x/db-0"]
    alone = replace(inner, selector={"app": "db", "only": "n2"})
    world = replace(
        snapshot(PODS[0], pod("x/db-1", "app=db,only=n2", "10.0.0.2", node="n2"), *NODES), services=(alone,)
    )
    answer = Respondent(world).answer(Question.of("x/client", "svc:x/db", 80))

    assert told(answer) == [("+-", "x/client", "svc:x/db")]
    assert (
        answer.ingress[0].reason == "no endpoint of x/db is on the node of x/client, and internalTrafficPolicy is Local"
    )
    assert answer.ingress[0].origins == (alone.origin,)


@pytest.mark.parametrize("server", ["svc:x/db", "10.96.0.1"])
@pytest.mark.parametrize("port", [80, None])
@pytest.mark.parametrize("client", ["x/client", "203.0.113.7"])
def test_a_port_with_nobody_behind_it_denies(server: str, port: int | None, client: str):
    """Asked alone or among all: no packet arrives, whatever the policies say."""
    answer = ask(replace(DB, selector={"app": "none"}), client, server, port)

    assert told(answer) == [("+-", client, server)]
    assert [half.reason for half in answer.ingress] == ["nobody is behind x/db on that port"]
    assert not answer.assumptions


def test_nobody_is_taken_to_be_behind_a_service_of_which_the_input_says_nothing():
    """A Service without a selector has endpoints that somebody else writes."""
    answer = ask(replace(DB, selector=None), "x/client", "svc:x/db", 80)

    assert answer.verdict == "denied"
    assert [each.topic for each in answer.assumptions] == ["endpoints"]


def test_nobody_outside_gets_to_a_cluster_address():
    """The answer says so, and names the Service."""
    answer = ask(DB, "203.0.113.5", "svc:x/db", 80)

    assert told(answer) == [("+-", "203.0.113.5", "svc:x/db")]
    assert answer.ingress[0].reason == "no way leads to x/db from outside: it has no address there"


@pytest.mark.parametrize("client", ["203.0.113.5", "x/client"])
def test_a_node_without_an_endpoint_passes_nothing_on_where_the_policy_is_local(client: str):
    """Whoever sends it."""
    local = replace(PORTED, local_from_outside=True)
    world = replace(snapshot(*PODS[:2], *NODES), services=(local,))
    answer = Respondent(world).answer(Question.of(client, "node:n2", 30080))

    assert answer.verdict == "denied"
    assert answer.ingress[0].reason == "no endpoint of x/db is on node n2, and externalTrafficPolicy is Local"


def test_load_balancers_refuse_before_any_policy_is_asked():
    """Only who is in their ranges gets on."""
    kept = Balancer(read_address("198.51.100.9"))
    guarded = replace(
        DB, kind="LoadBalancer", balancers=(kept,), source_ranges=read_cidr("203.0.113.0/24"), local_from_outside=True
    )
    answer = ask(guarded, "203.0.112.0/23", "svc:x/db", 80)

    assert [(halves, client) for halves, client, _ in told(answer)] == [
        ("++", "203.0.113.0/24"),
        ("++", "203.0.113.0/24"),
        ("+-", "203.0.112.0/24"),
    ]
    assert answer.parts[2].verdict.ingress.reason == "203.0.112.0/24 is outside loadBalancerSourceRanges of x/db"


PROXIED = replace(DB, kind="LoadBalancer", balancers=(Balancer(read_address("198.51.100.9"), proxies=True),))


def test_behind_a_proxy_nobody_knows_who_comes():
    """So a rule for some addresses leaves it undecided, and one for all of them does not."""
    some = network_policy("x/in", "app=db", ingress=(rule(block("203.0.113.0/24")),))
    every = network_policy("x/in", "app=db", ingress=(rule(block("0.0.0.0/0")),))

    assert told(ask(PROXIED, "203.0.113.5", "svc:x/db", 80, some)) == [("+?", "203.0.113.5", "svc:x/db")]
    assert told(ask(PROXIED, "203.0.113.5", "svc:x/db", 80, every)) == [("++", "203.0.113.5", "svc:x/db")]
    assert told(ask(PROXIED, "x/client", "198.51.100.9", 80, TO_PODS)) == [("-+", "x/client", "198.51.100.9")]


OUTER = service("x/outer", kind="ExternalName", external_name="db.example.com", ports=())


@pytest.mark.parametrize(
    ("policies", "halves"),
    [
        ((), "++"),
        ((network_policy("x/out", "app=c", egress=()),), "-+"),
        ((network_policy("x/out", "app=c", egress=(rule(block("203.0.113.0/24")),)),), "?+"),
    ],
)
def test_a_name_outside_is_undecided_only_where_its_address_matters(policies: tuple[Policy, ...], halves: str):
    """It may be any."""
    assert told(ask(OUTER, "x/client", "svc:x/outer", 5432, *policies)) == [(halves, "x/client", "svc:x/outer")]


def test_a_pod_meets_itself_through_the_service_s_address_and_through_no_name():
    """A headless Service's name is the pod's own address, which nothing can keep it from."""
    deny = cluster_policy("deny", Tier.ADMIN, ingress=(rule(pods("app=db"), action=Action.DENY),))
    own = replace(DB, selector={"app": "db", "alone": "1"})
    lone = pod("x/db-0", "app=db,alone=1", "10.0.0.1")
    for web, halves in ((own, "+-"), (replace(own, addresses={}, headless=True), "++")):
        world = replace(snapshot(lone, deny), services=(web,))
        answer = Respondent(world).answer(Question.of("x/db-0", "svc:x/db", 8080 if web.headless else 80))

        assert told(answer) == [(halves, "x/db-0", "svc:x/db")]


def test_endpoints_outside_the_cluster_are_judged_by_their_addresses():
    """A Service without a selector may lead anywhere."""
    known = KnownEndpoint(read_address("203.0.113.9"))
    slices = (EndpointSlice("x", "db", "db-1", (EndpointPort("sql", Protocol.TCP, 5432),), (known,), place()),)
    away = network_policy("x/out", "app=c", egress=(rule(block("203.0.113.0/24"), traffic=tcp(5432)),))
    bare = replace(DB, selector=None)

    assert told(ask(bare, "x/client", "svc:x/db", 80, away, slices=slices)) == [("++", "x/client", "svc:x/db")]
    assert told(ask(bare, "x/client", "svc:x/db", 80, TO_PODS, slices=slices)) == [("-+", "x/client", "svc:x/db")]


def test_several_ports_are_answered_each():
    """Some may be open and others not."""
    both = replace(DB, ports=(*PORTS, service_port(81, 8081, "admin")))
    answer = ask(both, "x/client", "svc:x/db", None, ON_TARGET)

    assert answer.verdict == "mixed"
    assert [(part.verdict.outcome.value, part.traffic) for part in answer.parts] == [
        ("allowed", tcp(80)),
        ("denied", tcp(81)),
    ]


@given(snapshots())
def test_through_the_cluster_address_the_definition_answers_for_every_endpoint(snapshot: Snapshot):
    """Whoever asks: the verdict is that on the pod's own port, with the Service named for a pod that meets itself."""
    web = service("x/svc", "app=a", ports=(service_port(80, 81),))
    world = replace(snapshot, services=(web,))
    living = [each for each in world.pods if not each.terminal]
    for client in living:
        for family in world.families_of(client):
            behind = [
                each
                for each in living
                if each.namespace == "x" and each.labels.get("app") == "a" and family in world.families_of(each)
            ]
            if not behind:
                continue
            question = Question.of(str(client), "svc:x/svc", 80, "TCP", family)
            answer = Respondent(world).answer(question)
            for server in behind:
                via = "x/svc" if client == server else None
                defined = verdict(world, Connection(client, server, Protocol.TCP, 81, family, via))
                parts = [
                    part
                    for part in answer.parts
                    if server in part.servers.pods and part.verdict.outcome is defined.outcome
                ]
                assert parts
                assert any(
                    [half.origins for half in part.verdict.halves] == [half.origins for half in defined.halves]
                    for part in parts
                )
