"""Both ends of a probe for each transport: what sends a nonce, and what takes and answers it.

A listener echoes what it gets, so people who try it by hand see something come back.
"""

from __future__ import annotations

import errno
import socket
from contextlib import suppress
from enum import Enum, auto
from typing import TYPE_CHECKING
from typing import Protocol as Interface

from ringfence.algebra.addresses import Address, Family, family_of
from ringfence.algebra.traffic import Protocol
from ringfence.edges.packets import (
    INIT,
    INIT_ACK,
    NONCE_BYTES,
    echo_request,
    read_sctp,
    sctp_init,
    sctp_init_ack,
)
from ringfence.edges.sockets import reset_on_close

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.edges.sockets import Opener

_LARGEST = 2048
_FIRST_SCTP_PORT, _SCTP_PORTS = 32_768, 28_000
_REFUSED = (errno.ECONNREFUSED, errno.ECONNRESET)


class Sign(Enum):
    """What a socket has seen of a probe."""

    ARRIVED = auto()
    """The nonce is at a listener."""
    ANSWERED = auto()
    """Something that only the server can have sent came back."""
    REFUSED = auto()
    """A refusal came back; a firewall can have sent it too."""


Sighting = tuple[Sign, bytes]
"""A sign and the nonce it belongs to."""


class Port(Interface):
    """A socket that stands open for any number of probes."""

    address: Address

    def fileno(self) -> int:
        """Return the descriptor to poll."""

    def ready(self) -> Iterator[Sighting]:
        """Take and answer all that has come; never waits."""

    def close(self) -> None:
        """Stop listening."""


class Client(Interface):
    """The sending end of one probe."""

    source_port: int
    descriptor: int
    """What to poll, for writing when it is TCP, else for reading; -1 for nothing."""
    sign: Sign | None
    """What was learned at once, while the probe was sent."""

    def ready(self) -> Sign | None:
        """Go on after the descriptor became ready; returns what was learned."""

    def close(self) -> None:
        """Give the probe up, or end it."""


class TcpPort:
    """A TCP listener: one connection, one nonce, one answer."""

    def __init__(self, opener: Opener, address: Address, port: int) -> None:
        self.address = address
        self._socket = opener.listen(address, Protocol.TCP, port)

    def fileno(self) -> int:
        """Return the descriptor to poll."""
        return self._socket.fileno()

    def ready(self) -> Iterator[Sighting]:
        """Take every connection whose first data is there."""
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:  # none left, or it was reset meanwhile
                return
            with connection:
                connection.settimeout(0)
                try:
                    data = connection.recv(_LARGEST)
                    connection.send(data)
                except OSError:
                    continue
                # The prober closes its end before ours is closed: one reset ends the connection.
                yield Sign.ARRIVED, data[:NONCE_BYTES]

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()


class UdpPort:
    """A UDP listener."""

    def __init__(self, opener: Opener, address: Address, port: int) -> None:
        self.address = address
        self._socket = opener.open(address, Protocol.UDP, port)

    def fileno(self) -> int:
        """Return the descriptor to poll."""
        return self._socket.fileno()

    def ready(self) -> Iterator[Sighting]:
        """Take and echo every datagram."""
        while True:
            try:
                data, peer = self._socket.recvfrom(_LARGEST)
                self._socket.sendto(data, peer)
            except BlockingIOError:
                return
            except OSError:  # an ICMP error about an earlier answer
                continue
            yield Sign.ARRIVED, data[:NONCE_BYTES]

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()


class SctpPort:
    """All SCTP ports of one address, as a client and as a server, on one raw socket."""

    def __init__(self, opener: Opener, address: Address) -> None:
        self.address = address
        self._opener = opener
        self._header = 20 if family_of(address) is Family.IPV4 else 0  # only IPv4 raw sockets show the IP header
        self._socket = opener.open(address, Protocol.SCTP)
        self._sent = 0

    def fileno(self) -> int:
        """Return the descriptor to poll."""
        return self._socket.fileno()

    def send_init(self, server: Address, port: int, nonce: bytes) -> int:
        """Send an INIT from a source port of its own, and return that port."""
        source_port = _FIRST_SCTP_PORT + self._sent % _SCTP_PORTS
        self._sent += 1
        with suppress(OSError):  # no way there
            self._socket.sendto(sctp_init(source_port, port, nonce), (self._opener.text(server), 0))
        return source_port

    def ready(self) -> Iterator[Sighting]:
        """Answer every INIT with an INIT ACK; an INIT ACK is an answer."""
        while True:
            try:
                data, peer = self._socket.recvfrom(_LARGEST)
            except BlockingIOError:
                return
            packet = read_sctp(data[self._header :])
            if packet and packet.chunk == INIT:
                answer = sctp_init_ack(packet.destination_port, packet.source_port, packet.nonce)
                self._socket.sendto(answer, (peer[0], 0))
                yield Sign.ARRIVED, packet.nonce
            elif packet and packet.chunk == INIT_ACK:
                yield Sign.ANSWERED, packet.nonce

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()


class TcpClient:
    """One TCP connection that carries a nonce."""

    def __init__(self, opener: Opener, source: Address, server: tuple[Address, int], nonce: bytes) -> None:
        self._nonce = nonce
        self._socket = opener.open(source, Protocol.TCP)
        self.source_port: int = self._socket.getsockname()[1]
        reset_on_close(self._socket)
        self._socket.connect_ex((opener.text(server[0]), server[1]))
        # All namespaces are on this machine, so the handshake is mostly over by now.
        self.sign = self.ready()
        self.descriptor = -1 if self.sign else self._socket.fileno()

    def ready(self) -> Sign | None:
        """Send the nonce once connected."""
        number = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number:
            return Sign.REFUSED if number in _REFUSED else None
        try:
            self._socket.send(self._nonce)
        except OSError:
            return None
        return Sign.ANSWERED

    def close(self) -> None:
        """End the connection with a reset, or stop trying."""
        self._socket.close()


class DatagramClient:
    """One UDP datagram or ICMP echo request that carries a nonce."""

    def __init__(
        self, opener: Opener, source: Address, server: tuple[Address, int], nonce: bytes, protocol: Protocol
    ) -> None:
        self._socket = opener.open(source, protocol)
        self.source_port: int = self._socket.getsockname()[1]
        self.descriptor = self._socket.fileno()
        self.sign: Sign | None = None
        echo = protocol is Protocol.ICMP
        with suppress(OSError):  # no way there: nobody will see it, and that is the result
            self._socket.connect((opener.text(server[0]), server[1]))
            self._socket.send(echo_request(family_of(source), nonce) if echo else nonce)

    def ready(self) -> Sign | None:
        """Read the answer."""
        try:
            self._socket.recv(_LARGEST)
        except OSError as error:
            return Sign.REFUSED if error.errno in _REFUSED else None
        return Sign.ANSWERED

    def close(self) -> None:
        """Stop waiting for an answer."""
        self._socket.close()


class SctpClient:
    """One INIT chunk that carries a nonce; the answer comes to the address's :class:`SctpPort`."""

    descriptor = -1
    sign: Sign | None = None

    def __init__(self, port: SctpPort, server: tuple[Address, int], nonce: bytes) -> None:
        self.source_port = port.send_init(*server, nonce)

    def ready(self) -> Sign | None:
        """Learn nothing: there is no socket of its own."""
        return None

    def close(self) -> None:
        """Leave it at that: the kernel forgets an association that is not completed."""
