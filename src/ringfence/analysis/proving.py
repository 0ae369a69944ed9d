"""Whether intents hold: a proof by rectangles of pairs, or a connection that breaks one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import EVERY
from ringfence.algebra.intervals import Intervals
from ringfence.algebra.traffic import at
from ringfence.analysis.intents import Aim
from ringfence.analysis.isolation import Isolation
from ringfence.analysis.witness import own_node_pairs, pairs
from ringfence.model.connection import Connection
from ringfence.semantics.ends import Ends
from ringfence.semantics.scene import Scenes
from ringfence.semantics.spec import verdict
from ringfence.semantics.summary import lines_between
from ringfence.semantics.verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.algebra.addresses import Family
    from ringfence.analysis.intents import Aimed, Intent
    from ringfence.model.connection import End
    from ringfence.semantics.dialects import Dialect
    from ringfence.semantics.engine import Engine
    from ringfence.semantics.grounds import Ground
    from ringfence.semantics.reachability import PairTraffic
    from ringfence.semantics.sets import PeerSet
    from ringfence.semantics.summary import Line, Meant
    from ringfence.semantics.verdict import Verdict


class Standing(Enum):
    """How an intent stands."""

    HELD = "held"
    BROKEN = "broken"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Counterexample:
    """A connection that is not as an intent says, or may not be.

    Attributes:
        connection: The connection.
        verdict: The definition's.
    """

    connection: Connection
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Finding:
    """How one intent stands.

    Attributes:
        intent: The intent.
        standing: How it stands.
        counterexample: A connection that breaks it or leaves it undecided; None where it holds.
        grounds: Of ``isolated`` that holds, where asked for: the policies and rules that keep the groups apart.
    """

    intent: Intent
    standing: Standing
    counterexample: Counterexample | None = None
    grounds: tuple[Ground, ...] = ()


_Found = tuple["End", "End", "Family", Intervals]
"""A client, a server, their family, and traffic on which they break an intent."""

_Rectangle = tuple["PeerSet", "PeerSet", Intervals]
"""Clients, servers, and traffic that they still lack."""


class Proof:
    """Proves intents about one engine's snapshot."""

    def __init__(self, engine: Engine, dialect: Dialect) -> None:
        """Take the dialect of the engine, for verdicts."""
        self._engine, self._dialect = engine, dialect
        self._scenes = Scenes(engine.snapshot)

    def find(self, aimed: Aimed, *, grounds: bool = False) -> Finding:
        """Tell how an intent stands; ``grounds``: with what keeps groups apart."""
        search = {Aim.ALLOW: self._lacking, Aim.DENY: self._passing, Aim.ONLY: self._passing}
        looking = search.get(aimed.intent.aim, self._leaking)
        # What is certainly broken counts more than what may be.
        for standing in (Standing.BROKEN, Standing.UNDECIDED):
            for client, server, family, traffic in looking(aimed, standing):
                return Finding(aimed.intent, standing, self._counterexample(client, server, family, traffic))
        kept = dict.fromkeys(self._kept_apart(aimed) if grounds else ())
        return Finding(aimed.intent, Standing.HELD, grounds=tuple(kept))

    def _passing(self, aimed: Aimed, standing: Standing) -> Iterator[_Found]:
        """Yield what passes, or may pass, and must not."""
        wanted = Outcome.ALLOWED if standing is Standing.BROKEN else Outcome.UNDECIDED
        for line in lines_between(self._engine, aimed.clients, aimed.servers):
            if line.outcome is wanted:
                # No policy of the NetworkPolicy tier keeps a pod from its own node, so only does not ask it to.
                found = self._on_line(line)
                spared = aimed.intent.aim is Aim.ONLY
                yield from (each for each in found if not (spared and self._engine.share_node(*each[:2])))

    def _on_line(self, line: Line) -> Iterator[_Found]:
        """Yield the pairs of a line that are as it says."""
        for family in line.families:
            sides = _in_family(self._engine, line.clients, family), _in_family(self._engine, line.servers, family)
            for client, server in (own_node_pairs if line.own_node else pairs)(self._engine, *sides):
                told = self._engine.allowed(client, server, family)
                if found := _of(told, line.outcome) & line.traffic:
                    yield client, server, family, found

    def _lacking(self, aimed: Aimed, standing: Standing) -> Iterator[_Found]:
        """Yield what does not pass, or may not, and must."""
        for clients in aimed.clients:
            for servers in aimed.servers:
                if clients.family is servers.family:
                    yield from self._lacking_between(clients, servers, standing)

    def _lacking_between(self, clients: Meant, servers: Meant, standing: Standing) -> Iterator[_Found]:
        engine, family = self._engine, clients.family
        sides = engine.atoms(clients.ends, family), engine.atoms(servers.ends, family)
        rest: list[_Rectangle] = [(*sides, clients.traffic & servers.traffic)]
        for block in engine.blocks(family, sides):
            told = block.traffic
            passing = told.allowed | told.undecided if standing is Standing.BROKEN else told.allowed
            rest = [part for each in rest for part in self._less(each, (block.clients, block.servers, passing))]
        for some, others, traffic in rest:
            # Pairs that share a node may have more than the block says: each is asked until one lacks something.
            for client, server in pairs(engine, self._meant(some, clients), self._meant(others, servers)):
                told = engine.allowed(client, server, family)
                lacking = traffic - told.allowed
                if found := lacking - told.undecided if standing is Standing.BROKEN else lacking:
                    yield client, server, family, found

    def _less(self, one: _Rectangle, other: _Rectangle) -> Iterator[_Rectangle]:
        """Yield what one rectangle lacks when another is taken away; disjoint."""
        clients, servers, traffic = (a & b for a, b in zip(one, other, strict=True))
        if not (clients and servers and traffic):
            yield one
            return
        sub = self._engine.sets.sub
        parts = (
            (sub(one[0], clients), one[1], one[2]),
            (clients, sub(one[1], servers), one[2]),
            (clients, servers, one[2] - traffic),
        )
        yield from (part for part in parts if all(part))

    def _meant(self, atoms: PeerSet, meant: Meant) -> Ends:
        """Return those who stand at some atoms and are meant."""
        wanted = {(pod.namespace, pod.name) for pod in meant.ends.pods}
        ends = self._engine.ends(atoms)
        pods = tuple(pod for pod in ends.pods if (pod.namespace, pod.name) in wanted)
        return Ends(pods, ends.addresses & meant.ends.addresses)

    def _leaking(self, aimed: Aimed, standing: Standing) -> Iterator[_Found]:
        """Yield what passes, or may pass, from one group to another."""
        wanted = Outcome.ALLOWED if standing is Standing.BROKEN else Outcome.UNDECIDED
        for family in self._engine.snapshot.families:
            for client, server, told in Isolation(self._engine, aimed.groups, family).leaks():
                if found := _of(told, wanted):
                    yield client, server, family, found

    def _kept_apart(self, aimed: Aimed) -> Iterator[Ground]:
        for family in self._engine.snapshot.families:
            yield from Isolation(self._engine, aimed.groups, family).grounds()

    def _counterexample(self, client: End, server: End, family: Family, traffic: Intervals) -> Counterexample:
        first, last = traffic.ranges[0]
        protocol, port = at(
            first if at(first)[1] or first == last else first + 1
        )  # port 0 only where there is no other
        connection = Connection(client, server, protocol, port, family)
        judged = verdict(self._scenes.around((client, server)), connection, self._dialect)
        return Counterexample(connection, judged)


def _of(told: PairTraffic, outcome: Outcome) -> Intervals:
    return told.allowed if outcome is Outcome.ALLOWED else told.undecided


def _in_family(engine: Engine, ends: Ends, family: Family) -> Ends:
    """Return the ends that a family has."""
    families_of = engine.snapshot.families_of
    return Ends(tuple(pod for pod in ends.pods if family in families_of(pod)), ends.addresses & EVERY[family])
