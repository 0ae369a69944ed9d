"""What the policies at each end of a way through a Service see of the other end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.algebra.intervals import Intervals
from ringfence.algebra.traffic import point
from ringfence.model.cluster import Pod
from ringfence.model.policy import Direction
from ringfence.semantics.ends import Ends

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ringfence.algebra.traffic import Protocol
    from ringfence.model.connection import End
    from ringfence.semantics.ways import Way


@dataclass(frozen=True, slots=True)
class Sight:
    """What is seen on one way, or on several that are told alike.

    Attributes:
        peer: Whom the clients' policies see; None for the servers themselves, nobody where no address is known.
        source: Whom the servers' policies see; None for the clients themselves, likewise.
        egress: The traffic that the clients' policies see.
        ingress: The traffic that the servers' policies see.
    """

    peer: Ends | None
    source: Ends | None
    egress: Intervals
    ingress: Intervals

    @classmethod
    def of(cls, way: Way, protocol: Protocol, client: End) -> Sight:
        """Return what is seen on a way from one client."""
        egress, ingress = (Intervals.point(point(protocol, port)) for port in (way.peer_port, way.port))
        return cls(
            None if way.peer == way.server else _address(way.peer),
            None if way.source == client else _address(way.source),
            egress,
            ingress,
        )

    @classmethod
    def union(cls, sights: Iterable[Sight]) -> Sight:
        """Return what is seen on several ways, at least one; all see the other end itself, or none does."""
        found = list(sights)
        return cls(
            _united(each.peer for each in found),
            _united(each.source for each in found),
            Intervals.union(each.egress for each in found),
            Intervals.union(each.ingress for each in found),
        )

    def seen(self, direction: Direction) -> Ends | None:
        """Return whom policies of one direction see; None for the other end itself."""
        return self.peer if direction is Direction.EGRESS else self.source

    def traffic(self, direction: Direction) -> Intervals:
        """Return the traffic that policies of one direction see."""
        return self.egress if direction is Direction.EGRESS else self.ingress


def _address(end: End | None) -> Ends:
    """Return an end that is an address; nobody where it is not known."""
    return Ends() if end is None or isinstance(end, Pod) else Ends((), Intervals.point(end))


def _united(sides: Iterable[Ends | None]) -> Ends | None:
    known = [side for side in sides if side is not None]
    return Ends((), Intervals.union(side.addresses for side in known)) if known else None
