"""What is worth knowing beside a question."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ringfence.algebra.addresses import read_address
from ringfence.algebra.traffic import ALL, Protocol, ports
from ringfence.model.naming import Directory
from ringfence.model.service import Backend, Route
from ringfence.semantics.sides import Party
from ringfence.semantics.surroundings import Surroundings
from tests.parts import place, pod, service, snapshot

if TYPE_CHECKING:
    from ringfence.algebra.addresses import Address
    from ringfence.algebra.intervals import Intervals
    from ringfence.model.cluster import Pod

WEB = service("shop/web", "app=web")
PODS = (
    pod("edge/nginx-1", "app.kubernetes.io/name=ingress-nginx,app.kubernetes.io/component=controller"),
    pod("edge/nginx-job", "app.kubernetes.io/name=ingress-nginx,app.kubernetes.io/component=admission-webhook"),
    pod("edge/traefik-1", "app=traefik"),
    pod("edge/envoy-1", "gateway.networking.k8s.io/gateway-name=public"),
    pod("shop/web-1", "app=web"),
)


def route(kind: str = "Ingress", *backends: Backend, **facts: object) -> Route:
    """A route to the Service's port 80, unless other backends are given."""
    found = backends or (Backend("shop", "web", 80),)
    return Route(kind, "shop", "r", facts.pop("hosts", ()), found, place(kind), **facts)  # type: ignore[arg-type]


def said(*routes: Route, controllers: dict[str, str] | None = None) -> list[str]:
    """What is said of the ways in to the Service."""
    world = replace(snapshot(*PODS), routes=routes, controllers=controllers or {})
    found = Surroundings(world, Directory(world)).ways_in([(WEB, WEB.ports[0])])
    return [remark.text for remark in found]


UNKNOWN = "the client then is a pod of"


@pytest.mark.parametrize(
    ("way", "controllers", "text"),
    [
        (
            route(entry="nginx", hosts=("a.example.com", "b.example.com")),
            {"nginx": "k8s.io/ingress-nginx"},
            "entered through Ingress shop/r, host a.example.com, b.example.com: edge/nginx-1 is the client then",
        ),
        (route(entry="nginx"), {}, "entered through Ingress shop/r: edge/nginx-1 is the client then"),
        (route(), {"": "k8s.io/ingress-nginx"}, "entered through Ingress shop/r: edge/nginx-1 is the client then"),
        (route(entry="traefik"), {}, "entered through Ingress shop/r: edge/traefik-1 is the client then"),
        (
            route(entry="kong"),
            {},
            f"entered through Ingress shop/r: {UNKNOWN} ingress class kong, and none is known here",
        ),
        (
            route(),
            {},
            f"entered through Ingress shop/r: {UNKNOWN} the default ingress class, and none is known here",
        ),
        (
            route("HTTPRoute", gateways=("edge/public",)),
            {},
            "entered through HTTPRoute shop/r: edge/envoy-1 is the client then",
        ),
        (
            route("GRPCRoute", gateways=("other/public",)),
            {},
            f"entered through GRPCRoute shop/r: {UNKNOWN} Gateway other/public, and none is known here",
        ),
    ],
)
def test_a_proxy_that_leads_to_the_service_is_the_client_of_its_pods(
    way: Route, controllers: dict[str, str], text: str
):
    """It is found by the labels that its installers give it, and a Gateway's by the API's own."""
    assert said(way, controllers=controllers) == [text]


@pytest.mark.parametrize(
    ("backend", "leads"),
    [
        (Backend("shop", "web", 80), True),
        (Backend("shop", "web", None), True),
        (Backend("shop", "web", "http"), True),
        (Backend("shop", "web", 81), False),
        (Backend("shop", "db", 80), False),
        (Backend("other", "web", 80), False),
    ],
)
def test_only_routes_to_the_port_that_was_asked_about_are_told(backend: Backend, *, leads: bool):
    """By its number, its name, or where the route leaves it open."""
    world = replace(snapshot(*PODS), routes=(route("Ingress", backend),))
    named = replace(WEB.ports[0], name="http")
    found = list(Surroundings(world, Directory(world)).ways_in([(WEB, named)]))

    assert bool(found) is leads
    assert all(each.topic == "entry-point" and each.origins == (place("Ingress"),) for each in found)


CACHE = pod("kube-system/cache", "", host_network=True, binds=(read_address("169.254.20.10"),))
DNS = pod("kube-system/dns", "k8s-app=kube-dns")
CLIENT = Party("shop/web", ((PODS[4], ()),))
UDP_53 = ports(Protocol.UDP, 53, 53)


AT = read_address("169.254.20.10")


@pytest.mark.parametrize(
    ("client", "servers", "asked", "traffic", "begins"),
    [
        (CLIENT, [DNS], None, UDP_53, "pods ask the DNS cache of their own node first, at 169.254.20.10: "),
        (CLIENT, [DNS], None, ALL, "pods ask the DNS cache of their own node"),
        (CLIENT, [], AT, UDP_53, "the DNS cache of the client's node is at 169.254.20.10: "),
        (CLIENT, [], AT + 1, UDP_53, ""),
        (CLIENT, [DNS], None, ports(Protocol.UDP, 54, 54), ""),
        (CLIENT, [PODS[4]], None, UDP_53, ""),
        (Party("192.0.2.1"), [DNS], None, UDP_53, ""),
    ],
)
def test_a_rule_for_dns_pods_does_not_match_the_cache_of_the_node(
    client: Party, servers: list[Pod], asked: Address | None, traffic: Intervals, begins: str
):
    """It is said where a question is about DNS, for whoever opens connections in the cluster."""
    world = snapshot(*PODS, DNS, CACHE)
    found = [each.text for each in Surroundings(world, Directory(world)).cache(client, servers, asked, traffic)]

    assert [text.startswith(begins) for text in found] == ([True] if begins else [])
    assert all(text.endswith("an ipBlock or a rule without peers does") for text in found)


def test_a_cluster_without_the_cache_has_none():
    """Nothing is said then."""
    world = snapshot(*PODS, DNS)

    assert list(Surroundings(world, Directory(world)).cache(CLIENT, [DNS], None, UDP_53)) == []
