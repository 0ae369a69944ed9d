"""What conntrack says of the connections that it tracks: one message for each.

Source: ``linux/netfilter/nfnetlink_conntrack.h``, ``linux/netfilter/nf_conntrack_common.h``;
``net/netfilter/nf_conntrack_netlink.c``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import IPV6_BASE, Address
from ringfence.dataplane.flows import Amount, Flow
from ringfence.dataplane.netlink.messages import read_attributes, read_number

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
    original, reply = _Tuple(attributes[_ORIGINAL]), _Tuple(attributes[_REPLY])
    status = read_number(attributes.get(_STATUS))
    times = read_attributes(attributes.get(_TIMES, b""))
    return Flow(
        original.number,
        original.source,
        original.source_port,
        original.destination,
        original.destination_port,
        reply.source,
        reply.source_port,
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
    found = read_attributes(read_attributes(data or b"").get(_TCP, b"")).get(_TCP_STATE)
    number = read_number(found)
    return _STATES[number] if number < len(_STATES) else f"state {number}"


class _Tuple:
    """What names the packets of one direction; ports are 0 where there are none."""

    def __init__(self, data: bytes) -> None:
        parts = read_attributes(data)
        addresses, protocol = read_attributes(parts.get(_IP, b"")), read_attributes(parts.get(_PROTOCOL, b""))
        self.source = _address(addresses, _V4_SOURCE, _V6_SOURCE)
        self.destination = _address(addresses, _V4_DESTINATION, _V6_DESTINATION)
        self.number = read_number(protocol.get(_NUMBER))
        self.source_port = read_number(protocol.get(_SOURCE_PORT))
        self.destination_port = read_number(protocol.get(_DESTINATION_PORT))


def _address(addresses: Attributes, v4: int, v6: int) -> Address:
    if v4 in addresses:
        return Address(read_number(addresses[v4]))
    return Address(IPV6_BASE + read_number(addresses.get(v6)))
