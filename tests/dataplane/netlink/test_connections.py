"""Connections as conntrack tells of them."""

from __future__ import annotations

import ipaddress
import struct

import pytest

from ringfence.algebra.addresses import family_of, read_address
from ringfence.dataplane.flows import Flow
from ringfence.dataplane.netlink.connections import read_flow
from ringfence.dataplane.netlink.messages import attribute, nested, number

WEB, SERVICE, DB = "10.0.0.9", "10.96.0.1", "10.0.0.5"
CONFIRMED, SEEN_REPLY, DYING = 0x8, 0x2, 0x200


def packed(address: str) -> bytes:
    """An address as it stands in a packet."""
    return ipaddress.ip_address(address).packed


def one_way(kind: int, source: str, destination: str, protocol: int, *ports: int) -> bytes:
    """What names the packets of one direction."""
    first = 3 if ":" in source else 1
    addresses = nested(1, attribute(first, packed(source)), attribute(first + 1, packed(destination)))
    named = [attribute(2 + place, struct.pack(">H", port)) for place, port in enumerate(ports)]
    return nested(kind, addresses, nested(2, attribute(1, bytes([protocol])), *named))


def tracked(original: bytes, reply: bytes, status: int = CONFIRMED, mark: int = 0) -> bytes:
    """The attributes of one connection, in the kernel's order."""
    return b"".join((original, reply, number(3, status), number(8, mark)))


def test_the_server_is_who_answers():
    """Where a Service's address was translated, policies see the pod behind it and its port."""
    original, reply = one_way(1, WEB, SERVICE, 6, 40_000, 80), one_way(2, DB, WEB, 6, 5432, 40_000)
    web, service, database = map(read_address, (WEB, SERVICE, DB))

    found = read_flow(tracked(original, reply, CONFIRMED | SEEN_REPLY, 0x10000))

    assert found == Flow(6, web, 40_000, service, 80, database, 5432, mark=0x10000, answered=True)
    assert str(found) == "10.0.0.9 port 40000 -> 10.0.0.5 port 5432 through 10.96.0.1 port 80 TCP"


def test_a_source_that_is_rewritten_does_not_hide_the_client():
    """What an answer is sent to is not who asked."""
    found = read_flow(tracked(one_way(1, WEB, DB, 17, 9, 53), one_way(2, DB, "192.168.0.1", 17, 53, 61_000)))

    assert found
    assert (found.client, found.client_port) == (read_address(WEB), 9)
    assert not found.answered
    assert str(found) == "10.0.0.9 port 9 -> 10.0.0.5 port 53 UDP"


@pytest.mark.parametrize(("protocol", "name"), [(58, "ICMP"), (47, "protocol 47")])
def test_a_protocol_without_ports_has_none(protocol: int, name: str):
    """In either family; the addresses of IPv6 are lifted onto the line."""
    one, other = "2001:db8::1", "2001:db8::2"
    found = read_flow(tracked(one_way(1, one, other, protocol), one_way(2, other, one, protocol)))

    assert found
    assert family_of(found.client) == family_of(found.server) == 6
    assert (found.client_port, found.dialed_port, found.server_port) == (0, 0, 0)
    assert str(found) == f"{one} -> {other} {name}"


def test_a_connection_that_is_about_to_be_forgotten_has_ended():
    """No packet finds it any more."""
    both = one_way(1, WEB, DB, 6, 1, 2), one_way(2, DB, WEB, 6, 2, 1)

    assert [read_flow(tracked(*both, status)).ended for status in (CONFIRMED, CONFIRMED | DYING)] == [False, True]


def test_what_is_no_connection_is_passed_over():
    """One that lacks a direction is none."""
    assert read_flow(b"") is None
    assert read_flow(one_way(1, WEB, DB, 6, 1, 2)) is None
