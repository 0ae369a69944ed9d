"""Programs: the policies that judge a subject in one direction, tiers folded to one row.

A program is a decision list in tiers. The NetworkPolicy tier decides everything for a
subject that it isolates and nothing for others, which is why a program has isolating
policies or a Baseline tier, never both.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import Enum, auto
from itertools import groupby
from typing import TYPE_CHECKING

from ringfence.algebra.intervals import Intervals
from ringfence.algebra.traffic import Protocol, point
from ringfence.algebra.traffic import ports as traffic_of
from ringfence.model.policy import BlockPeer, Direction, Tier, resolve
from ringfence.semantics.dialects import Choices, Topic
from ringfence.semantics.rows import Clause, RowSpace
from ringfence.semantics.space import TrafficSpace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ringfence.model.policy import Policy, Rule
    from ringfence.semantics.rows import Bounds
    from ringfence.semantics.sets import PeerSet
    from ringfence.semantics.universe import PodClass, Ports, Universe

Numbers = tuple[int, ...]
"""Policies in the order in which their tier consults them."""


class Meeting(Enum):
    """How a subject meets its peer, where that decides what the NetworkPolicy tier says."""

    ORDINARY = auto()
    OWN_NODE = auto()
    """The peer is on the network of the subject's node, which the NetworkPolicy tier always allows."""
    ITSELF = auto()
    """The peer is the subject, reached through a Service."""

    __hash__ = object.__hash__  # a member is one object; the default hashes its name in Python, each time anew


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
        of_network_policies = (policy for policy in self._policies if policy.tier is Tier.NETWORK_POLICY)
        self._selected = {universe.number_of(policy.subject) for policy in of_network_policies}
        self.traffic = TrafficSpace.of(self._traffic_sets())
        self.rows = RowSpace.of(universe.sets, universe.everyone, self.traffic.everything)
        self._anything: Bounds = (self.rows.everything, self.rows.everything)
        self._programs: dict[tuple[Direction, Numbers, Numbers, Numbers, Ports], Program] = {}
        self._clauses: dict[tuple[Direction, Ports, Choices], dict[int, tuple[Clause, ...]]] = defaultdict(dict)
        self._rows: dict[tuple[Program, Meeting, Choices], Bounds] = {}

    def program(self, pod_class: PodClass, direction: Direction, choices: Choices = frozenset()) -> Program:
        """Return what judges the pods of a class that policies can select, in one direction."""
        admin, isolating, baseline = (
            tuple(sorted(n for selector in pod_class.selectors if selector in told for n in told[selector]))
            for told in self._judging[direction].values()
        )
        final = bool(isolating) or (Topic.BASELINE in choices and not self._selected.isdisjoint(pod_class.selectors))
        ports = pod_class.ports if direction is Direction.INGRESS else ()
        key = (direction, admin, isolating, () if final else baseline, ports)
        return self._programs.setdefault(key, Program(*key))

    def bounds(self, program: Program, meeting: Meeting = Meeting.ORDINARY, choices: Choices = frozenset()) -> Bounds:
        """Return what a program says of every peer, if its subject met all of them in one way."""
        key = (program, meeting, choices)
        if key not in self._rows:
            lower = self._anything
            if meeting is not Meeting.OWN_NODE:
                lower = self._isolated(program, meeting, choices) if program.isolating else lower
                lower = self._ordered(program, program.baseline, lower, choices)
            self._rows[key] = self._ordered(program, program.admin, lower, choices)
        return self._rows[key]

    def policy(self, number: int) -> Policy:
        """Return a policy by the number that programs have for it."""
        return self._policies[number]

    def clauses(self, number: int, program: Program, choices: Choices) -> tuple[Clause, ...]:
        """Return what a policy means in a program, in the order of its rules."""
        known = self._clauses[program.direction, program.ports, choices]
        if number not in known:
            policy, universe = self._policies[number], self._universe
            exempt = universe.in_cluster(choices) if policy.tier is Tier.NETWORK_POLICY else universe.sets.empty
            rules = policy.rules(program.direction)
            known[number] = tuple(c for rule in rules for c in self._compile(rule, program, exempt, choices))
        return known[number]

    def _isolated(self, program: Program, meeting: Meeting, choices: Choices) -> Bounds:
        """Return what the NetworkPolicies say that isolate a subject."""
        hairpin = Topic.HAIRPIN_EGRESS if program.direction is Direction.EGRESS else Topic.HAIRPIN_INGRESS
        if meeting is Meeting.ITSELF and hairpin not in choices:
            return self._anything
        clauses = [clause for number in program.isolating for clause in self.clauses(number, program, choices)]
        row, _ = self.rows.decide(clauses, (self.rows.nothing, self.rows.nothing))
        if Topic.ICMP in choices:
            everyone, icmp = self.rows.everyone, self.traffic.mask(traffic_of(Protocol.ICMP))
            row = self.rows.blend(row, everyone, icmp, self.rows.everything)
        return row, row

    def _ordered(self, program: Program, policies: Numbers, lower: Bounds, choices: Choices) -> Bounds:
        """Return what the policies of an ordered tier say, those of equal priority in any order."""
        found = lower
        groups = groupby(policies, key=lambda number: self._policies[number].priority)
        for equals in reversed([list(group) for _, group in groups]):
            compiled = [self.clauses(number, program, choices) for number in equals]
            actions = {clause.action for clauses in compiled for clause in clauses}
            if len(equals) == 1 or len(actions) == 1:
                found = self.rows.decide([clause for clauses in compiled for clause in clauses], lower, found)
            elif actions:
                found = self.rows.decide_equals(compiled, lower, found)
        return found

    def _by_subject(self, direction: Direction) -> dict[Tier, dict[int, list[int]]]:
        """Return the policies that have a say in a direction, by tier and subject."""
        found: dict[Tier, dict[int, list[int]]] = {tier: defaultdict(list) for tier in Tier}
        for number, policy in enumerate(self._policies):
            if policy.tier is not Tier.NETWORK_POLICY or direction in policy.isolates:
                found[policy.tier][self._universe.number_of(policy.subject)].append(number)
        return found

    def _compile(self, rule: Rule, program: Program, exempt: PeerSet, choices: Choices) -> Iterator[Clause]:
        """Yield what a rule means; several disjoint clauses where peers have different named ports."""
        sets = self._universe.sets
        surely = perhaps = sets.empty
        for peer in rule.peers:
            sure, possible = self._universe.meant_by(peer, choices, program.direction)
            if isinstance(peer, BlockPeer) and exempt:
                sure, possible = sets.sub(sure, exempt), sets.sub(possible, exempt)
            surely, perhaps = (surely | sure, perhaps | possible) if perhaps else (sure, possible)
        if not perhaps:
            return
        owners: Iterable[tuple[Ports, PeerSet]] = [(program.ports, self._universe.everyone)]
        if rule.named and program.direction is Direction.EGRESS:
            owners = self._universe.by_ports(choices)
        for ports, atoms in owners:
            traffic = rule.traffic | resolve(rule.named, ports) if rule.named else rule.traffic
            if both := perhaps & atoms:
                known = surely & atoms
                yield Clause(rule.action, known, self.traffic.mask(traffic), sets.sub(both, known), rule)

    def _traffic_sets(self) -> Iterator[Intervals]:
        for policy in self._policies:
            for direction in Direction:
                yield from (rule.traffic for rule in policy.rules(direction))
        yield traffic_of(Protocol.ICMP)
        for pod_class in self._universe.classes:
            yield from (Intervals.point(point(port.protocol, port.number)) for port in pod_class.ports)
