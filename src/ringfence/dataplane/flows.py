"""Flows: connections as the kernel tracks them, and those that pass without being judged again.

What bears the mark of the rules passes with one comparison, whatever the sets hold. So
flows are state too: each that passes so is judged once more by the engine, in the direction
in which it was opened and for the pods of its node alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import render_address
from ringfence.algebra.traffic import point
from ringfence.dataplane.connections import PORTED, connection_between, protocol_name
from ringfence.dataplane.expressions import Bits, CtState, Equals, Field, Word
from ringfence.dataplane.nft import Hook
from ringfence.model.cluster import Pod
from ringfence.model.policy import Direction
from ringfence.semantics.spec import verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ringfence.algebra.addresses import Address
    from ringfence.dataplane.nft import Program
    from ringfence.model.connection import Connection
    from ringfence.semantics.engine import Engine
    from ringfence.semantics.verdict import Half


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


class FlowJudge:
    """Judges the flows of one node; flows between the same ends on the same port are judged once."""

    def __init__(self, engine: Engine, node: str) -> None:
        """Prepare.

        Args:
            engine: Knows the policies.
            node: Whose pods matter: what other nodes enforce is theirs.
        """
        self._engine, self._node = engine, node
        self._known: dict[tuple[int, Address, Address, int], tuple[Connection, tuple[Half, ...] | None]] = {}

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
                continue
            connection, halves = self._halves(flow)
            if halves is None:
                others += 1
                continue
            judged += 1
            if halves:
                denied.append(DeniedFlow(flow, connection, halves))
        return JudgedFlows(read, judged, others, anew, tuple(denied))

    def _halves(self, flow: Flow) -> tuple[Connection, tuple[Half, ...] | None]:
        """Return what policies are asked about a flow, and the halves that deny it; None where no pod of ours is in."""
        key = flow.number, flow.client, flow.server, flow.server_port
        found = self._known.get(key)
        if found is None:
            connection = connection_between(self._engine.snapshot, *key)
            enforced = tuple(self._enforced(connection))
            denying = [direction for direction, allowed in enforced if not allowed]
            told = verdict(self._engine.snapshot, connection, self._engine.dialect).halves if denying else ()
            halves = tuple(half for half in told if half.direction in denying)
            found = self._known[key] = connection, halves if enforced else None
        return found

    def _enforced(self, connection: Connection) -> Iterator[tuple[Direction, bool]]:
        """Yield what this node enforces of a connection, and whether the engine allows it."""
        asked = point(connection.protocol, connection.port)
        ends = connection.client, connection.server
        for direction, subject, peer in ((Direction.EGRESS, *ends), (Direction.INGRESS, *ends[::-1])):
            if isinstance(subject, Pod) and subject.node == self._node:
                said = self._engine.half(direction, subject, peer, connection.family, connection.via)
                yield direction, asked in said.allowed
