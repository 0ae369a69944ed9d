"""Which open points the whole reachability rests on: where another choice would change the answer of some pair.

It is what :attr:`ringfence.semantics.verdict.Verdict.undefined` says of single connections, asked
of all pairs at once; likewise what is not known and would decide what is undecided. A half of a
pair *rests* on a point where the point, decided the other way, changes the half's outcome; the
pair rests on it unless its other half is denied whatever anybody decides. So what rests in one
direction has to meet what is *possible* in the other: allowed, or undecided, in some reading.
Most subjects rest on nothing, which is what makes it cheap.
"""

from __future__ import annotations

from itertools import chain, islice, product
from operator import xor
from typing import TYPE_CHECKING, TypeVar

from ringfence.algebra.addresses import Address
from ringfence.model.cluster import Pod
from ringfence.model.policy import BlockPeer, Direction, Tier, has_equals
from ringfence.semantics.dialects import TIES, Choices, Topic
from ringfence.semantics.reachability import Overlay
from ringfence.semantics.rectangles import Index, Rectangle, meet, said, with_a_pod
from ringfence.semantics.unknown import Known, unknown_of, ways_to_know

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from ringfence.model.connection import End
    from ringfence.semantics.dialects import Dialect
    from ringfence.semantics.ends import Ends
    from ringfence.semantics.rectangles import Column, Masks
    from ringfence.semantics.rows import Said
    from ringfence.semantics.sets import PeerSet
    from ringfence.semantics.universe import Universe
    from ringfence.semantics.unknown import Unknown

    SaidOf = Callable[[int | None, Direction, tuple[Choices, ...]], Said]
    """What the policies of a class say in one direction, under several readings together."""


_Flip = TypeVar("_Flip", Topic, Known)

SAMPLED = 64
"""Pairs that are tried one by one for each point and direction, before all are looked at together."""


def touching(universe: Universe) -> tuple[Topic, ...]:
    """Return the open points that may matter to a pair of ends, no Service between them, given what there is."""
    policies = universe.snapshot.policies
    hosts = any(pod_class.on_node is not None for pod_class in universe.classes)
    isolating = [policy for policy in policies if policy.tier is Tier.NETWORK_POLICY]
    rules = (rule for policy in isolating for direction in Direction for rule in policy.rules(direction))
    blocks = {peer for rule in rules for peer in rule.peers if isinstance(peer, BlockPeer)}
    held = universe.sets.union(universe.meant_by(block)[1] for block in blocks)
    touched = dict.fromkeys((Topic.HAIRPIN_EGRESS, Topic.HAIRPIN_INGRESS, Topic.SERVICE_ADDRESS), False) | {
        **dict.fromkeys((Topic.FIRST_NAME, Topic.LAST_NAME), has_equals(policies)),
        Topic.POD_TO_OWN_NODE: bool(isolating) and bool(universe.on_nodes),
        Topic.ICMP: bool(isolating),
        Topic.HOST_NETWORK: hosts and bool(policies),
        Topic.HOST_EGRESS: hosts and bool(policies),
        Topic.BLOCK_PODS: bool(held & universe.in_cluster(_BLOCKED[Topic.BLOCK_PODS])),
        Topic.BLOCK_NODES: bool(held & universe.in_cluster(_BLOCKED[Topic.BLOCK_NODES])),
        Topic.BASELINE: bool(isolating) and any(policy.tier is Tier.BASELINE for policy in policies),
    }
    return tuple(topic for topic in Topic if touched.get(topic, True))


def asked(universe: Universe) -> tuple[Unknown, ...]:
    """Return what is not known and some rule asks for, each once."""
    policies = universe.snapshot.policies
    rules = (rule for policy in policies for direction in Direction for rule in policy.rules(direction))
    return tuple(dict.fromkeys(each for rule in rules for peer in rule.peers for each in unknown_of(peer)))


_BLOCKED = {
    Topic.BLOCK_PODS: Choices({Topic.BLOCK_PODS, Topic.HOST_NETWORK}),
    Topic.BLOCK_NODES: Choices({Topic.BLOCK_NODES}),
}
"""The choices under which a block matches the fewest ends, as far as one point decides it."""


_OTHER = dict(zip(Direction, reversed(Direction), strict=True))


class Resting:
    """Finds the open points that the answers about some pairs rest on."""

    def __init__(
        self,
        universe: Universe,
        dialect: Dialect,
        said_of: SaidOf,
        ends: Callable[[PeerSet], Ends],
        share_node: Callable[[End, End], bool],
    ) -> None:
        """Prepare.

        Args:
            universe: One that tells apart what any choice of these points tells apart.
            dialect: Whose answers are asked about.
            said_of: What policies say.
            ends: The ends on one side of a rectangle.
            share_node: Whether one end is on the network of the node that the other is on.
        """
        self._universe, self._said_of, self._ends_at, self._share_node = universe, said_of, ends, share_node
        self._own = (dialect.choices,)
        self._differences: dict[tuple[Said, Said], Column] = {}
        self._topics = {topic: dialect.flipped(topic).choices for topic in touching(universe)}
        self._known = {
            known: dialect.knowing(known).choices for each in asked(universe) for known in ways_to_know(each)
        }
        # A way out of a tie, or more knowledge, makes nothing possible that is not.
        self._any = (*self._own, *(choices for topic, choices in self._topics.items() if topic not in TIES))

    def topics(self, namespace: str | None = None) -> tuple[Topic, ...]:
        """Return the points on which some answer rests.

        Args:
            namespace: Only pairs with an end in this namespace; None for all.
        """
        found = self._found(self._topics, namespace)
        return tuple(topic for topic in self._topics if topic in found)

    def unknown(self, namespace: str | None = None) -> tuple[Unknown, ...]:
        """Return what would decide some undecided answer if it were known; sorted.

        Args:
            namespace: Only pairs with an end in this namespace; None for all.
        """
        return tuple(sorted({known.unknown for known in self._found(self._known, namespace)}))

    def _found(self, flips: Mapping[_Flip, Choices], namespace: str | None) -> set[_Flip]:
        """Return the readings under which some answer is another."""
        found: set[_Flip] = set()
        for family in self._universe.snapshot.families if flips else ():
            overlay = Overlay(self._universe, family, lambda number, side: self._said_of(number, side, self._any))
            possible: dict[Direction, Index] = {}
            self._differences.clear()  # columns are those of one family
            for flip, choices in flips.items():
                flipped = (choices,)
                met = chain(self._sampled(overlay, flipped, namespace), self._met(overlay, flipped, possible))
                if flip not in found and any(self._is_told(overlay, each, namespace) for each in met):
                    found.add(flip)
        return found

    def _sampled(self, overlay: Overlay, flipped: tuple[Choices, ...], namespace: str | None) -> Iterator[Rectangle]:
        """Yield some of what :meth:`_met` finds, a subject and a peer each, without looking at every subject."""
        members = enumerate(self._universe.members)
        wanted = {number for number, pods in members if any(namespace in {None, pod.namespace} for pod in pods)}
        subjects = {atom: number for atom, number in overlay.subjects.items() if number in wanted}
        for direction in Direction:
            yield from islice(self._of_subjects(overlay, direction, subjects, flipped), SAMPLED)

    def _of_subjects(
        self, overlay: Overlay, direction: Direction, subjects: Mapping[int, int | None], flipped: tuple[Choices, ...]
    ) -> Iterator[Rectangle]:
        """Yield, subject by subject, a peer or two of each cell in which a reading says otherwise."""
        sets = self._universe.sets
        for atom, number in subjects.items():
            for masks, held in self._differing(overlay, direction, number, flipped):
                first, *others = sets.ids(held) if not masks[0] else islice(sets.ids(held), 1)
                # What concerns the own node alone is tried with a node as well, which comes behind pods on its network.
                for peer in (first, *others[-1:]):
                    told = overlay.column(self._said_of(overlay.subjects[peer], _OTHER[direction], self._any))
                    possible = next(masks for masks, subjects in told if sets.has(subjects, atom))
                    both = (masks[0] & possible[1], masks[1] & possible[3])
                    sides = (sets.of([atom]), sets.of([peer]))
                    yield Rectangle(*(sides if direction is Direction.EGRESS else sides[::-1]), both)

    def _met(
        self, overlay: Overlay, flipped: tuple[Choices, ...], possible: dict[Direction, Index]
    ) -> Iterator[Rectangle]:
        """Yield where what rests in one direction meets what is possible in the other, which is worked out once."""
        for direction in Direction:
            other, rectangles = _OTHER[direction], self._resting(overlay, direction, flipped)
            if rectangles and other not in possible:
                possible[other] = self._possible(overlay, other)
            yield from meet(rectangles, possible[other]) if rectangles else ()

    def _possible(self, overlay: Overlay, direction: Direction) -> Index:
        """Return what is not denied in every reading, in one direction."""
        columns = (
            (subjects, _merged((masks[1::2], atoms) for masks, atoms in overlay.column(told)))
            for told, subjects in overlay.by_said(direction)
        )
        return Index(self._universe.sets, said(self._universe.sets, direction, columns))

    def _resting(self, overlay: Overlay, direction: Direction, flipped: tuple[Choices, ...]) -> list[Rectangle]:
        """Return where a reading says otherwise than the dialect, in one direction."""
        columns = (
            ([atom], self._differing(overlay, direction, number, flipped)) for atom, number in overlay.subjects.items()
        )
        return said(self._universe.sets, direction, columns)

    def _differing(
        self, overlay: Overlay, direction: Direction, number: int | None, flipped: tuple[Choices, ...]
    ) -> Column:
        """Return of whom, and on which traffic, a reading says otherwise to a class; nothing for most."""
        one, other = self._said_of(number, direction, self._own), self._said_of(number, direction, flipped)
        if one is other:
            return ()
        if (one, other) not in self._differences:
            self._differences[one, other] = _differing(overlay.column(one), overlay.column(other))
        return self._differences[one, other]

    def _is_told(self, overlay: Overlay, rectangle: Rectangle, namespace: str | None) -> bool:
        """Tell whether a rectangle, masks of ordinary pairs and of those on one node, says something of some pair."""
        ordinary, near = map(bool, rectangle.masks)
        for each in with_a_pod(self._universe.sets, rectangle, overlay.outside):
            sides = (each.clients, each.servers)
            clients, servers = (tuple(self._each(self._ends_at(side))) for side in sides)
            if (ordinary and near) or not overlay.share_a_node(*sides):
                found = ordinary and any(_pairs(clients, servers, namespace))
            elif ordinary:
                found = any(not self._share_node(*pair) for pair in _pairs(clients, servers, namespace))
            else:
                near_pairs = (_pairs(*each, namespace) for each in self._neighbors(clients, servers))
                found = any(self._share_node(*pair) for pairs in near_pairs for pair in pairs)
            if found:
                return True
        return False

    def _each(self, ends: Ends) -> Iterator[End]:
        """Yield ends one by one; one address stands for all that are no node's."""
        yield from ends.pods
        nodes = self._universe.snapshot.nodes.values()
        of_nodes = [address for node in nodes for address in node.speaks_from if address in ends.addresses]
        yield from of_nodes
        taken = set(of_nodes)
        others = (Address(value) for first, last in ends.addresses for value in range(first, last + 1))
        yield from islice((each for each in others if each not in taken), 1)

    def _neighbors(self, clients: Iterable[End], servers: Iterable[End]) -> Iterator[tuple[list[End], list[End]]]:
        """Yield the clients and servers of each node that has both."""
        by_node: dict[str, tuple[list[End], list[End]]] = {}
        for number, ends in enumerate((clients, servers)):
            for end in ends:
                node = end.node if isinstance(end, Pod) else self._universe.snapshot.node_at(end)
                if node is not None:
                    by_node.setdefault(node, ([], []))[number].append(end)
        yield from by_node.values()


def _pairs(clients: Iterable[End], servers: Iterable[End], namespace: str | None) -> Iterator[tuple[End, End]]:
    """Yield the pairs that a map tells of: a pod at one end, no pod with itself, and an end in the namespace."""
    wanted = [[end for end in ends if _is_in(end, namespace)] for ends in (clients, servers)]
    for client, server in chain(product(wanted[0], servers), product(clients, wanted[1])):
        if client != server and (isinstance(client, Pod) or isinstance(server, Pod)):
            yield client, server


def _is_in(end: End, namespace: str | None) -> bool:
    return isinstance(end, Pod) and namespace in {None, end.namespace}


def _merged(cells: Iterable[tuple[Masks, PeerSet]]) -> Column:
    """Return cells with those of the same masks as one."""
    found: dict[Masks, PeerSet] = {}
    for masks, atoms in cells:
        found[masks] = found[masks] | atoms if masks in found else atoms
    return tuple(found.items())


def _differing(one: Column, other: Column) -> Column:
    """Return on which traffic two columns have another outcome: of ordinary pairs, and of those on one node."""
    both = ((_changed(a, b), held & told) for a, held in one for b, told in other)
    return _merged((masks, atoms) for masks, atoms in both if any(masks) and atoms)


def _changed(one: Masks, other: Masks) -> Masks:
    least, most, near_least, near_most = map(xor, one, other)
    return least | most, near_least | near_most
