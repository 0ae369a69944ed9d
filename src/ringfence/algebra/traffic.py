"""Traffic: sets of protocol and port on one line of integers.

TCP, UDP and SCTP have 65,536 ports each. Everything without ports (ICMP, ICMPv6 and any
other protocol) is one point, :data:`PORTLESS`, because no field of the policy APIs tells
such protocols apart. A set of traffic is one :class:`Intervals` over that line.
"""

from __future__ import annotations

from enum import Enum

from ringfence.algebra.intervals import Intervals

PORTS = 65_536
"""Ports of one protocol, port 0 included: no API names it, but a packet can bear it."""


class Protocol(Enum):
    """A protocol of the policy APIs, or ICMP for everything that has no ports."""

    TCP = "TCP"
    UDP = "UDP"
    SCTP = "SCTP"
    ICMP = "ICMP"

    __hash__ = object.__hash__  # a member is one object; the default hashes its name in Python, each time anew


WITH_PORTS = (Protocol.TCP, Protocol.UDP, Protocol.SCTP)
"""The protocols that have ports, in the order of the line."""

_BASE = {protocol: index * PORTS for index, protocol in enumerate(Protocol)}

PORTLESS = _BASE[Protocol.ICMP]
"""The point of the line that stands for ICMP and every other protocol without ports."""

ALL = Intervals(((0, PORTLESS),))
"""All traffic: what a rule without ports means."""


def point(protocol: Protocol, port: int) -> int:
    """Return where a protocol and port stand on the line; ICMP ignores the port."""
    return PORTLESS if protocol is Protocol.ICMP else _BASE[protocol] + port


def at(value: int) -> tuple[Protocol, int]:
    """Return the protocol and port of a point; the port of ICMP is 0."""
    return (Protocol.ICMP, 0) if value >= PORTLESS else (WITH_PORTS[value // PORTS], value % PORTS)


def ports(protocol: Protocol, first: int = 0, last: int = PORTS - 1) -> Intervals:
    """Return a range of ports of one protocol, both ends inclusive; all of them by default."""
    return Intervals(((point(protocol, first), point(protocol, last)),))


def by_protocol(traffic: Intervals) -> dict[Protocol, tuple[tuple[int, int], ...]]:
    """Return the port ranges of each protocol in the set; ICMP, when present, as ``((0, 0),)``."""
    found = {}
    for protocol in Protocol:
        part = traffic & ports(protocol)
        if part:
            found[protocol] = tuple((at(first)[1], at(last)[1]) for first, last in part.ranges)
    return found


def render_traffic(traffic: Intervals) -> str:
    """Return traffic as people write it: ``TCP 80,443 UDP 53``, ``all traffic`` or ``no traffic``.

    A protocol with all its ports is its name alone. Port 0 is left out of a printed range
    that has other ports, because no policy can name it.
    """
    if traffic == ALL:
        return "all traffic"
    parts = []
    for protocol, ranges in by_protocol(traffic).items():
        if protocol is Protocol.ICMP or ranges == ((0, PORTS - 1),):
            parts.append(protocol.value)
        else:
            shown = [(max(first, 1) if last else 0, last) for first, last in ranges]
            texts = [str(first) if first == last else f"{first}-{last}" for first, last in shown]
            parts.append(f"{protocol.value} {','.join(texts)}")
    return " ".join(parts) or "no traffic"
