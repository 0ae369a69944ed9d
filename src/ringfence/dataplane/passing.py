"""Runs a program on all packets between one address and every other at once.

As :mod:`ringfence.dataplane.simulate` does for one packet: the same expressions, with the
same meaning. One end of the packets is an address, the *near* one; the far one, the
protocol and the port of the server are open, and everything else has one value.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ringfence.algebra.addresses import EVERY, Address
from ringfence.algebra.intervals import Intervals
from ringfence.dataplane.expressions import (
    DESTINATION,
    SOURCE,
    Bits,
    Counter,
    Dispatch,
    Equals,
    Field,
    Goto,
    Jump,
    Limit,
    Log,
    Lookup,
    Reset,
    Stamp,
    Within,
    Word,
)
from ringfence.dataplane.reach import EVERYTHING, NOTHING, STRIDE, Reach, Traffics, protocols

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ringfence.algebra.addresses import Family
    from ringfence.algebra.intervals import Range
    from ringfence.dataplane.expressions import Expression, Rule, Statement
    from ringfence.dataplane.nft import Chain, Hook, Key, Map, Program, Set

_ADDRESSES = frozenset((*SOURCE.values(), *DESTINATION.values()))
_WITH_PORTS = Intervals.of((n * STRIDE, n * STRIDE + 65_535) for n in range(256))
_OF_PROTOCOL = {Field.TCP_FLAGS: 6, Field.ICMPV6_TYPE: 58}
"""Fields that packets of one protocol have."""


class UnprovableError(Exception):
    """A rule that reads what is not told apart here."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What is the same for all packets that are looked at together.

    Attributes:
        family: Their IP version.
        near: The field of the near address.
        far: The field of the other one.
        port: The field of the server's port.
        values: Fields that have one value; a field that is not here is absent.
    """

    family: Family
    near: Field
    far: Field
    port: Field
    values: Mapping[Field, object]


class Passed(NamedTuple):
    """What became of packets in a chain.

    Attributes:
        accepted: Those that are accepted, in disjoint parts.
        back: Those that come back to whoever jumped there, likewise.
    """

    accepted: tuple[Reach, ...]
    back: tuple[Reach, ...]


class Passing:
    """One program, one situation, many near addresses; what chains do is worked out once."""

    def __init__(self, program: Program, sets: SetReaches, situation: Situation) -> None:
        self._program = program
        self._sets = sets
        self._traffics = sets.traffics
        self._situation = situation
        self._near = Address(0)
        self._values: Mapping[Field, object] = situation.values
        self._done: dict[tuple[str, int, Address | None], tuple[Reach, Passed]] = {}
        self._reads: dict[str, bool] = {}
        self._targets: dict[str, dict[int | None, list[tuple[Reach, Statement]]]] = {}

    def run(
        self, hook: Hook, near: Address, links: Mapping[Field, object], packets: Sequence[Reach]
    ) -> tuple[Reach, ...]:
        """Return which packets the base chains of a hook let through, in disjoint parts.

        Args:
            hook: The hook.
            near: The near address.
            links: The links that its packets come and go by, the same whenever it is asked about.
            packets: Disjoint parts of what arrives.
        """
        self._near, self._values = near, {**self._situation.values, **links}
        for chain in self._program.chains:
            if chain.hook is hook:
                passed = [self._run(chain, part) for part in packets]
                packets = [part for each in passed for part in (*each.accepted, *each.back)]
        return tuple(packets)

    def _run(self, chain: Chain, packets: Reach) -> Passed:
        key = (chain.name, id(packets), self._near if self._reads_near(chain.name, frozenset()) else None)
        if key not in self._done:
            self._done[key] = packets, self._evaluate(chain, packets)
        return self._done[key][1]

    def _evaluate(self, chain: Chain, packets: Reach) -> Passed:
        accepted: list[Reach] = []
        back: list[Reach] = []
        for rule in chain.rules:
            if not packets:
                break
            rest = packets
            came_back: list[Reach] = []
            for matched, statement in self._matches(rule, packets):
                rest = self._traffics.without(rest, matched)
                match statement:
                    case Word.ACCEPT:
                        accepted.append(matched)
                    case Word.RETURN:
                        back.append(matched)
                    case Jump(name) | Goto(name):
                        passed = self._run(self._program.chain_by_name[name], matched)
                        accepted += passed.accepted
                        (came_back if isinstance(statement, Jump) else back).extend(passed.back)
            packets = self._traffics.union([rest, *came_back])
        return Passed(tuple(accepted), tuple(each for each in (*back, packets) if each))

    def _matches(self, rule: Rule, packets: Reach) -> list[tuple[Reach, Statement | Reset]]:
        """Return what a rule decides about, in disjoint parts; without any where it decides nothing."""
        limited = False
        for expression in rule.expressions:
            if not packets:
                return []
            match expression:
                case Limit():
                    limited = True
                case Word() | Jump() | Goto() | Reset() | Dispatch() if limited:
                    message = f"a rule that decides so many times a second: {rule}"
                    raise UnprovableError(message)
                case Word() | Jump() | Goto() | Reset():
                    return [(packets, expression)]
                case Dispatch():
                    return self._dispatched(expression, packets)
                case Log() | Counter() | Stamp():
                    pass
                case _:
                    packets = self._held(expression, packets)
        return []

    def _held(self, expression: Expression, packets: Reach) -> Reach:
        """Return the packets for which a condition holds."""
        match expression:
            case Equals(field, value):
                return packets if self._values.get(field) is value else NOTHING
            case Within(field, values):
                return self._within(field, values, packets)
            case Bits(field, mask, value, negated):
                number = self._values.get(field)
                holds = isinstance(number, int) and (number & mask == value) is not negated
                return self._of(field, packets) if holds else NOTHING
            case Lookup(fields, name, negated):
                return self._looked_up(fields, name, packets, negated=negated)
        raise UnprovableError(str(expression))

    def _of(self, field: Field, packets: Reach) -> Reach:
        """Return the packets that have a field."""
        if field not in _OF_PROTOCOL:
            return packets
        number = Intervals.point(_OF_PROTOCOL[field])
        return self._traffics.only(packets, self._traffics.number(protocols(number)))

    def _within(self, field: Field, values: Intervals, packets: Reach) -> Reach:
        situation = self._situation
        if field is situation.far:
            return self._traffics.both(packets, self._sets.ranges(values))
        if field is Field.L4PROTO:
            return self._traffics.only(packets, self._traffics.number(protocols(values)))
        if field is situation.port:
            of_each = Intervals.of((n * STRIDE + a, n * STRIDE + b) for n in range(256) for a, b in values)
            return self._traffics.only(packets, self._traffics.number(of_each))
        number = self._near if field is situation.near else self._values.get(field)
        return self._of(field, packets) if isinstance(number, int) and number in values else NOTHING

    def _looked_up(self, fields: tuple[Field, ...], name: str, packets: Reach, *, negated: bool) -> Reach:
        situation, traffics = self._situation, self._traffics
        roles = tuple(map(self._role, fields))
        if None in roles:
            return NOTHING
        if situation.port in fields:
            packets = traffics.only(packets, traffics.number(_WITH_PORTS))
        found = self._sets.reach(self._program.set_by_name[name], roles)
        if situation.near in fields:
            number = traffics.at(found, self._near)
        elif situation.far in fields:
            both = traffics.both(packets, found)
            return traffics.without(packets, both) if negated else both
        else:
            number = found.pieces[0][2] if found else 0
        if negated:
            number = traffics.minus(traffics.number(EVERYTHING), number)
        return traffics.only(packets, number)

    def _role(self, field: Field) -> object:
        """Return what a field of a key is: open, or its value; None when packets lack it."""
        situation = self._situation
        if field in {situation.near, situation.far}:
            return ADDRESS
        if field is situation.port:
            return PORT
        return PROTOCOL if field is Field.L4PROTO else self._values.get(field)

    def _dispatched(self, expression: Dispatch, packets: Reach) -> list[tuple[Reach, Statement | Reset]]:
        situation, fields = self._situation, expression.fields
        if not {situation.near, situation.far}.issuperset(fields):
            if _ADDRESSES.issuperset(fields):
                return []  # of the other family
            raise UnprovableError(str(expression))
        near = self._near if situation.near in fields else None
        targets = self._targets_of(self._program.map_by_name[expression.map_name], fields).get(near, [])
        parts = ((self._traffics.both(packets, far), statement) for far, statement in targets)
        return [(part, statement) for part, statement in parts if part]

    def _targets_of(self, named: Map, fields: tuple[Field, ...]) -> dict[int | None, list[tuple[Reach, Statement]]]:
        """Return what a map says by the near address, None where the key has none: with everything at the far ones."""
        key = f"{named.name} {fields}"
        if key not in self._targets:
            found: dict[int | None, dict[Statement, list[Range]]] = defaultdict(lambda: defaultdict(list))
            (whole,) = EVERY[self._situation.family]
            for element in named.elements:
                ranges = dict(zip(fields, element.key, strict=True))
                near, _ = ranges.get(self._situation.near, (None, None))
                found[near][element.statement].append(ranges.get(self._situation.far, whole))
            self._targets[key] = {
                near: [(self._sets.ranges(Intervals.of(far)), statement) for statement, far in told.items()]
                for near, told in found.items()
            }
        return self._targets[key]

    def _reads_near(self, name: str, seen: frozenset[str]) -> bool:
        """Tell whether what a chain does depends on the near address."""
        if name in seen:
            return False
        if name not in self._reads:
            near, found = {self._situation.near, Field.IIFNAME, Field.OIFNAME}, False
            for expression in (each for rule in self._program.chain_by_name[name].rules for each in rule.expressions):
                match expression:
                    case Within(field) | Bits(field):
                        found |= field in near
                    case Lookup(fields):
                        found |= not near.isdisjoint(fields)
                    case Jump(chain) | Goto(chain):
                        found |= self._reads_near(chain, seen | {name})
                    case Dispatch():
                        found = True
            self._reads[name] = found
        return self._reads[name]


class _Open(NamedTuple):
    """A part of a key that is open."""

    name: str


ADDRESS, PROTOCOL, PORT = map(_Open, ("address", "protocol", "port"))


class SetReaches:
    """The sets of one program as sets of packets.

    Attributes:
        traffics: The numbers of traffic.
    """

    def __init__(self, traffics: Traffics, family: Family) -> None:
        self.traffics = traffics
        self._whole = EVERY[family]
        self._found: dict[tuple[str, tuple[object, ...]], Reach] = {}
        self._ranges: dict[Intervals, Reach] = {}
        self._traffic: dict[tuple[Range, Range | None], Intervals] = {}

    def ranges(self, addresses: Intervals) -> Reach:
        """Return everything with some addresses."""
        if addresses not in self._ranges:
            self._ranges[addresses] = self.traffics.reach((first, last, EVERYTHING) for first, last in addresses)
        return self._ranges[addresses]

    def reach(self, named: Set, roles: tuple[object, ...]) -> Reach:
        """Return the packets that are found in a set, at each address; at every address where the key has none."""
        key = (named.name, roles)
        if key not in self._found:
            make = self._exact if roles == (ADDRESS, PROTOCOL, PORT) and not named.interval else self._boxes
            self._found[key] = make(named, roles)
        return self._found[key]

    def _exact(self, named: Set, _roles: tuple[object, ...]) -> Reach:
        by_address: dict[int, list[int]] = defaultdict(list)
        for (address, _last), (number, _), (port, _) in named.elements:
            by_address[address].append(number * STRIDE + port)
        known: dict[tuple[int, ...], Intervals] = {}
        pieces = []
        for address, points in by_address.items():
            told = tuple(points)
            if told not in known:
                known[told] = Intervals.of((point, point) for point in told)
            pieces.append((address, address, known[told]))
        return self.traffics.reach(pieces)

    def _boxes(self, named: Set, roles: tuple[object, ...]) -> Reach:
        boxes = (box for element in named.elements for box in self._box(element, roles))
        return self.traffics.covering(boxes)

    def _box(self, element: Key, roles: tuple[object, ...]) -> list[tuple[int, int, Intervals]]:
        """Return an element as pieces: one, or for a key without an address one for each range of the family."""
        numbers: Range = (0, 255)
        ports: Range | None = None
        where = list(self._whole)
        for role, (first, last) in zip(roles, element, strict=True):
            if role is ADDRESS:
                where = [(first, last)]
            elif role is PROTOCOL:
                numbers = (first, last)
            elif role is PORT:
                ports = (first, last)
            elif not (isinstance(role, int) and first <= role <= last):
                return []
        key = (numbers, ports)
        if key not in self._traffic:
            self._traffic[key] = _traffic(numbers, ports)
        return [(first, last, self._traffic[key]) for first, last in where]


def _traffic(numbers: Range, ports: Range | None) -> Intervals:
    """Return everything of some protocols, or what they have at some ports."""
    if ports is None:
        return protocols(Intervals((numbers,)))
    low, high = ports
    of_each = (number * STRIDE for number in range(numbers[0], numbers[1] + 1))
    return Intervals.of((base + low, base + high) for base in of_each)
