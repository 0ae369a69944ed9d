"""Plain questions: one client and one server, each of pods that are all alike, on one port.

Nearly every line of a batch is one. Nothing of it needs to be cut up and put together, so
what was found of its names is looked up, and its halves are those of the verdict path.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from ringfence.algebra.traffic import point
from ringfence.errors import InputError
from ringfence.model.naming import ObjectName, PodsName
from ringfence.model.policy import Direction
from ringfence.semantics.assumptions import family_premise, named_blocks, rules_of, shows_families

if TYPE_CHECKING:
    from ringfence.algebra.addresses import Family
    from ringfence.model.cluster import Pod
    from ringfence.model.origin import Origin
    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics.judging import Judge, Standing
    from ringfence.semantics.question import Question
    from ringfence.semantics.sides import Sides
    from ringfence.semantics.surroundings import Surroundings
    from ringfence.semantics.verdict import Assumption, Half

_NAMES = 131_072
"""So many names are remembered: a bound on memory while questions keep coming."""


class Wanted:
    """What plain questions ask about, whoever is asked; made once for many of them.

    Attributes:
        question: The question; its names are not looked at.
        point: The point of the line of traffic, where a port says it by number; else None.
    """

    __slots__ = ("point", "question")

    def __init__(self, question: Question) -> None:
        """Take what a question asks about."""
        self.question = question
        self.point: int | None = None
        if question.protocol is not None and isinstance(question.port, tuple) and question.port[0] == question.port[1]:
            self.point = point(question.protocol, question.port[0])

    def point_at(self, server: Pod) -> int | None:
        """Return the point that is asked about at a server; None for several, and for none."""
        meant = self.question.traffic_to(server)
        return meant.ranges[0][0] if meant.count() == 1 else None


@dataclass(eq=False, slots=True)
class Known:
    """Whom a name means, where all of them are alike.

    Attributes:
        name: The name in full.
        spokesmen: One pod, or the first two of several.
        pod: The first of them.
        families: The families to ask about, in order; equal ones are one object.
        on_network: Whether any is on the network of a node that is known.
    """

    name: str
    spokesmen: tuple[Standing, ...]
    pod: Pod
    families: tuple[Family, ...]
    on_network: bool

    def blocks(self, direction: Direction) -> tuple[Origin, ...]:
        """Return where its policies name addresses in one direction."""
        standing = self.spokesmen[0]
        if direction not in standing.blocks:
            standing.blocks[direction] = named_blocks(rules_of(standing.policies, direction))
        return standing.blocks[direction]


class Plain(NamedTuple):
    """The answer to a plain question; it has one part.

    Attributes:
        client: Who asks.
        server: Who is asked.
        traffic: The point of the line of traffic.
        families: The families in which it was judged, in order.
        egress: What the client's policies say, told of stand-ins.
        ingress: What the server's policies say, likewise.
    """

    client: Known
    server: Known
    traffic: int
    families: tuple[Family, ...]
    egress: Half
    ingress: Half


class ShortWay:
    """Answers the plain questions about one snapshot, exactly as the long way does."""

    def __init__(self, snapshot: Snapshot, sides: Sides, surroundings: Surroundings, judge: Judge) -> None:
        """Take the parts of the long way that this one has in common with it."""
        self._snapshot, self._sides = snapshot, sides
        self._judge = judge
        self._known: dict[str, Known | None] = {}
        self._families: dict[tuple[Family, ...], tuple[Family, ...]] = {}
        self._told_of = surroundings.told_of

    def answer(self, client: str, server: str, wanted: Wanted) -> Plain | None:
        """Answer a question, or return None where it is not plain or cannot be answered."""
        one = self._known.get(client) or self._find("client", client)
        other = self._known.get(server) or self._find("server", server)
        if one is None or other is None:
            return None
        if (one.on_network or other.on_network) and len(one.spokesmen) + len(other.spokesmen) > 2:
            return None  # who of several shares a node with the other end may matter
        traffic = wanted.point or wanted.point_at(other.pod)
        if traffic is None or traffic in self._told_of:
            return None
        families, family = one.families, wanted.question.family
        if families is not other.families or family is not None:
            families = tuple(f for f in families if f in other.families and family in (None, f))
            if not families:
                return None
        ends = (one.spokesmen[0], other.spokesmen[0])
        if ends[0] is ends[1]:
            ends = _two(one, other)
        judged = self._judge.halves(*ends, families[0], traffic)
        if len(families) > 1 and any(self._judge.halves(*ends, each, traffic) != judged for each in families[1:]):
            return None
        return Plain(one, other, traffic, families, *judged)

    def premises(self, plain: Plain, wanted: Wanted) -> tuple[Assumption, ...]:
        """Return what is taken for granted of a plain question itself."""
        if self._families_are_known or wanted.question.family is not None:
            return ()
        blocks = plain.client.blocks(Direction.EGRESS), plain.server.blocks(Direction.INGRESS)
        return family_premise((*blocks[0], *blocks[1])) if blocks != ((), ()) else ()

    @cached_property
    def _families_are_known(self) -> bool:
        return shows_families(self._snapshot)

    def _find(self, role: str, text: str) -> Known | None:
        """Return whom a name means, and remember it; None for others than pods that are all alike."""
        if text in self._known:
            return self._known[text]
        try:
            name = self._sides.read(role, text)
            party = self._sides.party(role, name) if isinstance(name, ObjectName | PodsName) else None
        except InputError:
            return None  # the long way says why
        group = self._sides.alike(party) if party else None
        if len(self._known) >= _NAMES:
            self._known.clear()
        found = None
        if party and group:
            pods = group.members.pods
            on_network = any(self._snapshot.node_of(pod) is not None for pod in pods)
            families = self._families.setdefault(group.families, group.families)
            found = Known(party.name, tuple(map(self._judge.standing, pods[:2])), pods[0], families, on_network)
        self._known[text] = found
        return found


def _two(client: Known, server: Known) -> tuple[Standing, Standing]:
    """Return two different pods, unless nothing else was asked than about one with itself."""
    pairs = [(one, other) for one in client.spokesmen for other in server.spokesmen]
    return next((pair for pair in pairs if pair[0] is not pair[1]), pairs[0])
