"""From the program that a node holds to the one it should hold, in as few words as possible.

There are two transactions. The first makes all the difference, at once, so no packet meets
half of it: a thing is made and filled before it is named, what is added comes before what
takes permission away, and elements go last. The second takes away what nothing names any
more: a packet that began on the old rules still looks into the old maps, and finds them
empty as soon as they are on their way out.

INVARIANT: no key is deleted and added again in one transaction, and no range that overlaps
one that is deleted. A kernel before 6.12.48, or from 6.13 to 6.16, may look between the two
and find neither: an allowed packet would be dropped, or a pod's own packets not judged at
all. Where a set or map would have to change so, another one takes its place under another
name: the first of ``NAME``, ``NAME.1``, ``NAME.2`` that is free.

INVARIANT: chains that write marks come last of all, and so do those that read them and are
there. Where a change takes several transactions, a connection is marked with a new epoch only
by rules of which everything is there.

INVARIANT: a chain's name means the same hook in every program;
:mod:`ringfence.dataplane.names` sees to that.

Source: Linux commit b2f742c846ca, "netfilter: nf_tables: restart set lookup on base_seq change".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING

from ringfence.algebra.intervals import Intervals
from ringfence.dataplane.commands import (
    AddChain,
    AddElements,
    AddSet,
    AddTable,
    DeleteChain,
    DeleteElements,
    DeleteSet,
    DeleteTable,
    FillChain,
)
from ringfence.dataplane.expressions import Bits, Dispatch, Lookup, Rule, Stamp
from ringfence.dataplane.nft import Chain, Map, Program, Set

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ringfence.algebra.intervals import Range
    from ringfence.dataplane.commands import Command
    from ringfence.dataplane.expressions import Expression
    from ringfence.dataplane.nft import Element, Key


@dataclass(frozen=True, slots=True)
class Delta:
    """What turns one program into another.

    Attributes:
        program: What there is afterwards: the desired program, but for names of sets and maps.
        change: What makes the difference; empty when there is none.
        tidying: What takes away what nothing names any more; empty when there is nothing.
    """

    program: Program
    change: tuple[Command, ...]
    tidying: tuple[Command, ...]

    def transactions(self) -> tuple[str, ...]:
        """Return the text of each transaction that is not empty."""
        parts = (self.change, self.tidying)
        return tuple("".join(f"{command}\n" for command in part) for part in parts if part)


def delta(actual: Program, desired: Program) -> Delta:
    """Return what turns one program into another, whatever the names of its sets and maps."""
    program = _named_apart(actual, desired)
    new = [each for each in program.chains if each.name not in actual.chain_by_name]
    kept = [each for each in program.chains if each.name in actual.chain_by_name]
    # A chain that only reads marks finds none of this epoch as long as nobody writes them.
    last = [*(each for each in kept if _has(each, Bits, Stamp)), *(each for each in new if _has(each, Stamp))]
    change = (
        *_make(actual, program),
        *_fill(actual, program, (each for each in new if each not in last)),
        *_add_elements(actual, program),
        *_fill(actual, program, (each for each in kept if each not in last)),
        *_delete_elements(actual, program),
        *_fill(actual, program, last),
    )
    return Delta(program, change, tuple(_delete(actual, program)))


def replacement(desired: Program) -> tuple[Command, ...]:
    """Return one transaction that makes the table anew, without a gap between old and new.

    The table is added first because it cannot be deleted where there is none.
    """
    table = desired.table
    load = delta(Program(table, (), (), ()), desired)
    return AddTable(table), DeleteTable(table), AddTable(table), *load.change


def _named_apart(actual: Program, desired: Program) -> Program:
    """Give sets and maps that cannot become what they should be in place another name."""
    held = {named.name: named for named in actual.named_sets}
    names = {named.name: _name(held, named) for named in desired.named_sets}
    if all(old == new for old, new in names.items()):
        return desired
    return replace(
        desired,
        sets=tuple(
            each if names[each.name] == each.name else replace(each, name=names[each.name]) for each in desired.sets
        ),
        maps=tuple(replace(each, name=names[each.name]) for each in desired.maps),
        chains=tuple(_renamed(each, names) for each in desired.chains),
    )


def _name(held: dict[str, Set | Map], named: Set | Map) -> str:
    """Return the name under which a set or map can be had: of one to change in place, else the first free one."""
    # One is in use, and another may be left of a change that was not tidied up.
    for name in (named.name, f"{named.name}.1"):
        if name in held and _can_become(held[name], named):
            return name
    others = (f"{named.name}.{number}" for number in count(1))
    return named.name if named.name not in held else next(name for name in others if name not in held)


def _can_become(old: Set | Map, new: Set | Map) -> bool:
    """Tell whether adding and deleting elements turns one into the other, none of them twice."""
    if isinstance(old, Map) and isinstance(new, Map):
        before = {element.key: element.statement for element in old.elements}
        changed = (before.get(each.key, each.statement) != each.statement for each in new.elements)
        return old.key == new.key and not any(changed)
    if isinstance(old, Set) and isinstance(new, Set):
        if (old.key, old.interval) != (new.key, new.interval):
            return False
        return not old.interval or not _overlap(*_differences(old, new))
    return False


def _overlap(some: Iterable[Key], others: Iterable[Key]) -> bool:
    """Tell whether a box of one kind has anything in common with one of the other."""
    ours, theirs = _by_rest(some), _by_rest(others)
    return any(
        all(a[0] <= b[1] and b[0] <= a[1] for a, b in zip(rest, other, strict=True)) and bool(firsts & their_firsts)
        for rest, firsts in ours.items()
        for other, their_firsts in theirs.items()
    )


def _by_rest(keys: Iterable[Key]) -> dict[Key, Intervals]:
    """Return what the first field may be, by all others."""
    found: dict[Key, list[Range]] = {}
    for key in keys:
        found.setdefault(key[1:], []).append(key[0])
    return {rest: Intervals.of(firsts) for rest, firsts in found.items()}


def _renamed(chain: Chain, names: dict[str, str]) -> Chain:
    """Return a chain that looks into what is named otherwise now; the same object where it looks into nothing such."""
    if not any(names.get(each) != each for rule in chain.rules for each in map(_looks_into, rule.expressions) if each):
        return chain
    return replace(chain, rules=tuple(Rule(tuple(_rename(e, names) for e in rule.expressions)) for rule in chain.rules))


def _looks_into(expression: Expression) -> str:
    """Return the set or map that an expression names; empty for none."""
    match expression:
        case Lookup():
            return expression.set_name
        case Dispatch():
            return expression.map_name
        case _:
            return ""


def _rename(expression: Expression, names: dict[str, str]) -> Expression:
    match expression:
        case Lookup():
            return replace(expression, set_name=names[expression.set_name])
        case Dispatch():
            return replace(expression, map_name=names[expression.map_name])
        case _:
            return expression


def _make(actual: Program, desired: Program) -> Iterator[Command]:
    """Make chains and sets that are new, empty so far."""
    for each in desired.chains:
        if each.name not in actual.chain_by_name:
            yield AddChain(desired.table, each)
    yield from (AddSet(desired.table, named) for named in _missing(desired, actual))


def _has(chain: Chain, *kinds: type) -> bool:
    """Tell whether a rule of a chain has an expression of one of these kinds."""
    return any(isinstance(each, kinds) for rule in chain.rules for each in rule.expressions)


def _fill(actual: Program, desired: Program, chains: Iterable[Chain]) -> Iterator[Command]:
    """Write the rules of those chains that have others now."""
    for each in chains:
        old = actual.chain_by_name.get(each.name)
        if each.rules != (old.rules if old else ()):
            yield FillChain(desired.table, each)


def _differences(old: Set | Map, new: Set | Map) -> tuple[list[Key], list[Key]]:
    """Return the keys that are gone and those that are new, in order."""
    if old.elements is new.elements or old.elements == new.elements:  # the first is quick
        return [], []
    before, after = old.keys, new.keys
    gone, added = set(before), set(after)
    return [key for key in before if key not in added], [key for key in after if key not in gone]


def _add_elements(actual: Program, desired: Program) -> Iterator[Command]:
    held = {named.name: named for named in actual.named_sets}
    for named in desired.named_sets:
        _, added = _differences(held.get(named.name, _only(named, ())), named)
        if added:
            yield AddElements(desired.table, _only(named, added))


def _delete_elements(actual: Program, desired: Program) -> Iterator[Command]:
    wanted = {named.name: named for named in desired.named_sets}
    for named in actual.named_sets:
        gone, _ = _differences(named, wanted.get(named.name, named))
        if gone:
            yield DeleteElements(desired.table, _only(named, gone))


def _only(named: Set | Map, keys: Iterable[Key]) -> Set | Map:
    """Return a set or map with some of its elements."""
    if isinstance(named, Set):
        return replace(named, elements=tuple(keys))
    by_key: dict[Key, Element] = {element.key: element for element in named.elements}
    return replace(named, elements=tuple(by_key[key] for key in keys))


def _delete(actual: Program, desired: Program) -> Iterator[Command]:
    """Delete what is gone; empty chains first, so that none of them names another or a set."""
    gone = [each for each in actual.chains if each.name not in desired.chain_by_name]
    yield from (FillChain(desired.table, Chain(each.name, ())) for each in gone if each.rules)
    yield from (DeleteSet(desired.table, named) for named in _missing(actual, desired))
    yield from (DeleteChain(desired.table, each.name) for each in gone)


def _missing(program: Program, other: Program) -> list[Set | Map]:
    """Return the sets and maps of one program that another lacks."""
    held = {named.name for named in other.named_sets}
    return [named for named in program.named_sets if named.name not in held]
