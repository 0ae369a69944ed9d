"""The least cut: the edit that denies what was asked and is allowed, and as little else as any does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain, product
from typing import TYPE_CHECKING

from ringfence.algebra.selectors import Operator, Selector
from ringfence.analysis.above import asked_first
from ringfence.analysis.additions import called, free_name, new_policy
from ringfence.analysis.edits import Does, Edit, applied
from ringfence.analysis.narrowing import Narrowing
from ringfence.analysis.selecting import narrowest
from ringfence.analysis.smallest import deciding, unnamed
from ringfence.analysis.weighing import Change, Weighing, count, half_of, wanted_of
from ringfence.model.origin import Origin
from ringfence.model.policy import Action, Direction, PodSelector, Tier
from ringfence.semantics.verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ringfence.analysis.edits import Wanted
    from ringfence.model.policy import Policy, Rule
    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics.answer import Answer, Part
    from ringfence.semantics.dialects import Dialect

_MOST_TOGETHER = 64
"""So many ways to narrow several rules are tried together; of more, all are narrowed in the same way."""


def least_cut(answer: Answer, snapshot: Snapshot, dialect: Dialect) -> Change | None:
    """Return the least edit of policies that denies what an answer allows; None if it allows nothing.

    It is enough that one direction denies. In each, the rules that accept are removed, or
    narrowed to fewer ports, to fewer peers, or to both for the other end alone; policies for
    more than the subjects may leave them to a policy of their own; where nothing isolates the
    subjects a policy may that accepts everything else; and where the Admin tier is in use, a
    policy there may deny. Of those that deny it, the edits that answer fewest other connections
    otherwise than before; of those that do equally well the shortest, and then the first.

    Args:
        answer: The answer.
        snapshot: What it is about.
        dialect: Who decided what the APIs leave open.
    """
    allowed = tuple(part for part in answer.parts if part.verdict.outcome is Outcome.ALLOWED)
    if not allowed:
        return None
    found: list[tuple[Edit, ...]] = []
    reasons: list[str] = []
    for direction in (Direction.EGRESS, Direction.INGRESS):
        cutting = _Cutting(snapshot, wanted_of(allowed, direction), allowed)
        if reason := cutting.out_of_reach():
            reasons.append(reason)
        else:
            found += cutting.candidates()
    if not found:
        return Change((), reason="; ".join(dict.fromkeys(reasons)))
    weighing = Weighing(answer, snapshot, dialect, allowed, Outcome.DENIED)
    weighing.consider(chain.from_iterable(found))
    weighed = []
    for order, edits in enumerate(found):
        others = weighing.others(edits)
        if others is not None:
            weighed.append((count(others), sum(edit.size for edit in edits), order))
    for _, _, order in sorted(weighed):
        if weighing.turns(found[order]):
            return weighing.change(found[order])
    return Change((), reason="no rule or policy denies all of it")


@dataclass(frozen=True)
class _Cutting:
    """The ways in which policies of one direction may deny.

    Attributes:
        snapshot: The snapshot whose policies are edited.
        wanted: What is to be denied.
        parts: The parts of the answer that allow it.
    """

    snapshot: Snapshot
    wanted: Wanted
    parts: Sequence[Part]

    def out_of_reach(self) -> str:
        """Say why no policy of this direction can deny it; empty where one may."""
        side = "servers" if self.wanted.direction is Direction.INGRESS else "clients"
        pods = self.wanted.subjects
        if not pods or not all(pod.selectable for pod in pods) or self._has_addresses():
            return f"no policy selects the {side}"
        return unnamed(self.wanted)

    def _has_addresses(self) -> bool:
        """Tell whether addresses are among those whose policies would have to deny."""
        egress = self.wanted.direction is Direction.EGRESS
        return any((part.clients if egress else part.servers).addresses for part in self.parts)

    def candidates(self) -> Iterator[tuple[Edit, ...]]:
        """Yield edits that may deny it together."""
        direction = self.wanted.direction
        rules = list(deciding(self.snapshot.policies, self.parts, direction))
        accepting = [(policy, n) for policy, n in rules if policy.rules(direction)[n].action is Action.ACCEPT]
        unisolated = any(half_of(part, direction).tier is not Tier.NETWORK_POLICY for part in self.parts)
        isolating = (self._isolating(),) if unisolated and not accepting else ()
        yield from ((*edits, *isolating) for edits in self._narrowed(accepting) if edits or isolating)
        if all(policy.tier is Tier.NETWORK_POLICY for policy, _ in accepting):
            yield from self._apart(accepting)
        before = [policy for policy, _ in rules if policy.tier is Tier.ADMIN]
        yield from ((edit,) for edit in asked_first(self.snapshot, self.wanted, Action.DENY, before))

    def _isolating(self) -> Edit:
        """Return a policy that isolates the subjects and accepts everything else."""
        return new_policy(self.snapshot, self.wanted, self._narrowing(self.wanted.subjects[0].namespace).around())

    def _narrowing(self, home: str | None) -> Narrowing:
        servers = self.wanted.subjects if self.wanted.direction is Direction.INGRESS else self.wanted.others.pods
        return Narrowing(self.snapshot, self.wanted.others, self.wanted.traffic, servers, home)

    def _instead(self, policy: Policy, index: int) -> list[tuple[Rule, ...]]:
        """Return what may stand in place of a rule."""
        home = self.wanted.subjects[0].namespace if policy.tier is Tier.NETWORK_POLICY else None
        return list(self._narrowing(home).rules(policy.rules(self.wanted.direction)[index]))

    def _narrowed(self, accepting: list[tuple[Policy, int]]) -> Iterator[tuple[Edit, ...]]:
        """Yield the edits of all accepting rules, each narrowed in some way."""
        ways = [
            [self._edit(policy, index, instead) for instead in self._instead(policy, index)]
            for policy, index in accepting
        ]
        together = 1
        for each in ways:
            together *= len(each)
        if together <= _MOST_TOGETHER:
            yield from product(*ways)
            return
        for way in range(max(map(len, ways))):
            yield tuple(each[min(way, len(each) - 1)] for each in ways)

    def _edit(self, policy: Policy, index: int, instead: tuple[Rule, ...]) -> Edit:
        does = Does.NARROWS_RULE if instead else Does.REMOVES_RULE
        return Edit(does, self.wanted.direction, policy, instead, index, instead)

    def _apart(self, accepting: list[tuple[Policy, int]]) -> Iterator[tuple[Edit, ...]]:
        """Yield the edits by which policies leave the subjects to policies of their own, which accept less."""
        telling = narrowest(self.snapshot, self.wanted.subjects).requirements
        policies = list(dict.fromkeys(id(policy) for policy, _ in accepting))
        if len(telling) != 1 or not policies:
            return  # the pods that any of several labels tells apart are no one selector
        edits: list[Edit] = []
        for number in policies:
            policy = next(each for each, _ in accepting if id(each) == number)
            narrowed = [self._edit(p, n, self._instead(p, n)[-1]) for p, n in accepting if p is policy]
            rest = replace(telling[0], operator=Operator.NOT_IN)
            selector = policy.subject.pods.requirements
            left = PodSelector(policy.subject.scope, Selector.of((*selector, rest)))
            own = PodSelector(policy.subject.scope, Selector.of((*selector, *telling)))
            edits.append(Edit(Does.LEAVES_OUT, self.wanted.direction, policy, subject=left))
            edits.append(self._copy(policy, narrowed, own))
        yield tuple(edits)

    def _copy(self, policy: Policy, narrowed: list[Edit], subject: PodSelector) -> Edit:
        """Return a policy for the subjects alone that says the same, but for the rules that are narrowed."""
        name = free_name(self.snapshot, policy.kind, f"{policy.name}-{called(self.wanted.subjects)}"[:249].rstrip("-."))
        origin = Origin("", 0, 0, "", f"{policy.kind}/{name}")
        after = applied(narrowed, [policy])[0]
        made = replace(after, name=name, subject=subject, origin=origin)
        rules = made.rules(self.wanted.direction)
        return Edit(Does.ADDS_POLICY, self.wanted.direction, made, rules)
