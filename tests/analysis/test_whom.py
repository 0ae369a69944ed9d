"""Names of clients and servers as the ends of each family."""

from __future__ import annotations

import pytest

from ringfence.algebra.addresses import Family, read_address
from ringfence.algebra.intervals import Intervals
from ringfence.algebra.traffic import ALL
from ringfence.analysis.whom import CLIENT, SERVER, Names
from ringfence.errors import InputError
from ringfence.semantics.ends import Ends
from ringfence.semantics.summary import Meant
from tests.parts import pod, service, service_port, snapshot, tcp
from tests.parts import port as named_port


def test_a_name_means_pods_in_the_families_that_they_have():
    """A pod of one family is not asked about in the other."""
    both, four = pod("x/a", "", "10.0.0.1", "fd00::1"), pod("x/b", "", "10.0.0.2")
    found = Names(snapshot(both, four, families=tuple(Family)), "x").find(CLIENT, "x/")

    assert found.name == "x/"
    assert found.meant == (Meant(Ends((both, four)), Family.IPV4), Meant(Ends((both,)), Family.IPV6))
    assert found.pods == (both, four)


def test_addresses_are_pods_where_they_are_pods():
    """The rest are strangers."""
    a = pod("x/a", "", "10.0.0.1")
    (found,) = Names(snapshot(a), "x").find(SERVER, "10.0.0.0/31").meant

    assert found == Meant(Ends((a,), Intervals.point(read_address("10.0.0.0"))), Family.IPV4)


def test_a_service_as_a_server_is_who_is_behind_it_on_its_ports():
    """Each pod on the number that the port has there; a name may be another number on each."""
    a, b = pod("x/a", "app=a", ports=(named_port("web", 80),)), pod("x/b", "app=a", ports=(named_port("web", 81),))
    front = service("x/s", "app=a", ports=(service_port(80, "web"), service_port(9, 9)))
    found = Names(snapshot(a, b, services=(front,)), "x").find(SERVER, "svc:s")

    assert found.name == "svc:x/s"
    assert found.meant == (
        Meant(Ends((a,)), Family.IPV4, tcp(80) | tcp(9)),
        Meant(Ends((b,)), Family.IPV4, tcp(81) | tcp(9)),
    )
    assert [each.topic for each in found.remarks] == ["service-server"]


def test_a_headless_service_leaves_ports_as_they_are():
    """Its name stands for the pods themselves."""
    a = pod("x/a", "app=a")
    front = service("x/s", "app=a", headless=True)

    assert Names(snapshot(a, services=(front,)), "x").find(SERVER, "svc:s").meant == (
        Meant(Ends((a,)), Family.IPV4, ALL),
    )


def test_a_service_as_a_client_is_the_pods_behind_it():
    """Whatever the ports."""
    a = pod("x/a", "app=a")
    found = Names(snapshot(a, services=(service("x/s", "app=a"),)), "x").find(CLIENT, "svc:s")

    assert found.meant == (Meant(Ends((a,)), Family.IPV4, ALL),)
    assert [each.topic for each in found.remarks] == ["service-client"]


def test_a_service_without_anybody_is_refused():
    """There is nothing to judge."""
    names = Names(snapshot(pod("x/a"), services=(service("x/s", "app=b"),)), "x")
    with pytest.raises(InputError, match="server: nobody is behind svc:x/s"):
        names.find(SERVER, "svc:s")


def test_a_route_may_lead_to_one_port_of_a_service():
    """By number or by name."""
    a = pod("x/a", "app=a")
    front = service("x/s", "app=a", ports=(service_port(80, 8080, "web"), service_port(9, 9)))
    names = Names(snapshot(a, services=(front,)), "x")

    for port in (80, "web"):
        assert names.behind(front, port) == (Meant(Ends((a,)), Family.IPV4, tcp(8080)),)
