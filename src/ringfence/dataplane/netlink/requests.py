"""Commands as the kernel's own messages.

Sources: ``linux/netfilter/nf_tables.h`` for every number; nft's own messages, which the tests
compare, for what ``nft list ruleset`` needs to print what it is given.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

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
from ringfence.dataplane.expressions import Field
from ringfence.dataplane.netlink.elements import encode_elements
from ringfence.dataplane.netlink.keys import WIDTHS, Layout
from ringfence.dataplane.netlink.messages import APPEND, CREATE, FAMILIES, Message, attribute, nested, number, text
from ringfence.dataplane.netlink.rules import ANONYMOUS, Anonymous, Writer, width
from ringfence.dataplane.netlink.steps import LIST_ELEMENT, encode_step
from ringfence.dataplane.nft import Datatype, Hook, Map, Set, TableFamily

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ringfence.dataplane.commands import Command
    from ringfence.dataplane.expressions import Rule
    from ringfence.dataplane.nft import Chain, Key

NEW_TABLE, GET_TABLE, DELETE_TABLE = 0, 1, 2
NEW_CHAIN, GET_CHAIN, DELETE_CHAIN = 3, 4, 5
NEW_RULE, GET_RULE, DELETE_RULE = 6, 7, 8
NEW_SET, GET_SET, DELETE_SET = 9, 10, 11
NEW_ELEMENTS, GET_ELEMENTS, DELETE_ELEMENTS = 12, 13, 14
NEW_GENERATION, GET_GENERATION = 15, 16
GET_FLOWTABLE = 23
"""Kinds of messages."""

OWNED, PERSISTENT = 0x2, 0x4
"""Flags of a table: only the socket that made it changes it; it outlives that socket."""

IS_ANONYMOUS, IS_CONSTANT, HAS_RANGES, IS_MAP, IS_CONCATENATION = 0x1, 0x2, 0x4, 0x8, 0x80
"""Flags of a set."""

VERDICT = 0xFFFFFF00
"""The type of what a map of verdicts leads to."""

HOOKS = {Hook.PREROUTING: 0, Hook.INPUT: 1, Hook.FORWARD: 2}
"""The number of each hook."""

PRIORITIES = {Hook.PREROUTING: -310, Hook.INPUT: -10, Hook.FORWARD: -10}
"""The priority of base chains: ten before ``raw`` or ``filter``."""

ACCEPT = 1
"""The policy of base chains."""

_ICMPV6_TYPE = 29
_TYPES = {Field.L4PROTO: (Datatype.INET_PROTO, 12), Field.ICMPV6_TYPE: (Datatype.INET_PROTO, _ICMPV6_TYPE)}


class Requests:
    """Writes commands as messages of one or more transactions.

    Attributes:
        flags: Those of the table, when it is made.
        family: The table's family.
    """

    def __init__(self, flags: int = 0, family: TableFamily = TableFamily.INET) -> None:
        self.flags = flags
        self.family = family
        self._numbers = count(1)

    def units(self, commands: Iterable[Command]) -> Iterator[list[Message]]:
        """Yield the messages of commands in order; those of one list must be in one transaction."""
        for unit in self._units(commands):
            yield [replace(message, family=FAMILIES[self.family]) for message in unit]

    def _units(self, commands: Iterable[Command]) -> Iterator[list[Message]]:
        for command in commands:
            match command:
                case AddElements() | DeleteElements():
                    yield from ([message] for message in self._elements(command))
                case FillChain(table, chain):
                    yield list(self._filling(table, chain))
                case _:
                    yield [self._message(command)]

    def _message(self, command: Command) -> Message:
        match command:
            case AddTable(table):
                return Message(NEW_TABLE, 0, text(1, table) + number(2, self.flags), f"table {table}")
            case DeleteTable(table):
                return Message(DELETE_TABLE, 0, text(1, table), f"table {table}")
            case AddChain(table, chain):
                return Message(NEW_CHAIN, CREATE, text(1, table) + _chain(chain), f"chain {chain.name}", chain.name)
            case DeleteChain(table, name):
                return Message(DELETE_CHAIN, 0, text(1, table) + text(3, name), f"chain {name}", name)
            case DeleteSet(table, named):
                place = text(1, table) + text(2, named.name)
                return Message(DELETE_SET, 0, place, f"{named.noun} {named.name}", named.name)
            case AddSet(table, named):
                return Message(NEW_SET, CREATE, self._set(table, named), f"{named.noun} {named.name}", named.name)
            case _:
                raise AssertionError(command)

    def _set(self, table: str, named: Set | Map) -> bytes:
        layout = Layout(named.key)
        flags = IS_MAP if isinstance(named, Map) else 0
        if isinstance(named, Set) and named.interval:
            flags = HAS_RANGES | (IS_CONCATENATION if len(named.key) > 1 else 0)
        parts = [text(1, table), text(2, named.name), number(3, flags)]
        parts += [number(4, layout.number), number(5, layout.struct.size)]
        if flags & IS_MAP:
            parts += [number(6, VERDICT), number(7, 0)]
        parts.append(number(10, next(self._numbers)))
        if flags & IS_CONCATENATION:
            fields = (nested(LIST_ELEMENT, number(1, WIDTHS[datatype])) for datatype in named.key)
            parts.append(nested(9, nested(2, *fields)))
        return b"".join(parts)

    def _elements(self, command: AddElements | DeleteElements) -> Iterator[Message]:
        named = command.named
        place = text(1, command.table) + text(2, named.name)
        kind, flags = (NEW_ELEMENTS, CREATE) if isinstance(command, AddElements) else (DELETE_ELEMENTS, 0)
        about = f"elements of {named.noun} {named.name}"
        for elements in encode_elements(named, Layout(named.key)):
            yield Message(kind, flags, place + nested(3, elements), about, named.name)

    def _filling(self, table: str, chain: Chain) -> Iterator[Message]:
        place = text(1, table) + text(2, chain.name)
        yield Message(DELETE_RULE, 0, place, f"chain {chain.name}", chain.name)
        for rule in chain.rules:
            yield from self._rule(table, chain.name, rule)

    def _rule(self, table: str, chain: str, rule: Rule) -> Iterator[Message]:
        about = f"a rule of chain {chain}"
        anonymous: list[tuple[int, Anonymous]] = []

        def number_set(found: Anonymous) -> int:
            anonymous.append((next(self._numbers), found))
            return anonymous[-1][0]

        writer = Writer(number_set, self.family)
        for expression in rule.expressions:
            writer.write(expression)
        for identity, found in anonymous:
            yield from (Message(kind, CREATE, part, about, chain) for kind, part in _anonymous(table, identity, found))
        expressions = nested(4, *map(encode_step, writer.steps))
        yield Message(NEW_RULE, CREATE | APPEND, text(1, table) + text(2, chain) + expressions, about, chain)


def _chain(chain: Chain) -> bytes:
    if chain.hook is None:
        return text(3, chain.name)
    hook = nested(4, number(1, HOOKS[chain.hook]), attribute(2, PRIORITIES[chain.hook].to_bytes(4, signed=True)))
    return text(3, chain.name) + hook + number(5, ACCEPT) + text(7, "filter")


def _anonymous(table: str, identity: int, found: Anonymous) -> Iterator[tuple[int, bytes]]:
    """Yield the two messages that make a set in place: itself, and what it holds."""
    datatype, kind = _TYPES[found.what]
    interval = any(first != last for first, last in found.values)
    keys: tuple[Key, ...] = tuple((pair,) for pair in found.values)
    (elements,) = encode_elements(Set("", (datatype,), keys, interval=interval), Layout((datatype,)))
    flags = IS_ANONYMOUS | IS_CONSTANT | (HAS_RANGES if interval else 0)
    place = text(1, table) + text(2, ANONYMOUS)
    size = nested(9, number(1, len(keys) * (2 if interval else 1)))
    length = number(5, width(found.what))
    yield NEW_SET, b"".join((place, number(3, flags), number(4, kind), length, number(10, identity), size))
    yield NEW_ELEMENTS, place + number(4, identity) + nested(3, elements)
