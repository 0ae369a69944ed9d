"""The nouns of nftables, each knowing its text; :class:`Program` is all of them together.

Only what nft 1.0.6 can load and list is here. Protocols are written as numbers, because
nft looks their names up in a file that small images lack. Nothing that a user wrote ever
becomes part of the text: names are made of addresses, see :mod:`ringfence.dataplane.names`.

Source: nft(8), and the listing of ``nft list ruleset``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import IPV6_BASE, Family, family_of, render_address
from ringfence.algebra.traffic import Protocol

if TYPE_CHECKING:
    from ringfence.algebra.intervals import Intervals, Range

NUMBERS = {Protocol.TCP: 6, Protocol.UDP: 17, Protocol.SCTP: 132}
"""The number of each protocol that has ports, as packets bear it."""

Key = tuple["Range", ...]
"""The key of an element: one range for each field, both ends inclusive."""


class Datatype(StrEnum):
    """A type of a key; the value is nft's name for it."""

    IPV4_ADDR = "ipv4_addr"
    IPV6_ADDR = "ipv6_addr"
    INET_PROTO = "inet_proto"
    INET_SERVICE = "inet_service"


class Field(StrEnum):
    """Something that a rule reads from a packet; the value is nft's text for it."""

    IP_SADDR = "ip saddr"
    IP_DADDR = "ip daddr"
    IP6_SADDR = "ip6 saddr"
    IP6_DADDR = "ip6 daddr"
    IP6_HOPLIMIT = "ip6 hoplimit"
    ICMPV6_TYPE = "icmpv6 type"
    L4PROTO = "meta l4proto"
    SPORT = "th sport"
    DPORT = "th dport"
    CT_STATE = "ct state"
    CT_DIRECTION = "ct direction"


class Hook(StrEnum):
    """Where a base chain meets packets."""

    FORWARD = "forward"
    INPUT = "input"


class CtState(StrEnum):
    """What conntrack makes of a packet."""

    NEW = "new"
    ESTABLISHED = "established"
    RELATED = "related"
    INVALID = "invalid"
    UNTRACKED = "untracked"


class CtDirection(StrEnum):
    """Which way a packet of a connection goes: with its opener, or back."""

    ORIGINAL = "original"
    REPLY = "reply"


class Word(StrEnum):
    """A verdict statement that names no chain."""

    ACCEPT = "accept"
    DROP = "drop"
    RETURN = "return"


@dataclass(frozen=True, slots=True)
class Jump:
    """Evaluate a chain and come back after it."""

    chain: str

    def __str__(self) -> str:
        """Return nft's text."""
        return f"jump {self.chain}"


@dataclass(frozen=True, slots=True)
class Goto:
    """Evaluate a chain instead of the rest of this one."""

    chain: str

    def __str__(self) -> str:
        """Return nft's text."""
        return f"goto {self.chain}"


Statement = Word | Jump | Goto
"""What nft calls a verdict statement; a verdict is something else in this project."""


@dataclass(frozen=True, slots=True)
class Equals:
    """A field of conntrack has this value; never so for a packet that lacks the field."""

    field: Field
    value: CtState | CtDirection

    def __str__(self) -> str:
        """Return nft's text."""
        return f"{self.field} {self.value}"


@dataclass(frozen=True, slots=True)
class Within:
    """A number or address lies in a set written in place; never so without the field."""

    field: Field
    values: Intervals

    def __str__(self) -> str:
        """Return nft's text."""
        render = _render_addresses if self.field is Field.IP6_SADDR else _render_numbers
        texts = [render(first, last) for first, last in self.values]
        return f"{self.field} {texts[0] if len(texts) == 1 else '{ ' + ', '.join(texts) + ' }'}"


@dataclass(frozen=True, slots=True)
class Lookup:
    """The fields together are in a named set; never so for a packet that lacks one of them.

    Attributes:
        fields: What is looked up, in the order of the set's key.
        set_name: The set.
        negated: Whether they must not be in it instead.
    """

    fields: tuple[Field, ...]
    set_name: str
    negated: bool = False

    def __str__(self) -> str:
        """Return nft's text."""
        return f"{' . '.join(self.fields)} {'!= ' if self.negated else ''}@{self.set_name}"


@dataclass(frozen=True, slots=True)
class Dispatch:
    """Do what a map says about the fields together; go on when it has no such element."""

    fields: tuple[Field, ...]
    map_name: str

    def __str__(self) -> str:
        """Return nft's text."""
        return f"{' . '.join(self.fields)} vmap @{self.map_name}"


@dataclass(frozen=True, slots=True)
class Log:
    """Send the head of the packet to whoever listens to an NFLOG group.

    Attributes:
        prefix: At most 127 characters.
        group: The NFLOG group.
        snaplen: How many bytes of the packet are sent.
    """

    prefix: str
    group: int
    snaplen: int

    def __str__(self) -> str:
        """Return nft's text."""
        return f'log prefix "{self.prefix}" group {self.group} snaplen {self.snaplen}'


@dataclass(frozen=True, slots=True)
class Counter:
    """Count packets and bytes."""

    def __str__(self) -> str:
        """Return nft's text."""
        return "counter"


@dataclass(frozen=True, slots=True)
class Foreign:
    """Something in the kernel that no program of ours holds, and whose meaning is not known.

    Attributes:
        words: What it is, for people.
    """

    words: str

    def __str__(self) -> str:
        """Return the words; they are no text for nft."""
        return self.words


Expression = Equals | Within | Lookup | Dispatch | Log | Counter | Foreign | Statement


@dataclass(frozen=True, slots=True)
class Rule:
    """Expressions that are evaluated in order until one does not hold.

    Attributes:
        expressions: At least one; a statement or :class:`Dispatch` comes last, if at all.
    """

    expressions: tuple[Expression, ...]

    def __str__(self) -> str:
        """Return nft's text."""
        return " ".join(map(str, self.expressions))


@dataclass(frozen=True, slots=True)
class Chain:
    """Rules in order.

    Attributes:
        name: Its name.
        rules: May be empty: a packet comes back as it went in.
        hook: Where a base chain is hooked in; it accepts what no rule decides. None for
            a chain that only other chains lead to.
    """

    name: str
    rules: tuple[Rule, ...]
    hook: Hook | None = None

    @property
    def header(self) -> str:
        """The line that makes it a base chain; empty for any other.

        Ten before ``filter``: after conntrack and destination translation, before source
        translation, and before everybody who filters at the usual place.
        """
        return f"type filter hook {self.hook} priority filter - 10; policy accept;" if self.hook else ""


@dataclass(frozen=True, slots=True)
class Set:
    """A named set.

    Attributes:
        name: Its name.
        key: The types of its fields.
        elements: Sorted and disjoint; may be empty. Single values unless ``interval``.
        interval: Whether keys are ranges.
    """

    name: str
    key: tuple[Datatype, ...]
    elements: tuple[Key, ...] = ()
    interval: bool = False

    @property
    def noun(self) -> str:
        """What nft calls it."""
        return "set"

    @property
    def keys(self) -> tuple[Key, ...]:
        """The key of each element."""
        return self.elements

    @property
    def header(self) -> str:
        """Its type and flags."""
        return f"type {' . '.join(self.key)};{' flags interval;' if self.interval else ''}"

    def texts(self) -> dict[str, str]:
        """Return nft's text of each element, by the text of its key; here they are the same."""
        keys = [_render_key(key, self.key) for key in self.elements]
        return dict(zip(keys, keys, strict=True))


@dataclass(frozen=True, slots=True)
class Element:
    """A member of a map: what to do about one key of single values."""

    key: Key
    statement: Statement


@dataclass(frozen=True, slots=True)
class Map:
    """A named map from keys to statements.

    Attributes:
        name: Its name.
        key: The types of its fields.
        elements: Sorted by key, no key twice; may be empty.
    """

    name: str
    key: tuple[Datatype, ...]
    elements: tuple[Element, ...] = ()

    @property
    def noun(self) -> str:
        """What nft calls it."""
        return "map"

    @property
    def keys(self) -> tuple[Key, ...]:
        """The key of each element."""
        return tuple(element.key for element in self.elements)

    @property
    def header(self) -> str:
        """Its type."""
        return f"type {' . '.join(self.key)} : verdict;"

    def texts(self) -> dict[str, str]:
        """Return nft's text of each element, by the text of its key."""
        keys = [_render_key(element.key, self.key) for element in self.elements]
        return {key: f"{key} : {each.statement}" for key, each in zip(keys, self.elements, strict=True)}


@dataclass(frozen=True)
class Program:
    """What nftables must hold on one node: one table of family ``inet``.

    Attributes:
        table: The table's name.
        sets: In the order they are loaded; no name twice among sets and maps.
        maps: Likewise.
        chains: Likewise; no name twice.
    """

    table: str
    sets: tuple[Set, ...]
    maps: tuple[Map, ...]
    chains: tuple[Chain, ...]

    @property
    def named_sets(self) -> tuple[Set | Map, ...]:
        """Its sets, then its maps."""
        return (*self.sets, *self.maps)

    @cached_property
    def chain_by_name(self) -> dict[str, Chain]:
        """Its chains by name."""
        return {chain.name: chain for chain in self.chains}

    @cached_property
    def set_by_name(self) -> dict[str, Set]:
        """Its sets by name."""
        return {each.name: each for each in self.sets}

    @cached_property
    def reaches_by_set(self) -> dict[str, tuple[int, ...]]:
        """For each set of ranges, how far the first fields of its elements reach, up to each element."""
        return {
            each.name: tuple(accumulate((key[0][1] for key in each.elements), max))
            for each in self.sets
            if each.interval
        }

    @cached_property
    def map_by_name(self) -> dict[str, Map]:
        """Its maps by name."""
        return {each.name: each for each in self.maps}

    def render(self) -> str:
        """Return one transaction that makes the table anew, without a gap between old and new.

        The table is added first because it cannot be deleted where there is none, and nft
        before 1.0.8 has no ``destroy``.
        """
        table = f"table inet {self.table}"
        lines = [f"add {table}", f"delete {table}", f"{table} {{"]
        for named in self.named_sets:
            lines += _render_set(named)
        for chain in self.chains:
            body = [chain.header] * bool(chain.hook) + [str(rule) for rule in chain.rules]
            lines += [f"\tchain {chain.name} {{", *(f"\t\t{line}" for line in body), "\t}"]
        return "\n".join([*lines, "}", ""])


_ADDRESSES = (Datatype.IPV4_ADDR, Datatype.IPV6_ADDR)


def _render_set(named: Set | Map) -> list[str]:
    """Return the lines of a set or map, one element on a line."""
    lines = [f"\t{named.noun} {named.name} {{", f"\t\t{named.header}"]
    if named.elements:
        lines += ["\t\telements = {", *(f"\t\t\t{text}," for text in named.texts().values()), "\t\t}"]
    return [*lines, "\t}"]


def _render_key(key: Key, types: tuple[Datatype, ...]) -> str:
    pairs = zip(key, types, strict=True)
    return " . ".join(
        _render_addresses(first, last) if datatype in _ADDRESSES else _render_numbers(first, last)
        for (first, last), datatype in pairs
    )


def _render_numbers(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"


def _render_addresses(first: int, last: int) -> str:
    """Return an address, a CIDR where the range is one, or a range."""
    if first == last:
        return render_address(first)
    size, bits, base = last - first + 1, 32, 0
    if family_of(first) is Family.IPV6:
        bits, base = 128, IPV6_BASE
    if size & (size - 1) == 0 and (first - base) % size == 0:
        return f"{render_address(first)}/{bits - size.bit_length() + 1}"
    return f"{render_address(first)}-{render_address(last)}"
