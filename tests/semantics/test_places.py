"""Services, nodes and the outside, by name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ringfence.algebra.addresses import EVERY, Family, read_address, read_cidr
from ringfence.errors import InputError
from ringfence.model.naming import NodeName, ServiceName
from ringfence.model.service import Balancer
from ringfence.semantics.places import Places, addresses_of, members
from tests.parts import node, pod, service, snapshot

WEB = service(
    "x/web",
    "app=a",
    "10.96.0.1",
    external_addresses=(read_address("198.51.100.2"),),
    balancers=(Balancer(read_address("198.51.100.1")), Balancer(hostname="lb.example.com")),
)
N1 = replace(node("n1", "192.168.0.1"), tunnels=(read_address("10.244.1.0"),), pod_ranges=read_cidr("10.244.1.0/24"))
WORLD = replace(
    snapshot(
        pod("x/a", "app=a", "10.0.0.1"),
        pod("x/ended", "app=a", "10.0.0.2", terminal=True),
        pod("x/b", node="n9"),
        N1,
        node("bare"),
        pod_ranges=read_cidr("10.1.0.0/16"),
    ),
    services=(WEB, service("x/nobody", "app=none")),
)
PLACES = Places(WORLD)


def test_a_service_is_found_by_its_name():
    """Or it is not."""
    assert PLACES.service("server", ServiceName("x", "web")) is WEB
    assert PLACES.find("x", "web") is WEB
    assert PLACES.find("y", "web") is None


@pytest.mark.parametrize(
    ("name", "hint"), [("y/web", "try svc:x/web"), ("x/wep", "try svc:x/web"), ("qqq/zzzzzz", "known here: svc:x/web")]
)
def test_a_service_that_is_not_there_is_refused_with_what_comes_near(name: str, hint: str):
    """The same name elsewhere comes first."""
    with pytest.raises(InputError, match=f"client: there is no Service {name}") as refusal:
        PLACES.service("client", ServiceName(*name.split("/")))
    assert refusal.value.hint == hint


def test_behind_a_service_are_its_endpoints():
    """Nobody is an error."""
    pods, addresses = PLACES.behind("client", ServiceName("x", "web"))

    assert [(str(each), families) for each, families in pods] == [("x/a", (Family.IPV4,))]
    assert not addresses
    with pytest.raises(InputError, match="client: nobody is behind svc:x/nobody"):
        PLACES.behind("client", ServiceName("x", "nobody"))


def test_a_node_speaks_from_its_addresses_and_its_tunnels():
    """Both may be what a pod sees."""
    found = PLACES.node("client", NodeName("n1"))

    assert found == read_cidr("192.168.0.1/32") | read_cidr("10.244.1.0/32")


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("n1-a", "client: no node is named n1-a", "known here: n1"),
        ("zzz", "client: no node is named zzz", "known here: n1, bare"),
        ("n9", "client: no address of node n9 is known", "give its Node with status.addresses"),
        ("bare", "client: no address of node bare is known", "give its Node with status.addresses"),
    ],
)
def test_a_node_without_a_known_address_is_refused(name: str, message: str, hint: str):
    """Nothing could be said of it."""
    with pytest.raises(InputError) as refusal:
        PLACES.node("client", NodeName(name))
    assert (refusal.value.message, refusal.value.hint) == (message, hint)


@pytest.mark.parametrize(
    "text",
    [
        "10.0.0.1/32",
        "192.168.0.1/32",
        "10.244.1.0/24",
        "10.96.0.1/32",
        "198.51.100.1/32",
        "198.51.100.2/32",
        "10.1.0.0/16",
    ],
)
def test_the_internet_is_nobody_of_the_cluster(text: str):
    """No pod, node, Service, nor where pods will be."""
    assert not PLACES.internet & read_cidr(text)


def test_the_internet_is_everybody_else():
    """Of the families of the cluster; who has ended has no address any more."""
    assert read_cidr("8.0.0.0/8") <= PLACES.internet
    assert read_address("10.0.0.2") in PLACES.internet
    assert not PLACES.internet & EVERY[Family.IPV6]


def test_a_service_has_addresses_inside_and_outside():
    """A load balancer that has but a name has none."""
    assert addresses_of(WEB) == tuple(map(read_address, ("10.96.0.1", "198.51.100.2", "198.51.100.1")))


def test_members_are_told_apart_and_named_once():
    """With every family that was said of them."""
    one, other = WORLD.pods[0], read_address("203.0.113.1")

    assert members([(one, Family.IPV6), (one, Family.IPV4), (other, Family.IPV4)]) == (
        ((one, (Family.IPV4, Family.IPV6)),),
        read_cidr("203.0.113.1/32"),
    )
