"""Flows: connections as the kernel tracks them, and those that pass without being judged again.

What bears the mark of the rules passes with one comparison, whatever the sets hold. So
flows are state too: each that passes so is judged once more by the engine, in the direction
in which it was opened and for the pods of its node alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import render_address
from ringfence.algebra.traffic import point
from ringfence.dataplane.audit import turned
from ringfence.dataplane.connections import PORTED, connection_between, protocol_name
from ringfence.dataplane.expressions import Bits, CtState, Equals, Field, Word
from ringfence.dataplane.nft import Hook
from ringfence.model.cluster import Pod
from ringfence.model.policy import Direction

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ringfence.algebra.addresses import Address
    from ringfence.algebra.intervals import Intervals
    from ringfence.dataplane.nft import Program
    from ringfence.model.connection import Connection
    from ringfence.semantics.engine import Engine
    from ringfence.semantics.judging import Judge
    from ringfence.semantics.verdict import Half

_REMEMBERED = 1 << 14
"""Connections that a judge remembers; a client that is served comes again."""


@dataclass(frozen=True, slots=True)
class Amount:
    """What went one way.

    Attributes:
        packets: How many packets.
        octets: How many bytes, headers of IP included.
    """

    packets: int
    octets: int


@dataclass(frozen=True, slots=True)
class Flow:
    """One connection that a kernel tracks.

    Attributes:
        number: The number of its protocol.
        client: Who opened it.
        client_port: From which port; 0 without ports, as all ports are here.
        dialed: Where the client sends to: an address of a Service, or the server's own.
        dialed_port: To which port.
        server: Who answers, after the address of a Service was translated.
        server_port: From which port.
        mark: Its mark.
        answered: Whether anything came back.
        ended: Whether it is about to be forgotten; no packet belongs to it any more.
        id: What the kernel calls it; two that a node tracks at a time have different ones.
        sent: What the client sent; None where the kernel does not count.
        returned: What came back; likewise.
        opened_at: When it was opened, in seconds since the epoch; None where the kernel takes no times.
        ended_at: When it ended; None for one that goes on, too.
        state: What conntrack makes of a TCP connection, such as ``established``; empty for others.
    """

    number: int
    client: Address
    client_port: int
    dialed: Address
    dialed_port: int
    server: Address
    server_port: int
    mark: int = 0
    answered: bool = False
    ended: bool = False
    id: int = 0
    sent: Amount | None = None
    returned: Amount | None = None
    opened_at: float | None = None
    ended_at: float | None = None
    state: str = ""

    def __str__(self) -> str:
        """Return its addresses and ports, and where it was sent to when that is not who answers."""
        client, server, dialed = (
            f"{render_address(address)} port {port}" if self.number in PORTED else render_address(address)
            for address, port in (
                (self.client, self.client_port),
                (self.server, self.server_port),
                (self.dialed, self.dialed_port),
            )
        )
        through = "" if dialed == server else f" through {dialed}"
        return f"{client} -> {server}{through} {protocol_name(self.number)}"


@dataclass(frozen=True, slots=True)
class Unjudged:
    """Which flows pass a program without being judged again.

    Attributes:
        marks: Masks and values: a flow with such a mark passes.
        answered: Whether every flow passes that was answered.
        everything: Whether nothing is judged at all.
    """

    marks: tuple[tuple[int, int], ...] = ()
    answered: bool = False
    everything: bool = False

    @classmethod
    def by(cls, program: Program | None) -> Unjudged:
        """Read what the base chains of a program accept for nothing but its conntrack; None where there is none."""
        if program is None:
            return cls(everything=True)
        hooks = [chain for chain in program.chains if chain.hook in {Hook.FORWARD, Hook.INPUT}]
        rules = [rule for chain in hooks for rule in chain.rules if rule.expressions[-1] is Word.ACCEPT]
        alone = [rule.expressions[0] for rule in rules if len(rule.expressions) == 2]
        marks = (
            (each.mask, each.value)
            for each in alone
            if isinstance(each, Bits) and each.field is Field.CT_MARK and not each.negated
        )
        answered = Equals(Field.CT_STATE, CtState.ESTABLISHED) in alone
        open_ = not hooks or any(len(rule.expressions) == 1 for rule in rules)
        return cls(tuple(dict.fromkeys(marks)), answered, open_)

    def passes(self, flow: Flow) -> bool:
        """Tell whether the next packet of a flow passes so."""
        if flow.ended:
            return False
        marked = any(flow.mark & mask == value for mask, value in self.marks)
        return marked or (self.answered and flow.answered) or self.everything


@dataclass(frozen=True, slots=True)
class DeniedFlow:
    """A flow that goes on although policies deny it.

    Attributes:
        flow: The flow.
        connection: What policies were asked about.
        halves: What the definition says of the halves of this node that are not allowed; at least one.
    """

    flow: Flow
    connection: Connection
    halves: tuple[Half, ...]


@dataclass(frozen=True, slots=True)
class JudgedFlows:
    """What came of the flows of one node.

    Attributes:
        read: All that the kernel tracks.
        judged: Those that pass without being judged again, and that a pod of the node is at an end of.
        others: Those that pass so and are none of the node's pods'.
        anew: Those that are judged at their next packet, if there is one.
        denied: Of those that were judged, what the engine does not allow.
    """

    read: int
    judged: int
    others: int
    anew: int
    denied: tuple[DeniedFlow, ...]


@dataclass(frozen=True, slots=True)
class Enforced:
    """What one node enforces of a connection, and what the engine says of it.

    Attributes:
        connection: What policies are asked about.
        allowed: Whether the engine allows each half that the node enforces: egress where the client is a
            pod of the node, ingress where the server is; at least one of them.
    """

    connection: Connection
    allowed: Mapping[Direction, bool]

    @property
    def denied(self) -> tuple[Direction, ...]:
        """The halves that the engine does not allow."""
        return tuple(direction for direction, allowed in self.allowed.items() if not allowed)


class FlowJudge:
    """Judges the flows of one node; what is between the same ends on the same port is judged once.

    Attributes:
        snapshot: What is known of the ends.
        revision: Which policies these are: 1 for the first that there were, and one more for each change.
    """

    def __init__(self, engine: Engine, judge: Judge, node: str, audit: Judge | None = None, revision: int = 1) -> None:
        """Prepare.

        Args:
            engine: Says what is allowed.
            judge: Says why, of the same snapshot in the same dialect.
            node: Whose pods matter: what other nodes enforce is theirs.
            audit: Says what would be with the policies in audit; None where there are none.
            revision: See :attr:`revision`.
        """
        self.snapshot, self.revision = engine.snapshot, revision
        self._engine, self._why, self._node, self._audit = engine, judge, node, audit
        self._allowed = lru_cache(_REMEMBERED)(self._sides)
        self._enforced = lru_cache(_REMEMBERED)(self._judge)
        self._halves = lru_cache(_REMEMBERED)(self._tell)

    def judge(self, flows: Iterable[Flow], unjudged: Unjudged) -> JudgedFlows:
        """Judge whatever passes without being judged.

        Args:
            flows: All flows of the node.
            unjudged: Which of them pass so.
        """
        read = judged = others = anew = 0
        denied: list[DeniedFlow] = []
        for flow in flows:
            read += 1
            if not unjudged.passes(flow):
                anew += 1
            elif (found := self.enforced(flow)) is None:
                others += 1
            else:
                judged += 1
                if found.denied:
                    halves = tuple(half for half in self.halves(flow) if half.direction in found.denied)
                    denied.append(DeniedFlow(flow, found.connection, halves))
        return JudgedFlows(read, judged, others, anew, tuple(denied))

    def enforced(self, flow: Flow) -> Enforced | None:
        """Return what the node enforces of a flow; None where that is nothing."""
        return self._enforced(*_ends(flow))

    def halves(self, flow: Flow) -> tuple[Half, ...]:
        """Return what the definition says of each half that the node enforces, egress first."""
        return self._halves(*_ends(flow))

    def turned(self, flow: Flow) -> tuple[Half, ...]:
        """Return what would be said of each of these halves that the policies in audit would turn."""
        asked = self.enforced(flow)
        return turned(self.halves(flow), asked.connection, self._audit) if asked else ()

    def _judge(self, number: int, client: Address, server: Address, port: int) -> Enforced | None:
        sides = self._allowed(client, server)
        if not sides:
            return None
        connection = connection_between(self._engine.snapshot, number, client, server, port)
        asked = point(connection.protocol, connection.port)
        return Enforced(connection, {direction: asked in traffic for direction, traffic in sides})

    def _sides(self, client: Address, server: Address) -> tuple[tuple[Direction, Intervals], ...]:
        """Return what the engine allows in each direction that the node enforces."""
        asked = connection_between(self._engine.snapshot, 0, client, server, 0)
        ends = asked.client, asked.server
        found = []
        for direction, subject, peer in ((Direction.EGRESS, *ends), (Direction.INGRESS, *ends[::-1])):
            if isinstance(subject, Pod) and subject.selectable and subject.node == self._node:
                # What a node sends to its own pods meets no rule.
                if direction is Direction.INGRESS and self._engine.snapshot.node_of(peer) == self._node:
                    continue
                said = self._engine.half(direction, subject, peer, asked.family, asked.via)
                found.append((direction, said.allowed))
        return tuple(found)

    def _tell(self, number: int, client: Address, server: Address, port: int) -> tuple[Half, ...]:
        enforced = self._enforced(number, client, server, port)
        if enforced is None:
            return ()
        return tuple(self._why.half(direction, enforced.connection) for direction in enforced.allowed)


def _ends(flow: Flow) -> tuple[int, Address, Address, int]:
    return flow.number, flow.client, flow.server, flow.server_port
