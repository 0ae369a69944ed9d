"""Two worlds compared: what may pass in one of them and not in the other, as disjoint rectangles.

Compared are the ends that both worlds have, see :mod:`ringfence.analysis.joint`. A pair
can differ only where the rows of its client or of its server do, so no other pairs are
looked at. Where pods run is taken from the world after.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.analysis.joint import Matched, Shared
from ringfence.model.policy import Direction
from ringfence.semantics.reachability import Block, PairTraffic
from ringfence.semantics.rectangles import WORLD, Index, Rectangle, meet, united, with_a_pod

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ringfence.algebra.addresses import Family
    from ringfence.model.cluster import Pod
    from ringfence.semantics.ends import Ends
    from ringfence.semantics.engine import Engine
    from ringfence.semantics.sets import PeerSet


@dataclass(frozen=True, slots=True)
class Told:
    """What may pass between a client and a server of a world.

    Attributes:
        traffic: What may pass.
        own_node: The same where one of them is on the network of the node that the other is on.
    """

    traffic: PairTraffic
    own_node: PairTraffic


@dataclass(frozen=True, slots=True)
class Change:
    """Every client with every server, between each of which the same may pass, before and after.

    Attributes:
        clients: The clients, as a set for :meth:`Comparison.ends`.
        servers: The servers, likewise.
        before: What may pass in the world before.
        after: What may pass in the world after.
    """

    clients: PeerSet
    servers: PeerSet
    before: Told
    after: Told


class Comparison:
    """Compares what two engines say of the ends that both know, in one family."""

    def __init__(self, before: Engine, after: Engine, family: Family) -> None:
        """Find those ends; what is said of them is compared when it is asked for."""
        self._joint = (Shared if before.universe is after.universe else Matched)(before, after, family)
        self._after, self._overlay, self._sets = after, after.overlay(family), after.sets

    def changes(self) -> Iterator[Change]:
        """Yield what differs, each pair at most once; nothing is said of a pod with itself."""
        for each in united(self._settled(self._met())):
            before, after = (
                Told(self._pair_traffic(*masks[:2]), self._pair_traffic(*masks[2:]))
                for masks in (each.masks[:WORLD], each.masks[WORLD:])
            )
            yield Change(each.clients, each.servers, before, after)

    def ends(self, ends: PeerSet) -> Ends:
        """Return the ends of one side of a change; pods as they are after."""
        return self._joint.ends(ends)

    def own_node_ends(self, change: Change) -> Iterator[tuple[Ends, Ends]]:
        """Yield, of the ends of a change, those that share a node with one on its network at the other side.

        They are where the world after has them.
        """
        clients, servers = self._joint.atoms(change.clients), self._joint.atoms(change.servers)
        meant = self.ends(change.clients), self.ends(change.servers)
        for sides in self._after.own_node_ends(Block(clients, servers, PairTraffic(), PairTraffic())):
            some, others = (side & known for side, known in zip(sides, meant, strict=True))
            if some and others:
                yield some, others

    def gone(self) -> tuple[Pod, ...]:
        """Return the pods before that nothing after corresponds to."""
        return self._joint.gone()

    def new(self) -> tuple[Pod, ...]:
        """Return the pods after that nothing before corresponds to."""
        return self._joint.new()

    def _pair_traffic(self, surely: int, possibly: int) -> PairTraffic:
        traffic = self._joint.traffic.traffic
        return PairTraffic(traffic(surely), traffic(possibly & ~surely))

    def _met(self) -> Iterator[Rectangle]:
        """Yield what both directions say together, where one of them has changed."""
        sub = self._sets.sub
        leaving, entering = self._joint.told(Direction.EGRESS), self._joint.told(Direction.INGRESS)
        yield from meet(leaving.changed, Index(self._sets, entering.changed))
        for each in meet(leaving.changed, entering.settled, worlds=2):
            if servers := sub(each.servers, entering.subjects):
                yield Rectangle(each.clients, servers, each.masks)
        for each in meet(entering.changed, leaving.settled, worlds=2):
            if clients := sub(each.clients, leaving.subjects):
                yield Rectangle(clients, each.servers, each.masks)

    def _settled(self, met: Iterable[Rectangle]) -> Iterator[Rectangle]:
        """Yield what differs, without what is said of pairs that there are not."""
        for each in met:
            old, new = each.masks[:WORLD], each.masks[WORLD:]
            if (old[:2] != old[2:] or new[:2] != new[2:]) and not self._share_a_node(each):
                old, new = old[:2] * 2, new[:2] * 2
            if old != new:
                yield from with_a_pod(
                    self._sets, Rectangle(each.clients, each.servers, (*old, *new)), self._joint.outside
                )

    def _share_a_node(self, each: Rectangle) -> bool:
        """Tell whether an end of some pair is on the network of the node that the other is on."""
        return self._overlay.share_a_node(self._joint.atoms(each.clients), self._joint.atoms(each.servers))
