"""What edits change: the world as it is beside the one with them, and the question asked again there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ringfence.algebra.intervals import Intervals
from ringfence.analysis.difference import Shift, Where, difference
from ringfence.analysis.edits import Wanted, applied
from ringfence.model.policy import Direction
from ringfence.semantics.answer import Respondent
from ringfence.semantics.ends import Ends
from ringfence.semantics.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ringfence.analysis.edits import Edit
    from ringfence.model.cluster import Pod
    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics.answer import Answer, Part
    from ringfence.semantics.dialects import Dialect
    from ringfence.semantics.verdict import Assumption, Half, Outcome


@dataclass(frozen=True, slots=True)
class Change:
    """What would turn what an answer says.

    Attributes:
        edits: All together, those of egress first; empty when there are none.
        others: What else they would change: rows of connections that were not asked about.
        reason: Why there is no edit; empty when there is one.
        assumptions: What the answer would then rest on and does not now.
    """

    edits: tuple[Edit, ...]
    others: tuple[Shift, ...] = ()
    reason: str = ""
    assumptions: tuple[Assumption, ...] = ()


def half_of(part: Part, direction: Direction) -> Half:
    """Return what a part says of one direction."""
    return part.verdict.egress if direction is Direction.EGRESS else part.verdict.ingress


def wanted_of(parts: Sequence[Part], direction: Direction) -> Wanted:
    """Return what policies of one direction would have to say of some parts; at least one."""
    egress = direction is Direction.EGRESS
    subjects: dict[tuple[str, str], Pod] = {}
    others: dict[tuple[str, str], Pod] = {}
    addresses = traffic = Intervals()
    for part in parts:
        (clients, servers), on = _seen(part, direction)
        subject, other = (clients, servers) if egress else (servers, clients)
        subjects |= {(pod.namespace, pod.name): pod for pod in subject.pods}
        others |= {(pod.namespace, pod.name): pod for pod in other.pods}
        addresses |= other.addresses
        traffic |= on
    return Wanted(direction, _in_order(subjects), Ends(_in_order(others), addresses), traffic)


def count(shifts: Sequence[Shift]) -> int:
    """Return how many connections rows are about: each client with each server on each port; addresses are counted."""
    return sum(_pairs(each) * each.traffic.count() * len(each.families) for each in shifts)


class Weighing:
    """Weighs edits by what differs between the world as it is and the one with them."""

    def __init__(
        self, answer: Answer, snapshot: Snapshot, dialect: Dialect, parts: Sequence[Part], turned: Outcome
    ) -> None:
        """Take what is to be answered otherwise.

        Args:
            answer: The answer.
            snapshot: What it is about.
            dialect: Who decided what the APIs leave open.
            parts: The parts of the answer that are meant, at least one; all of one outcome.
            turned: What they are to say.
        """
        self._answer, self._snapshot, self._dialect = answer, snapshot, dialect
        self._turned, self._outcome = turned, parts[0].verdict.outcome
        self._asked = [
            Shift(*ends, traffic, part.families, self._outcome, turned)
            for part in parts
            for direction in (Direction if part.sight else (Direction.EGRESS,))
            for ends, traffic in (_seen(part, direction),)
        ]
        self._as_asked = all(part.sight is None for part in parts)
        self._engine = Engine(snapshot, dialect)

    def consider(self, edits: Iterable[Edit]) -> None:
        """Prepare for some edits: one universe tells all of them apart, so that each costs only what it changes."""
        everything = (*self._snapshot.policies, *(edit.after for edit in edits))
        fine = Engine(replace(self._snapshot, policies=everything), self._dialect)
        self._engine = fine.revised(self._snapshot.policies)

    def others(self, edits: Sequence[Edit]) -> list[Shift] | None:
        """Return what else some edits change; None if what was asked is not answered as it is meant to be."""
        policies = applied(edits, self._snapshot.policies)
        shifts = difference(self._engine, self._engine.revised(policies)).shifts
        turned = [row for row in shifts if row.after is self._turned and row.where is not Where.OWN_NODE]
        if self._as_asked and any(_pairs(rest) for rest in _less(self._asked, turned)):
            return None
        rest = [row for row in _less(shifts, self._asked) if _pairs(row)]
        return rest if self._as_asked or self.turns(edits) else None

    def turns(self, edits: Sequence[Edit]) -> bool:
        """Tell whether the question, asked again with some edits, is answered as it is meant to be."""
        before = {part.verdict.outcome for part in self._answer.parts} - {self._outcome}
        return {part.verdict.outcome for part in self._again(edits).parts} <= before | {self._turned}

    def change(self, edits: Sequence[Edit]) -> Change:
        """Return some edits that turn the answer, with all that is to be said of them."""
        written = (  # a rule that is yet to be written stands nowhere
            replace(each, origins=tuple(origin for origin in each.origins if origin.source))
            for each in self._again(edits).assumptions
        )
        assumed = tuple(each for each in written if each not in self._answer.assumptions)
        return Change(tuple(edits), tuple(self.others(edits) or ()), assumptions=assumed)

    def _again(self, edits: Sequence[Edit]) -> Answer:
        """Ask the question again with some edits."""
        policies = applied(edits, self._snapshot.policies)
        ordered = tuple(sorted(policies, key=lambda policy: (policy.kind, policy.name)))
        world = replace(self._snapshot, policies=ordered)
        return Respondent(world, dialect=self._dialect).answer(self._answer.question)


def _seen(part: Part, direction: Direction) -> tuple[tuple[Ends, Ends], Intervals]:
    """Return who meets whom in one direction of a part, and on what: a Service is not among them."""
    if part.sight is None:
        return (part.clients, part.servers), part.traffic
    other = part.sight.seen(direction)
    ends = part.clients, part.servers
    if other is not None:
        ends = (part.clients, other) if direction is Direction.EGRESS else (other, part.servers)
    return ends, part.sight.traffic(direction)


def _in_order(pods: dict[tuple[str, str], Pod]) -> tuple[Pod, ...]:
    return tuple(pods[key] for key in sorted(pods))


def _pairs(row: Shift) -> int:
    """Return how many pairs a row is about; a pod with itself is none."""
    sides = [len(ends.pods) + ends.addresses.count() for ends in (row.clients, row.servers)]
    return sides[0] * sides[1] - len((row.clients & row.servers).pods)


def _less(rows: Sequence[Shift], others: Sequence[Shift]) -> list[Shift]:
    """Return what rows are about and others are not; disjoint if the rows are."""
    rest = list(rows)
    for other in others:
        rest = [part for row in rest for part in _outside(row, other)]
    return rest


def _outside(row: Shift, other: Shift) -> Iterator[Shift]:
    """Yield what a row is about and another is not, as disjoint rows."""
    clients, servers, traffic = row.clients & other.clients, row.servers & other.servers, row.traffic & other.traffic
    families = tuple(each for each in row.families if each in other.families)
    if not (clients and servers and traffic and families):
        yield row
        return
    parts = (
        replace(row, families=tuple(each for each in row.families if each not in families)),
        replace(row, families=families, clients=row.clients - clients),
        replace(row, families=families, clients=clients, servers=row.servers - servers),
        replace(row, families=families, clients=clients, servers=servers, traffic=row.traffic - traffic),
    )
    yield from (part for part in parts if part.families and part.clients and part.servers and part.traffic)
