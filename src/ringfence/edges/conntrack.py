"""Asks conntrack which connections a network namespace tracks, and hears of those that come and go.

Source: ``linux/netfilter/nfnetlink_conntrack.h``; ``net/netlink/af_netlink.c``.
"""

from __future__ import annotations

import socket
import struct
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ringfence.dataplane.netlink.connections import MARK, read_event, read_flow
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
_RECEIVE_BYTES = 4 << 20
_AT_ONCE = 256
"""Events that are read before whoever reads them looks at something else."""

WAITING = _RECEIVE_BYTES // 128
"""More events than a socket holds: of each, the kernel counts some hundred bytes."""

_SOL_NETLINK, _ADD_MEMBERSHIP, _NO_ENOBUFS = 270, 1, 5
_NEW_GROUP, _DESTROYED_GROUP = 1, 3
_SO_MEMINFO, _MEMORY, _DROPPED = 55, struct.Struct("9I"), 8
"""The socket option that tells of a socket's memory, and how often it had none for a datagram."""

_COUNTS = 1 << 32
_ACCOUNTS = ("nf_conntrack_acct", "nf_conntrack_timestamp")


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


def account(network: Network) -> None:
    """Let the kernel count packets and take times of connections from now on, where it can and we may."""
    with network.entered():
        for name in _ACCOUNTS:
            with suppress(OSError):
                Path("/proc/sys/net/netfilter", name).write_text("1")


class FlowReader:
    """A subscription to the connections that a network namespace begins and ceases to track."""

    def __init__(self, network: Network) -> None:
        """Subscribe; what is tracked already is told of when it ends.

        Raises:
            WorldError: the kernel tells nobody, or not us.
        """
        self._seen = self._missed = 0
        with network.entered():
            self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_NETFILTER)
        try:
            self._socket.bind((0, 0))
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BYTES)
            self._socket.setsockopt(_SOL_NETLINK, _NO_ENOBUFS, 1)  # what is lost is counted, see missed
            for group in (_NEW_GROUP, _DESTROYED_GROUP):
                self._socket.setsockopt(_SOL_NETLINK, _ADD_MEMBERSHIP, group)
        except OSError as error:
            self._socket.close()
            message = f"cannot hear of connections: {(error.strerror or '').lower()}"
            raise WorldError(message, "load the module nf_conntrack_netlink, and run with CAP_NET_ADMIN") from error
        self._socket.settimeout(0)

    def fileno(self) -> int:
        """Return the descriptor to poll."""
        return self._socket.fileno()

    def read(self, at_most: int = _AT_ONCE) -> Iterator[Flow]:
        """Yield connections that came or ended and were not read, in order; never waits.

        Others may be left for the next time: where they come faster than they can be read,
        nothing else would ever be done.

        Args:
            at_most: How many events are read; with :data:`WAITING` all that wait now are among them.
        """
        for _ in range(at_most):
            try:
                data = self._socket.recv(_DATAGRAM_BYTES)
            except BlockingIOError:
                return
            for answer in decode_answers(data):
                if flow := read_event(answer.kind, answer.body):
                    yield flow

    @property
    def missed(self) -> int:
        """Events that the kernel threw away because they were not read in time."""
        found = _MEMORY.unpack(self._socket.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMORY.size))[_DROPPED]
        self._missed += (found - self._seen) % _COUNTS
        self._seen = found
        return self._missed

    def close(self) -> None:
        """End the subscription."""
        self._socket.close()
