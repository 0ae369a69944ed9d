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

Numbers = tuple[int, ...]
"""Policies in the order in which their tier consults them."""

Ports = tuple["ContainerPort", ...]
"""The named ports of a pod, as far as policies ask for them."""


class Meeting(Enum):
    """How a subject meets its peer, where that decides what the NetworkPolicy tier says."""

    ORDINARY = auto()
    OWN_NODE = auto()
    """The peer is on the network of the subject's node, and opens the connection."""
    ITSELF = auto()
    """The peer is the subject, reached through a Service."""


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """The policies that judge a subject in one direction, by number; equal programs are one object.

    Attributes:
        direction: The direction.
        admin: Policies of the Admin tier.
        isolating: The NetworkPolicies that isolate the subject in this direction.
        baseline: Policies of the Baseline tier; none for an isolated subject.
        ports: The subject's named ports, for ingress alone.
    """

    direction: Direction
    admin: Numbers
    isolating: Numbers
    baseline: Numbers
    ports: Ports


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
        self._judging = {direction: self._by_subject(direction) for direction in Direction}
        self.traffic = TrafficSpace.of(self._traffic_sets())
        self.rows = RowSpace.of(universe.everyone, self.traffic.everything)
        self._programs: dict[tuple[Direction, Numbers, Numbers, Numbers, Ports], Program] = {}
        self._clauses: dict[tuple[Direction, Ports], dict[int, tuple[Clause, ...]]] = defaultdict(dict)
        self._rows: dict[tuple[Program, Meeting], Row] = {}

    def program(self, pod_class: PodClass, direction: Direction) -> Program:
        """Return what judges the pods of a selectable class in one direction."""
        admin, isolating, baseline = (
            tuple(sorted(number for selector in pod_class.selectors for number in by_subject.get(selector, ())))
            for by_subject in self._judging[direction].values()
        )
        ports = pod_class.ports if direction is Direction.INGRESS else ()
        key = (direction, admin, isolating, () if isolating else baseline, ports)
        return self._programs.setdefault(key, Program(*key))

    def row(self, program: Program, meeting: Meeting = Meeting.ORDINARY) -> Row:
        """Return what a program says of every peer, if its subject met all of them in one way."""
        key = (program, meeting)
        if key not in self._rows:
            if meeting is Meeting.OWN_NODE or (meeting is Meeting.ITSELF and program.isolating):
                lower = self.rows.everything
            elif program.isolating:
                lower = self._decide(program, program.isolating, self.rows.nothing)
            else:
                lower = self._decide(program, program.baseline, self.rows.everything)
            self._rows[key] = self._decide(program, program.admin, lower)
        return self._rows[key]

    def _decide(self, program: Program, policies: Numbers, lower: Row) -> Row:
        known = self._clauses[program.direction, program.ports]
        for number in policies:
            if number not in known:
                rules = self._policies[number].rules(program.direction)
                known[number] = tuple(clause for rule in rules for clause in self._compile(rule, program))
        return self.rows.decide([clause for number in policies for clause in known[number]], lower)

    def _by_subject(self, direction: Direction) -> dict[Tier, dict[int, list[int]]]:
        """Return the policies that have a say in a direction, by tier and subject."""
        found: dict[Tier, dict[int, list[int]]] = {tier: defaultdict(list) for tier in Tier}
        for number, policy in enumerate(self._policies):
            if policy.tier is not Tier.NETWORK_POLICY or direction in policy.isolates:
                found[policy.tier][self._universe.number_of(policy.subject)].append(number)
        return found

    def _compile(self, rule: Rule, program: Program) -> Iterator[Clause]:
        """Yield what a rule means; several disjoint clauses where peers have different named ports."""
        peers = 0
        for peer in rule.peers:
            peers |= self._universe.meant_by(peer)
        owners: Iterable[tuple[Ports, int]] = [(program.ports, peers)]
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
