"""Programs: the policies that judge a subject in one direction, tiers folded to one row.

A program is a decision list in tiers. The NetworkPolicy tier decides everything for a
subject that it isolates and nothing for others, which is why a program has isolating
policies or a Baseline tier, never both.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from ringfence.algebra.intervals import Intervals
from ringfence.algebra.traffic import point
from ringfence.model.policy import Direction, Tier, resolve
from ringfence.semantics.rows import Clause, RowSpace
from ringfence.semantics.space import TrafficSpace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ringfence.model.cluster import ContainerPort
    from ringfence.model.policy import Rule
    from ringfence.semantics.rows import Row
    from ringfence.semantics.universe import PodClass, Universe


class Meeting(Enum):
    """How a subject meets its peer, where that decides what the NetworkPolicy tier says."""

    ORDINARY = auto()
    OWN_NODE = auto()
    """The peer is on the network of the subject's node, and opens the connection."""
    ITSELF = auto()
    """The peer is the subject, reached through a Service."""


@dataclass(frozen=True, slots=True)
class Program:
    """The policies that judge a subject in one direction, by number.

    Attributes:
        direction: The direction.
        admin: The Admin tier, in the order in which it is consulted.
        isolating: The NetworkPolicies that isolate the subject in this direction.
        baseline: The Baseline tier, likewise; empty for an isolated subject.
        ports: The subject's named ports, for ingress alone.
    """

    direction: Direction
    admin: tuple[int, ...]
    isolating: tuple[int, ...]
    baseline: tuple[int, ...]
    ports: tuple[ContainerPort, ...]


class Compiler:
    """Compiles the policies of a snapshot to rows over its universe, each once.

    Attributes:
        traffic: The traffic of the policies as atoms.
        rows: The rows over this universe and that traffic.
    """

    def __init__(self, universe: Universe) -> None:
        self._universe = universe
        # In this order a policy's number is its turn within its tier.
        self._policies = sorted(universe.snapshot.policies, key=lambda policy: (policy.priority, policy.name))
        self._by_subject: dict[tuple[Tier, int], list[int]] = defaultdict(list)
        for number, policy in enumerate(self._policies):
            self._by_subject[policy.tier, universe.number_of(policy.subject)].append(number)
        self.traffic = TrafficSpace.of(self._traffic_sets())
        self.rows = RowSpace.of(universe.everyone, self.traffic.everything)
        self._clauses_of: dict[tuple[int, Direction, tuple[ContainerPort, ...]], tuple[Clause, ...]] = {}
        self._rows_of: dict[tuple[Program, Meeting], Row] = {}

    def program(self, pod_class: PodClass, direction: Direction) -> Program:
        """Return what judges the pods of a selectable class in one direction."""
        admin, selecting, baseline = (self._selecting(pod_class, tier) for tier in Tier)
        isolating = tuple(number for number in selecting if direction in self._policies[number].isolates)
        ports = pod_class.ports if direction is Direction.INGRESS else ()
        return Program(direction, admin, isolating, () if isolating else baseline, ports)

    def row(self, program: Program, meeting: Meeting = Meeting.ORDINARY) -> Row:
        """Return what a program says of every peer, if its subject met all of them in one way."""
        key = (program, meeting)
        if key not in self._rows_of:
            if meeting is Meeting.OWN_NODE or (meeting is Meeting.ITSELF and program.isolating):
                lower = self.rows.everything
            elif program.isolating:
                lower = self._decide(program, program.isolating, self.rows.nothing)
            else:
                lower = self._decide(program, program.baseline, self.rows.everything)
            self._rows_of[key] = self._decide(program, program.admin, lower)
        return self._rows_of[key]

    def _decide(self, program: Program, policies: tuple[int, ...], lower: Row) -> Row:
        clauses = [clause for number in policies for clause in self._clauses(number, program)]
        return self.rows.decide(clauses, lower)

    def _selecting(self, pod_class: PodClass, tier: Tier) -> tuple[int, ...]:
        found = (self._by_subject.get((tier, selector), ()) for selector in pod_class.selectors)
        return tuple(sorted(number for numbers in found for number in numbers))

    def _clauses(self, number: int, program: Program) -> tuple[Clause, ...]:
        key = (number, program.direction, program.ports)
        if key not in self._clauses_of:
            rules = self._policies[number].rules(program.direction)
            self._clauses_of[key] = tuple(clause for rule in rules for clause in self._compile(rule, program))
        return self._clauses_of[key]

    def _compile(self, rule: Rule, program: Program) -> Iterator[Clause]:
        """Yield what a rule means; several disjoint clauses where peers have different named ports."""
        peers = 0
        for peer in rule.peers:
            peers |= self._universe.meant_by(peer)
        owners: Iterable[tuple[tuple[ContainerPort, ...], int]] = [(program.ports, peers)]
        if rule.named and program.direction is Direction.EGRESS:
            owners = self._universe.by_ports
        for ports, atoms in owners:
            traffic = rule.traffic | resolve(rule.named, ports) if rule.named else rule.traffic
            if both := peers & atoms:
                yield Clause(rule.action, both, self.traffic.mask(traffic))

    def _traffic_sets(self) -> Iterator[Intervals]:
        for policy in self._policies:
            for direction in Direction:
                yield from (rule.traffic for rule in policy.rules(direction))
        for pod_class in self._universe.classes:
            yield from (Intervals.point(point(port.protocol, port.number)) for port in pod_class.ports)
