"""What differs between two worlds, as few rows as there can be: connections, not texts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, cast

from ringfence.algebra.addresses import EVERY
from ringfence.algebra.intervals import EMPTY, Intervals
from ringfence.algebra.traffic import ALL
from ringfence.analysis.comparison import Comparison
from ringfence.model.policy import Direction
from ringfence.semantics.ends import Ends
from ringfence.semantics.gathering import Answer, bits_of, gather, pairs
from ringfence.semantics.grounds import Grounds
from ringfence.semantics.summary import Meant, lines_between
from ringfence.semantics.verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ringfence.algebra.addresses import Family
    from ringfence.model.cluster import Pod
    from ringfence.semantics.engine import Engine
    from ringfence.semantics.reachability import PairTraffic
    from ringfence.semantics.summary import Line


class Where(Enum):
    """Of which pairs something is said."""

    ANYWHERE = "anywhere"
    OWN_NODE = "own node"
    """Those of which one end is on the network of the node that the other is on."""
    OTHER_NODES = "other nodes"
    """All but those."""


@dataclass(frozen=True, slots=True)
class Shift:
    """Every client with every server, and traffic that is answered otherwise than before.

    A pod with itself is not meant, even if it is on both sides.

    Attributes:
        clients: Pods alone, or addresses alone that are no pod's own.
        servers: Pods, or such addresses where the clients are pods.
        traffic: Never empty.
        families: In which families, in order.
        before: What was answered.
        after: What is answered now.
        where: Which of these pairs are meant.
    """

    clients: Ends
    servers: Ends
    traffic: Intervals
    families: tuple[Family, ...]
    before: Outcome
    after: Outcome
    where: Where = Where.ANYWHERE

    @property
    def opens(self) -> bool:
        """Whether more may pass than before."""
        return _RANK[self.after] > _RANK[self.before]


_RANK = {Outcome.DENIED: 0, Outcome.UNDECIDED: 1, Outcome.ALLOWED: 2}


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs between two worlds.

    Attributes:
        shifts: Between ends that are in both.
        gone: What passed to and from pods that were there, and of which the world after has neither name nor workload.
        new: What passes to and from pods of which the world before has neither.
    """

    shifts: tuple[Shift, ...]
    gone: tuple[Line, ...]
    new: tuple[Line, ...]

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return bool(self.shifts or self.gone or self.new)

    @property
    def exposures(self) -> tuple[Shift | Line, ...]:
        """The rows in which somebody outside reaches a pod that it did not reach before, surely or perhaps."""
        opened = (shift for shift in self.shifts if shift.opens and shift.clients.addresses)
        return (*opened, *(line for line in self.new if line.clients.addresses))


@dataclass(frozen=True, slots=True)
class Account:
    """A shift, with what decides about it at the clients and at the servers, in both worlds.

    Attributes:
        shift: The shift.
        before: What decided about egress and ingress.
        after: What decides now.
    """

    shift: Shift
    before: tuple[Grounds, Grounds]
    after: tuple[Grounds, Grounds]


def accounts(before: Engine, after: Engine, shifts: Iterable[Shift]) -> tuple[Account, ...]:
    """Return shifts with what decides about each, in the same order."""
    found = []
    for shift in shifts:
        now = shift.clients, shift.servers
        were = _as_they_were(before, shift.clients), _as_they_were(before, shift.servers)
        found.append(Account(shift, _both_grounds(before, shift, were), _both_grounds(after, shift, now)))
    return tuple(found)


def difference(before: Engine, after: Engine) -> Difference:
    """Return what differs between the worlds of two engines."""
    families = sorted({*before.snapshot.families, *after.snapshot.families})
    comparisons = {family: Comparison(before, after, family) for family in families}
    pods = [pod for pod in after.snapshot.pods if not pod.terminal]
    bits = {(pod.namespace, pod.name): number for number, pod in enumerate(pods)}
    everyone = bits_of(pods, bits)
    told = (
        (pair, family, answer)
        for family, comparison in comparisons.items()
        for sides, answer in _told(comparison)
        for pair in pairs(sides, bits, everyone)
    )
    return Difference(
        tuple(_shift(*row) for row in gather(pods, told)),
        _touching(before, {family: each.gone() for family, each in comparisons.items()}),
        _touching(after, {family: each.new() for family, each in comparisons.items()}),
    )


def _shift(clients: Ends, servers: Ends, answer: Answer) -> Shift:
    before, after, where = cast("tuple[Outcome, Outcome, Where]", answer.said)
    return Shift(clients, servers, answer.traffic, tuple(sorted(answer.families)), before, after, where)


def _told(comparison: Comparison) -> Iterator[tuple[tuple[Ends, Ends], Answer]]:
    """Yield what is answered otherwise: of all pairs of a change, and of those that share a node or do not."""
    for change in comparison.changes():
        sides = comparison.ends(change.clients), comparison.ends(change.servers)
        apart = _shifted(change.before.traffic, change.after.traffic)
        near = _shifted(change.before.own_node, change.after.own_node)
        for said in dict.fromkeys((*apart, *near)):
            some, others = apart.get(said, EMPTY), near.get(said, EMPTY)
            for where, traffic in ((Where.ANYWHERE, some & others), (Where.OTHER_NODES, some - others)):
                if traffic:
                    yield sides, Answer(traffic, (*said, where), own_node=False)
            for both in comparison.own_node_ends(change) if others - some else ():
                yield both, Answer(others - some, (*said, Where.OWN_NODE), own_node=True)


def _touching(engine: Engine, pods: Mapping[Family, tuple[Pod, ...]]) -> tuple[Line, ...]:
    """Return what passes to and from some pods of each family."""
    some, others = [], []
    for family, meant in pods.items():
        if meant:
            names = {(pod.namespace, pod.name) for pod in meant}
            rest = (p for p in engine.snapshot.pods if not p.terminal and (p.namespace, p.name) not in names)
            some.append(Meant(Ends(meant), family))
            others.append(Meant(Ends(tuple(rest), EVERY[family]), family))
    return (*lines_between(engine, some), *lines_between(engine, others, some)) if some else ()


def _as_they_were(before: Engine, ends: Ends) -> Ends:
    """Return the ends of the world before that correspond to some of the world after."""
    named = before.snapshot.pod_named
    same = [(pod, named(pod.namespace, pod.name)) for pod in ends.pods]
    found = {(pod.namespace, pod.name): pod for _, pod in same if pod and not pod.terminal}
    others = {(pod.namespace, pod.workload) for pod, old in same if pod.workload and not (old and not old.terminal)}
    if others:
        alike = (p for p in before.snapshot.pods if not p.terminal and (p.namespace, p.workload) in others)
        found |= {(pod.namespace, pod.name): pod for pod in alike}
    return Ends(tuple(found[key] for key in sorted(found)), ends.addresses)


def _both_grounds(engine: Engine, shift: Shift, sides: tuple[Ends, Ends]) -> tuple[Grounds, Grounds]:
    own_node = shift.where is Where.OWN_NODE
    atoms = [tuple(engine.atoms(ends, family) for ends in sides) for family in shift.families]
    egress, ingress = (
        Grounds.union(engine.grounds(direction, (one, other), shift.traffic, own_node=own_node) for one, other in atoms)
        for direction in (Direction.EGRESS, Direction.INGRESS)
    )
    return egress, ingress


def _shifted(before: PairTraffic, after: PairTraffic) -> dict[tuple[Outcome, Outcome], Intervals]:
    """Return the traffic of each pair of unlike answers, where there is any."""
    old, new = _by_outcome(before), _by_outcome(after)
    met = {
        (one, other): some & others for one, some in old.items() for other, others in new.items() if one is not other
    }
    return {said: traffic for said, traffic in met.items() if traffic}


def _by_outcome(traffic: PairTraffic) -> dict[Outcome, Intervals]:
    denied = ALL - traffic.allowed - traffic.undecided
    return {Outcome.DENIED: denied, Outcome.UNDECIDED: traffic.undecided, Outcome.ALLOWED: traffic.allowed}
