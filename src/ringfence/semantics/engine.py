"""The engine: what policies mean for every pair of ends at once.

It answers exactly as the definition in :mod:`ringfence.semantics.spec` does, connection
by connection; but it judges classes of pods, sets of peers and sets of traffic, and it
gives no reasons. The parts, in the order in which they are used:

- ``space``: traffic and addresses become atoms.
- ``universe``: pods become classes, peers become sets of atoms.
- ``program``: the policies of a class become decision lists.
- ``rows``: decision lists become rows, what a subject may do with every peer.
- ``reachability``: rows of both directions meet.
"""

from __future__ import annotations

from functools import reduce
from operator import and_, or_
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import EVERY, Address, Family, family_of
from ringfence.algebra.intervals import EMPTY, Intervals
from ringfence.algebra.traffic import ALL
from ringfence.model.cluster import Pod
from ringfence.model.policy import Direction
from ringfence.semantics.program import Compiler, Meeting
from ringfence.semantics.reachability import Block, Ends, Overlay, PairTraffic
from ringfence.semantics.rows import blend, mask_at
from ringfence.semantics.universe import Universe, ones

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.model.connection import End
    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics.program import Program
    from ringfence.semantics.rows import Row

__all__ = ["Block", "Ends", "Engine", "PairTraffic"]

A_SERVICE = "any"
"""What a hairpin was sent to; which Service it was makes no difference."""


class Engine:
    """Judges the connections of one snapshot; what it has worked out once it keeps.

    Ends are those of the snapshot: a pod that is terminal, unknown or without the family
    in question raises ``KeyError``.

    Attributes:
        snapshot: The snapshot.
        classes: The pods that are not terminal, by what policies can tell of them.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self._universe = Universe(snapshot)
        self._compiler = Compiler(self._universe)
        self._programs: dict[tuple[int, Direction], Program] = {}
        self._addresses_of: dict[tuple[Row, Family], tuple[tuple[int, Intervals], ...]] = {}
        self._traffic_of: dict[tuple[int, int], PairTraffic] = {}
        self.classes = self._universe.members

    def class_of(self, pod: Pod) -> int:
        """Return the index in :attr:`classes` of the class that holds a pod."""
        return self._universe.class_of(pod)

    def allowed(self, client: End, server: End, family: Family, via: str | None = None) -> PairTraffic:
        """Return what a client may open to a server, both directions taken together.

        Args:
            client: Who opens the connection.
            server: Who is meant to take it.
            family: A family that both ends have.
            via: The Service it was sent to; it matters for a pod that meets itself.
        """
        egress = self._masks(Direction.EGRESS, client, server, family, via)
        ingress = self._masks(Direction.INGRESS, server, client, family, via)
        return self._pair_traffic(egress[0] & ingress[0], egress[1] & ingress[1])

    def half(
        self, direction: Direction, subject: Pod, peer: End, family: Family, via: str | None = None
    ) -> PairTraffic:
        """Return what the policies of one end allow: egress at the client, ingress at the server."""
        return self._pair_traffic(*self._masks(direction, subject, peer, family, via))

    def hairpin(self, pod: Pod, family: Family) -> Intervals:
        """Return what a pod may send to itself through a Service."""
        return self.allowed(pod, pod, family, via=A_SERVICE).allowed

    def permitted(self, pod: Pod, direction: Direction, family: Family) -> tuple[tuple[Intervals, Intervals], ...]:
        """Return what a pod may exchange with every address, by the address alone.

        Returns:
            ``(addresses, traffic)``: disjoint sets that together hold every address of
            the family, each with the traffic allowed with it, perhaps none; no traffic
            twice. The pod's own address stands for the pod reached through a Service.
        """
        if pod.host_network:
            return ((EVERY[family], ALL),)
        alone = {address: Intervals.point(address) for address in self._judged_alone(pod, family)}
        rest = EVERY[family] - Intervals.union(alone.values())
        found = {mask: addresses & rest for mask, addresses in self._by_address(self._row(pod, direction), family)}
        for address, point in alone.items():
            mask, _ = self._masks(direction, pod, address, family, via=A_SERVICE)
            found[mask] = found.get(mask, EMPTY) | point
        return tuple(
            (addresses, self._compiler.traffic.traffic(mask)) for mask, addresses in found.items() if addresses
        )

    def blocks(self, family: Family) -> Iterator[Block]:
        """Yield all pairs of ends between which something may pass, as disjoint rectangles.

        Each pair with a pod at one end is in one block at most, and in one if anything may
        pass. A block says nothing of a pod with itself, even if it is in both sides.
        """
        for clients, servers, masks in Overlay(self._universe, family, self._row).rectangles():
            yield Block(clients, servers, self._pair_traffic(*masks))

    def _masks(self, direction: Direction, subject: End, peer: End, family: Family, via: str | None) -> tuple[int, int]:
        """Return the masks of what is surely and of what is possibly allowed in one direction."""
        everything = self._compiler.traffic.everything
        pod, peer_pod = self._pod(subject), self._pod(peer)
        if pod is None or pod.host_network or (pod == peer_pod and via is None):
            return everything, everything
        meeting = Meeting.ITSELF if pod == peer_pod else Meeting.ORDINARY
        if direction is Direction.INGRESS and pod.node is not None and self.snapshot.node_of(peer) == pod.node:
            meeting = Meeting.OWN_NODE
        row = self._compiler.row(self._program(pod, direction), meeting)
        masks = [mask_at(row, atom) for atom in self._universe.atoms_of(peer, family)]
        return reduce(and_, masks), reduce(or_, masks)

    def _pod(self, end: End) -> Pod | None:
        return end if isinstance(end, Pod) else self.snapshot.pod_at(end)

    def _program(self, pod: Pod, direction: Direction) -> Program:
        key = (self.class_of(pod), direction)
        if key not in self._programs:
            self._programs[key] = self._compiler.program(self._universe.classes[key[0]], direction)
        return self._programs[key]

    def _row(self, pod: Pod | None, direction: Direction) -> Row:
        """Return what the policies of a pod let it do with every peer but itself; no pod, no policies."""
        if pod is None or pod.host_network:
            return self._compiler.rows.everything
        program = self._program(pod, direction)
        row = self._compiler.row(program)
        near = self._universe.on_node(pod.node) if direction is Direction.INGRESS else 0
        if not near:
            return row
        own = self._compiler.row(program, Meeting.OWN_NODE)
        return blend(row, near, self._compiler.traffic.everything, own)

    def _by_address(self, row: Row, family: Family) -> tuple[tuple[int, Intervals], ...]:
        """Return a row by address: each mask with all addresses of a family that have it."""
        key = (row, family)
        if key not in self._addresses_of:
            universe = self._universe
            self._addresses_of[key] = tuple(
                (mask, Intervals.union(universe.addresses[n] for n in ones(held & universe.of_family(family))))
                for mask, held in row
            )
        return self._addresses_of[key]

    def _judged_alone(self, pod: Pod, family: Family) -> set[Address]:
        """Return the addresses at which a pod meets itself, or its node at an address that some pod has as well."""
        node = self.snapshot.nodes.get(pod.node or "")
        shared = (address for address in (node.addresses if node else ()) if self.snapshot.pod_at(address))
        return {address for address in (*pod.addresses.values(), *shared) if family_of(address) is family}

    def _pair_traffic(self, surely: int, possibly: int) -> PairTraffic:
        key = (surely, possibly)
        if key not in self._traffic_of:
            traffic = self._compiler.traffic.traffic
            self._traffic_of[key] = PairTraffic(traffic(surely), traffic(possibly & ~surely))
        return self._traffic_of[key]
