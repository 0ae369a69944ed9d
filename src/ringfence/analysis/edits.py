"""Edits of policies: what one of them would say otherwise, or a policy more."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from ringfence.model.policy import Direction, Policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ringfence.algebra.intervals import Intervals
    from ringfence.model.cluster import Pod
    from ringfence.model.origin import Origin
    from ringfence.model.policy import PodSelector, Rule
    from ringfence.semantics.ends import Ends


class Does(Enum):
    """What an edit does, first what leaves most as it is."""

    ADDS_PEERS = "adds-peers"
    ADDS_PORTS = "adds-ports"
    NARROWS_RULE = "narrows-rule"
    REMOVES_RULE = "removes-rule"
    ADDS_RULE = "adds-rule"
    LEAVES_OUT = "leaves-pods-out"
    ADDS_POLICY = "adds-policy"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the policies of one end must allow besides, or must deny.

    Attributes:
        direction: Egress at clients, ingress at servers.
        subjects: The pods at that end; at least one, all of one namespace and selectable.
        others: Who is at the other end.
        traffic: What is to pass, or must not.
    """

    direction: Direction
    subjects: tuple[Pod, ...]
    others: Ends
    traffic: Intervals


@dataclass(frozen=True, slots=True)
class Edit:
    """One thing that a policy says otherwise, or a policy more.

    Attributes:
        does: What it does.
        direction: The direction of the rule that it is about.
        policy: The policy as it is; of one that is added, as it would be.
        written: What somebody would write: rules, of which one that gains something has only that.
        index: The place of the rule that changes, or before which one is added; None where no rule does.
        instead: The rules that would stand there; that of a rule that changes among them, if it stays.
        subject: Whom the policy would be for; None for whom it is.
    """

    does: Does
    direction: Direction
    policy: Policy
    written: tuple[Rule, ...] = ()
    index: int | None = None
    instead: tuple[Rule, ...] = ()
    subject: PodSelector | None = None

    @property
    def place(self) -> Origin | None:
        """Where it goes: the rule that changes, else the policy; None for a policy that is added."""
        if self.does is Does.ADDS_POLICY:
            return None
        if self.index is None or self.does is Does.ADDS_RULE:
            return self.policy.origin
        return self.policy.rules(self.direction)[self.index].origin

    @property
    def after(self) -> Policy:
        """The policy as it would be."""
        return self.policy if self.does is Does.ADDS_POLICY else _edited(self.policy, [self])

    @property
    def size(self) -> int:
        """How much somebody would write: each peer and range of ports, and what is around them."""
        listed = sum(len(rule.peers) + len(rule.traffic.ranges) for rule in self.written)
        return listed + _AROUND[self.does]


_AROUND = {
    Does.ADDS_PEERS: 0,
    Does.ADDS_PORTS: 0,
    Does.NARROWS_RULE: 0,
    Does.REMOVES_RULE: 0,
    Does.ADDS_RULE: 2,
    Does.LEAVES_OUT: 1,
    Does.ADDS_POLICY: 9,
}


def applied(edits: Iterable[Edit], policies: Iterable[Policy]) -> tuple[Policy, ...]:
    """Return all policies after some edits, given all before them; those that stay are the same objects.

    Several edits may be of one policy, in one direction or in both, but not of one rule.
    """
    listed = list(edits)
    changed = tuple(_edited(policy, [e for e in listed if e.policy is policy]) for policy in policies)
    return (*changed, *(edit.policy for edit in listed if edit.does is Does.ADDS_POLICY))


def _edited(policy: Policy, edits: list[Edit]) -> Policy:
    """Return a policy after all edits of it; itself after none."""
    for direction in Direction:
        rules = policy.rules(direction)
        mine = [edit for edit in edits if edit.direction is direction and edit.index is not None]
        for edit, index in sorted(_with_index(mine), key=lambda each: each[1], reverse=True):
            after = index if edit.does is Does.ADDS_RULE else index + 1
            rules = (*rules[:index], *edit.instead, *rules[after:])
        if mine:
            both = {each: policy.rules(each) for each in Direction} | {direction: rules}
            policy = replace(policy, ingress=both[Direction.INGRESS], egress=both[Direction.EGRESS])
    for edit in edits:
        policy = replace(policy, subject=edit.subject) if edit.subject else policy
    return policy


def _with_index(edits: list[Edit]) -> Iterator[tuple[Edit, int]]:
    yield from ((edit, edit.index) for edit in edits if edit.index is not None)
