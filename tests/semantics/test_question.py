"""Questions: ports, protocols and families are checked before anybody is looked up."""

from __future__ import annotations

import pytest

from ringfence.algebra.addresses import Family
from ringfence.algebra.intervals import EMPTY, Intervals
from ringfence.algebra.traffic import ALL, PORTLESS, Protocol, point, ports
from ringfence.errors import InputError
from ringfence.semantics.question import Question
from tests.parts import pod, port, tcp

SERVER = pod("x/server", ports=(port("web", 80), port("web", 81), port("web", 53, Protocol.UDP)))


@pytest.mark.parametrize(
    ("asked", "traffic"),
    [
        ((None, None), ALL),
        (("", ""), ALL),
        ((80, None), tcp(80)),
        (("80", "udp"), ports(Protocol.UDP, 80, 80)),
        (("8000-8010", "Sctp"), ports(Protocol.SCTP, 8000, 8010)),
        ((65535, "TCP"), tcp(65535)),
        ((None, "UDP"), ports(Protocol.UDP)),
        ((None, "icmp"), Intervals.point(PORTLESS)),
        (("web", None), tcp(80, 81)),
        (("web", "UDP"), ports(Protocol.UDP, 53, 53)),
        (("other", None), EMPTY),
    ],
)
def test_a_question_asks_about_traffic(asked: tuple[str | int | None, str | None], traffic: Intervals):
    """Numbers, ranges, names and whole protocols; a port is of TCP unless a protocol is given."""
    assert Question.of("a", "b", *asked).traffic_to(SERVER) == traffic


def test_a_port_s_name_means_nothing_at_an_address():
    """Only pods declare ports."""
    assert Question.of("a", "b", "web").traffic_to(None) == EMPTY
    assert point(Protocol.TCP, 80) in Question.of("a", "b", 80).traffic_to(None)


@pytest.mark.parametrize(
    ("port", "protocol", "message"),
    [
        (0, None, "port 0: expected 1 to 65535"),
        (65536, None, "port 65536: expected 1 to 65535"),
        ("81-80", None, "port 81-80: expected"),
        ("0-80", None, "port 0-80: expected"),
        (-1, None, "port '-1': expected a number"),
        ("80-", None, "port '80-': expected a number"),
        ("٨٠", None, "port '٨٠': expected a number"),
        ("Web", None, "port 'Web': expected a number"),
        ("a--b", None, "port 'a--b': expected a number"),
        ("123456", None, "port '123456': expected a number"),
        ("a-name-too-long-x", None, "expected a number"),
        (80, "ICMP", "port 80/ICMP: ICMP has no ports"),
        (80, "QUIC", "protocol 'QUIC': expected TCP, UDP, SCTP or ICMP"),
    ],
)
def test_a_port_that_there_is_not_is_refused(port: str | int, protocol: str | None, message: str):
    """The text that was given is in the message."""
    with pytest.raises(InputError, match=message):
        Question.of("a", "b", port, protocol)


def test_a_family_is_4_or_6():
    """Another number is refused."""
    assert Question.of("a", "b", family=6).family is Family.IPV6
    with pytest.raises(InputError, match="family 5: expected 4 or 6"):
        Question.of("a", "b", family=5)
