"""What rules are made of: each expression knows its text and says what it does to a packet.

Only what nft 1.0.6 can load and list is here. Protocols are written as numbers, because
nft looks their names up in a file that small images lack.

Source: nft(8), and the listing of ``nft list ruleset``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import IPV6_BASE, Family, family_of, render_address
from ringfence.dataplane.links import render_links

if TYPE_CHECKING:
    from ringfence.algebra.intervals import Intervals


class Field(StrEnum):
    """Something that a rule reads from a packet; the value is nft's text for it."""

    IP_SADDR = "ip saddr"
    IP_DADDR = "ip daddr"
    IP6_SADDR = "ip6 saddr"
    IP6_DADDR = "ip6 daddr"
    IP6_HOPLIMIT = "ip6 hoplimit"
    ICMPV6_TYPE = "icmpv6 type"
    TCP_FLAGS = "tcp flags"
    L4PROTO = "meta l4proto"
    SPORT = "th sport"
    DPORT = "th dport"
    CT_STATE = "ct state"
    CT_DIRECTION = "ct direction"
    CT_MARK = "ct mark"
    IIFNAME = "iifname"
    OIFNAME = "oifname"
    ETHER_SADDR = "ether saddr"
    ETHER_TYPE = "ether type"
    ARP_IP = "arp saddr ip"
    ARP_ETHER = "arp saddr ether"
    IP6_LENGTH = "ip6 length"
    ND_TARGET = "@th,64,128"
    """The address that a message of neighbor discovery is about: RFC 4861, 4.3 and 4.4."""
    ND_OPTION = "@th,192,64"
    """The option behind it: its kind, its length, and a hardware address."""


SOURCE = {Family.IPV4: Field.IP_SADDR, Family.IPV6: Field.IP6_SADDR}
DESTINATION = {Family.IPV4: Field.IP_DADDR, Family.IPV6: Field.IP6_DADDR}
"""The addresses of a packet, by family."""


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
        texts = [_RENDER.get(self.field, render_numbers)(first, last) for first, last in self.values]
        return f"{self.field} {texts[0] if len(texts) == 1 else '{ ' + ', '.join(texts) + ' }'}"


@dataclass(frozen=True, slots=True)
class Bits:
    """Some bits of a number have these values; never so without the field.

    Attributes:
        field: The number.
        mask: The bits that are looked at.
        value: What they are to be; no other bit is set.
        negated: Whether they must be anything else instead.
    """

    field: Field
    mask: int
    value: int
    negated: bool = False

    def __str__(self) -> str:
        """Return nft's text."""
        return f"{self.field} & {self.mask:#x} {'!=' if self.negated else '=='} {self.value:#x}"


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
class Limit:
    """Hold as often as this, on average; a rule ends here for the packets beyond.

    Attributes:
        rate: Packets a second.
        burst: Packets that may come at once.
    """

    rate: int
    burst: int

    def __str__(self) -> str:
        """Return nft's text."""
        return f"limit rate {self.rate}/second burst {self.burst} packets"


@dataclass(frozen=True, slots=True)
class Counter:
    """Count packets and bytes."""

    def __str__(self) -> str:
        """Return nft's text."""
        return "counter"


@dataclass(frozen=True, slots=True)
class Stamp:
    """Write bits of the mark of the packet's connection, and leave the others as they are.

    A rule ends here for a packet without a connection.

    Attributes:
        mask: The bits that are written.
        value: What they become; no other bit is set.
    """

    mask: int
    value: int

    def __str__(self) -> str:
        """Return nft's text."""
        return f"ct mark set ct mark & {self.mask ^ 0xFFFFFFFF:#x} | {self.value:#x}"


@dataclass(frozen=True, slots=True)
class Reset:
    """Drop the packet and tell its sender that there is no such connection; the rule has insisted on TCP."""

    def __str__(self) -> str:
        """Return nft's text."""
        return "reject with tcp reset"


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


Expression = Equals | Within | Bits | Lookup | Dispatch | Limit | Log | Counter | Stamp | Reset | Foreign | Statement


@dataclass(frozen=True, slots=True)
class Rule:
    """Expressions that are evaluated in order until one does not hold.

    Attributes:
        expressions: At least one; a statement, :class:`Dispatch` or :class:`Reset` comes last, if at all.
    """

    expressions: tuple[Expression, ...]

    def __str__(self) -> str:
        """Return nft's text."""
        return " ".join(map(str, self.expressions))


def render_numbers(first: int, last: int) -> str:
    """Return a number or a range."""
    return str(first) if first == last else f"{first}-{last}"


def render_addresses(first: int, last: int) -> str:
    """Return an address, a CIDR where the range is one, or a range."""
    if first == last:
        return render_address(first)
    size, bits, base = last - first + 1, 32, 0
    if family_of(first) is Family.IPV6:
        bits, base = 128, IPV6_BASE
    if size & (size - 1) == 0 and (first - base) % size == 0:
        return f"{render_address(first)}/{bits - size.bit_length() + 1}"
    return f"{render_address(first)}-{render_address(last)}"


def render_hardware(first: int, _last: int) -> str:
    """Return a hardware address; nothing here has ranges of them."""
    return first.to_bytes(6).hex(":")


def _render_raw(first: int, _last: int) -> str:
    """Return a number as nft writes what it has no name for."""
    return hex(first)


def _render_raw_address(first: int, _last: int) -> str:
    """Return an address of IPv6 likewise, as it stands in packets."""
    return hex(first - IPV6_BASE)


_RENDER = {
    Field.ARP_IP: render_addresses,
    **dict.fromkeys((Field.ETHER_SADDR, Field.ARP_ETHER), render_hardware),
    Field.ND_TARGET: _render_raw_address,
    Field.ND_OPTION: _render_raw,
    **dict.fromkeys((*SOURCE.values(), *DESTINATION.values()), render_addresses),
    **dict.fromkeys((Field.IIFNAME, Field.OIFNAME), render_links),
}
"""How the values of a field are written that are no plain numbers."""
