"""What conntrack says of the connections that it tracks: one message for each.

Source: ``linux/netfilter/nfnetlink_conntrack.h``, ``linux/netfilter/nf_conntrack_common.h``;
``net/netfilter/nf_conntrack_netlink.c``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.algebra.addresses import IPV6_BASE, Address
from ringfence.dataplane.flows import Flow
from ringfence.dataplane.netlink.messages import read_attributes, read_number

if TYPE_CHECKING:
    from ringfence.dataplane.netlink.messages import Attributes

_ORIGINAL, _REPLY, _STATUS, MARK = 1, 2, 3, 8
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
    )


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
