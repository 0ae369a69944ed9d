"""Traffic: protocols and ports on one line, in and out of text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.algebra.intervals import EMPTY, Intervals
from ringfence.algebra.traffic import (
    ALL,
    PORTLESS,
    PORTS,
    WITH_PORTS,
    Protocol,
    at,
    by_protocol,
    point,
    ports,
    render_traffic,
)

NUMBERS = (0, 1, 2, 80, 81, PORTS - 1)

protocols = st.sampled_from(WITH_PORTS)
spans = st.tuples(protocols, st.sampled_from(NUMBERS), st.sampled_from(NUMBERS)).map(
    lambda span: ports(span[0], *sorted(span[1:]))
)
traffic_sets = st.lists(spans | st.just(ports(Protocol.ICMP)), max_size=4).map(Intervals.union)


@given(protocols, st.integers(0, PORTS - 1))
def test_a_point_stands_for_one_protocol_and_port(protocol: Protocol, port: int):
    """What goes onto the line comes back."""
    assert at(point(protocol, port)) == (protocol, port)


def test_icmp_is_one_point_whatever_the_port():
    """A protocol without ports ignores them."""
    assert point(Protocol.ICMP, 80) == point(Protocol.ICMP, 0) == PORTLESS
    assert at(PORTLESS) == (Protocol.ICMP, 0)


def test_protocols_share_nothing_and_are_everything():
    """All ports of all protocols, and ICMP, are all traffic; each point is there once."""
    assert Intervals.union(map(ports, Protocol)) == ALL
    assert sum(ports(protocol).count() for protocol in Protocol) == ALL.count() == 3 * PORTS + 1


@given(traffic_sets)
def test_ranges_by_protocol_make_up_the_set(traffic: Intervals):
    """Neighbors on the line that differ in protocol are told apart, and nothing is lost."""
    parts = [ports(protocol, *span) for protocol, ranges in by_protocol(traffic).items() for span in ranges]

    assert Intervals.union(parts) == traffic


@pytest.mark.parametrize(
    ("traffic", "text"),
    [
        (ALL, "all traffic"),
        (EMPTY, "no traffic"),
        (ports(Protocol.TCP), "TCP"),
        (ports(Protocol.ICMP), "ICMP"),
        (ports(Protocol.TCP, 80, 80) | ports(Protocol.TCP, 443, 445), "TCP 80,443-445"),
        (ports(Protocol.TCP, 80, 80) | ports(Protocol.UDP, 53, 53), "TCP 80 UDP 53"),
        (ports(Protocol.SCTP, 0, 99) | ports(Protocol.ICMP), "SCTP 1-99 ICMP"),
        (ports(Protocol.TCP, 0, 0), "TCP 0"),
        (ports(Protocol.TCP, 0, 1), "TCP 1"),
        (ports(Protocol.TCP, PORTS - 1) | ports(Protocol.UDP, 0, 7), "TCP 65535 UDP 1-7"),
    ],
)
def test_traffic_is_written_by_protocol(traffic: Intervals, text: str):
    """Protocols in the order of the line, each with its ports unless it has all of them."""
    assert render_traffic(traffic) == text


@given(traffic_sets)
def test_written_traffic_can_be_read_back(traffic: Intervals):
    """Text says exactly what is meant, port 0 aside, which no policy can name."""
    zeros = Intervals.union(ports(protocol, 0, 0) for protocol in WITH_PORTS)

    assert read(render_traffic(traffic)) | zeros == traffic | zeros


def read(text: str) -> Intervals:
    """Read what ``render_traffic`` wrote."""
    if text in {"all traffic", "no traffic"}:
        return ALL if text.startswith("all") else EMPTY
    spans: dict[Protocol, list[tuple[int, int]]] = {}
    for word in text.split():
        if word.isalpha():
            protocol = Protocol(word)
            spans[protocol] = []
        else:
            ends = [each.split("-") for each in word.split(",")]
            spans[protocol] += [(int(each[0]), int(each[-1])) for each in ends]
    return Intervals.union(
        ports(protocol, *span) for protocol, found in spans.items() for span in (found or [(0, PORTS - 1)])
    )
