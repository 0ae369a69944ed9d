"""Programs: the policies that judge a subject in one direction, tiers folded to one row.

A program is a decision list in tiers. The NetworkPolicy tier decides everything for a
subject that it isolates and nothing for others, which is why a program has isolating
policies or a Baseline tier, never both.
"""

from __future__ import annotations

from collections import defaultdict
from copy import copy
from dataclasses import dataclass
from enum import Enum, auto
from itertools import groupby
from typing import TYPE_CHECKING

from ringfence.algebra.intervals import Intervals
from ringfence.algebra.traffic import Protocol, point
from ringfence.algebra.traffic import ports as traffic_of
from ringfence.model.policy import BlockPeer, Direction, PodPeer, Tier, has_equals, resolve
from ringfence.semantics.dialects import TIES, Choices, Topic
from ringfence.semantics.rows import Clause, RowSpace
from ringfence.semantics.space import TrafficSpace
from ringfence.semantics.unknown import unknown_of, ways_to_know

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ringfence.model.events import Events
    from ringfence.model.policy import NamedPort, Policy, Rule
    from ringfence.semantics.classes import PodClass, Ports
    from ringfence.semantics.growth import Growth
    from ringfence.semantics.rows import Bounds
    from ringfence.semantics.sets import PeerSet
    from ringfence.semantics.universe import Universe

Numbers = tuple[int, ...]
"""Policies in the order in which their tier consults them."""

_Key = tuple[Direction, Numbers, Numbers, Numbers, "Ports"]
"""What makes a program, in the order of its attributes."""


_TIERS = tuple(Tier)

_AROUND_ROWS = Choices({Topic.POD_TO_OWN_NODE, Topic.BASELINE})
"""Open points that decide which program and which meeting counts, and nothing within it."""

_AROUND_RULES = _AROUND_ROWS | {Topic.ICMP, Topic.HAIRPIN_EGRESS, Topic.HAIRPIN_INGRESS} | TIES
"""Open points on which it does not depend what a rule means."""

_POINTS = Choices(Topic) - TIES
"""Open points that dialects decide."""


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

    def __contains__(self, number: int) -> bool:
        """Tell whether a policy is among those that judge."""
        return number in self.isolating or number in self.admin or number in self.baseline


class InForce:
    """The policies that count in one world, by direction, tier and the number of the selector of their subject."""

    def __init__(
        self, numbered: Iterable[tuple[int, Policy]], universe: Universe, others: InForce | None = None
    ) -> None:
        """File policies, each with its number, beside others."""
        self._filed: dict[tuple[Direction, Tier], dict[int, tuple[int, ...]]] = {
            (direction, tier): {} for direction in Direction for tier in Tier
        }
        if others:
            self._filed = {key: dict(filed) for key, filed in others._filed.items()}  # noqa: SLF001 - one of its own
        self._universe = universe
        for number, policy in numbered:
            self._add(number, policy)

    def revised(
        self, gone: Iterable[tuple[int, Policy]], new: Iterable[tuple[int, Policy]], universe: Universe
    ) -> InForce:
        """Return what is in force without some of these policies, and with others, in a universe that knows all."""
        found = InForce(new, universe, self)
        for number, policy in gone:
            subject = self._universe.number_of(policy.subject)
            for filed in found._of(policy):
                if left := tuple(each for each in filed[subject] if each != number):
                    filed[subject] = left
                else:
                    del filed[subject]
        return found

    def unlike(self, other: InForce) -> set[int]:
        """Return the selectors that are the subject of other policies than in another world."""
        filed = ((self._filed[key], other._filed[key]) for key in self._filed)
        return {
            each
            for one, two in filed
            if one != two
            for each in one.keys() | two.keys()
            if one.get(each) != two.get(each)
        }

    def judging(self, pod_class: PodClass, direction: Direction) -> Iterator[list[int]]:
        """Yield the policies that judge the pods of a class, for each tier in order."""
        selectors, filed = pod_class.selectors, self._filed
        for tier in _TIERS:
            of_tier = filed[direction, tier]
            yield [number for selector in selectors if selector in of_tier for number in of_tier[selector]]

    def isolating(self, pod_class: PodClass) -> Iterator[int]:
        """Yield the NetworkPolicies that have the pods of a class for their subject, in either direction."""
        for direction in Direction:
            filed = self._filed[direction, Tier.NETWORK_POLICY]
            yield from (number for selector in pod_class.selectors for number in filed.get(selector, ()))

    def _add(self, number: int, policy: Policy) -> None:
        subject = self._universe.number_of(policy.subject)
        for filed in self._of(policy):
            filed[subject] = (*filed.get(subject, ()), number)

    def _of(self, policy: Policy) -> Iterator[dict[int, tuple[int, ...]]]:
        """Yield where a policy is filed: once for each direction in which it has a say."""
        for direction in Direction:
            if policy.tier is not Tier.NETWORK_POLICY or direction in policy.isolates:
                yield self._filed[direction, policy.tier]


class Compiler:
    """Compiles policies to rows over a universe, each once, whatever worlds they are in force in.

    Attributes:
        traffic: The traffic of the policies as atoms.
        rows: The rows over this universe and that traffic.
    """

    def __init__(self, universe: Universe) -> None:
        self._universe = universe
        self._policies: list[Policy] = []
        self._turns: list[tuple[int, str]] = []
        self._numbers: dict[int, int] = {}
        for policy in sorted(universe.snapshot.policies, key=_turn):
            self.number(policy)
        self.traffic = TrafficSpace.of(self._traffic_sets())
        self._programs: dict[_Key, Program] = {}
        self._naming: dict[int, tuple[int, ...]] = {}  # as far as policies are filed
        self._filed = 0
        self._begin()

    def _begin(self) -> None:
        """Lay out the rows over this universe and traffic, of which nothing is known so far."""
        universe = self._universe
        self.rows = RowSpace.of(universe.sets, universe.everyone, self.traffic.everything)
        self._anything: Bounds = (self.rows.everything, self.rows.everything)
        self._clauses: dict[tuple[Direction, Ports, Choices], dict[int, tuple[Clause, ...]]] = defaultdict(dict)
        self._masks: dict[tuple[Intervals, tuple[NamedPort, ...], Ports], int] = {}
        self._rows: dict[tuple[Program, Meeting, Choices], Bounds] = {}
        self._settling: dict[Program, Choices] = {}
        self._known: dict[tuple[int, Direction], Choices] = {}

    def number(self, policy: Policy) -> int:
        """Return the number that programs have for a policy; the same object has the same."""
        found = self._numbers.setdefault(id(policy), len(self._policies))
        if found == len(self._policies):
            self._policies.append(policy)  # and keeps it, so that nothing else gets its identity
            self._turns.append(_turn(policy))
        return found

    def tells(self, policy: Policy) -> bool:
        """Tell whether the atoms of ends and traffic are fine enough for a policy."""
        if id(policy) in self._numbers:
            return True
        traffic = (rule.traffic for direction in Direction for rule in policy.rules(direction))
        return self._universe.tells(policy) and all(map(self.traffic.holds, traffic))

    def in_force(self, policies: Iterable[Policy]) -> InForce:
        """Return what is in force in a world with some policies."""
        return InForce(self._numbered(policies), self._universe)

    def revised(self, in_force: InForce, events: Events) -> InForce:
        """Return what is in force after some events, given what was before."""
        return in_force.revised(self._numbered(events.gone), self._numbered(events.come), self._universe)

    def grown(self, growth: Growth, policies: Iterable[Policy]) -> Compiler:
        """Return what compiles these policies and more over what this one's universe has become.

        Programs stay the same objects; what they mean is worked out anew where atoms are others.
        """
        found = copy(self)
        found._universe = growth.universe  # noqa: SLF001 - one of its own
        found._policies, found._numbers = [*self._policies], {**self._numbers}  # noqa: SLF001
        found._turns = [*self._turns]  # noqa: SLF001
        found._programs, found._naming = {**self._programs}, {**self._naming}  # noqa: SLF001
        sets = [rule.traffic for policy in policies for direction in Direction for rule in policy.rules(direction)]
        sets += (each for number in growth.touched for each in _points(growth.universe.classes[number]))
        if not all(map(self.traffic.holds, sets)):
            found.traffic = self.traffic.finer(sets)
        if growth.touched or found.traffic is not self.traffic:
            found._begin()  # noqa: SLF001
        return found

    def naming(self, selectors: Iterable[int]) -> frozenset[int]:
        """Return the policies of which a rule names any of some selectors, by number."""
        for number in range(self._filed, len(self._policies)):
            policy = self._policies[number]
            rules = (rule for direction in Direction for rule in policy.rules(direction))
            peers = {peer.pods for rule in rules for peer in rule.peers if isinstance(peer, PodPeer)}
            for selector in map(self._universe.number_of, peers):
                self._naming[selector] = (*self._naming.get(selector, ()), number)
        self._filed = len(self._policies)
        return frozenset[int]().union(*(self._naming.get(selector, ()) for selector in selectors))

    def _numbered(self, policies: Iterable[Policy]) -> Iterator[tuple[int, Policy]]:
        return ((self.number(policy), policy) for policy in policies)

    def program(
        self,
        pod_class: PodClass,
        direction: Direction,
        in_force: InForce,
        choices: Choices = frozenset(),
        without: int | None = None,
    ) -> Program:
        """Return what judges the pods of a class that policies can select, in one direction.

        Args:
            pod_class: The class.
            direction: The direction.
            in_force: What is in force.
            choices: How open points are decided.
            without: A policy that is to be left out; None for none.
        """
        judging: Iterable[list[int]] = in_force.judging(pod_class, direction)
        if without is not None:
            judging = ([number for number in told if number != without] for told in judging)
        admin, isolating, baseline = map(self._in_turn, judging)
        final = bool(isolating)
        if Topic.BASELINE in choices and not final:
            final = any(number != without for number in in_force.isolating(pod_class))
        ports = pod_class.ports if direction is Direction.INGRESS else ()
        return self._program((direction, admin, isolating, () if final else baseline, ports))

    def less(self, program: Program, number: int) -> Program:
        """Return a program without a policy, which is not the only one that isolates its subject."""
        admin, isolating, baseline = (
            tuple(n for n in told if n != number) for told in (program.admin, program.isolating, program.baseline)
        )
        return self._program((program.direction, admin, isolating, baseline, program.ports))

    def _program(self, key: _Key) -> Program:
        found = self._programs.get(key)
        if found is None:
            found = self._programs[key] = Program(*key)
        return found

    def bounds(self, program: Program, meeting: Meeting = Meeting.ORDINARY, choices: Choices = frozenset()) -> Bounds:
        """Return what a program says of every peer, if its subject met all of them in one way."""
        choices = self._mattering(program, choices)
        key = (program, meeting, choices)
        if key not in self._rows:
            self._rows[key] = self.bounds_without(None, program, meeting, choices)
        return self._rows[key]

    def _mattering(self, program: Program, choices: Choices) -> Choices:
        """Return those of some choices that may make a difference to the rows of a program."""
        choices -= _AROUND_ROWS if program.isolating else _AROUND_RULES - TIES
        if choices <= _POINTS:
            return choices
        if program not in self._settling:
            numbers = (*program.admin, *program.baseline)
            ties = TIES if has_equals(map(self.policy, numbers)) else Choices()
            self._settling[program] = ties.union(*(self._known_of(each, program.direction) for each in numbers))
        return choices & (_POINTS | self._settling[program])

    def _known_of(self, number: int, direction: Direction) -> Choices:
        """Return what might be known of all that a policy's rules ask for."""
        if (number, direction) not in self._known:
            peers = (peer for rule in self._policies[number].rules(direction) for peer in rule.peers)
            asked = (each for peer in peers for each in unknown_of(peer))
            self._known[number, direction] = Choices(known for each in asked for known in ways_to_know(each))
        return self._known[number, direction]

    def bounds_without(self, left_out: Rule | None, program: Program, meeting: Meeting, choices: Choices) -> Bounds:
        """Return the same of a program from which a rule is left out; nothing of it is kept."""
        folding = _Folding(self, program, meeting, choices, left_out)
        lower = self._anything
        if meeting is not Meeting.OWN_NODE:
            lower = self._isolated(folding) if program.isolating else lower
            lower = self._ordered(folding, program.baseline, lower)
        return self._ordered(folding, program.admin, lower)

    def policy(self, number: int) -> Policy:
        """Return a policy by the number that programs have for it."""
        return self._policies[number]

    def clauses(self, number: int, program: Program, choices: Choices) -> tuple[Clause, ...]:
        """Return what a policy means in a program, in the order of its rules."""
        choices -= _AROUND_RULES
        if not choices <= _POINTS:
            choices &= _POINTS | self._known_of(number, program.direction)
        rules = self._policies[number].rules(program.direction)
        ports = program.ports if any(rule.named for rule in rules) else ()
        known = self._clauses[program.direction, ports, choices]
        found = known.get(number)
        if found is None:
            policy, universe = self._policies[number], self._universe
            exempt = universe.in_cluster(choices) if policy.tier is Tier.NETWORK_POLICY else universe.sets.empty
            found = tuple([c for rule in rules for c in self._compile(rule, program, exempt, choices)])
            known[number] = found
        return found

    def _isolated(self, folding: _Folding) -> Bounds:
        """Return what the NetworkPolicies say that isolate a subject."""
        program, choices = folding.program, folding.choices
        hairpin = Topic.HAIRPIN_EGRESS if program.direction is Direction.EGRESS else Topic.HAIRPIN_INGRESS
        if folding.meeting is Meeting.ITSELF and hairpin not in choices:
            return self._anything
        clauses = [clause for number in program.isolating for clause in folding.clauses(number)]
        row, _ = self.rows.decide(clauses, (self.rows.nothing, self.rows.nothing))
        if Topic.ICMP in choices:
            everyone, icmp = self.rows.everyone, self.traffic.mask(traffic_of(Protocol.ICMP))
            row = self.rows.blend(row, everyone, icmp, self.rows.everything)
        return row, row

    def _ordered(self, folding: _Folding, policies: Numbers, lower: Bounds) -> Bounds:
        """Return what the policies of an ordered tier say, those of equal priority in any order."""
        found = lower
        groups = groupby(policies, key=lambda number: self._policies[number].priority)
        for equals in reversed([list(group) for _, group in groups]):
            turned = reversed(equals) if Topic.LAST_NAME in folding.choices else equals
            compiled = [folding.clauses(number) for number in turned]
            actions = {clause.action for clauses in compiled for clause in clauses}
            if len(equals) == 1 or len(actions) == 1 or folding.choices & TIES:
                found = self.rows.decide([clause for clauses in compiled for clause in clauses], lower, found)
            elif actions:
                found = self.rows.decide_equals(compiled, lower, found)
        return found

    def _in_turn(self, numbers: list[int]) -> Numbers:
        """Return policies in the order in which their tier consults them."""
        return tuple(sorted(numbers, key=self._turns.__getitem__) if len(numbers) > 1 else numbers)

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
            if both := perhaps & atoms:
                known = surely & atoms
                yield Clause(rule.action, known, self._mask(rule, ports), sets.sub(both, known), rule)

    def _mask(self, rule: Rule, ports: Ports) -> int:
        """Return what a rule names when it goes to pods with these ports; few name any that others do not."""
        key = (rule.traffic, rule.named, ports if rule.named else ())
        found = self._masks.get(key)
        if found is None:
            traffic = rule.traffic | resolve(rule.named, ports) if rule.named else rule.traffic
            found = self._masks[key] = self.traffic.mask(traffic)
        return found

    def _traffic_sets(self) -> Iterator[Intervals]:
        for policy in self._policies:
            for direction in Direction:
                yield from (rule.traffic for rule in policy.rules(direction))
        yield traffic_of(Protocol.ICMP)
        for pod_class in self._universe.classes:
            yield from _points(pod_class)


@dataclass(frozen=True, slots=True)
class _Folding:
    """How a program becomes rows."""

    compiler: Compiler
    program: Program
    meeting: Meeting
    choices: Choices
    left_out: Rule | None

    def clauses(self, number: int) -> tuple[Clause, ...]:
        """Return what a policy means."""
        found = self.compiler.clauses(number, self.program, self.choices)
        return found if self.left_out is None else tuple(each for each in found if each.rule is not self.left_out)


def _points(pod_class: PodClass) -> Iterator[Intervals]:
    """Yield the traffic to each named port of a class."""
    return (Intervals.point(point(port.protocol, port.number)) for port in pod_class.ports)


def _turn(policy: Policy) -> tuple[int, str]:
    """Return a key that sorts policies as their tier consults them."""
    return policy.priority, policy.name
