"""The nouns of nftables, each knowing its text; :class:`Program` is all of them together.

Nothing that a user wrote ever becomes part of the text: names are made of addresses, see
:mod:`ringfence.dataplane.names`. What rules are made of is in
:mod:`ringfence.dataplane.expressions`.

Source: nft(8), and the listing of ``nft list ruleset``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import Family
from ringfence.algebra.traffic import Protocol
from ringfence.dataplane.expressions import render_addresses, render_hardware, render_numbers
from ringfence.dataplane.links import render_links

if TYPE_CHECKING:
    from ringfence.algebra.intervals import Range
    from ringfence.dataplane.expressions import Rule, Statement

NUMBERS = {Protocol.TCP: 6, Protocol.UDP: 17, Protocol.SCTP: 132}
"""The number of each protocol that has ports, as packets bear it."""

Key = tuple["Range", ...]
"""The key of an element: one range for each field, both ends inclusive."""


class TableFamily(StrEnum):
    """What packets a table sees; the value is nft's name for it."""

    INET = "inet"
    """Those of IPv4 and IPv6 that are routed, or that a bridge sends through the hooks of IP."""
    BRIDGE = "bridge"
    """Every frame that comes to a port of a bridge."""


class Datatype(StrEnum):
    """A type of a key; the value is nft's name for it."""

    IPV4_ADDR = "ipv4_addr"
    IPV6_ADDR = "ipv6_addr"
    INET_PROTO = "inet_proto"
    INET_SERVICE = "inet_service"
    IFNAME = "ifname"
    ETHER_ADDR = "ether_addr"


ADDRESS = {Family.IPV4: Datatype.IPV4_ADDR, Family.IPV6: Datatype.IPV6_ADDR}
"""The type of an address, by family."""


class Hook(StrEnum):
    """Where a base chain meets packets."""

    PREROUTING = "prerouting"
    FORWARD = "forward"
    INPUT = "input"


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
        translation, and before everybody who filters at the usual place. In prerouting ten
        before ``raw``, a name that bridges do not know: before conntrack.
        """
        if self.hook is None:
            return ""
        place = "-310" if self.hook is Hook.PREROUTING else "filter - 10"
        return f"type filter hook {self.hook} priority {place}; policy accept;"


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
    """What nftables must hold on one node: one table.

    Attributes:
        table: The table's name.
        sets: In the order they are loaded; no name twice among sets and maps.
        maps: Likewise.
        chains: Likewise; no name twice.
        family: The table's family.
    """

    table: str
    sets: tuple[Set, ...]
    maps: tuple[Map, ...]
    chains: tuple[Chain, ...]
    family: TableFamily = TableFamily.INET

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
        table = f"table {self.family} {self.table}"
        return f"add {table}\ndelete {table}\n{self._render_table()}"

    def render_boot(self) -> str:
        """Return one transaction that makes the table where there is none, and fails where there is one."""
        return f"create table {self.family} {self.table}\n{self._render_table()}"

    def _render_table(self) -> str:
        lines = [f"table {self.family} {self.table} {{"]
        for named in self.named_sets:
            lines += _render_set(named)
        for chain in self.chains:
            body = [chain.header] * bool(chain.hook) + [str(rule) for rule in chain.rules]
            lines += [f"\tchain {chain.name} {{", *(f"\t\t{line}" for line in body), "\t}"]
        return "\n".join([*lines, "}", ""])


_RENDER = {
    **dict.fromkeys(ADDRESS.values(), render_addresses),
    Datatype.IFNAME: render_links,
    Datatype.ETHER_ADDR: render_hardware,
}


def _render_set(named: Set | Map) -> list[str]:
    """Return the lines of a set or map, one element on a line."""
    lines = [f"\t{named.noun} {named.name} {{", f"\t\t{named.header}"]
    if named.elements:
        lines += ["\t\telements = {", *(f"\t\t\t{text}," for text in named.texts().values()), "\t\t}"]
    return [*lines, "\t}"]


def _render_key(key: Key, types: tuple[Datatype, ...]) -> str:
    pairs = zip(key, types, strict=True)
    return " . ".join(_RENDER.get(datatype, render_numbers)(first, last) for (first, last), datatype in pairs)
