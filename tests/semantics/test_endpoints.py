"""Who is behind a port of a Service."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ringfence.algebra.addresses import Family, read_address
from ringfence.algebra.traffic import Protocol
from ringfence.model.service import EndpointPort, EndpointSlice, KnownEndpoint
from ringfence.semantics.endpoints import endpoints
from tests.parts import place, pod, port, service, service_port, snapshot

PODS = (
    pod("x/a", "app=a", "10.0.0.1", node="n1", ports=(port("http", 8080),)),
    pod("x/b", "app=a,tier=b", "10.0.0.2", "fd00::2", node="n2", ports=(port("http", 8081),)),
    pod("x/c", "app=a", "10.0.0.3", ports=(port("http", 8082, Protocol.UDP),)),
    pod("x/ended", "app=a", "10.0.0.4", terminal=True),
    pod("x/other", "app=b", "10.0.0.5"),
    pod("y/a", "app=a", "10.0.0.6"),
)
WORLD = snapshot(*PODS)


def behind(
    selector: str = "app=a", target: int | str = 8080, *slices: EndpointSlice, family: Family = Family.IPV4
) -> list[tuple[str, int, str | None]]:
    """The endpoints of a Service port, by name."""
    web = service("x/web", selector, ports=(service_port(80, target, "web"),))
    found = endpoints(replace(WORLD, slices=slices), web, web.ports[0], family)
    return [(str(each.end), each.port, each.node) for each in found]


@pytest.mark.parametrize(
    ("selector", "target", "found"),
    [
        ("app=a", 8080, [("x/a", 8080, "n1"), ("x/b", 8080, "n2"), ("x/c", 8080, None)]),
        ("app=a", "http", [("x/a", 8080, "n1"), ("x/b", 8081, "n2")]),
        ("app=a", "nosuch", []),
        ("app=a,tier=b", 8080, [("x/b", 8080, "n2")]),
        ("", 8080, []),
    ],
)
def test_a_selector_leads_to_the_living_pods_of_its_namespace(
    selector: str, target: int | str, found: list[tuple[str, int, str | None]]
):
    """A target port by name is looked up on each pod, in the port's protocol; without a selector nobody is known."""
    assert behind(selector, target) == found


def test_only_pods_of_the_family_are_endpoints_in_it():
    """A dual-stack Service leads to others in each family."""
    assert behind(family=Family.IPV6) == [("x/b", 8080, "n2")]


def known(address: str, **facts: object) -> KnownEndpoint:
    """An endpoint of a slice."""
    return KnownEndpoint(read_address(address), **facts)  # type: ignore[arg-type]


def sliced(*found: KnownEndpoint, number: int | None = 9090, name: str = "web", of: str = "web") -> EndpointSlice:
    """A slice of the Service with one port."""
    return EndpointSlice("x", of, f"{of}-1", (EndpointPort(name, Protocol.TCP, number),), found, place())


@pytest.mark.parametrize(
    ("slices", "found"),
    [
        ((sliced(known("10.0.0.1")),), [("x/a", 9090, "n1")]),
        ((sliced(known("192.0.2.1", pod="b")),), [("x/b", 9090, "n2")]),
        ((sliced(known("10.0.0.3", node="n9")),), [("x/c", 9090, "n9")]),
        ((sliced(known("203.0.113.9")),), [(str(int(read_address("203.0.113.9"))), 9090, None)]),
        ((sliced(known("10.0.0.1", ready=False), known("10.0.0.2")),), [("x/b", 9090, "n2")]),
        ((sliced(known("10.0.0.1", ready=False, draining=True), known("10.0.0.2")),), [("x/b", 9090, "n2")]),
        ((sliced(known("10.0.0.1", ready=False, draining=True)),), [("x/a", 9090, "n1")]),
        ((sliced(known("10.0.0.1", ready=False)),), []),
        ((sliced(known("10.0.0.1"), number=None),), []),
        ((sliced(known("10.0.0.1"), name="other"),), []),
        ((sliced(known("10.0.0.1")), sliced(known("10.0.0.1"), number=1)), [("x/a", 9090, "n1"), ("x/a", 1, "n1")]),
        ((sliced(known("10.0.0.1")), sliced(known("10.0.0.1"))), [("x/a", 9090, "n1")]),
        ((sliced(known("fd00::2")),), []),
        ((sliced(of="web"),), []),
        ((sliced(known("10.0.0.1"), of="db"),), [("x/a", 8080, "n1"), ("x/b", 8080, "n2"), ("x/c", 8080, None)]),
    ],
)
def test_slices_win_over_the_selector(slices: tuple[EndpointSlice, ...], found: list[tuple[str, int, str | None]]):
    """Who is not ready takes nothing, unless nobody is and it drains; a port belongs to the Service's by its name."""
    assert behind("app=a", 8080, *slices) == found


def test_a_pod_that_has_ended_is_no_endpoint_by_its_name():
    """What has its address by now counts."""
    assert behind("app=a", 8080, sliced(known("10.0.0.1", pod="ended"))) == [("x/a", 9090, "n1")]
