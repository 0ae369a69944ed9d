"""Reads what nftables logs to an NFLOG group: packets with the prefix of the rule that took them.

Source: ``linux/netfilter/nfnetlink_log.h``. Everything is in host byte order but the
values that the header marks ``__be``.
"""

from __future__ import annotations

import errno
import socket
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.errors import WorldError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.edges.netns import Network

_NETLINK_NETFILTER = 12
_NLMSG_ERROR = 2
_PACKET, _CONFIG = 0x400, 0x401
_REQUEST_ACK = 0x5
_CFG_CMD, _CFG_MODE, _CFG_QTHRESH, _CFG_FLAGS = 1, 2, 5, 6
_BIND, _COPY_PACKET, _NUMBERED = 1, 2, 1
_HEADER, _PAYLOAD, _PREFIX, _NUMBER = 1, 9, 10, 12
_NUMBERS = 1 << 32
_RECEIVE_BYTES = 4 << 20
_LEAST_BYTES = 512
"""What a datagram takes of a receive buffer at least: no more of them are there at once than have room."""


@dataclass(frozen=True, slots=True)
class Logged:
    """One packet that a rule logged.

    Attributes:
        prefix: The log prefix of the rule.
        hook: The netfilter hook: 1 for input, 2 for forward, 3 for output.
        packet: The packet from its IP header on, cut at the rule's ``snaplen``.
        number: Which entry of its group it is, counted from 0 and again after 2^32; None when it has none.
    """

    prefix: str
    hook: int
    packet: bytes
    number: int | None = None


class NflogReader:
    """A subscription to one NFLOG group of one network namespace."""

    def __init__(self, network: Network, group: int) -> None:
        self._next, self._missed, self._overrun = 0, 0, False
        with network.entered():
            self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_NETFILTER)
        try:
            self._socket.bind((0, 0))
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BYTES)
            self._ask(group, _attribute(_CFG_CMD, struct.pack("B", _BIND)))
            self._ask(group, _attribute(_CFG_MODE, struct.pack(">IBx", 0xFFFF, _COPY_PACKET)))
            # One packet a message: a reader that waits for a full batch would wait for a second.
            self._ask(group, _attribute(_CFG_QTHRESH, struct.pack(">I", 1)))
            self._ask(group, _attribute(_CFG_FLAGS, struct.pack(">H", _NUMBERED)))
        except OSError as error:
            self._socket.close()
            message = f"cannot read the drop log of group {group}: {(error.strerror or '').lower()}"
            raise WorldError(message, "see whether another program reads the same group") from error
        self._socket.settimeout(0)

    def fileno(self) -> int:
        """Return the descriptor to poll."""
        return self._socket.fileno()

    def read(self) -> Iterator[Logged]:
        """Yield every packet that had been logged and not read, in order; never waits.

        What comes meanwhile may be left for the next time, or a reader who is slower than it
        comes would never end.
        """
        for _ in range(self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // _LEAST_BYTES):
            try:
                data = self._socket.recv(1 << 17)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                self._overrun = True
                continue
            for logged in read_messages(data):
                self._count(logged)
                yield logged

    @property
    def missed(self) -> int:
        """Entries that the kernel threw away because they were not read in time.

        How many is told by the number of the next one that is read; until then there is one at least.
        """
        return self._missed + self._overrun

    def _count(self, logged: Logged) -> None:
        if logged.number is not None:
            if gap := (logged.number - self._next) % _NUMBERS:
                self._missed, self._overrun = self._missed + gap, False
            self._next = (logged.number + 1) % _NUMBERS

    def close(self) -> None:
        """End the subscription."""
        self._socket.close()

    def _ask(self, group: int, attribute: bytes) -> None:
        body = struct.pack(">BBH", socket.AF_UNSPEC, 0, group) + attribute
        self._socket.send(struct.pack("=IHHII", 16 + len(body), _CONFIG, _REQUEST_ACK, 0, 0) + body)
        reply = self._socket.recv(4096)
        kind, code = struct.unpack_from("=H", reply, 4)[0], struct.unpack_from("=i", reply, 16)[0]
        if kind == _NLMSG_ERROR and code:
            raise OSError(-code, errno.errorcode.get(-code, "unknown error"))


def read_messages(data: bytes) -> Iterator[Logged]:
    """Yield the packets of one datagram from the kernel; other messages are passed over."""
    offset = 0
    while offset + 16 <= len(data):
        length, kind = struct.unpack_from("=IH", data, offset)
        if kind == _PACKET:
            yield _read_packet(data, offset + 20, offset + length)
        offset += max(16, (length + 3) & ~3)


def _read_packet(data: bytes, offset: int, end: int) -> Logged:
    prefix, hook, packet, number = "", 0, b"", None
    while offset + 4 <= end:
        length, kind = struct.unpack_from("=HH", data, offset)
        value = data[offset + 4 : offset + length]
        if kind == _PREFIX:
            prefix = value.rstrip(b"\0").decode(errors="replace")
        elif kind == _PAYLOAD:
            packet = value
        elif kind == _HEADER:
            hook = value[2]
        elif kind == _NUMBER:
            number = int.from_bytes(value)
        offset += max(4, (length + 3) & ~3)
    return Logged(prefix, hook, packet, number)


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + b"\0" * (-len(value) % 4)
