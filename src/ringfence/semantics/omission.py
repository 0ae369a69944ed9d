"""What would be said without a policy, or without one of its rules: the same rows, or others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.model.policy import Direction, Tier
from ringfence.semantics.dialects import Choices, Topic
from ringfence.semantics.program import Meeting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ringfence.model.policy import Policy, Rule
    from ringfence.semantics.program import Compiler, InForce, Program
    from ringfence.semantics.rows import Bounds
    from ringfence.semantics.universe import Universe

    ProgramOf = Callable[[int, Direction, Choices], Program | None]

_HAIRPIN = frozenset({Topic.HAIRPIN_EGRESS, Topic.HAIRPIN_INGRESS})


class Omission:
    """Leaves policies and rules out of one world, one at a time."""

    def __init__(self, compiler: Compiler, universe: Universe, in_force: InForce, program_of: ProgramOf) -> None:
        """Take the world; it is not changed.

        Args:
            compiler: What compiled its policies.
            universe: Its ends.
            in_force: Its policies.
            program_of: What judges the pods of a class in one direction, as open points are decided; None for nothing.
        """
        self._compiler, self._universe, self._in_force, self._program_of = compiler, universe, in_force, program_of

    def changes(self, readings: Sequence[Choices], policy: Policy, rule: Rule | None = None) -> bool:
        """Tell whether any row of any pod would be another without a policy, or without one of its rules."""
        return any(
            self._changes(policy, rule, program, left, choices)
            for choices in readings
            for program, left in self._programs(policy, rule, choices)
        )

    def matches(self, readings: Sequence[Choices], policy: Policy, rule: Rule) -> bool:
        """Tell whether a rule matches any traffic with anybody, for any pod that its policy is for."""
        number, sub = self._compiler.number(policy), self._universe.sets.sub
        return any(
            clause.rule is rule and clause.traffic and sub(clause.peers | clause.perhaps, self._universe.deserted)
            for choices in readings
            for program, _ in self._programs(policy, rule, choices)
            for clause in self._compiler.clauses(number, program, choices)
        )

    def _programs(self, policy: Policy, rule: Rule | None, choices: Choices) -> Iterator[tuple[Program, Program]]:
        """Yield what judges the pods that a policy is for, and what would without it if it is left out; each once."""
        number = self._compiler.number(policy)
        seen: set[tuple[Program, Program]] = set()
        directions = [each for each in Direction if rule is None or any(rule is one for one in policy.rules(each))]
        for found in self._universe.selected_by(policy):
            for direction in directions:
                program = self._program_of(found, direction, choices)
                silent = policy.tier is Tier.NETWORK_POLICY and Topic.BASELINE in choices  # that it is there tells
                if program is None or not (silent or number in program):
                    continue
                left = self._without(number, program, found, choices) if rule is None else program
                if (program, left) not in seen:
                    seen.add((program, left))
                    yield program, left

    def _without(self, number: int, program: Program, pod_class: int, choices: Choices) -> Program:
        """Return what judges a class without a policy."""
        if program.isolating in ((number,), ()):  # then the Baseline tier may have its say
            found = self._universe.classes[pod_class]
            return self._compiler.program(found, program.direction, self._in_force, choices, without=number)
        return self._compiler.less(program, number)

    def _changes(self, policy: Policy, rule: Rule | None, program: Program, left: Program, choices: Choices) -> bool:
        meetings = [Meeting.ORDINARY]
        if policy.tier is not Tier.NETWORK_POLICY:
            meetings += [Meeting.OWN_NODE]  # where no NetworkPolicy isolates, and so as much as the pod itself tells
        elif not _HAIRPIN.isdisjoint(choices):
            meetings += [Meeting.ITSELF]
        return any(
            self._differ(
                self._compiler.bounds(program, meeting, choices),
                self._compiler.bounds_without(rule, left, meeting, choices),
            )
            for meeting in meetings
        )

    def _differ(self, some: Bounds, others: Bounds) -> bool:
        """Tell whether bounds say other things of anybody."""
        sub, deserted = self._universe.sets.sub, self._universe.deserted
        if not deserted or some == others:
            return some != others
        cells = ((a, b) for one, other in zip(some, others, strict=True) for a in one for b in other)
        return any(said != told and sub(held & meant, deserted) for (said, held), (told, meant) in cells)
