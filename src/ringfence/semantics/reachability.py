"""Who reaches whom, on what: all pairs of ends as a few disjoint rectangles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.algebra.intervals import EMPTY, Intervals

if TYPE_CHECKING:
    from ringfence.model.cluster import Pod


@dataclass(frozen=True, slots=True)
class PairTraffic:
    """What may pass from a client to a server.

    Attributes:
        allowed: Traffic that is allowed.
        undecided: Traffic that the input does not settle; none of it is in ``allowed``.
    """

    allowed: Intervals = EMPTY
    undecided: Intervals = EMPTY


@dataclass(frozen=True, slots=True)
class Ends:
    """Clients or servers that are alike.

    Attributes:
        pods: Pods, in the order of the snapshot.
        addresses: Addresses that are no live pod's own; those of nodes are among them.
    """

    pods: tuple[Pod, ...] = ()
    addresses: Intervals = EMPTY


@dataclass(frozen=True, slots=True)
class Block:
    """Every client with every server, and the traffic that is the same for all these pairs.

    Attributes:
        clients: The clients.
        servers: The servers.
        traffic: Never empty.
    """

    clients: Ends
    servers: Ends
    traffic: PairTraffic
