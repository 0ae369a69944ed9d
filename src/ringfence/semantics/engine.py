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
from ringfence.semantics.dialects import KUBERNETES, Choices, Topic
from ringfence.semantics.program import Compiler, Meeting
from ringfence.semantics.reachability import Block, Ends, Overlay, PairTraffic
from ringfence.semantics.rows import blend, mask_at
from ringfence.semantics.universe import Universe, ones

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.model.connection import End
    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics.dialects import Dialect
    from ringfence.semantics.program import Program
    from ringfence.semantics.rows import Bounds, Row

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

    def __init__(self, snapshot: Snapshot, dialect: Dialect = KUBERNETES) -> None:
        """Prepare for questions about one snapshot, open points decided by a dialect."""
        self.snapshot = snapshot
        self._readings = dialect.readings
        self._universe = Universe(snapshot, self._readings)
        self._compiler = Compiler(self._universe)
        self._programs: dict[tuple[int, Direction, Choices], Program] = {}
        self._bounds_of: dict[tuple[int, str | None, Direction], Bounds] = {}
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
            the family, each with the traffic that is surely allowed with it, perhaps none;
            no traffic twice. The pod's own address stands for the pod reached through a Service.
        """
        if pod.host_network:
            return ((EVERY[family], ALL),)
        alone = {address: Intervals.point(address) for address in self._judged_alone(pod, family)}
        rest = EVERY[family] - Intervals.union(alone.values())
        found = {
            mask: addresses & rest for mask, addresses in self._by_address(self._bounds(pod, direction)[0], family)
        }
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
        for clients, servers, masks in Overlay(self._universe, family, self._bounds).rectangles():
            yield Block(clients, servers, self._pair_traffic(*masks))

    def _masks(self, direction: Direction, subject: End, peer: End, family: Family, via: str | None) -> tuple[int, int]:
        """Return the masks of what is surely and of what is possibly allowed in one direction."""
        everything = self._compiler.traffic.everything
        pod, peer_pod = self._pod(subject), self._pod(peer)
        if pod is None or (pod == peer_pod and via is None):
            return everything, everything
        near = pod.node is not None and self.snapshot.node_of(peer) == pod.node
        atoms = self._universe.atoms_of(peer, family)
        masks = []
        for choices in self._readings:
            meeting = Meeting.ITSELF if pod == peer_pod else Meeting.ORDINARY
            if near and self._is_exempt(direction, choices):
                meeting = Meeting.OWN_NODE
            least, most = self._said(pod, direction, meeting, choices)
            masks += [(mask_at(least, atom), mask_at(most, atom)) for atom in atoms]
        return reduce(and_, (low for low, _ in masks)), reduce(or_, (high for _, high in masks))

    def _pod(self, end: End) -> Pod | None:
        return end if isinstance(end, Pod) else self.snapshot.pod_at(end)

    def _is_exempt(self, direction: Direction, choices: Choices) -> bool:
        """Tell whether a pod and its own node always reach each other in one direction."""
        return direction is Direction.INGRESS or Topic.POD_TO_OWN_NODE in choices

    def _said(self, pod: Pod, direction: Direction, meeting: Meeting, choices: Choices) -> Bounds:
        """Return what the policies of a pod say of every peer, if it met all of them in one way."""
        if pod.host_network and Topic.HOST_NETWORK not in choices:
            return self._compiler.rows.everything, self._compiler.rows.everything
        key = (self.class_of(pod), direction, choices)
        if key not in self._programs:
            self._programs[key] = self._compiler.program(self._universe.classes[key[0]], direction, choices)
        return self._compiler.bounds(self._programs[key], meeting, choices)

    def _bounds(self, pod: Pod | None, direction: Direction) -> Bounds:
        """Return what the policies of a pod let it do with every peer but itself; no pod, no policies."""
        rows = self._compiler.rows
        if pod is None:
            return rows.everything, rows.everything
        node = pod.node if self._universe.on_node(pod.node) else None
        key = (self.class_of(pod), node, direction)
        if key not in self._bounds_of:
            told = [self._with_own_node(pod, direction, choices) for choices in self._readings]
            self._bounds_of[key] = reduce(rows.least, (low for low, _ in told)), reduce(rows.most, (h for _, h in told))
        return self._bounds_of[key]

    def _with_own_node(self, pod: Pod, direction: Direction, choices: Choices) -> Bounds:
        """Return what the policies of a pod say of every peer, its own node among them."""
        bounds = self._said(pod, direction, Meeting.ORDINARY, choices)
        near = self._universe.on_node(pod.node) if self._is_exempt(direction, choices) else 0
        if not near:
            return bounds
        own, everything = self._said(pod, direction, Meeting.OWN_NODE, choices), self._compiler.traffic.everything
        return blend(bounds[0], near, everything, own[0]), blend(bounds[1], near, everything, own[1])

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
