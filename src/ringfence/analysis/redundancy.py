"""Policies and rules without which nothing would be answered otherwise, in two grades.

Of the stronger grade, the policies of no pod say anything else without it, whatever other
pods' policies say; it can go, and others may change after it. Of the weaker grade, no
connection passes or is denied otherwise, as everything stands now: the other side decides.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from ringfence.analysis.comparison import Comparison
from ringfence.model.policy import Direction
from ringfence.semantics.grounds import Grounds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.analysis.comparison import Change
    from ringfence.model.policy import Policy, Rule
    from ringfence.semantics.engine import Engine


class Lack(Enum):
    """What a policy or a rule lacks."""

    SUBJECT = "selects no pod"
    PEER = "matches nobody"
    ROW = "changes nothing for the pods it selects"
    PAIR = "changes no connection"


_NOTHING = Grounds()


@dataclass(frozen=True, slots=True)
class Idle:
    """A policy, or a rule of one, without which nothing would be answered otherwise.

    Attributes:
        policy: The policy.
        rule: The rule; None where the whole policy is meant.
        direction: The rule's direction.
        lack: Why; the first that applies.
        instead: What decides about whom the rule means beside it; nothing for other lacks, and
            where a policy without rules isolates what others isolate.
    """

    policy: Policy
    rule: Rule | None
    direction: Direction | None
    lack: Lack
    instead: Grounds = _NOTHING


def redundancy(engine: Engine, *, pairs: bool = False) -> Iterator[Idle]:
    """Yield what could be left out, each alone, in the order of the policies; nothing of a rule whose policy could.

    Args:
        engine: The engine.
        pairs: Whether the weaker grade is looked for, which takes a comparison of two worlds for each rule.
    """
    for policy in engine.snapshot.policies:
        if policy.faulty:
            continue  # it should be corrected, and may matter then
        lack = _lack(engine, policy, None, pairs=pairs)
        if lack:
            yield Idle(policy, None, None, lack, _instead(engine, policy, None) if lack is Lack.ROW else _NOTHING)
            continue
        for direction in Direction:
            for rule in policy.rules(direction):
                if lack := _lack(engine, policy, rule, pairs=pairs):
                    instead = _instead(engine, policy, rule) if lack is Lack.ROW else _NOTHING
                    yield Idle(policy, rule, direction, lack, instead)


def _lack(engine: Engine, policy: Policy, rule: Rule | None, *, pairs: bool) -> Lack | None:
    """Return what a policy or a rule lacks; None where it is needed."""
    if rule is None and not engine.selects_anybody(policy):
        return Lack.SUBJECT
    if rule and not engine.matches_anybody(policy, rule):
        return Lack.PEER
    if not engine.changes_without(policy, rule):
        return Lack.ROW
    return Lack.PAIR if pairs and not _changes_a_pair(engine, policy, rule) else None


def _changes_a_pair(engine: Engine, policy: Policy, rule: Rule | None) -> bool:
    left = engine.revised(_without(engine.snapshot.policies, policy, rule))
    comparisons = (Comparison(engine, left, family) for family in engine.snapshot.families)
    return any(_holds_a_pair(each, change) for each in comparisons for change in each.changes())


def _holds_a_pair(comparison: Comparison, change: Change) -> bool:
    """Tell whether a change is of anything but one pod with itself."""
    clients, servers = comparison.ends(change.clients), comparison.ends(change.servers)
    return clients != servers or len(clients.pods) != 1


def _without(policies: tuple[Policy, ...], policy: Policy, rule: Rule | None) -> Iterator[Policy]:
    """Yield all policies but one, or with one that lacks a rule."""
    for each in policies:
        if each is not policy:
            yield each
        elif rule:
            kept = {d: tuple(other for other in each.rules(d) if other is not rule) for d in Direction}
            yield replace(each, ingress=kept[Direction.INGRESS], egress=kept[Direction.EGRESS])


def _instead(engine: Engine, policy: Policy, rule: Rule | None) -> Grounds:
    """Return what decides about those that a rule means, or the rules of a policy, beside it."""
    found = Grounds.union(
        engine.grounds(direction, engine.scope(policy, each, direction, family), each.traffic, own_node=False)
        for direction in Direction
        for each in policy.rules(direction)
        for family in engine.snapshot.families
        if rule is None or each is rule
    )
    own = {each.origin for d in Direction for each in policy.rules(d) if rule is None or each is rule}
    return Grounds(tuple(each for each in found.deciding if each.origin not in own | {policy.origin}))
