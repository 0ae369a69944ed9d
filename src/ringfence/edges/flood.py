"""Sends packets without a pause while something else is done, and counts which of them arrive.

A flood is a process of its own. It holds raw sockets at both ends and takes what arrives
after every few packets that it sends, so no buffer overflows and what does not arrive was
dropped on the way. Every packet bears the number of the **phase** in which it was sent; so
one that is late counts where it belongs.

Over UDP all packets are one connection; over TCP each opens another.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import socket
import struct
import sys
import time
import traceback
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import Family, family_of, render_address
from ringfence.algebra.traffic import Protocol
from ringfence.edges.netns import hang_up_with_parent
from ringfence.edges.packets import TAG_OFFSETS, TCP, UDP, Segments, read_tag
from ringfence.errors import WorldError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ringfence.algebra.addresses import Address
    from ringfence.edges.netns import Network

_FAMILIES = {Family.IPV4: socket.AF_INET, Family.IPV6: socket.AF_INET6}
_NUMBERS = {Protocol.TCP: TCP, Protocol.UDP: UDP}
_BURST = 8
"""Packets between two looks at what has arrived: far fewer than a socket has room for."""

_FIRST_PORT, _LAST_PORT = 10_000, 65_535
_PHASE_BITS = 20
_OWN_BITS = 0xFFF << _PHASE_BITS
_SO_ATTACH_FILTER = 26
_TAKE, _REFUSE = (0x06, 0, 0, 128), (0x06, 0, 0, 0)

_QUIET_MS, _LATE_S = 50, 0.5
"""After how long a silence nothing is on its way any more, and how long that is waited for at most."""

_BUG = 70


@dataclass(frozen=True, slots=True)
class Stream:
    """What a flood sends.

    Attributes:
        source: An address of the sender.
        destination: An address of a receiver, or one that is translated to one.
        protocol: TCP or UDP.
        port: The destination port.
    """

    source: Address
    destination: Address
    protocol: Protocol
    port: int


@dataclass(frozen=True, slots=True)
class Count:
    """What became of the packets of one phase."""

    sent: int
    arrived: int


class Flood:
    """A stream that goes on until it is stopped."""

    def __init__(self, stream: Stream, sender: Network, receivers: Sequence[Network], *, pause_ms: int = 0) -> None:
        """Begin to send.

        Args:
            stream: What to send.
            sender: The network that the source is in.
            receivers: Those where packets can arrive.
            pause_ms: How long to wait after every few packets, to leave some of the machine to others.
        """
        self._control, theirs = socket.socketpair()
        self._process = os.fork()
        if self._process == 0:
            status = _BUG
            try:
                hang_up_with_parent()
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
                _keep_only(theirs.fileno(), *(each.descriptor for each in (sender, *receivers)))
                _Sender(theirs, stream, sender, receivers).run(pause_ms)
                status = 0
            except BaseException:  # noqa: BLE001 - a forked copy must never return into its caller's code
                traceback.print_exc()
                sys.stderr.flush()
            finally:
                os._exit(status)
        theirs.close()
        self._hear()

    def turn(self) -> int:
        """Let whatever is sent from now on be of another phase, and return how many were sent before."""
        self._control.sendall(b"t")
        return int(self._hear())

    def counts(self) -> tuple[Count, ...]:
        """Return what became of each phase so far.

        Raises:
            WorldError: it has ended by itself.
        """
        self._control.sendall(b"c")
        return tuple(Count(*each) for each in json.loads(self._hear()))

    def stop(self) -> tuple[Count, ...]:
        """Stop, and return what became of each phase; raises as :meth:`counts` does."""
        found = self.counts()
        self.close()
        return found

    def close(self) -> None:
        """End it, whatever it does."""
        if self._process:
            self._control.close()
            os.kill(self._process, signal.SIGKILL)
            os.waitpid(self._process, 0)
            self._process = 0

    def _hear(self) -> str:
        data = b""
        while not data.endswith(b"\n"):
            more = self._control.recv(1 << 16)
            if not more:
                message = "a flood has ended by itself"
                raise WorldError(message, "see above for the reason")
            data += more
        return data.decode()


class _Sender:
    """The process that floods."""

    def __init__(self, control: socket.socket, stream: Stream, sender: Network, receivers: Sequence[Network]) -> None:
        self._control = control
        self._stream, self._number = stream, _NUMBERS[stream.protocol]
        self._destination = (render_address(stream.destination), 0)
        # A raw socket of IPv4 shows the header of IP as well; what is sent here has one without options.
        self._start = 20 if family_of(stream.source) is Family.IPV4 else 0
        self._out = self._open(sender)
        _hear_only(self._out)
        self._out.bind((render_address(stream.source), 0))
        self._segments = Segments(stream.source, stream.destination, self._number, stream.port)
        # The number of a process is nobody else's, so what one flood sends is not taken for another's.
        self._own = (os.getpid() & 0xFFF or 1) << _PHASE_BITS
        self._counts = [[0, 0]]
        self._ears = {ear.fileno(): ear for ear in map(self._open, receivers)}
        self._heard = select.poll()
        for descriptor, ear in self._ears.items():
            _hear_only(ear, self._start + TAG_OFFSETS[self._number], self._own)
            self._heard.register(descriptor, select.POLLIN)

    def run(self, pause_ms: int) -> None:
        """Send, count and answer until it is ended."""
        ports = self._ports()
        asked = select.poll()
        asked.register(self._control, select.POLLIN)
        self._control.sendall(b"0\n")
        while True:
            for _ in range(_BURST):
                self._send(next(ports))
            self._take()
            if asked.poll(pause_ms):
                match self._control.recv(1):
                    case b"t":
                        sent = sum(each for each, _ in self._counts)
                        self._counts.append([0, 0])
                        self._control.sendall(b"%d\n" % sent)
                    case b"c":
                        self._wait_for_late()
                        self._control.sendall(json.dumps(self._counts).encode() + b"\n")
                    case _:
                        return  # whoever asked has gone

    def _open(self, network: Network) -> socket.socket:
        family = _FAMILIES[family_of(self._stream.source)]
        with network.entered():
            return socket.socket(family, socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, self._number)

    def _ports(self) -> Iterator[int]:
        while True:
            if self._number == UDP:
                yield _FIRST_PORT + os.getpid() % 10_000
            else:
                yield from range(_FIRST_PORT, _LAST_PORT + 1)

    def _send(self, port: int) -> None:
        phase = len(self._counts) - 1
        try:
            self._out.sendto(self._segments.write(port, self._own | phase), self._destination)
        except (BlockingIOError, PermissionError):
            return  # not sent: its own host's rules, or no room
        self._counts[phase][0] += 1

    def _take(self, patience_ms: int = 0) -> bool:
        """Count what has arrived, and tell whether anything has."""
        heard = False
        while ready := self._heard.poll(patience_ms):
            for descriptor, _ in ready:
                self._count(self._ears[descriptor].recv(128))
            heard = True
        return heard

    def _count(self, packet: bytes) -> None:
        tag = read_tag(self._number, packet[self._start :])
        phase = tag & (1 << _PHASE_BITS) - 1
        if tag >> _PHASE_BITS << _PHASE_BITS == self._own and phase < len(self._counts):
            self._counts[phase][1] += 1

    def _wait_for_late(self) -> None:
        """Take what is still on its way; nothing comes any more once it has been quiet."""
        until = time.monotonic() + _LATE_S
        while self._take(_QUIET_MS) and time.monotonic() < until:
            pass


def _hear_only(sock: socket.socket, offset: int = 0, own: int | None = None) -> None:
    """Let a socket take packets with our number at an offset, and no others; none at all without a number.

    Who hears more may have to take it faster than he can. Source: ``linux/filter.h``.
    """
    steps = (
        [_REFUSE] if own is None else [(0x20, 0, 0, offset), (0x54, 0, 0, _OWN_BITS), (0x15, 0, 1, own), _TAKE, _REFUSE]
    )
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in steps))
    program = struct.pack("@HP", len(steps), ctypes.addressof(code))
    sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)


def _keep_only(*descriptors: int) -> None:
    """Let go of whatever else the parent has open, or who waits for its end would wait for this process too."""
    for descriptor in {int(path.name) for path in Path("/proc/self/fd").iterdir()} - {0, 1, 2, *descriptors}:
        with suppress(OSError):
            os.close(descriptor)
