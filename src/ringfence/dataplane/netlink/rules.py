"""Rules as the kernel has them: each expression is a few steps, and steps are read back as expressions.

Steps are those that nft makes of our text, so that ``nft list ruleset`` prints what we meant
and both ways of loading a program leave the same in the kernel. What is known of a packet
is asked once in a rule: that it is IPv4, IPv6 or ARP, and for ICMPv6 types that it is ICMPv6.
On a bridge that is in the frame: nft asks the kernel for it before addresses of IP, and looks
for itself before anything else.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from ringfence.algebra.addresses import IPV6_BASE
from ringfence.algebra.intervals import Intervals
from ringfence.dataplane.expressions import (
    Bits,
    Counter,
    CtDirection,
    CtState,
    Dispatch,
    Equals,
    Field,
    Foreign,
    Limit,
    Log,
    Lookup,
    Reset,
    Rule,
    Stamp,
    Within,
)
from ringfence.dataplane.links import BYTES, link_beginning
from ringfence.dataplane.netlink.steps import (
    AT_LEAST,
    AT_MOST,
    CT_DIRECTION,
    CT_MARK,
    CT_STATE,
    EQUAL,
    IIFNAME,
    L4PROTO,
    LINK,
    NETWORK,
    NFPROTO,
    NOT_EQUAL,
    OIFNAME,
    PROTOCOL,
    TCP_RESET,
    TRANSPORT,
    Compare,
    Count,
    Ct,
    Decide,
    Find,
    Mask,
    Meta,
    Payload,
    Rate,
    Refuse,
    Report,
    SetCt,
    Swap,
)
from ringfence.dataplane.nft import TableFamily

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ringfence.dataplane.expressions import Expression, Statement
    from ringfence.dataplane.netlink.steps import Step

_Found = TypeVar("_Found", bound="Expression")

ANONYMOUS = "__set%d"
"""The name with which the kernel is asked to choose one."""

_IPV4, _IPV6 = b"\x02", b"\x0a"
_ARP = b"arp"
_ICMPV6, _TCP = b"\x3a", b"\x06"
_ETHERTYPES = {_IPV4: b"\x08\x00", _IPV6: b"\x86\xdd", _ARP: b"\x08\x06"}
_BY_ETHERTYPE = {data: family for family, data in _ETHERTYPES.items()}

_BITS = {
    CtState.INVALID: 1,
    CtState.ESTABLISHED: 2,
    CtState.RELATED: 4,
    CtState.NEW: 8,
    CtState.UNTRACKED: 64,
}
_STATES = {state: struct.pack("=I", bit) for state, bit in _BITS.items()}
"""The bit of each state, in host byte order; a packet has one: ``linux/netfilter/nf_conntrack_common.h``."""

_DIRECTIONS = {CtDirection.ORIGINAL: b"\0", CtDirection.REPLY: b"\1"}
_BY_MASK = {mask: state for state, mask in _STATES.items()}
_BY_DATA = {data: direction for direction, data in _DIRECTIONS.items()}


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a field is in a packet.

    Attributes:
        base: What its offset counts from.
        offset: In bytes.
        length: In bytes.
        family: The IP version that has it, or ARP; empty for all.
        protocol: The protocol above IP that has it; empty for all.
    """

    base: int
    offset: int
    length: int
    family: bytes = b""
    protocol: bytes = b""


_PLACES = {
    Field.IP_SADDR: _Place(NETWORK, 12, 4, _IPV4),
    Field.IP_DADDR: _Place(NETWORK, 16, 4, _IPV4),
    Field.IP6_SADDR: _Place(NETWORK, 8, 16, _IPV6),
    Field.IP6_DADDR: _Place(NETWORK, 24, 16, _IPV6),
    Field.IP6_HOPLIMIT: _Place(NETWORK, 7, 1, _IPV6),
    Field.ICMPV6_TYPE: _Place(TRANSPORT, 0, 1, _IPV6, _ICMPV6),
    Field.TCP_FLAGS: _Place(TRANSPORT, 13, 1, protocol=_TCP),
    Field.SPORT: _Place(TRANSPORT, 0, 2),
    Field.DPORT: _Place(TRANSPORT, 2, 2),
    Field.ETHER_SADDR: _Place(LINK, 6, 6),
    Field.ETHER_TYPE: _Place(LINK, 12, 2),
    Field.ARP_IP: _Place(NETWORK, 14, 4, _ARP),
    Field.ARP_ETHER: _Place(NETWORK, 8, 6, _ARP),
    Field.IP6_LENGTH: _Place(NETWORK, 4, 2, _IPV6),
    Field.ND_TARGET: _Place(TRANSPORT, 8, 16),
    Field.ND_OPTION: _Place(TRANSPORT, 24, 8),
}
_FIELDS = {(place.base, place.offset, place.length, place.family): field for field, place in _PLACES.items()}
_KEYS = {Field.L4PROTO: L4PROTO, Field.IIFNAME: IIFNAME, Field.OIFNAME: OIFNAME}
"""Fields that are loaded as :class:`~ringfence.dataplane.netlink.steps.Meta`."""

_BY_KEY = {key: field for field, key in _KEYS.items()}
_LINKS = (Field.IIFNAME, Field.OIFNAME)
_WIDTHS = {Field.L4PROTO: 1, Field.CT_MARK: 4, **dict.fromkeys(_LINKS, BYTES)}
_FLAGS = (Field.TCP_FLAGS, Field.CT_MARK)
_PLAIN: dict[type, Callable[[Any], Counter | Reset | Limit]] = {
    Count: lambda _: Counter(),
    Refuse: lambda _: Reset(),
    Rate: lambda step: Limit(step.rate, step.burst),
}
_OPERATORS = {False: EQUAL, True: NOT_EQUAL}
_IPV6_ADDRESSES = (Field.IP6_SADDR, Field.IP6_DADDR, Field.ND_TARGET)
_ADDRESSES = (Field.IP_SADDR, Field.IP_DADDR, Field.IP6_SADDR, Field.IP6_DADDR)


_ETHERTYPE = Payload(LINK, 12, 2, 1)
"""What a frame holds, as it says itself."""


def width(what: Field) -> int:
    """Return the bytes of a field that is a number, an address or the name of a link."""
    return _WIDTHS[what] if what in _WIDTHS else _PLACES[what].length


@dataclass(frozen=True, slots=True)
class Anonymous:
    """A set that a rule brings with it, because it lists more than one range in place.

    Attributes:
        what: The field that is looked up in it.
        values: What it holds.
    """

    what: Field
    values: Intervals


@dataclass(slots=True)
class Writer:
    """The steps of one rule, as they are written.

    Attributes:
        number_set: Gives an anonymous set its number in the transaction.
        family: That of the rule's table.
        steps: What is written so far.
    """

    number_set: Callable[[Anonymous], int]
    family: TableFamily = TableFamily.INET
    steps: list[Step] = field(default_factory=list)
    _known: set[bytes] = field(default_factory=set)

    def write(self, expression: Expression) -> None:
        """Write the steps of one expression; ``ValueError`` when it is not ours."""
        match expression:
            case Equals(_, value):
                self._compare_conntrack(value)
            case Within(what, values):
                self._compare(what, values)
            case Bits(what, mask, value, negated):
                self._load(what, 1)
                self.steps += [Mask(1, _encode(what, mask)), Compare(1, _OPERATORS[negated], _encode(what, value))]
            case Stamp(mask, value):
                kept, written = (_encode(Field.CT_MARK, each) for each in (mask ^ 0xFFFFFFFF, value))
                self.steps += [Ct(CT_MARK, 1), Mask(1, kept, written), SetCt(CT_MARK, 1)]
            case Lookup(fields, name, negated):
                self._load_key(fields)
                self.steps.append(Find(1, name, negated=negated))
            case Dispatch(fields, name):
                self._load_key(fields)
                self.steps.append(Find(1, name, is_map=True))
            case Foreign(words):
                message = f"a program of ours holds what is not ours: {words}"
                raise ValueError(message)
            case _:
                self.steps.append(_plain(expression))

    def _compare_conntrack(self, value: CtState | CtDirection) -> None:
        if isinstance(value, CtState):
            self.steps += [Ct(CT_STATE, 1), Mask(1, _STATES[value]), Compare(1, NOT_EQUAL, bytes(4))]
        else:
            self.steps += [Ct(CT_DIRECTION, 1), Compare(1, EQUAL, _DIRECTIONS[value])]

    def _compare(self, what: Field, values: Intervals) -> None:
        self._load(what, 1)
        if len(values.ranges) != 1:
            self.steps.append(Find(1, ANONYMOUS, self.number_set(Anonymous(what, values))))
            return
        if what in _LINKS:
            self.steps.append(Compare(1, EQUAL, link_beginning(*values.ranges[0])))
            return
        low, high = (_encode(what, each) for each in values.ranges[0])
        size = int.from_bytes(high) - int.from_bytes(low) + 1
        if size == 1:
            self.steps.append(Compare(1, EQUAL, low))
        elif what in _ADDRESSES and size & (size - 1) == 0 and int.from_bytes(low) % size == 0:
            mask = (1 << 8 * len(low)) - size
            self.steps += [Mask(1, mask.to_bytes(len(low))), Compare(1, EQUAL, low)]
        else:
            self.steps += [Compare(1, AT_LEAST, low), Compare(1, AT_MOST, high)]

    def _load_key(self, fields: Sequence[Field]) -> None:
        # A condition needs the register that the first field is loaded into.
        for what in fields:
            self._require(what)
        offset = 0
        for what in fields:
            self._load(what, _register(offset))
            offset += width(what) + -width(what) % 4

    def _load(self, what: Field, register: int) -> None:
        if what in _KEYS:
            self.steps.append(Meta(_KEYS[what], register))
            return
        if what is Field.CT_MARK:
            self.steps.append(Ct(CT_MARK, register))
            return
        self._require(what)
        place = _PLACES[what]
        self.steps.append(Payload(place.base, place.offset, place.length, register))

    def _require(self, what: Field) -> None:
        """Write what must be so for a packet to have a field."""
        place = _PLACES.get(what)
        if place and place.family:
            if self.family is TableFamily.INET:
                self._insist(Meta(NFPROTO, 1), place.family)
            elif what in _ADDRESSES:
                self._insist(Meta(PROTOCOL, 1), _ETHERTYPES[place.family])
            else:
                self._insist(_ETHERTYPE, _ETHERTYPES[place.family])
        if place and place.protocol:
            self._insist(Meta(L4PROTO, 1), place.protocol)

    def _insist(self, load: Step, value: bytes) -> None:
        if value not in self._known:
            self._known.add(value)
            self.steps += [load, Compare(1, EQUAL, value)]


def _plain(expression: Log | Limit | Counter | Reset | Statement) -> Step:
    match expression:
        case Log(prefix, group, snaplen):
            return Report(prefix, group, snaplen)
        case Limit(rate, burst):
            return Rate(rate, burst)
        case Counter():
            return Count()
        case Reset():
            return Refuse(TCP_RESET)
        case _:
            return Decide(expression)


def _register(offset: int) -> int:
    """Return the register at so many bytes; those at multiples of 16 bytes have names from older days."""
    return 1 + offset // 16 if offset % 16 == 0 else 8 + offset // 4


def _encode(what: Field, value: int) -> bytes:
    if what is Field.CT_MARK:
        return struct.pack("=I", value)
    return (value - IPV6_BASE if what in _IPV6_ADDRESSES else value).to_bytes(width(what))


def _decode(what: Field, data: bytes) -> int:
    if what is Field.CT_MARK:
        return int(struct.unpack("=I", data)[0])
    return int.from_bytes(data) + (IPV6_BASE if what in _IPV6_ADDRESSES else 0)


class _ForeignError(Exception):
    """Steps that no expression of ours becomes."""


def read_rule(
    steps: Sequence[Step],
    anonymous: Mapping[str, Intervals],
    family: TableFamily = TableFamily.INET,
) -> Rule:
    """Return the rule that its steps came from; one of :class:`Foreign` alone when none of ours did.

    Args:
        steps: All steps of the rule, in order.
        anonymous: What each anonymous set of the table holds.
        family: As in :class:`Writer`.
    """
    steps = [step for step in steps if not isinstance(step, Swap)]  # which does nothing
    try:
        rule = Rule(_Reader(steps.copy(), anonymous).read())
        writer = Writer(lambda _: 0, family)
        for expression in rule.expressions:
            writer.write(expression)
    except (_ForeignError, LookupError, ValueError):
        return _foreign(steps)
    # Whatever was taken for something else would be written otherwise.
    unnamed = [Find(1, ANONYMOUS) if isinstance(s, Find) and s.set_name in anonymous else s for s in steps]
    return rule if writer.steps == unnamed else _foreign(steps)


def _foreign(steps: Sequence[Step]) -> Rule:
    return Rule((Foreign("; ".join(map(_words, steps)) or "nothing"),))


def _words(step: Step) -> str:
    values = (each.hex() if isinstance(each, bytes) else str(each) for each in step)
    return " ".join((type(step).__name__.lower(), *values))


@dataclass(slots=True)
class _Reader:
    """Steps that are being read, first to last.

    Attributes:
        steps: What is left.
        anonymous: What each anonymous set holds.
        family: The IP version that the rule has insisted on, or ARP; empty for none.
    """

    steps: list[Step]
    anonymous: Mapping[str, Intervals]
    family: bytes = b""

    def read(self) -> tuple[Expression, ...]:
        found: list[Expression] = []
        while self.steps:
            expression = self._next()
            if expression:
                found.append(expression)
        return tuple(found)

    def _next(self) -> Expression | None:
        """Return the next expression; None for a condition that goes without saying."""
        match self.steps:
            case [Decide(statement), *_]:
                return self._took(1, statement)
            case [Report(prefix, group, snaplen), *_]:
                return self._took(1, Log(prefix, group, snaplen))
            case [Count() | Refuse(1) | Rate(), *_]:
                return self._took(1, _PLAIN[type(self.steps[0])](self.steps[0]))
            case [Ct(), *_]:
                return self._conntrack()
            case _:
                return None if self._is_condition() else self._compared(self._loaded())

    def _conntrack(self) -> Expression:
        match self.steps:
            case [Ct(3, _), Mask(1, kept, flips), SetCt(3, 1), *_]:
                mask = _decode(Field.CT_MARK, kept) ^ 0xFFFFFFFF
                return self._took(3, Stamp(mask, _decode(Field.CT_MARK, flips or bytes(4))))
            case [Ct(3, _), Mask(), Compare(), *_]:
                del self.steps[0]
                return self._compared((Field.CT_MARK,))
            case [_, Mask(1, mask), Compare(1, 1, _), *_]:
                return self._took(3, Equals(Field.CT_STATE, _BY_MASK[mask]))
            case [_, Compare(1, 0, data), *_]:
                return self._took(2, Equals(Field.CT_DIRECTION, _BY_DATA[data]))
        raise _ForeignError

    def _is_condition(self) -> bool:
        """Take what a field insists on before it is loaded, if that comes next."""
        match self.steps:
            case [Meta(15, 1), Compare(1, 0, data), *_]:
                self.family = data
            case [Meta(1, 1) | Payload(0, 12, 2, 1), Compare(1, 0, data), *_] if data in _BY_ETHERTYPE:
                self.family = _BY_ETHERTYPE[data]
            case [Meta(16, 1), Compare(1, 0, data), Payload(2, 0, 1, 1), *_] if data == _ICMPV6:
                pass
            case [Meta(16, 1), Compare(1, 0, data), Payload(2, 13, 1, 1), *_] if data == _TCP:
                pass
            case _:
                return False
        del self.steps[:2]
        return True

    def _took(self, count: int, found: _Found) -> _Found:
        del self.steps[:count]
        return found

    def _loaded(self) -> tuple[Field, ...]:
        """Take the steps that load a key, and return its fields."""
        fields: list[Field] = []
        while True:
            match self.steps:
                case [Meta(key, _), *_] if key in _BY_KEY:
                    fields.append(_BY_KEY[key])
                case [Payload(base, offset, length, _), *_]:
                    fields.append(_FIELDS[base, offset, length, self._family(base, offset, length)])
                case _:
                    return tuple(fields)
            del self.steps[0]

    def _family(self, base: int, offset: int, length: int) -> bytes:
        """Return the IP version of which a field is one; what TCP has belongs to both."""
        if base == NETWORK:
            return self.family
        return _IPV6 if (offset, length) == (0, 1) else b""

    def _compared(self, fields: tuple[Field, ...]) -> Expression:
        match self.steps:
            case [Find(_, name, _, True, _), *_]:
                return self._took(1, Dispatch(fields, name))
            case [Find(_, name, _, _, negated), *_] if name not in self.anonymous:
                return self._took(1, Lookup(fields, name, negated))
            case [Find(_, name, _, _, _), *_]:
                return self._took(1, Within(fields[0], self.anonymous[name]))
            case [Mask(1, mask), Compare(1, operator, data), *_] if fields[0] in _FLAGS:
                what, negated = fields[0], operator == NOT_EQUAL
                return self._took(2, Bits(what, _decode(what, mask), _decode(what, data), negated))
        return self._within(fields)

    def _within(self, fields: tuple[Field, ...]) -> Within:
        match self.steps:
            case [Compare(1, 0, data), *_]:
                if fields[0] in _LINKS:
                    return self._took(1, _range(fields[0], data.ljust(BYTES, b"\0"), data.ljust(BYTES, b"\xff")))
                return self._took(1, Within(fields[0], Intervals.point(_decode(fields[0], data))))
            case [Mask(1, mask), Compare(1, 0, data), *_]:
                last = int.from_bytes(data) | (1 << 8 * len(data)) - 1 - int.from_bytes(mask)
                return self._took(2, _range(fields[0], data, last.to_bytes(len(data))))
            case [Compare(1, 5, low), Compare(1, 3, high), *_]:
                return self._took(2, _range(fields[0], low, high))
        raise _ForeignError


def _range(what: Field, low: bytes, high: bytes) -> Within:
    return Within(what, Intervals.of([(_decode(what, low), _decode(what, high))]))
