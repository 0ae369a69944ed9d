"""Three answers to one connection: the engine's, the simulated programs', and the kernel's."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import Family
from ringfence.algebra.traffic import Protocol, point
from ringfence.dataplane.simulate import Packet, simulate
from ringfence.edges.packets import ECHO_REQUEST, ICMP, ICMPV6, SCTP, TCP, UDP, read_five_tuple
from ringfence.edges.probe import Fate, Result
from ringfence.lab.ends import render_end
from ringfence.semantics.dialects import RINGFENCE
from ringfence.semantics.spec import verdict
from ringfence.semantics.verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringfence.algebra.addresses import Address
    from ringfence.dataplane.nft import Program
    from ringfence.lab.ends import Ends
    from ringfence.lab.probes import Trial
    from ringfence.lab.services import Endpoint
    from ringfence.model.connection import Connection
    from ringfence.semantics.engine import Engine, PairTraffic

_NUMBERS = {Protocol.TCP: TCP, Protocol.UDP: UDP, Protocol.SCTP: SCTP}
_ANY_CLIENT_PORT = 40_000
_WORDS = {True: Outcome.ALLOWED.value, False: Outcome.DENIED.value}


@dataclass(frozen=True, slots=True)
class Comparison:
    """One connection, judged side by side.

    Attributes:
        connection: The connection as policies saw it.
        through: The Service it was sent to, or empty.
        engine: Whether the engine allows it.
        program: Whether the simulated programs of both nodes let it through.
        result: What the kernel did with a real packet.
        undecided: Whether the engine leaves it undecided; then it must not pass.
    """

    connection: Connection
    through: str
    engine: bool
    program: bool
    result: Result
    undecided: bool = False

    @property
    def kernel(self) -> bool | None:
        """Whether the kernel let it through and back; None when that is not known."""
        return {Fate.REACHED: True, Fate.DROPPED: False}.get(self.result.fate)

    @property
    def agrees(self) -> bool:
        """Whether all three say the same."""
        return self.engine is self.program is self.kernel

    @property
    def word(self) -> str:
        """What the kernel did, in the words of verdicts where it is one of them."""
        return self.result.fate.value if self.kernel is None else _WORDS[self.kernel]

    def __str__(self) -> str:
        """Return the connection and the three answers on one line."""
        engine = Outcome.UNDECIDED.value if self.undecided else _WORDS[self.engine]
        said = f"engine {engine}, program {_WORDS[self.program]}, kernel {self.word}"
        return f"{render_connection(self)}: {said}"


def render_connection(comparison: Comparison) -> str:
    """Return ``client -> server TCP/80``, with the Service and IPv6 where it is that."""
    asked = comparison.connection
    port = "" if asked.protocol is Protocol.ICMP else f"/{asked.port}"
    through = f" through {comparison.through}" if comparison.through else ""
    ends = f"{render_end(asked.client)} -> {render_end(asked.server)}"
    family = " over IPv6" if asked.family is Family.IPV6 else ""
    return f"{ends} {asked.protocol.value}{port}{family}{through}"


@dataclass(frozen=True, slots=True)
class Judge:
    """Asks the three of one lab.

    Attributes:
        engine: The engine for the lab's snapshot.
        programs: What each node holds, by its name.
        ends: Who is there.
    """

    engine: Engine
    programs: Mapping[str, Program]
    ends: Ends

    def compare(self, trial: Trial, result: Result) -> Comparison:
        """Put the three answers to a trial side by side."""
        connection, through = trial.connection, ""
        if trial.frontend:
            through = str(trial.frontend.service)
            endpoint = _chosen(trial, result)
            connection = trial.towards(endpoint) if endpoint else connection
        traffic, asked = self._traffic(connection), point(connection.protocol, connection.port)
        said = {"engine": asked in traffic.allowed, "undecided": asked in traffic.undecided}
        return Comparison(connection, through, program=self.passes(connection), result=result, **said)

    def allows(self, connection: Connection) -> bool:
        """Ask the engine."""
        return point(connection.protocol, connection.port) in self._traffic(connection).allowed

    def defines(self, connection: Connection) -> bool:
        """Ask the definition."""
        return verdict(self.engine.snapshot, connection, RINGFENCE).outcome is Outcome.ALLOWED

    def _traffic(self, connection: Connection) -> PairTraffic:
        return self.engine.allowed(connection.client, connection.server, connection.family, connection.via)

    def passes(self, connection: Connection) -> bool:
        """Run the packet through the programs of the nodes on its way."""
        if connection.client == connection.server and connection.via is None:
            return True  # it never leaves the pod
        source = self.ends.address(connection.client, connection.family)
        destination = self.ends.address(connection.server, connection.family)
        number, ports = _header(connection)
        packet = Packet(source, destination, number, *ports)
        return all(
            simulate(self.programs[node], replace(packet, hook=hook, link=link, out_link=out_link)).accepted
            for node, hook, link, out_link in self.ends.crossings(connection.client, connection.server)
        )


def _chosen(trial: Trial, result: Result) -> Endpoint | None:
    """Return the endpoint that the kernel chose, as the packet shows that arrived or was dropped."""
    address: Address | None = result.arrived
    if address is None and result.logged:
        found = read_five_tuple(result.logged.packet)
        address = found.destination if found else None
    endpoints = trial.frontend.endpoints if trial.frontend else ()
    family = trial.connection.family
    return next((each for each in endpoints if each.pod.addresses[family] == address), None)


def _header(connection: Connection) -> tuple[int, tuple[int, int]]:
    """Return the protocol number and what stands where ports would be: an echo's type, say."""
    if connection.protocol is not Protocol.ICMP:
        return _NUMBERS[connection.protocol], (_ANY_CLIENT_PORT, connection.port)
    number = ICMP if connection.family is Family.IPV4 else ICMPV6
    return number, (ECHO_REQUEST[connection.family] << 8, 0)
