"""Grounds: which policies and rules decide about many pairs at once.

The same decision lists as the rows are made of are walked once more, with what is asked
about as rectangles of peers and traffic: each rule takes away what it decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from ringfence.algebra.traffic import Protocol, ports
from ringfence.model.policy import Action, Tier
from ringfence.semantics.dialects import Topic
from ringfence.semantics.program import Meeting

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ringfence.model.origin import Origin
    from ringfence.model.policy import Policy, Rule
    from ringfence.semantics.dialects import Choices
    from ringfence.semantics.program import Compiler, Numbers, Program
    from ringfence.semantics.rows import Clause
    from ringfence.semantics.sets import PeerSet
    from ringfence.semantics.universe import Universe

Rectangle = tuple["PeerSet", int]
"""Peers and a mask of traffic: each of them on all of it."""


@dataclass(frozen=True, slots=True)
class Ground:
    """One thing that decides.

    Attributes:
        name: The policy's name.
        tier: The tier it stands in.
        origin: The rule that matched, or the policy where it isolates and no rule matched.
        denies: Whether it denies.
    """

    name: str
    tier: Tier
    origin: Origin
    denies: bool

    @classmethod
    def of(cls, policy: Policy, rule: Rule | None = None) -> Ground:
        """Say that a rule of a policy decides, or the policy as such."""
        origin = rule.origin if rule else policy.origin
        return cls(policy.name, policy.tier, origin, rule is None or rule.action is Action.DENY)

    @property
    def words(self) -> str:
        """What a sentence calls it: ``shop/web rule 0``, or ``isolated by shop/web``."""
        if self.origin.rule is None and self.tier is Tier.NETWORK_POLICY:
            return f"isolated by {self.name}"
        return f"{self.name} {self.origin.rule_words}"


@dataclass(frozen=True, slots=True)
class Grounds:
    """What decides in one direction about some pairs.

    Attributes:
        deciding: Each for some of the pairs and some of the traffic, in the order in which they are consulted.
        unjudged: Whether some of it is allowed because no policy decides.
    """

    deciding: tuple[Ground, ...] = ()
    unjudged: bool = False

    @classmethod
    def union(cls, several: Iterable[Grounds]) -> Grounds:
        """Return what decides about any of several."""
        found = list(several)
        deciding = dict.fromkeys(ground for each in found for ground in each.deciding)
        return cls(tuple(deciding), any(each.unjudged for each in found))


class Finder:
    """Finds grounds in the programs of one compiler."""

    def __init__(self, compiler: Compiler, universe: Universe) -> None:
        self._compiler, self._sets = compiler, universe.sets

    def grounds(self, program: Program | None, meeting: Meeting, choices: Choices, asked: Rectangle) -> Grounds:
        """Return what decides about some peers and traffic of the subjects of a program.

        Args:
            program: The program; None where no policy can select the subjects.
            meeting: How the subjects meet all of these peers.
            choices: How open points are decided.
            asked: Peers and traffic.
        """
        if program is None or not all(asked):
            return Grounds(unjudged=program is None)
        found: dict[Ground, None] = {}
        rest = self._ordered(program, program.admin, choices, [asked], found)
        if meeting is Meeting.OWN_NODE:
            return Grounds(tuple(found))
        if rest and program.isolating:
            self._isolated(program, choices, rest, found)
            return Grounds(tuple(found))
        rest = self._ordered(program, program.baseline, choices, rest, found)
        return Grounds(tuple(found), unjudged=bool(rest))

    def _isolated(self, program: Program, choices: Choices, asked: list[Rectangle], found: dict[Ground, None]) -> None:
        """Note the rules that accept, all of them, and who isolates where none does."""
        policies = [(self._compiler.policy(n), self._compiler.clauses(n, program, choices)) for n in program.isolating]
        rest = asked
        if Topic.ICMP in choices:  # which no policy of this tier blocks then
            icmp = self._compiler.traffic.mask(ports(Protocol.ICMP))
            if any(mask & icmp for _, mask in rest):
                found |= dict.fromkeys(Ground.of(policy) for policy, _ in policies)
            asked = rest = [(peers, mask & ~icmp) for peers, mask in rest if mask & ~icmp]
        for policy, clauses in policies:
            for clause in clauses:
                if _meets(clause, asked):
                    found[Ground.of(policy, clause.rule)] = None
                    rest = self._less(rest, clause)
        if rest:
            found |= dict.fromkeys(Ground.of(policy) for policy, _ in policies)

    def _ordered(
        self,
        program: Program,
        policies: Numbers,
        choices: Choices,
        asked: list[Rectangle],
        found: dict[Ground, None],
    ) -> list[Rectangle]:
        """Note the rules of an ordered tier that decide; return what is left to the tiers below."""
        passed: list[Rectangle] = []
        for _, equals in groupby(policies, key=lambda number: self._compiler.policy(number).priority):
            after = asked
            for number in equals:  # any of them may be the first to be asked
                rest = asked
                for clause in self._compiler.clauses(number, program, choices):
                    if _meets(clause, rest):
                        if clause.action is Action.PASS:
                            passed += self._within(rest, clause)
                        else:
                            found[Ground.of(self._compiler.policy(number), clause.rule)] = None
                        after, rest = self._less(after, clause), self._less(rest, clause)
            asked = after
        return asked + passed

    def _less(self, rectangles: list[Rectangle], clause: Clause) -> list[Rectangle]:
        """Return what a clause does not surely match."""
        found = []
        for peers, mask in rectangles:
            outside, inside = self._sets.sub(peers, clause.peers), peers & clause.peers
            found += [(outside, mask)] if outside else []
            found += [(inside, mask & ~clause.traffic)] if inside and mask & ~clause.traffic else []
        return found

    @staticmethod
    def _within(rectangles: list[Rectangle], clause: Clause) -> list[Rectangle]:
        """Return what a clause matches, perhaps."""
        meant = clause.peers | clause.perhaps
        both = ((peers & meant, mask & clause.traffic) for peers, mask in rectangles)
        return [each for each in both if all(each)]


def _meets(clause: Clause, rectangles: list[Rectangle]) -> bool:
    meant = clause.peers | clause.perhaps
    return any(peers & meant and mask & clause.traffic for peers, mask in rectangles)
