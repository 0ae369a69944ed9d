"""The smallest change: the edit that allows what was asked and is denied, and as little else as any does."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import cidrs
from ringfence.analysis.above import asked_first
from ringfence.analysis.additions import Additions
from ringfence.analysis.edits import Does, Edit
from ringfence.analysis.narrowing import Narrowing
from ringfence.analysis.weighing import Change, Weighing, count, half_of, wanted_of
from ringfence.model.policy import Action, Direction, Tier
from ringfence.semantics.verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ringfence.analysis.edits import Wanted
    from ringfence.model.policy import Policy
    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics.answer import Answer, Part
    from ringfence.semantics.dialects import Dialect

MOST_BLOCKS = 16
"""With so many CIDRs nobody would write a rule by hand."""


def smallest_change(answer: Answer, snapshot: Snapshot, dialect: Dialect) -> Change | None:
    """Return the smallest change of policies that allows what an answer denies; None if it denies nothing.

    Of the edits in :mod:`ringfence.analysis.additions` that allow it, or where the Admin tier
    denies of those in that tier, the one that answers fewest other connections otherwise than
    before; of those that do equally well the shortest, and then the first. Where both
    directions deny, the one of egress is looked for beside the narrowest of ingress, and the
    one of ingress beside that.

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
    found = []
    for wanted, parts in _closed(denied):
        if reason := unnamed(wanted):
            return Change((), reason=reason)
        if wrong := Additions(snapshot).in_error(wanted):
            return Change((), reason=f"{wrong.name} is in error: correct it first")
        if not (candidates := tuple(_candidates(snapshot, wanted, parts))):
            return Change((), reason="no rule can name the other end: its address is not known")
        found.append(candidates)
    weighing = Weighing(answer, snapshot, dialect, denied, Outcome.ALLOWED)
    weighing.consider(chain.from_iterable(found))
    return _best(weighing, found)


def unnamed(wanted: Wanted) -> str:
    """Say why no edit is looked for that names both ends; empty where there is one."""
    if len({pod.namespace for pod in wanted.subjects}) > 1:
        return "several namespaces would have to change; ask about pods of one"
    if len(cidrs(wanted.others.addresses)) > MOST_BLOCKS:
        return f"more than {MOST_BLOCKS} CIDRs are at the other end; ask about one"
    return ""


def deciding(policies: Sequence[Policy], parts: Sequence[Part], direction: Direction) -> Iterator[tuple[Policy, int]]:
    """Yield the rules that decide about parts in one direction, or passed them on, as policies and places in them."""
    places = {place for part in parts for place in half_of(part, direction).places}
    for policy in policies:
        yield from ((policy, n) for n, rule in enumerate(policy.rules(direction)) if rule.origin in places)


def _best(weighing: Weighing, found: list[tuple[Edit, ...]]) -> Change:
    """Return the best edit of each direction together, beginning with the narrowest of all."""
    chosen = [candidates[-1] for candidates in found]
    for place, candidates in enumerate(found):
        weighed = []
        for order, edit in enumerate(candidates):
            others = weighing.others((*chosen[:place], edit, *chosen[place + 1 :]))
            if others is not None:
                above = edit.policy.tier is not Tier.NETWORK_POLICY  # which only few people may write
                weighed.append((count(others), above, edit.size, order))
        if not weighed:
            return Change((), reason="no rule for one more peer or port would allow all of it")
        chosen[place] = candidates[min(weighed)[-1]]
    return weighing.change(chosen)


def _candidates(snapshot: Snapshot, wanted: Wanted, parts: Sequence[Part]) -> Iterator[Edit]:
    """Yield the edits that may allow what one direction denies, the narrowest last."""
    direction = wanted.direction
    tiers = {half_of(part, direction).tier for part in parts}
    if Tier.ADMIN not in tiers:
        if Tier.BASELINE in tiers:
            yield from _in_tier(snapshot, wanted, parts, Tier.BASELINE)
        yield from Additions(snapshot).find(wanted)
    else:  # no other tier can allow it
        yield from _in_tier(snapshot, wanted, parts, Tier.ADMIN)


def _in_tier(snapshot: Snapshot, wanted: Wanted, parts: Sequence[Part], tier: Tier) -> Iterator[Edit]:
    """Yield the edits of a tier for all namespaces that may allow what it denies."""
    direction = wanted.direction
    servers = wanted.subjects if direction is Direction.INGRESS else wanted.others.pods
    narrowing = Narrowing(snapshot, wanted.others, wanted.traffic, servers, None)
    rules = [each for each in deciding(snapshot.policies, parts, direction) if each[0].tier is tier]
    for policy, index in rules:
        rule = policy.rules(direction)[index]
        # Guard rails are for pods that are yet to come, so the most is left of a rule that can be.
        *_, instead = narrowing.rules(rule)
        if instead and rule.action is Action.DENY and not rule.fault:
            yield Edit(Does.NARROWS_RULE, direction, policy, instead, index, instead)
    yield from asked_first(snapshot, wanted, Action.ACCEPT, [policy for policy, _ in rules], tier)


def _out_of_reach(denied: tuple[Part, ...]) -> str:
    """Say why the change is not looked for; empty where it can be."""
    for part in denied:
        if any(half.outcome is Outcome.DENIED and half.tier is None for half in part.verdict.halves):
            return "no policy denies it"
        if any(half.outcome is Outcome.UNDECIDED for half in part.verdict.halves):
            return "one direction is undecided"
    return ""


def _closed(denied: tuple[Part, ...]) -> Iterator[tuple[Wanted, tuple[Part, ...]]]:
    """Yield what each direction that denies would have to allow, and the parts that it denies, egress first."""
    for direction in (Direction.EGRESS, Direction.INGRESS):
        parts = tuple(part for part in denied if half_of(part, direction).outcome is Outcome.DENIED)
        if parts:
            yield wanted_of(parts, direction), parts
