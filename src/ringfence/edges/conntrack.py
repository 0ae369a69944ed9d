"""Asks conntrack which connections a network namespace tracks.

Source: ``linux/netfilter/nfnetlink_conntrack.h``.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from ringfence.dataplane.netlink.connections import MARK, read_flow
from ringfence.dataplane.netlink.messages import (
    DONE,
    ERROR,
    decode_answers,
    encode_connections_question,
    read_attributes,
    read_number,
)
from ringfence.errors import WorldError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.dataplane.flows import Flow
    from ringfence.edges.netns import Network

_NETLINK_NETFILTER = 12
_DATAGRAM_BYTES = 1 << 20


def marks(network: Network) -> frozenset[int]:
    """Return every mark but 0 that a connection bears; each connection is looked at.

    Raises:
        WorldError: the kernel has no connection tracking, or refuses to show it.
    """
    return frozenset(read_number(read_attributes(each).get(MARK)) for each in _tracked(network)) - {0}


def flows(network: Network) -> Iterator[Flow]:
    """Yield every connection that is tracked; one that comes or goes meanwhile may be missing.

    Raises:
        WorldError: as :func:`marks` does.
    """
    return (flow for each in _tracked(network) if (flow := read_flow(each)))


def _tracked(network: Network) -> Iterator[bytes]:
    """Yield the attributes of each connection."""
    with network.entered():
        asking = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_NETFILTER)
    with asking:
        asking.bind((0, 0))
        asking.send(encode_connections_question())
        while True:
            for answer in decode_answers(asking.recv(_DATAGRAM_BYTES)):
                if answer.error:
                    message = "the kernel does not show which connections it tracks"
                    raise WorldError(message, "load the module nf_conntrack_netlink, and run with CAP_NET_ADMIN")
                if answer.kind in {DONE, ERROR}:
                    return
                yield answer.body
