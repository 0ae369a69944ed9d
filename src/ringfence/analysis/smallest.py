"""The smallest change: the edit that allows what was asked and is denied, and as little else as any does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import cidrs
from ringfence.analysis.difference import Shift, Where, difference
from ringfence.analysis.edits import Adds, Edit, Edits, Opening
from ringfence.model.policy import Direction, Tier
from ringfence.semantics.answer import Respondent
from ringfence.semantics.ends import Ends
from ringfence.semantics.engine import Engine
from ringfence.semantics.verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ringfence.model.cluster import Pod
    from ringfence.model.policy import Policy
    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics.answer import Answer, Part
    from ringfence.semantics.dialects import Dialect
    from ringfence.semantics.verdict import Assumption, Half

_MOST_BLOCKS = 16
"""With so many CIDRs nobody would write a rule by hand."""


@dataclass(frozen=True, slots=True)
class Change:
    """What would allow all that an answer denies.

    Attributes:
        edits: One for each direction that denies, egress first; empty when there is none.
        others: What else they would change: rows of connections that were not asked about.
        reason: Why there is no edit; empty when there is one.
        assumptions: What the answer would then rest on and does not now.
    """

    edits: tuple[Edit, ...]
    others: tuple[Shift, ...] = ()
    reason: str = ""
    assumptions: tuple[Assumption, ...] = ()


def smallest_change(answer: Answer, snapshot: Snapshot, dialect: Dialect) -> Change | None:
    """Return the smallest change of NetworkPolicies that allows what an answer denies; None if it denies nothing.

    Of the edits in :mod:`ringfence.analysis.edits` that allow it, the one that answers fewest
    other connections otherwise than before; of those that do equally well the shortest, and
    then the first. Where both directions deny, the one of egress is looked for beside the
    narrowest of ingress, and the one of ingress beside that.

    Args:
        answer: The answer.
        snapshot: What it is about.
        dialect: Who decided what the APIs leave open.
    """
    denied = tuple(part for part in answer.parts if part.verdict.outcome is Outcome.DENIED)
    if not denied:
        return None
    if reason := _out_of_reach(denied):
        return Change((), reason=reason)
    edits = Edits(snapshot)
    found = []
    for opening in _openings(denied):
        if wrong := edits.in_error(opening):
            return Change((), reason=f"{wrong.name} is in error: correct it first")
        candidates = edits.network_policies(opening)
        if not candidates:
            return Change((), reason="no NetworkPolicy can name the other end: its address is not known")
        found.append(candidates)
    change = _Search(snapshot, dialect, denied, found).best()
    return replace(change, assumptions=_assumed(change, answer, snapshot, dialect)) if change.edits else change


def _assumed(change: Change, answer: Answer, snapshot: Snapshot, dialect: Dialect) -> tuple[Assumption, ...]:
    """Return what the answer would rest on, of which it says nothing as long as it denies either way."""
    changed = replace(snapshot, policies=_applied(change.edits, snapshot.policies))
    after = Respondent(changed, dialect=dialect).answer(answer.question)
    written = (  # a rule that is yet to be written stands nowhere
        replace(each, origins=tuple(origin for origin in each.origins if origin.source)) for each in after.assumptions
    )
    return tuple(each for each in written if each not in answer.assumptions)


def size(edit: Edit) -> int:
    """Return how much somebody would write: each peer and range of ports, and what is around them."""
    listed = len(edit.rule.peers) + len(edit.rule.traffic.ranges)
    return listed + {Adds.PEERS: 0, Adds.PORTS: 0, Adds.RULE: 2, Adds.POLICY: 9}[edit.adds]


def count(shifts: Sequence[Shift]) -> int:
    """Return how many connections rows are about: each client with each server on each port; addresses are counted."""
    return sum(_pairs(each) * each.traffic.count() * len(each.families) for each in shifts)


class _Search:
    """Weighs edits by what differs between the world as it is and the one with them."""

    def __init__(
        self, snapshot: Snapshot, dialect: Dialect, denied: tuple[Part, ...], found: list[tuple[Edit, ...]]
    ) -> None:
        # One universe tells all edits from each other, so that each costs only what it changes.
        everything = (*snapshot.policies, *(edit.after for edit in chain.from_iterable(found)))
        fine = Engine(replace(snapshot, policies=everything), dialect)
        self._policies = snapshot.policies
        self._engine = fine.revised(snapshot.policies)
        self._asked = [
            Shift(part.clients, part.servers, part.traffic, part.families, Outcome.DENIED, Outcome.ALLOWED)
            for part in denied
        ]
        self._found = found

    def best(self) -> Change:
        """Return the best edit of each opening together, beginning with the narrowest of all."""
        chosen = [candidates[-1] for candidates in self._found]
        for place, candidates in enumerate(self._found):
            weighed = []
            for order, edit in enumerate(candidates):
                others = self._others((*chosen[:place], edit, *chosen[place + 1 :]))
                if others is not None:
                    weighed.append((count(others), size(edit), order))
            if not weighed:
                reason = "no rule of a NetworkPolicy for one more peer or port would allow all of it"
                return Change((), reason=reason)
            chosen[place] = candidates[min(weighed)[2]]
        return Change(tuple(chosen), tuple(self._others(tuple(chosen)) or ()))

    def _others(self, edits: tuple[Edit, ...]) -> list[Shift] | None:
        """Return what else some edits change; None if they do not allow all that was asked."""
        shifts = difference(self._engine, self._engine.revised(_applied(edits, self._policies))).shifts
        opened = [row for row in shifts if row.after is Outcome.ALLOWED and row.where is not Where.OWN_NODE]
        if any(_pairs(rest) for rest in _less(self._asked, opened)):
            return None
        return [row for row in _less(shifts, self._asked) if _pairs(row)]


def _applied(edits: tuple[Edit, ...], policies: tuple[Policy, ...]) -> tuple[Policy, ...]:
    """Return all policies after several edits; two of them may be of one policy, in either direction."""
    for number, edit in enumerate(edits):
        first = next((each for each in edits[:number] if each.before and each.before is edit.before), None)
        if first:
            both = replace(first.after, egress=first.after.egress, ingress=edit.after.ingress)
            policies = tuple(both if each is first.after else each for each in policies)
        else:
            policies = edit.of(policies)
    return policies


def _out_of_reach(denied: tuple[Part, ...]) -> str:
    """Say why the change is not looked for; empty where it can be."""
    if any(part.hops for part in denied):
        return "ask about the pods behind the Service"
    halves = [half for part in denied for half in part.verdict.halves]
    if any(half.outcome is Outcome.UNDECIDED for half in halves):
        return "one direction is undecided"
    admin = [half for half in halves if half.outcome is Outcome.DENIED and half.tier is Tier.ADMIN]
    if admin:
        return f"{admin[0].reason}, and only who may change that policy can allow it"
    for opening in _openings(denied):
        if len({pod.namespace for pod in opening.subjects}) > 1:
            return "several namespaces would have to change; ask about pods of one"
        if len(cidrs(opening.others.addresses)) > _MOST_BLOCKS:
            return f"more than {_MOST_BLOCKS} CIDRs are at the other end; ask about one"
    return ""


def _openings(denied: tuple[Part, ...]) -> Iterator[Opening]:
    """Yield what each direction that denies would have to allow, egress first."""
    for direction in (Direction.EGRESS, Direction.INGRESS):
        closed = [p for p in denied if _half(p, direction).outcome is Outcome.DENIED]
        if not closed:
            continue
        sides = [(p.clients, p.servers) if direction is Direction.EGRESS else (p.servers, p.clients) for p in closed]
        subjects = {(pod.namespace, pod.name): pod for subject, _ in sides for pod in subject.pods}
        others = {(pod.namespace, pod.name): pod for _, other in sides for pod in other.pods}
        addresses, traffic = sides[0][1].addresses, closed[0].traffic
        for (_, other), part in zip(sides[1:], closed[1:], strict=True):
            addresses, traffic = addresses | other.addresses, traffic | part.traffic
        yield Opening(direction, _in_order(subjects), Ends(_in_order(others), addresses), traffic)


def _in_order(pods: dict[tuple[str, str], Pod]) -> tuple[Pod, ...]:
    return tuple(pods[key] for key in sorted(pods))


def _half(part: Part, direction: Direction) -> Half:
    return part.verdict.egress if direction is Direction.EGRESS else part.verdict.ingress


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
