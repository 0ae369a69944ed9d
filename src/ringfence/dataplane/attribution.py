"""From a dropped packet and its log prefix to the policies, rules and origins that denied it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import render_address
from ringfence.algebra.traffic import Protocol
from ringfence.dataplane.audit import turned
from ringfence.dataplane.connections import connection_between, protocol_name
from ringfence.dataplane.expressions import CtDirection
from ringfence.dataplane.names import read_log_prefix
from ringfence.model.cluster import Pod
from ringfence.model.policy import Direction
from ringfence.semantics.verdict import Outcome

if TYPE_CHECKING:
    from ringfence.algebra.addresses import Address
    from ringfence.dataplane.plan import LocalClass, NodePlan
    from ringfence.dataplane.simulate import Packet
    from ringfence.model.connection import Connection, End
    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics.judging import Judge
    from ringfence.semantics.verdict import Half

_REMEMBERED = 1 << 14
"""Kinds of drops that an attributor remembers; a client that is denied tries again."""


@dataclass(frozen=True, slots=True)
class Attribution:
    """Who dropped a packet and why.

    Attributes:
        pod: The local pod whose policies judged it.
        local_class: The class it was judged in.
        connection: The connection it belongs to, client first even when it is a reply.
        number: The packet's protocol number; the connection knows only that it has no ports.
        half: What the definition says of that half of the connection.
        client: The address of the client.
        server: The address of the server.
        snapshot: What is known of both.
        turned: What would be said of that half with the policies in audit; empty where they would drop it too.
        revision: That of the policies, see :class:`Attributor`.
    """

    pod: Pod
    local_class: LocalClass
    connection: Connection
    number: int
    half: Half
    client: Address
    server: Address
    snapshot: Snapshot
    turned: tuple[Half, ...] = ()
    revision: int = 1

    @property
    def protocol(self) -> str:
        """The name of the protocol, or ``protocol 47`` for one that policies do not name."""
        return protocol_name(self.number)

    @property
    def agrees(self) -> bool:
        """Whether the definition does not allow it either; if it does, the kernel holds another program.

        What is undecided is dropped as well: the data plane fails closed.
        """
        return self.half.outcome is not Outcome.ALLOWED

    def __str__(self) -> str:
        """Return one line: what was denied, at which pod, why, and where that is written."""
        connection = self.connection
        port = "" if connection.protocol is Protocol.ICMP else f"/{connection.port}"
        ends = f"{_render(connection.client)} -> {_render(connection.server)} {self.protocol}{port}"
        where = f"{self.half.direction.value.lower()} of {self.pod}"
        if not self.agrees:
            return f"{ends}: dropped at {where} although {self.half.outcome.value}: {self.half.reason}"
        origins = ", ".join(map(str, self.half.places))
        nearest = ", ".join(map(str, self.half.nearest))
        return f"{ends}: {self.half.outcome.value} at {where}: {self.half.reason} ({origins})" + (
            f"; nearest {nearest}" if nearest else ""
        )


class Attributor:
    """Explains the dropped packets of one node; what it has told lately it tells again without judging anew."""

    def __init__(self, judge: Judge, plan: NodePlan, audit: Judge | None = None, revision: int = 1) -> None:
        """Prepare for the drops of a node.

        Args:
            judge: Who judges what the plan was made from.
            plan: The plan of the node that dropped the packets.
            audit: Who judges it with the policies in audit; None where there are none.
            revision: Which policies these are: 1 for the first that there were, and one more for each change.
        """
        self._judge, self._audit, self._revision = judge, audit, revision
        self._classes = {
            (each.direction, each.name): (each, dict(zip(each.addresses, each.pods, strict=True)))
            for each in plan.judged
        }
        self._find = lru_cache(_REMEMBERED)(read_log_prefix)
        self._tell = lru_cache(_REMEMBERED)(self._attribute)

    def attribute(self, prefix: str, packet: Packet) -> Attribution | None:
        """Explain a dropped packet.

        A logged packet does not say whether it is a reply: it is taken for one when only its
        destination fits the class where the source should.

        Args:
            prefix: The log prefix.
            packet: The packet; its hook and conntrack state do not matter.

        Returns:
            None when the prefix is not ours, or names a class that the packet or the plan does
            not have, as a log that is older than the plan may do.
        """
        found = self._find(prefix)
        if found not in self._classes:
            return None
        _, pods = self._classes[found]
        near = packet.source if found[0] is Direction.EGRESS else packet.destination
        way = CtDirection.ORIGINAL if near in pods else CtDirection.REPLY
        return self._tell(found, packet.protocol, *_roles(packet, way))

    def _attribute(
        self, found: tuple[Direction, str], number: int, client: Address, server: Address, port: int | None
    ) -> Attribution | None:
        local_class, pods = self._classes[found]
        connection = connection_between(self._judge.snapshot, number, client, server, port or 0)
        subject = connection.client if local_class.direction is Direction.EGRESS else connection.server
        if not isinstance(subject, Pod) or subject not in pods.values():
            return None
        half = self._judge.half(local_class.direction, connection)
        would = turned((half,), connection, self._audit)
        ends = client, server, self._judge.snapshot
        return Attribution(subject, local_class, connection, number, half, *ends, would, self._revision)


def connection_of(snapshot: Snapshot, packet: Packet, way: CtDirection) -> Connection:
    """Return the connection that a packet opens, or that it answers when it is a reply."""
    client, server, port = _roles(packet, way)
    return connection_between(snapshot, packet.protocol, client, server, port or 0)


def _roles(packet: Packet, way: CtDirection) -> tuple[Address, Address, int | None]:
    """Return client, server and the server's port."""
    if way is CtDirection.REPLY:
        return packet.destination, packet.source, packet.source_port
    return packet.source, packet.destination, packet.destination_port


def _render(end: End) -> str:
    return str(end) if isinstance(end, Pod) else render_address(end)
