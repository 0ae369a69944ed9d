"""Which doors a question means."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ringfence.algebra.addresses import Family, read_address
from ringfence.algebra.traffic import Protocol
from ringfence.errors import InputError
from ringfence.model.naming import read_name
from ringfence.model.service import Balancer, Service
from ringfence.semantics.entries import Entrances
from ringfence.semantics.places import Places
from ringfence.semantics.question import Question
from tests.parts import node, pod, port, service, service_port, snapshot

WEB = (
    service_port(443, "https", "https", node_port=30443),
    service_port(53, 5353, "dns", protocol=Protocol.UDP, node_port=30053),
)
PODS = (
    pod("x/a", "app=a", "10.0.0.1", ports=(port("https", 8443),)),
    pod("x/b", "app=b", "fd00::b"),
    pod("kube-system/cache", "", binds=(read_address("10.96.0.10"),), node="n1", host_network=True),
)
SERVICES = (
    service("x/plain", "app=a", "10.96.0.1", ports=WEB),
    service("x/ported", "app=a", "10.96.0.2", kind="NodePort", ports=WEB),
    service(
        "x/balanced",
        "app=a",
        "10.96.0.3",
        kind="LoadBalancer",
        ports=tuple(replace(each, node_port=None) for each in WEB),
        balancers=(Balancer(read_address("198.51.100.1")), Balancer(hostname="lb.example.com")),
        external_addresses=(read_address("198.51.100.2"), read_address("fd00::2")),
    ),
    service("x/pending", "app=a", kind="LoadBalancer", ports=(replace(WEB[0], node_port=None),)),
    service("x/headless", "app=a", headless=True, ports=WEB),
    service("x/bare", "app=a", headless=True, ports=()),
    service("x/outside", kind="ExternalName", external_name="db.example.com", ports=()),
    service("x/alias", kind="ExternalName", external_name="plain.x.svc.cluster.local", ports=()),
    service("x/again", kind="ExternalName", external_name="alias.x.svc", ports=()),
    service("x/loop", kind="ExternalName", external_name="loop.x.svc", ports=()),
    service("x/nobody", "app=none", "10.96.0.9", kind="NodePort", ports=(service_port(80, 80, node_port=30099),)),
    service("x/dns", "app=a", "10.96.0.10", ports=WEB[1:]),
    service("x/dual", "app=b", families=tuple(Family)),
)
WORLD = replace(
    snapshot(*PODS, node("n1", "192.168.0.1"), families=tuple(Family)),
    services=tuple(sorted(SERVICES, key=lambda each: each.name)),
)
ENTRANCES = Entrances(WORLD, Places(WORLD))


def doors(server: str, *port: str | int | None, family: int | None = None) -> list[str] | None:
    """The doors that a question means: which, where, asked by which port, leading to which on whom."""
    question = Question.of("x/a", server, *port, family=family)
    found = ENTRANCES.find(read_name(server, "x"), question)
    return found and [
        f"{each.entry.door.name} {each.entry.name} {each.entry.number}<-{each.asked}"
        f" {','.join(f'{e.end}:{e.port}' for e in each.endpoints)}".rstrip()
        + (" for outside" if each.entry.outside_only else "")
        for each in found
    ]


PORTED = "NODE the node port of x/ported"


@pytest.mark.parametrize(
    ("server", "port", "found"),
    [
        ("svc:x/plain", (443,), ["CLUSTER svc:x/plain 443<-443 x/a:8443"]),
        ("svc:x/plain", ("https",), ["CLUSTER svc:x/plain 443<-443 x/a:8443"]),
        ("svc:x/plain", ("dns", "UDP"), ["CLUSTER svc:x/plain 53<-53 x/a:5353"]),
        ("svc:x/plain", (), ["CLUSTER svc:x/plain 443<-443 x/a:8443", "CLUSTER svc:x/plain 53<-53 x/a:5353"]),
        ("svc:x/plain", ("1-500",), ["CLUSTER svc:x/plain 443<-443 x/a:8443"]),
        (
            "svc:x/ported",
            (443,),
            ["CLUSTER svc:x/ported 443<-443 x/a:8443", f"{PORTED} 30443<-443 x/a:8443 for outside"],
        ),
        ("svc:x/ported", (30443,), [f"{PORTED} 30443<-30443 x/a:8443"]),
        (
            "svc:x/balanced",
            (443,),
            [
                "CLUSTER svc:x/balanced 443<-443 x/a:8443",
                "EXTERNAL 198.51.100.2 443<-443 x/a:8443 for outside",
                "BALANCER 198.51.100.1 443<-443 x/a:8443 for outside",
                "BALANCER lb.example.com 443<-443 x/a:8443 for outside",
            ],
        ),
        (
            "svc:x/pending",
            (443, None),
            [
                "CLUSTER svc:x/pending 443<-443 x/a:8443",
                "BALANCER the load balancer of x/pending 443<-443 x/a:8443 for outside",
                "CLUSTER svc:x/pending 443<-443",
                "BALANCER the load balancer of x/pending 443<-443 for outside",
            ],
        ),
        ("svc:x/dns", (53, "UDP"), ["CACHE svc:x/dns 53<-53"]),
        ("10.96.0.1", (443,), ["CLUSTER 10.96.0.1 443<-443 x/a:8443"]),
        ("198.51.100.1", (443,), ["BALANCER 198.51.100.1 443<-443 x/a:8443"]),
        ("198.51.100.2", ("https",), ["EXTERNAL 198.51.100.2 443<-443 x/a:8443"]),
        ("192.168.0.1", (30443,), [f"{PORTED} 30443<-30443 x/a:8443"]),
        ("node:n1", (30053, "UDP"), [f"{PORTED} 30053<-30053 x/a:5353"]),
        ("svc:x/nobody", (30099,), ["NODE the node port of x/nobody 30099<-30099"]),
        ("192.168.0.1", (30099,), ["NODE the node port of x/nobody 30099<-30099"]),
        ("node:n1", (443,), None),
        ("node:n1", (), None),
        ("192.168.0.1", (80,), None),
        ("10.9.9.9", (443,), None),
        ("10.96.0.0/24", (443,), None),
        ("x/a", (443,), None),
    ],
)
def test_a_port_of_a_service_has_doors_inside_and_outside(
    server: str, port: tuple[str | int | None, ...], found: list[str] | None
):
    """An address or a node's port is one door; what is no Service has none."""
    assert doors(server, *port) == found


@pytest.mark.parametrize(
    ("server", "port", "found"),
    [
        ("svc:x/headless", (443,), ["HEADLESS svc:x/headless 443<-443 x/a:443"]),
        ("svc:x/headless", (9999,), ["HEADLESS svc:x/headless 9999<-9999 x/a:9999"]),
        ("svc:x/headless", ("https",), ["HEADLESS svc:x/headless 443<-443 x/a:8443"]),
        ("svc:x/bare", (80,), ["HEADLESS svc:x/bare 80<-80 x/a:80"]),
        ("svc:x/outside", (5432,), ["NAME db.example.com 5432<-5432"]),
        ("svc:x/alias", (443,), ["CLUSTER svc:x/plain 443<-443 x/a:8443"]),
        ("svc:x/again", (443,), ["CLUSTER svc:x/plain 443<-443 x/a:8443"]),
        ("svc:x/loop", (443,), ["NAME loop.x.svc 443<-443"]),
    ],
)
def test_names_leave_ports_as_they_are(server: str, port: tuple[str | int, ...], found: list[str]):
    """A headless Service's port is the pod's, whatever its target says, unless it is asked by name (SRV records)."""
    assert doors(server, *port, family=4) == found


def test_aliases_are_told_in_order():
    """Every name that is resolved on the way."""
    (opening,) = ENTRANCES.find(read_name("svc:x/again", "x"), Question.of("x/a", "svc:x/again", 443)) or ()

    assert opening.entry.aliases == ("svc:x/again", "svc:x/alias")


def test_a_service_is_asked_about_in_the_families_of_its_addresses():
    """Else in those it wants, else in the cluster's."""
    assert doors("svc:x/dual", 80) == ["CLUSTER svc:x/dual 80<-80", "CLUSTER svc:x/dual 80<-80 x/b:8080"]
    assert doors("svc:x/dual", 80, family=6) == ["CLUSTER svc:x/dual 80<-80 x/b:8080"]


@pytest.mark.parametrize(
    ("server", "port", "message", "hint"),
    [
        ("svc:x/nosuch", (80,), "server: there is no Service x/nosuch", "try svc:x/"),
        ("svc:x/plain", (80,), "server: Service x/plain has no such port", "it has 443/TCP (https), 53/UDP (dns)"),
        ("svc:x/plain", (8443,), "no such port", "that is the port of its pods: ask about 443 or about the pods"),
        ("svc:x/plain", (30443,), "no such port", "it has 443/TCP (https), 53/UDP (dns)"),
        ("svc:x/plain", ("dns",), "no such port", "it has 443/TCP (https), 53/UDP (dns)"),
        ("10.96.0.1", (80,), "server: Service x/plain has no such port", "it has"),
        ("svc:x/plain", (None, "ICMP"), "server: Service x/plain has ports alone, and ICMP has none", "ask about"),
        ("svc:x/outside", (), "db.example.com, which Service x/outside stands for, is asked about by one port", "give"),
    ],
)
def test_what_leads_nowhere_is_refused_with_what_would(
    server: str, port: tuple[str | int | None, ...], message: str, hint: str
):
    """A missing port is no verdict."""
    with pytest.raises(InputError) as refusal:
        doors(server, *port)
    assert message in refusal.value.message
    assert refusal.value.hint.startswith(hint)


def test_a_family_that_a_service_has_not_is_refused():
    """There is nothing to send to."""
    with pytest.raises(InputError, match="Service x/plain has no IPv6 address"):
        doors("svc:x/plain", 443, family=6)


def test_a_service_of_no_ports_is_told_so():
    """No list of ports would help."""
    empty = replace(WORLD, services=(Service("x", "empty", "ClusterIP", None, (), SERVICES[0].origin),))
    with pytest.raises(InputError, match="no such port") as refusal:
        Entrances(empty, Places(empty)).find(read_name("svc:x/empty", "x"), Question.of("x/a", "svc:x/empty", 80))
    assert refusal.value.hint == ""
