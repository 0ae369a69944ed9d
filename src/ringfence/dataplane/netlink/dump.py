"""What the kernel says that it holds, as a program: nothing is left out, what is not ours is named.

Sources: ``net/netfilter/nf_tables_api.c``, the functions ``nf_tables_fill_*_info``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from ringfence.algebra.intervals import Intervals
from ringfence.dataplane.expressions import Dispatch, Field, Foreign, Lookup, Rule
from ringfence.dataplane.netlink.elements import (
    ForeignElementError,
    decode_boxes,
    decode_map,
    decode_ranges,
    decode_values,
)
from ringfence.dataplane.netlink.keys import Layout, read_types
from ringfence.dataplane.netlink.messages import read_attributes, read_number, read_text
from ringfence.dataplane.netlink.requests import (
    ACCEPT,
    HAS_RANGES,
    HOOKS,
    IS_ANONYMOUS,
    IS_CONCATENATION,
    IS_MAP,
    PRIORITIES,
    VERDICT,
)
from ringfence.dataplane.netlink.rules import read_rule
from ringfence.dataplane.netlink.steps import decode_steps
from ringfence.dataplane.nft import Chain, Datatype, Hook, Map, Program, Set, TableFamily

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ringfence.dataplane.netlink.messages import Attributes
    from ringfence.dataplane.nft import Element, Key

_DORMANT = 0x1
_BASE_CHAIN = 0x1
_SET_EXTRAS = frozenset({11, 12, 15, 17, 18})
"""Attributes of sets that have what ours never have: timeouts, objects, expressions."""

_Named = TypeVar("_Named", Set, Map, Chain)

_TYPES = {
    Field.IP_SADDR: Datatype.IPV4_ADDR,
    Field.IP_DADDR: Datatype.IPV4_ADDR,
    Field.IP6_SADDR: Datatype.IPV6_ADDR,
    Field.IP6_DADDR: Datatype.IPV6_ADDR,
    Field.L4PROTO: Datatype.INET_PROTO,
    Field.SPORT: Datatype.INET_SERVICE,
    Field.DPORT: Datatype.INET_SERVICE,
    Field.IIFNAME: Datatype.IFNAME,
    Field.OIFNAME: Datatype.IFNAME,
    Field.ETHER_SADDR: Datatype.ETHER_ADDR,
}


@dataclass(frozen=True, slots=True)
class Dump:
    """Answers of the kernel about one table, as they came.

    Attributes:
        table: Its name.
        flags: Its flags.
        chains: The attributes of each chain.
        rules: The attributes of each rule, in order within its chain.
        sets: The attributes of each set and map, anonymous ones among them.
        elements: The lists of elements of each set and map, by its name.
        family: Its family.
    """

    table: str
    flags: int
    chains: tuple[bytes, ...]
    rules: tuple[bytes, ...]
    sets: tuple[bytes, ...]
    elements: Mapping[str, tuple[bytes, ...]]
    family: TableFamily = TableFamily.INET


@dataclass(frozen=True, slots=True)
class Held:
    """What a table holds.

    Attributes:
        program: All of it. A rule that is not ours is :class:`Foreign`; a set that is not
            ours has a key of no fields and no elements.
        foreign: What is not ours, for people; empty when every part of the table means
            what the program says.
        repairable: Whether the table can become another by adding and deleting parts;
            otherwise it has to be made anew.
    """

    program: Program
    foreign: tuple[str, ...] = ()
    repairable: bool = True


def read_dump(dump: Dump) -> Held:
    """Return what a dump says; sets, maps and chains are sorted by name."""
    anonymous: dict[str, Intervals] = {}
    sets: list[Set] = []
    maps: list[Map] = []
    for attributes in map(read_attributes, dump.sets):
        name = read_text(attributes[2])
        elements = dump.elements.get(name, ())
        if read_number(attributes.get(3)) & IS_ANONYMOUS:
            anonymous |= _anonymous(name, attributes, elements)
            continue
        named = _named(name, attributes, elements)
        if isinstance(named, Map):
            maps.append(named)
        else:
            sets.append(named)
    every: list[Set | Map] = [*sets, *maps]
    foreign = [f"{named.noun} {named.name}" for named in every if not named.key]
    rules = _rules(dump.rules, _Known({named.name: named for named in every}, anonymous, dump.family))
    chains, strange = [], ["the table is dormant"] if dump.flags & _DORMANT else []
    for attributes in map(read_attributes, dump.chains):
        name = read_text(attributes[3])
        hook, problem = _hook(attributes)
        strange += [f"chain {name}: {problem}"] * bool(problem)
        chains.append(Chain(name, tuple(rules.get(name, ())), hook))
        foreign += [f"a rule of chain {name}: {rule}" for rule in chains[-1].rules if _is_foreign(rule)]
    program = Program(dump.table, _sorted(sets), _sorted(maps), _sorted(chains), dump.family)
    return Held(program, (*strange, *foreign), repairable=not strange)


def _sorted(found: Iterable[_Named]) -> tuple[_Named, ...]:
    return tuple(sorted(found, key=lambda each: each.name))


def _is_foreign(rule: Rule) -> bool:
    return any(isinstance(each, Foreign) for each in rule.expressions)


def _hook(attributes: Attributes) -> tuple[Hook | None, str]:
    """Return where a chain is hooked in, and what is strange about it."""
    if read_number(attributes.get(10)) & ~_BASE_CHAIN:
        return None, "its flags are none that we set"
    if 4 not in attributes:
        return None, ""
    place = read_attributes(attributes[4])
    hook = {number: hook for hook, number in HOOKS.items()}.get(read_number(place.get(1)))
    priority = int.from_bytes(place.get(2, b""), signed=True)
    expected = (hook and PRIORITIES[hook], ACCEPT, "filter")
    if hook is None or (priority, read_number(attributes.get(5)), read_text(attributes.get(7, b""))) != expected:
        return hook, "its hook, priority, policy or type is not ours"
    return hook, ""


def _anonymous(name: str, attributes: Attributes, elements: Iterable[bytes]) -> dict[str, Intervals]:
    """Return what an anonymous set holds by its name; nothing when it is none of ours."""
    flags, layout = read_number(attributes.get(3)), Layout((Datatype.INET_PROTO,))
    if flags & ~(IS_ANONYMOUS | 2 | HAS_RANGES) or read_number(attributes.get(5)) != layout.struct.size:
        return {}
    try:
        keys = _keys(elements, layout, interval=bool(flags & HAS_RANGES))
    except ForeignElementError:
        return {}
    return {name: Intervals.of(key[0] for key in keys)}


def _named(name: str, attributes: Attributes, elements: Sequence[bytes]) -> Set | Map:
    """Return a named set or map, with a key of no fields when it is none of ours."""
    flags = read_number(attributes.get(3))
    types = read_types(read_number(attributes.get(4)))
    nothing: Set | Map = Map(name, ()) if flags & IS_MAP else Set(name, ())
    if types is None or attributes.keys() & _SET_EXTRAS:
        return nothing
    layout = Layout(types)
    interval = bool(flags & HAS_RANGES)
    concatenated = IS_CONCATENATION if interval and len(types) > 1 else 0
    if read_number(attributes.get(5)) != layout.struct.size or flags & ~(IS_MAP | HAS_RANGES) != concatenated:
        return nothing
    try:
        if not flags & IS_MAP:
            return Set(name, types, tuple(sorted(_keys(elements, layout, interval=interval))), interval=interval)
        if interval or read_number(attributes.get(6)) != VERDICT:
            return nothing
        found = [each for part in elements for each in decode_map(part, layout)]
    except ForeignElementError:
        return nothing
    return Map(name, types, tuple(sorted(found, key=_element_key)))


def _element_key(element: Element) -> Key:
    return element.key


def _keys(elements: Iterable[bytes], layout: Layout, *, interval: bool) -> list[Key]:
    if not interval:
        return [key for part in elements for key in decode_values(part, layout)]
    if len(layout.types) > 1:
        return [key for part in elements for key in decode_boxes(part, layout)]
    return decode_ranges(b"".join(elements), layout)


@dataclass(frozen=True, slots=True)
class _Known:
    """The sets of a table, as its rules are read.

    Attributes:
        named: Sets and maps by name; those that are not ours have a key of no fields.
        anonymous: What each anonymous set holds.
        family: The table's family.
    """

    named: Mapping[str, Set | Map]
    anonymous: Mapping[str, Intervals]
    family: TableFamily

    def fits(self, rule: Rule) -> bool:
        """Tell whether each set that a rule names is there, of the right kind, and keyed as the rule reads it."""
        for expression in rule.expressions:
            match expression:
                case Lookup(fields, name):
                    kind: type = Set
                case Dispatch(fields, name):
                    kind = Map
                case _:
                    continue
            named = self.named.get(name)
            if named is None or not isinstance(named, kind) or named.key != tuple(map(_TYPES.get, fields)):
                return False
        return True


def _rules(found: Iterable[bytes], known: _Known) -> dict[str, list[Rule]]:
    rules: dict[str, list[Rule]] = {}
    for chain, rule in _each_rule(found, known):
        rules.setdefault(chain, []).append(rule)
    return rules


def _each_rule(found: Iterable[bytes], known: _Known) -> Iterator[tuple[str, Rule]]:
    for attributes in map(read_attributes, found):
        steps = list(decode_steps(attributes.get(4, b"")))
        rule = read_rule(steps, known.anonymous, known.family)
        if not known.fits(rule):
            rule = Rule((Foreign(f"looks up what it must not: {rule}"),))
        yield read_text(attributes[2]), rule
