"""The engine: what policies mean for every pair of ends at once.

It answers exactly as the definition in :mod:`ringfence.semantics.spec` does, connection
by connection; but it judges classes of pods, sets of peers and sets of traffic, and it
gives no reasons. The parts, in the order in which they are used:

- ``space``: traffic and addresses become atoms.
- ``universe``: pods become ``classes``, peers become sets of ``atoms``; ``growth`` keeps both when the cluster changes.
- ``program``: the policies of a class become decision lists.
- ``rows``: decision lists become rows, what a subject may do with every peer.
- ``class_rows``: what the rows of several readings say of each class together.
- ``rectangles``: what rows say of many pairs at once.
- ``reachability``: rows of both directions meet.
- ``resting``: what rests on an open point in one direction meets what is possible in the other.
"""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from functools import reduce
from operator import and_, or_
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import EVERY, LOOPBACK, Address, Family, family_of
from ringfence.algebra.intervals import EMPTY, Intervals
from ringfence.algebra.traffic import ALL
from ringfence.model.cluster import Pod
from ringfence.model.events import Events
from ringfence.model.policy import Direction
from ringfence.semantics.class_rows import ClassRows
from ringfence.semantics.dialects import KUBERNETES
from ringfence.semantics.ends import Ends
from ringfence.semantics.grounds import Finder, Grounds
from ringfence.semantics.omission import Omission
from ringfence.semantics.program import Compiler, Meeting
from ringfence.semantics.reachability import Block, Overlay, PairTraffic
from ringfence.semantics.resting import Resting
from ringfence.semantics.sets import INTEGERS
from ringfence.semantics.universe import Universe
from ringfence.semantics.verdict import unite_undefined

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ringfence.model.connection import End
    from ringfence.model.policy import Policy, Rule
    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics.dialects import Dialect
    from ringfence.semantics.growth import Growth, Translation
    from ringfence.semantics.program import Program
    from ringfence.semantics.rows import Clause, Row
    from ringfence.semantics.sets import PeerSet, Sets
    from ringfence.semantics.space import TrafficSpace
    from ringfence.semantics.unknown import Unknown
    from ringfence.semantics.verdict import Undefined

__all__ = ["Block", "Ends", "Engine", "PairTraffic"]

Rows = tuple[tuple[Intervals, Intervals], ...]
"""Disjoint sets of addresses that together hold a whole family, and the traffic that is allowed with each."""

_Apart = tuple[Rows, "dict[Address, Intervals]"]
"""Rows of addresses, and what is allowed with some of these instead."""

_Meets = tuple[tuple["Program | None", ...], bool, bool, tuple[int, ...]]
"""What judges a subject by each reading, whether the peer is itself, or its node, and the atoms of the peer."""

FOLLOWED = 1_000
"""Changes after which an engine begins anew: what is true no more piles up, some kilobytes with each."""

A_SERVICE = "any"
"""What a hairpin was sent to; which Service it was makes no difference."""


class Engine:
    """Judges the connections of one snapshot; what it has worked out once it keeps.

    Ends are those of the snapshot: a pod that is terminal, unknown or without the family
    in question raises ``KeyError``.

    Attributes:
        snapshot: The snapshot.
        dialect: Who decides what the APIs leave open.
        classes: The pods that are not terminal, by what policies can tell of them.
        universe: Ends, as far as its policies tell them apart.
        sets: The form of its sets of atoms.
        follows: Over how many changes it has taken over what an engine for an earlier snapshot had worked out.
    """

    def __init__(
        self, snapshot: Snapshot, dialect: Dialect = KUBERNETES, sets: Sets = INTEGERS, *, flips: bool = False
    ) -> None:
        """Prepare for questions about one snapshot.

        Args:
            snapshot: The snapshot.
            dialect: Who decides open points.
            sets: The form of sets.
            flips: Whether it is asked on which open points answers rest: then it tells apart what another choice does.
        """
        self.snapshot, self._flips = snapshot, flips
        self.dialect, self._readings = dialect, dialect.readings
        self.universe = Universe(snapshot, replace(dialect, strict=dialect.strict or flips).readings, sets)
        self._compiler = Compiler(self.universe)
        in_force = self._compiler.in_force(snapshot.policies)
        self._rows = ClassRows(self.universe, self._compiler, in_force, self._readings)
        self._overlays: dict[Family, Overlay] = {}
        self._traffic_of: dict[tuple[int, int], PairTraffic] = {}
        self.follows = 0
        self._begin()

    def _begin(self) -> None:
        """Take what the universe holds; of its sets nothing is known so far."""
        self.classes, self.sets = self.universe.members, self.universe.sets
        self._ends: dict[PeerSet, Ends] = {}
        self._addresses_of: dict[tuple[Row, Family], tuple[tuple[int, Intervals], ...]] = {}
        self._by_traffic: dict[tuple[Row, Family], Rows] = {}
        self._alone: dict[tuple[Direction, _Meets], Intervals] = {}
        self._apart: dict[tuple[int, Direction, Family], tuple[Pod, tuple[Program | None, ...], _Apart]] = {}

    def revised(self, policies: Iterable[Policy]) -> Engine:
        """Return an engine for the same cluster with other policies, see :meth:`after`.

        Args:
            policies: All of them; those that stay should be the same objects.
        """
        in_order = tuple(sorted(policies, key=lambda each: (each.kind, each.name)))
        return self.after(replace(self.snapshot, policies=in_order))

    def after(self, snapshot: Snapshot) -> Engine:
        """Return an engine for a later snapshot, which answers as one made for it would.

        What the change leaves as it is, is worked out once for both, where the change can be followed.

        Args:
            snapshot: The snapshot; what did not change should be the same objects.
        """
        events = Events.between(self.snapshot, snapshot)
        snapshot.inherit(self.snapshot, events)
        alone = not (events.pods or events.namespaces or events.cluster)
        if alone and self.follows < FOLLOWED and all(map(self._compiler.tells, events.come)):
            return self._under(snapshot, events)
        growth = self.universe.grown(snapshot, events) if self.follows < FOLLOWED else None
        if growth is None:
            return Engine(snapshot, self.dialect, self.sets, flips=self._flips)
        found = copy(self)
        found.snapshot, found.universe, found.follows = snapshot, growth.universe, self.follows + 1
        found._begin()  # noqa: SLF001 - one of its own
        compiler = found._compiler = self._compiler.grown(growth, events.come)  # noqa: SLF001
        translation, in_force = self._rows.translation(growth, compiler), compiler.revised(self._rows.in_force, events)
        found._rows = self._rows.grown(growth, compiler, in_force, translation)  # noqa: SLF001
        found._by_traffic, found._alone = dict(self._addressed_in(growth, translation)), {**self._alone}  # noqa: SLF001
        found._overlays = {}  # noqa: SLF001
        if compiler.traffic is not self._compiler.traffic:
            found._traffic_of = {}  # noqa: SLF001
        return found

    def _addressed_in(
        self, growth: Growth, translation: Translation | None
    ) -> Iterator[tuple[tuple[Row, Family], Rows]]:
        """Yield the rows by address that are as they were in a grown universe, each with what it is made of there."""
        mask_at = self._compiler.rows.mask_at
        moved = {(old, new, family_of(address)) for address, (old, new) in growth.moved.items() if old != new}
        for (row, family), rows in self._by_traffic.items():
            now = translation.row(row) if translation else row
            pairs = ((mask_at(row, old), mask_at(now, new)) for old, new, each in moved if each is family)
            if all((translation.mask(before) if translation else before) == after for before, after in pairs):
                yield (now, family), rows

    def _under(self, snapshot: Snapshot, events: Events) -> Engine:
        """Return an engine for the same cluster with other policies that tell no more apart than is told apart."""
        found = copy(self)
        found.snapshot, found.follows = snapshot, self.follows + 1
        rows = found._rows = self._rows.revised(self._compiler.revised(self._rows.in_force, events))  # noqa: SLF001
        found._overlays = {family: overlay.of(rows.said) for family, overlay in self._overlays.items()}  # noqa: SLF001
        return found

    def changes_without(self, policy: Policy, rule: Rule | None = None) -> bool:
        """Tell whether any pod's policies would say something else without one of them, or without one rule of it."""
        return self._omission.changes(self._readings, policy, rule)

    def selects_anybody(self, policy: Policy) -> bool:
        """Tell whether a policy is for any pod, by any reading."""
        return bool(self.universe.selected_by(policy))

    def matches_anybody(self, policy: Policy, rule: Rule) -> bool:
        """Tell whether a rule matches any traffic with anybody, for any pod that its policy is for."""
        return self._omission.matches(self._readings, policy, rule)

    def scope(self, policy: Policy, rule: Rule, direction: Direction, family: Family) -> tuple[PeerSet, PeerSet]:
        """Return the clients and servers of one family of whom a rule speaks, by any reading, as sides of blocks."""
        subjects = self.universe.selected_by(policy)
        places = (self.universe.atoms_of_class(number).get(family, ())[:1] for number in subjects)
        some = self.sets.of(atom for place in places for atom in place)
        meant = (self.universe.meant_by(peer, c, direction)[1] for peer in rule.peers for c in self._readings)
        others = self.sets.union(meant) & self.universe.of_family(family)
        return (some, others) if direction is Direction.EGRESS else (others, some)

    @property
    def _omission(self) -> Omission:
        return Omission(self._compiler, self.universe, self._rows.in_force, self._rows.program)

    def unlike(self, other: Engine) -> frozenset[int]:
        """Return the classes that other policies judge than in another engine over the same universe."""
        return self.universe.classes_in(self._rows.in_force.unlike(other._rows.in_force))

    def class_of(self, pod: Pod) -> int:
        """Return the index in :attr:`classes` of the class that holds a pod."""
        return self.universe.class_of(pod)

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

    def permitted(self, pod: Pod, direction: Direction, family: Family) -> Rows:
        """Return what a pod may exchange with every address, by the address alone.

        Returns:
            ``(addresses, traffic)``: disjoint sets that together hold every address of
            the family, each with the traffic that is surely allowed with it, perhaps none;
            no traffic twice. The pod's own address stands for the pod reached through a Service.
        """
        rows, alone = self.permitted_apart(pod, direction, family)
        rest = EVERY[family] - Intervals.of((address, address) for address in alone)
        found = {traffic: addresses & rest for addresses, traffic in rows}
        for address, traffic in alone.items():
            found[traffic] = found.get(traffic, EMPTY) | Intervals.point(address)
        return tuple((addresses, traffic) for traffic, addresses in found.items() if addresses)

    def permitted_apart(self, pod: Pod, direction: Direction, family: Family) -> _Apart:
        """Return the same in two parts, of which pods of equal policies share the first.

        Returns:
            Rows as those of :meth:`permitted`, one object where they are equal; and the traffic
            with the addresses at which the pod meets itself or its node, which counts there.
        """
        if pod.host_network:
            return ((EVERY[family], ALL),), {}
        number, key = self.class_of(pod), (id(pod), direction, family)
        programs = tuple(self._rows.program(number, direction, choices) for choices in self._readings)
        known = self._apart.get(key)
        # A pod stays where it is as long as the universe is the same, so what its policies say of others does.
        if known is None or known[0] is not pod or known[1] != programs:
            known = self._apart[key] = pod, programs, self._permitted(pod, direction, family)
        return known[2]

    def _permitted(self, pod: Pod, direction: Direction, family: Family) -> _Apart:
        """Return the same, worked out anew but for what pods share."""
        traffic = self._compiler.traffic.traffic
        least, _ = self._rows.said(self.class_of(pod), direction).ordinary
        key = (least, family)
        if key not in self._by_traffic:
            self._by_traffic[key] = tuple(
                (each, traffic(mask)) for mask, each in self._by_address(least, family) if each
            )
        alone = {address: self._permitted_alone(pod, direction, address) for address in self._judged_alone(pod, family)}
        return self._by_traffic[key], alone

    def _permitted_alone(self, pod: Pod, direction: Direction, address: Address) -> Intervals:
        """Return what a pod may exchange with one address at which it meets itself or its node."""
        meets = self._meets(direction, pod, address, family_of(address), A_SERVICE)
        if meets is None:
            return ALL
        if (direction, meets) not in self._alone:
            self._alone[direction, meets] = self._compiler.traffic.traffic(self._judged(direction, meets)[0])
        return self._alone[direction, meets]

    def blocks(self, family: Family, among: tuple[PeerSet, PeerSet] | None = None) -> Iterator[Block]:
        """Yield all pairs of ends between which something may pass, as disjoint rectangles.

        Each pair with a pod at one end is in one block at most, and in one if anything may
        pass. A block says nothing of a pod with itself, even if it is in both sides.

        Args:
            family: The family.
            among: Only clients and servers at these atoms; None for everyone.
        """
        for each in self.overlay(family, among).rectangles():
            traffic, own_node = self._pair_traffic(*each.masks[:2]), self._pair_traffic(*each.masks[2:])
            yield Block(each.clients, each.servers, traffic, own_node)

    def overlay(self, family: Family, among: tuple[PeerSet, PeerSet] | None = None) -> Overlay:
        """Return what the rows of classes say in one family; only of clients and servers at some atoms, if given."""
        if family not in self._overlays:
            self._overlays[family] = Overlay(self.universe, family, self._rows.said)
        found = self._overlays[family]
        return found if among is None else found.narrowed(among)

    @property
    def traffic(self) -> TrafficSpace:
        """The traffic of its policies, as atoms."""
        return self._compiler.traffic

    def rests_on(self, namespace: str | None = None) -> tuple[Undefined, ...]:
        """Return the open points on which the answer of some pair of ends rests, no Service between them; sorted.

        The engine must have been made for ``flips``.

        Args:
            namespace: Only pairs with an end in this namespace; None for all.
        """
        return unite_undefined(map(self.dialect.undefined, self._resting.topics(namespace)))

    def unknown(self, namespace: str | None = None) -> tuple[Unknown, ...]:
        """Return what is not known and would decide the answer of some pair of ends that is undecided; sorted.

        Args:
            namespace: Only pairs with an end in this namespace; None for all.
        """
        return self._resting.unknown(namespace)

    @property
    def _resting(self) -> Resting:
        return Resting(self.universe, self.dialect, self._rows.said, self.ends, self.share_node)

    def counts(self) -> dict[str, int]:
        """Return how much was worked out so far; more of it for the same clusters is a regression."""
        return {"classes": len(self.classes), **self._rows.counts()}

    def ends(self, atoms: PeerSet) -> Ends:
        """Return the ends on one side of a block."""
        found = self._ends.get(atoms)
        if found is None:
            found = self._ends[atoms] = self.universe.ends(atoms)
        return found

    def atoms(self, ends: Ends, family: Family) -> PeerSet:
        """Return where some ends stand in blocks of a family; ends that are alike and not meant stand there too."""
        universe = self.universe
        classes = universe.classes_of(ends.pods)
        found = [atoms[0] for number in classes if (atoms := universe.atoms_of_class(number).get(family))]
        if ends.addresses:
            found += (atom for atom in universe.outside(family) if universe.strangers[atom] & ends.addresses)
        return universe.sets.of(found)

    def is_isolated(self, pod: Pod, direction: Direction) -> bool:
        """Tell whether a policy isolates a pod in one direction, in every reading of what the API leaves open."""
        number = self.class_of(pod)
        programs = (self._rows.program(number, direction, choices) for choices in self._readings)
        return all(program is not None and program.isolating for program in programs)

    def grounds(
        self, direction: Direction, sides: tuple[PeerSet, PeerSet], traffic: Intervals, *, own_node: bool
    ) -> Grounds:
        """Return what decides in one direction about all these clients with all these servers.

        Args:
            direction: The direction.
            sides: Clients and servers of one family, as sides of blocks are.
            traffic: On what.
            own_node: Whether the ends of each pair share a node, as :meth:`share_node` tells.
        """
        subjects, peers = sides if direction is Direction.EGRESS else sides[::-1]
        classes = [self.universe.atoms[atom].pod_class for atom in self.universe.sets.ids(subjects)]
        asked = self.universe.everywhere(peers), self._compiler.traffic.covering(traffic)
        finder = Finder(self._compiler, self.universe)
        found: list[Grounds] = []
        for choices in self._readings:
            meeting = Meeting.OWN_NODE if own_node and self._rows.is_exempt(direction, choices) else Meeting.ORDINARY
            programs = dict.fromkeys(None if n is None else self._rows.program(n, direction, choices) for n in classes)
            found += (finder.grounds(program, meeting, choices, asked) for program in programs)
        return Grounds.union(found)

    def judges(self, number: int, direction: Direction) -> tuple[tuple[Policy, tuple[Clause, ...]], ...]:
        """Return the policies that judge the pods of a class, in the order in which they are consulted.

        Each with what its rules mean, in order; of several readings of a dialect, the first counts.
        """
        choices = self._readings[0]
        program = self._rows.program(number, direction, choices)
        if program is None:
            return ()
        consulted = (*program.admin, *program.isolating, *program.baseline)
        return tuple((self._compiler.policy(n), self._compiler.clauses(n, program, choices)) for n in consulted)

    def own_node_ends(self, block: Block) -> Iterator[tuple[Ends, Ends]]:
        """Yield, of the ends of a block, those that share a node with one on its network at the other side.

        First clients on the network of a node with the servers that are on that node, then the other way round.
        """
        universe = self.universe
        sides = (block.clients, block.servers)
        for near, other in (sides, sides[::-1]):
            on_network = near & universe.on_nodes
            if near is block.servers:
                other = universe.sets.sub(other, universe.on_nodes)  # noqa: PLW2901 - those were the first
            if nodes := universe.nodes_of(on_network) & universe.nodes_of(other):
                found = self._within(on_network, nodes), self._within(other, nodes)
                yield found if near is block.clients else found[::-1]

    def _within(self, atoms: PeerSet, nodes: frozenset[str]) -> Ends:
        """Return the ends at some atoms that are on some nodes."""
        ends = self.ends(atoms)
        parts = (self.snapshot.nodes[name].speaks_from for name in nodes if name in self.snapshot.nodes)
        addresses = Intervals.of((address, address) for part in parts for address in part)
        return Ends(tuple(pod for pod in ends.pods if pod.node in nodes), ends.addresses & addresses)

    def share_node(self, client: End, server: End) -> bool:
        """Tell whether one end of a pair is on the network of the node that the other is on."""
        homes = [end.node if isinstance(end, Pod) else self.snapshot.node_at(end) for end in (client, server)]
        on_network = [self.snapshot.node_of(end) for end in (client, server)]
        return homes[0] is not None and homes[0] == homes[1] and on_network != [None, None]

    def _masks(self, direction: Direction, subject: End, peer: End, family: Family, via: str | None) -> tuple[int, int]:
        """Return the masks of what is surely and of what is possibly allowed in one direction."""
        meets = self._meets(direction, subject, peer, family, via)
        return self._judged(direction, meets) if meets else (self._compiler.traffic.everything,) * 2

    def _meets(self, direction: Direction, subject: End, peer: End, family: Family, via: str | None) -> _Meets | None:
        """Return how a subject meets a peer; None where no policy is asked."""
        pod, peer_pod = self._pod(subject), self._pod(peer)
        loopback = direction is Direction.EGRESS and not isinstance(peer, Pod) and peer in LOOPBACK
        if pod is None or (pod == peer_pod and via is None) or loopback:
            return None
        near = pod.node is not None and self.snapshot.node_of(peer) == pod.node
        number, universe = self.class_of(pod), self.universe
        atoms = (universe.sources_of if direction is Direction.INGRESS else universe.atoms_of)(peer, family)
        programs = tuple(self._rows.program(number, direction, choices) for choices in self._readings)
        return programs, pod == peer_pod, near, atoms

    def _judged(self, direction: Direction, meets: _Meets) -> tuple[int, int]:
        """Return the masks of what programs allow, surely and possibly."""
        programs, itself, near, atoms = meets
        masks, mask_at = [], self._compiler.rows.mask_at
        for program, choices in zip(programs, self._readings, strict=True):
            meeting = Meeting.ITSELF if itself else Meeting.ORDINARY
            if near and self._rows.is_exempt(direction, choices):
                meeting = Meeting.OWN_NODE
            least, most = self._rows.bounds(program, meeting, choices)
            masks += [(mask_at(least, atom), mask_at(most, atom)) for atom in atoms]
        return reduce(and_, (low for low, _ in masks)), reduce(or_, (high for _, high in masks))

    def _pod(self, end: End) -> Pod | None:
        return end if isinstance(end, Pod) else self.snapshot.pod_at(end)

    def _by_address(self, row: Row, family: Family) -> tuple[tuple[int, Intervals], ...]:
        """Return a row by address: each mask with all addresses of a family that have it."""
        key = (row, family)
        if key not in self._addresses_of:
            universe, ids = self.universe, self.universe.sets.ids
            sides = [(mask, list(ids(held & universe.of_family(family)))) for mask, held in row]
            most = max(range(len(sides)), key=lambda place: len(sides[place][1]))
            found = [
                (mask, Intervals.union(universe.addresses[atom] for atom in atoms) if place != most else EMPTY)
                for place, (mask, atoms) in enumerate(sides)
            ]
            # Where most atoms are is all the rest: the rows of a subject hold every address.
            found[most] = (found[most][0], EVERY[family] - Intervals.union(each for _, each in found))
            self._addresses_of[key] = tuple(found)
        return self._addresses_of[key]

    def _judged_alone(self, pod: Pod, family: Family) -> set[Address]:
        """Return the addresses at which a pod meets itself or its node."""
        node = self.snapshot.nodes.get(pod.node or "")
        found = (*pod.addresses.values(), *(node.speaks_from if node else ()))
        return {address for address in found if family_of(address) is family}

    def _pair_traffic(self, surely: int, possibly: int) -> PairTraffic:
        key = (surely, possibly)
        if key not in self._traffic_of:
            traffic = self._compiler.traffic.traffic
            self._traffic_of[key] = PairTraffic(traffic(surely), traffic(possibly & ~surely))
        return self._traffic_of[key]
