"""What conntrack says of the connections that it tracks: one message for each.

Source: ``linux/netfilter/nfnetlink_conntrack.h``, ``linux/netfilter/nf_conntrack_common.h``;
``net/netfilter/nf_conntrack_netlink.c``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import IPV6_BASE, Address
from ringfence.dataplane.flows import Amount, Flow
from ringfence.dataplane.netlink.messages import attribute, nested, read_attributes, read_number

if TYPE_CHECKING:
    from ringfence.dataplane.netlink.messages import Attributes

NEW, DELETED = 0, 2
"""What is said of a connection when it is there, and when it has ended."""

_CONNTRACK = 1
_ORIGINAL, _REPLY, _STATUS, _STATE, MARK = 1, 2, 3, 4, 8
_SENT, _RETURNED, _ID, _TIMES = 9, 10, 12, 20
_PACKETS, _OCTETS = 1, 2
_OPENED, _ENDED = 1, 2
_TCP, _TCP_STATE = 1, 1
_STATES = (
    "",
    "syn-sent",
    "syn-received",
    "established",
    "fin-wait",
    "close-wait",
    "last-ack",
    "time-wait",
    "close",
    "syn-sent-twice",
)
"""``enum tcp_conntrack``, in words."""

_NANOSECONDS = 1e9
_IP, _PROTOCOL = 1, 2
_V4_SOURCE, _V4_DESTINATION, _V6_SOURCE, _V6_DESTINATION = 1, 2, 3, 4
_NUMBER, _SOURCE_PORT, _DESTINATION_PORT = 1, 2, 3
_SEEN_REPLY, _DYING = 0x2, 0x200


def read_flow(data: bytes) -> Flow | None:
    """Return a connection; None for one without both of its tuples, which no kernel sends.

    Args:
        data: The attributes of a message of conntrack.
    """
    attributes = read_attributes(data)
    if _ORIGINAL not in attributes or _REPLY not in attributes:
        return None
    number, client, client_port, dialed, dialed_port = _read_ends(attributes[_ORIGINAL])
    _, server, server_port, _, _ = _read_ends(attributes[_REPLY])
    status = read_number(attributes.get(_STATUS))
    times = read_attributes(attributes[_TIMES]) if _TIMES in attributes else {}
    return Flow(
        number,
        client,
        client_port,
        dialed,
        dialed_port,
        server,
        server_port,
        mark=read_number(attributes.get(MARK)),
        answered=bool(status & _SEEN_REPLY),
        ended=bool(status & _DYING),
        id=read_number(attributes.get(_ID)),
        sent=_amount(attributes.get(_SENT)),
        returned=_amount(attributes.get(_RETURNED)),
        opened_at=_time(times.get(_OPENED)),
        ended_at=_time(times.get(_ENDED)),
        state=_state(attributes.get(_STATE)),
    )


def read_event(kind: int, data: bytes) -> Flow | None:
    """Return the connection that an event is about, ended if that is what happened; None for any other event.

    Args:
        kind: The kind of the message.
        data: Its attributes.
    """
    if kind not in {_CONNTRACK << 8 | NEW, _CONNTRACK << 8 | DELETED}:
        return None
    flow = read_flow(data)
    return replace(flow, ended=True) if flow and kind & 0xFF == DELETED else flow


def _amount(data: bytes | None) -> Amount | None:
    if data is None:
        return None
    counters = read_attributes(data)
    return Amount(read_number(counters.get(_PACKETS)), read_number(counters.get(_OCTETS)))


def _time(data: bytes | None) -> float | None:
    return read_number(data) / _NANOSECONDS if data else None


def _state(data: bytes | None) -> str:
    if data is None:
        return ""
    number = read_number(read_attributes(read_attributes(data).get(_TCP, b"")).get(_TCP_STATE))
    return _STATES[number] if number < len(_STATES) else f"state {number}"


_Ends = tuple[int, "Address", int, "Address", int]
"""What names the packets of one direction: protocol, source and port, destination and port; 0 where there is none."""

_USUAL = 48
"""Bytes of a direction of IPv4 with ports."""

_FRAMES = (
    (slice(0, 8), nested(_IP, bytes(16))[:4] + attribute(_V4_SOURCE, bytes(4))[:4]),
    (slice(12, 16), attribute(_V4_DESTINATION, bytes(4))[:4]),
    (slice(20, 28), nested(_PROTOCOL, bytes(24))[:4] + attribute(_NUMBER, bytes(1))[:4]),
    (slice(32, 36), attribute(_SOURCE_PORT, bytes(2))[:4]),
    (slice(40, 44), attribute(_DESTINATION_PORT, bytes(2))[:4]),
)
"""What frames its five values, and where, as the kernel writes them."""


def _read_ends(data: bytes) -> _Ends:
    """Read one direction: IPv4 with ports at once, as nearly always, and anything else part by part."""
    if len(data) == _USUAL and all(data[place] == frame for place, frame in _FRAMES):
        source, destination = int.from_bytes(data[8:12]), int.from_bytes(data[16:20])
        ports = int.from_bytes(data[36:38]), int.from_bytes(data[44:46])
        return data[28], Address(source), ports[0], Address(destination), ports[1]
    parts = read_attributes(data)
    addresses, protocol = read_attributes(parts.get(_IP, b"")), read_attributes(parts.get(_PROTOCOL, b""))
    return (
        read_number(protocol.get(_NUMBER)),
        _address(addresses, _V4_SOURCE, _V6_SOURCE),
        read_number(protocol.get(_SOURCE_PORT)),
        _address(addresses, _V4_DESTINATION, _V6_DESTINATION),
        read_number(protocol.get(_DESTINATION_PORT)),
    )


def _address(addresses: Attributes, v4: int, v6: int) -> Address:
    if v4 in addresses:
        return Address(read_number(addresses[v4]))
    return Address(IPV6_BASE + read_number(addresses.get(v6)))
