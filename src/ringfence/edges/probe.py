"""Sends real packets between network namespaces, all from one process, and sees what becomes of them.

A probe is one new connection with a source port of its own, so the kernel's connection
tracking judges each afresh and a logged packet names the probe it belongs to. Its nonce
must arrive at a listener, and an answer must come back.
"""

from __future__ import annotations

import errno
import os
import select
import time
from collections import deque
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING
from typing import Protocol as Interface

from ringfence.algebra.addresses import Address, Family, family_of
from ringfence.algebra.traffic import Protocol
from ringfence.edges import packets
from ringfence.edges.sockets import Opener
from ringfence.edges.transports import (
    Client,
    DatagramClient,
    Port,
    SctpClient,
    SctpPort,
    Sign,
    TcpClient,
    TcpPort,
    UdpPort,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from ringfence.edges.netns import Network
    from ringfence.edges.nflog import Logged

_WITHIN_S = 0.5
"""How long one attempt may take: a thousand times what it takes when nothing is wrong."""

_ATTEMPTS = 2
_WINDOW = 128
"""Probes in flight: few enough that no socket buffer or backlog of the kernel overflows."""

_CHUNK = 1000
"""Probes whose listeners stand at the same time."""

_POLL_S = 0.05


class Fate(Enum):
    """What became of a probe."""

    REACHED = "reached"
    """Its nonce arrived and an answer came back, or a closed port refused it."""
    DROPPED = "dropped"
    """It did not arrive, and a rule logged that it took it."""
    UNANSWERED = "unanswered"
    """Its nonce arrived, and no answer came back."""
    LOST = "lost"
    """Nobody saw it, twice."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One connection to try.

    Attributes:
        source: An address of one of the networks.
        destination: Any address; one of the networks owns it, or translates it.
        protocol: TCP, UDP, SCTP, or ICMP for an echo request.
        port: The destination port; 0 for ICMP.
    """

    source: Address
    destination: Address
    protocol: Protocol
    port: int = 0


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a probe, and who saw it.

    Attributes:
        fate: What became of it.
        arrived: The address at which its nonce arrived, after translation; None when it did
            not, or when the kernel itself answered.
        logged: The packet of the probe, or of its answer, that a rule logged last.
    """

    fate: Fate
    arrived: Address | None = None
    logged: Logged | None = None


class Drops(Interface):
    """Where logged packets come from."""

    def filenos(self) -> Sequence[int]:
        """Return the descriptors to poll."""

    def read(self) -> Iterable[Logged]:
        """Return what has been logged and not read; never waits."""


@dataclass(slots=True)
class _Flight:
    """A probe under way."""

    probe: Probe
    nonce: bytes
    attempts: int = 0
    deadline: float = 0.0
    client: Client | None = None
    connected: bool = False
    arrived: Address | None = None
    answered: bool = False
    dropped: bool = False
    logged: Logged | None = None

    def result(self) -> Result:
        """Sum up what was seen."""
        if self.answered:
            fate = Fate.REACHED
        elif self.arrived is not None:
            fate = Fate.UNANSWERED
        else:
            fate = Fate.DROPPED if self.dropped else Fate.LOST
        return Result(fate, self.arrived, self.logged)


class Prober:
    """Sends probes and serves listeners for all networks from one place."""

    def __init__(self, networks: Mapping[Address, Network], drops: Drops) -> None:
        self._opener = Opener(dict(networks))
        self._drops = drops
        self._ports: dict[tuple[Address, Protocol, int], Port] = {}
        self._sctp: dict[Address, SctpPort] = {}
        self._by_nonce: dict[bytes, _Flight] = {}
        self._by_key: dict[tuple[int, Address, int], _Flight] = {}
        self._flying: dict[bytes, _Flight] = {}
        self._dropped: list[_Flight] = []
        self._run, self._count = os.urandom(3) + b"\1", 0
        self._epoll = select.epoll()
        self._ready: dict[int, Callable[[], None]] = {}
        for descriptor in drops.filenos():
            self.watch(descriptor, self._read_drops)

    def fileno(self) -> int:
        """Return the descriptor to poll; :meth:`serve` when it is ready."""
        return self._epoll.fileno()

    def watch(self, descriptor: int, ready: Callable[[], None], events: int = select.EPOLLIN) -> None:
        """Call somebody from now on whenever a descriptor is ready."""
        self._ready[descriptor] = ready
        self._epoll.register(descriptor, events)

    def knows(self, address: Address) -> bool:
        """Tell whether one of the networks owns an address."""
        return address in self._opener.networks

    def admit(self, address: Address, network: Network) -> None:
        """Know from now on that a network owns an address."""
        self._opener.networks[address] = network

    def listen(self, address: Address, protocol: Protocol, port: int) -> bool:
        """Make an address answer on a port from now on.

        Returns:
            False when another program has the port.
        """
        key = _listener(address, protocol, port)
        if protocol is Protocol.ICMP or key in self._ports:
            return True  # the kernel answers echo requests itself
        try:
            made = self._open_port(*key)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            return False
        self._ports[key] = made
        self.watch(made.fileno(), lambda: self._take(made))
        return True

    def run(self, probes: Sequence[Probe]) -> Iterator[Result]:
        """Send probes, and yield what became of each, in their order.

        Listeners are opened where they are missing and closed afterwards; that is cheapest
        when probes to one server follow each other.
        """
        for start in range(0, len(probes), _CHUNK):
            chunk = probes[start : start + _CHUNK]
            standing = set(self._ports)
            try:
                self._open_ports(chunk)
                yield from self._run_chunk(chunk)
            finally:
                for key in self._ports.keys() - standing:
                    self._close_port(key)

    def serve(self, timeout_s: float = 0.0) -> None:
        """Do what is ready: answer at listeners, read answers and drops."""
        for descriptor, _ in self._epoll.poll(timeout_s):
            ready = self._ready.get(descriptor)
            if ready:
                ready()

    def close(self) -> None:
        """Close every listener."""
        for key in list(self._ports):
            self._close_port(key)
        self._epoll.close()
        self._opener.close()

    def _open_ports(self, probes: Iterable[Probe]) -> None:
        wanted = {(probe.destination, probe.protocol, probe.port) for probe in probes}
        wanted |= {(probe.source, Protocol.SCTP, 0) for probe in probes if probe.protocol is Protocol.SCTP}
        for address, protocol, port in wanted:
            if address in self._opener.networks:
                self.listen(address, protocol, port)

    def _open_port(self, address: Address, protocol: Protocol, port: int) -> Port:
        if protocol is Protocol.SCTP:
            self._sctp[address] = SctpPort(self._opener, address)
            return self._sctp[address]
        return (TcpPort if protocol is Protocol.TCP else UdpPort)(self._opener, address, port)

    def _close_port(self, key: tuple[Address, Protocol, int]) -> None:
        port = self._ports.pop(key)
        self._ready.pop(port.fileno())
        port.close()

    def _run_chunk(self, probes: Sequence[Probe]) -> Iterator[Result]:
        flights = [_Flight(probe, self._nonce()) for probe in probes]
        self._by_nonce = {flight.nonce: flight for flight in flights}
        waiting = deque(flights)
        try:
            while waiting or self._flying:
                while waiting and len(self._flying) < _WINDOW:
                    self._launch(waiting.popleft())
                settled, self._dropped = self._dropped, []
                self.serve(0.0 if settled or (waiting and len(self._flying) < _WINDOW) else _POLL_S)
                # A rule that logs and does not drop is found out: what it let pass has been seen by now.
                for flight in settled:
                    self._land(flight)
                self._expire(time.monotonic())
        finally:
            for flight in list(self._flying.values()):
                self._land(flight)
            self._by_key.clear()
            self._by_nonce.clear()
        for flight in flights:
            yield flight.result()

    def _nonce(self) -> bytes:
        self._count += 1
        return self._run + self._count.to_bytes(4)

    def _launch(self, flight: _Flight) -> None:
        probe = flight.probe
        server = (probe.destination, probe.port)
        flight.attempts += 1
        flight.deadline = time.monotonic() + _WITHIN_S
        self._flying[flight.nonce] = flight
        if probe.protocol is Protocol.SCTP:
            client: Client = SctpClient(self._sctp[probe.source], server, flight.nonce)
        elif probe.protocol is Protocol.TCP:
            client = TcpClient(self._opener, probe.source, server, flight.nonce)
        else:
            client = DatagramClient(self._opener, probe.source, server, flight.nonce, probe.protocol)
        flight.client = client
        self._by_key[_number(probe), probe.source, client.source_port] = flight
        if client.descriptor >= 0:
            tcp = probe.protocol is Protocol.TCP
            events = select.EPOLLOUT | select.EPOLLONESHOT if tcp else select.EPOLLIN
            self.watch(client.descriptor, lambda: self._hear(flight, client.ready()), events)
        self._hear(flight, client.sign)

    def _hear(self, flight: _Flight, sign: Sign | None) -> None:
        """Learn from the client's own socket."""
        if sign is Sign.REFUSED:
            self._read_drops()  # a rule that rejects has logged the packet before it refused
            flight.answered = not flight.dropped
            self._land(flight)
        elif sign is Sign.ANSWERED and flight.probe.protocol is Protocol.TCP:
            flight.connected = True  # the nonce is on its way, but not there yet
        elif sign is Sign.ANSWERED:
            flight.answered = True
            self._land(flight)

    def _take(self, port: Port) -> None:
        """Learn from a listener."""
        for sign, nonce in port.ready():
            flight = self._by_nonce.get(nonce)
            if flight is None:
                continue
            if sign is Sign.ARRIVED:
                flight.arrived = port.address
            # Over TCP data can only arrive after an answer: the handshake.
            if sign is Sign.ANSWERED or flight.probe.protocol is Protocol.TCP:
                flight.answered = True
                self._land(flight)

    def _read_drops(self) -> None:
        for logged in self._drops.read():
            found = packets.read_five_tuple(logged.packet)
            if found is None:
                continue
            flight = self._by_key.get((found.protocol, found.source, found.source_port))
            answers = self._by_key.get((found.protocol, found.destination, found.destination_port))
            if flight:
                flight.dropped, flight.logged = True, logged
                self._dropped.append(flight)
            elif answers:
                answers.logged = logged
                self._dropped.append(answers)

    def _expire(self, now: float) -> None:
        """Repeat or give up what took too long; flights are in the order of their deadlines."""
        late = []
        for flight in self._flying.values():
            if flight.deadline > now:
                break
            late.append(flight)
        for flight in late:
            self._land(flight)
            probe = flight.probe
            if flight.connected and _listener(probe.destination, probe.protocol, probe.port) not in self._ports:
                flight.answered = True  # by a program that is not ours, which keeps the nonce to itself
            elif flight.attempts < _ATTEMPTS:
                self._launch(flight)

    def _land(self, flight: _Flight) -> None:
        """Take a flight out of the air; what comes later is still noted."""
        if self._flying.pop(flight.nonce, None) and flight.client:
            self._ready.pop(flight.client.descriptor, None)
            flight.client.close()


def _listener(address: Address, protocol: Protocol, port: int) -> tuple[Address, Protocol, int]:
    """Return the key of a listener; one raw socket stands for every SCTP port of an address."""
    return address, protocol, 0 if protocol is Protocol.SCTP else port


def _number(probe: Probe) -> int:
    """Return the IP protocol number of a probe."""
    if probe.protocol is Protocol.ICMP:
        return packets.ICMP if family_of(probe.source) is Family.IPV4 else packets.ICMPV6
    return {Protocol.TCP: packets.TCP, Protocol.UDP: packets.UDP, Protocol.SCTP: packets.SCTP}[probe.protocol]
