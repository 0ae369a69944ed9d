"""From the program that a node holds to the one it should hold, in as few words as possible.

Everything is one transaction, so no packet meets half of it. Within it the order is what
nft and the kernel ask for: a thing is made before it is named and unnamed before it is
deleted, and an element is deleted before one that overlaps it is added.

INVARIANT: a set's name means the same type in every program, and a chain's the same hook;
:mod:`ringfence.dataplane.names` sees to that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.dataplane.nft import Map, Program, Set


def delta(actual: Program, desired: Program) -> str:
    """Return one transaction that turns one program into another; empty when they are equal."""
    table = f"inet {desired.table}"
    commands = (
        *_make(table, actual, desired),
        *_change_elements(table, actual, desired),
        *_refill_chains(table, actual, desired),
        *_delete(table, actual, desired),
    )
    return "".join(f"{command}\n" for command in commands)


def _make(table: str, actual: Program, desired: Program) -> Iterator[str]:
    """Make chains and sets that are new, empty so far."""
    for chain in desired.chains:
        if chain.name not in actual.chain_by_name:
            yield f"add chain {table} {chain.name}" + (f" {{ {chain.header} }}" if chain.hook else "")
    for named in _missing(desired, actual):
        yield f"add {named.noun} {table} {named.name} {{ {named.header} }}"


def _change_elements(table: str, actual: Program, desired: Program) -> Iterator[str]:
    """Delete elements that are gone or that a map now treats otherwise, then add what is new."""
    before = {named.name: named.texts() for named in actual.named_sets}
    for named in desired.named_sets:
        old, new = before.get(named.name, {}), named.texts()
        gone = [key for key, text in old.items() if new.get(key) != text]
        if gone:
            yield f"delete element {table} {named.name} {{ {', '.join(gone)} }}"
        added = [text for key, text in new.items() if old.get(key) != text]
        if added:
            yield f"add element {table} {named.name} {{ {', '.join(added)} }}"


def _refill_chains(table: str, actual: Program, desired: Program) -> Iterator[str]:
    """Write the rules of chains that are new or have others now."""
    for chain in desired.chains:
        old = actual.chain_by_name.get(chain.name)
        if old and old.rules == chain.rules:
            continue
        if old:
            yield f"flush chain {table} {chain.name}"
        yield from (f"add rule {table} {chain.name} {rule}" for rule in chain.rules)


def _delete(table: str, actual: Program, desired: Program) -> Iterator[str]:
    """Delete what is gone; empty chains first, so that none of them names another or a set."""
    gone = [chain.name for chain in actual.chains if chain.name not in desired.chain_by_name]
    yield from (f"flush chain {table} {name}" for name in gone)
    yield from (f"delete {named.noun} {table} {named.name}" for named in _missing(actual, desired))
    yield from (f"delete chain {table} {name}" for name in gone)


def _missing(program: Program, other: Program) -> list[Set | Map]:
    """Return the sets and maps of one program that another lacks."""
    held = {named.name for named in other.named_sets}
    return [named for named in program.named_sets if named.name not in held]
