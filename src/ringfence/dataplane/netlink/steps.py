"""What the kernel calls expressions: the small steps that one expression of a rule becomes.

A step loads something into a register, changes it there, or compares it and ends the rule
when it is something else. Each prints as ``nft --debug=netlink`` shows it, near enough to
read both side by side.

Sources: ``linux/netfilter/nf_tables.h``; ``net/netfilter/nft_*.c`` for what each reads and dumps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ringfence.dataplane.expressions import Goto, Jump, Word
from ringfence.dataplane.netlink.messages import (
    attribute,
    each_attribute,
    nested,
    number,
    read_attributes,
    read_number,
    read_text,
    text,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ringfence.dataplane.expressions import Statement

LIST_ELEMENT = 1
"""What each member of a list is, whatever the list."""

PROTOCOL, IIFNAME, OIFNAME, NFPROTO, L4PROTO = 1, 6, 7, 15, 16
"""Keys of :class:`Meta`."""

CT_STATE, CT_DIRECTION, CT_MARK = 0, 1, 3
"""Keys of :class:`Ct`."""

LINK, NETWORK, TRANSPORT = 0, 1, 2
"""Where a :class:`Payload` counts from."""

EQUAL, NOT_EQUAL, AT_MOST, AT_LEAST = 0, 1, 3, 5
"""Operators of :class:`Compare`."""

TCP_RESET = 1
"""The kind of a :class:`Refuse`."""

_SECOND = 1
"""The unit of a :class:`Rate`, in seconds."""

_VALUE, _VERDICT = 1, 2
_CODE, _CHAIN = 1, 2
_CODES = {Word.DROP: 0, Word.ACCEPT: 1, Word.RETURN: 0xFFFFFFFB}
_WORDS = {code: word for word, code in _CODES.items()}
_JUMP, _GOTO = 0xFFFFFFFD, 0xFFFFFFFC


class Meta(NamedTuple):
    """Load what the kernel knows of a packet."""

    key: int
    register: int


class Ct(NamedTuple):
    """Load what conntrack knows of a packet."""

    key: int
    register: int


class SetCt(NamedTuple):
    """Let conntrack know of a packet what is in a register."""

    key: int
    register: int


class Payload(NamedTuple):
    """Load bytes of a packet."""

    base: int
    offset: int
    length: int
    register: int


class Compare(NamedTuple):
    """Go on when a register compares so with a value."""

    register: int
    operator: int
    data: bytes


class Mask(NamedTuple):
    """Clear the bits of a register that are not in the mask, then turn over those of another.

    Attributes:
        register: The register.
        mask: The bits that stay.
        flips: The bits that are turned over; empty for none.
    """

    register: int
    mask: bytes
    flips: bytes = b""


class Swap(NamedTuple):
    """Bring one byte of a register into network byte order: nothing, but nft before 1.1 says it in keys of ranges.

    We do not: Linux 6.12.117 refuses it.
    """

    register: int


class Find(NamedTuple):
    """Look a register up in a set and go on when it is there; in a map, do what it says.

    Attributes:
        register: The first register of the key.
        set_name: The set or map.
        set_id: Its number in the transaction that makes it; 0 when the name will do.
        is_map: Whether what is found is done.
        negated: Whether to go on when it is not there instead.
    """

    register: int
    set_name: str
    set_id: int = 0
    is_map: bool = False
    negated: bool = False


class Decide(NamedTuple):
    """Do something about the packet."""

    statement: Statement


class Report(NamedTuple):
    """Log the packet."""

    prefix: str
    group: int
    snaplen: int


class Rate(NamedTuple):
    """Go on as often as this in a second.

    Attributes:
        rate: Packets a second.
        burst: Packets at once.
    """

    rate: int
    burst: int


class Count(NamedTuple):
    """Count the packet."""


class Refuse(NamedTuple):
    """Drop the packet and answer it.

    Attributes:
        kind: With what; see :data:`TCP_RESET`.
    """

    kind: int


class Unknown(NamedTuple):
    """A step that we never write."""

    name: str
    data: bytes


Step = Meta | Ct | SetCt | Payload | Compare | Mask | Swap | Find | Decide | Report | Count | Refuse | Rate | Unknown


def encode_step(step: Step) -> bytes:
    """Return a step as a member of a rule's list of expressions."""
    return nested(LIST_ELEMENT, text(1, _NAMES[type(step)]), nested(2, *_WRITERS[type(step)](step)))


def _write_change(register: int, length: int) -> tuple[bytes, ...]:
    """Return what a change of a register in place begins with."""
    return number(1, register), number(2, register), number(3, length)


def _write_mask(step: Mask) -> Iterable[bytes]:
    flips = nested(5, attribute(_VALUE, step.flips or bytes(len(step.mask))))
    yield from _write_change(step.register, len(step.mask))
    yield from (number(6, 0), nested(4, attribute(_VALUE, step.mask)), flips)


def _write_find(step: Find) -> Iterator[bytes]:
    yield number(2, step.register)
    if step.is_map:
        yield number(3, 0)
    yield text(1, step.set_name)
    if step.set_id:
        yield number(4, step.set_id)
    if step.negated:
        yield number(5, 1)


_WRITERS: dict[type, Callable[[Any], Iterable[bytes]]] = {
    Meta: lambda s: (number(2, s.key), number(1, s.register)),
    Ct: lambda s: (number(2, s.key), number(1, s.register)),
    SetCt: lambda s: (number(2, s.key), number(4, s.register)),
    Payload: lambda s: (number(1, s.register), number(2, s.base), number(3, s.offset), number(4, s.length)),
    Compare: lambda s: (number(1, s.register), number(2, s.operator), nested(3, attribute(_VALUE, s.data))),
    Mask: _write_mask,
    Swap: lambda s: (*_write_change(s.register, 1), number(4, 1), number(5, 2)),
    Find: _write_find,
    Decide: lambda s: (number(1, 0), nested(2, encode_verdict(s.statement))),
    Report: lambda s: (attribute(1, s.group.to_bytes(2)), text(2, s.prefix), number(3, s.snaplen)),
    Count: lambda _: (attribute(1, bytes(8)), attribute(2, bytes(8))),
    Refuse: lambda s: (number(1, s.kind), attribute(2, bytes(1))),
    Rate: lambda s: (attribute(1, s.rate.to_bytes(8)), attribute(2, _SECOND.to_bytes(8)), number(3, s.burst)),
}
"""How each step is written, as the kernel's numbers have it."""


def encode_verdict(statement: Statement) -> bytes:
    """Return what to do about a packet, as data."""
    match statement:
        case Jump(chain):
            return nested(_VERDICT, number(_CODE, _JUMP), text(_CHAIN, chain))
        case Goto(chain):
            return nested(_VERDICT, number(_CODE, _GOTO), text(_CHAIN, chain))
        case _:
            return nested(_VERDICT, number(_CODE, _CODES[statement]))


def decode_verdict(data: bytes) -> Statement | None:
    """Return what data says to do about a packet; None when we never say that."""
    verdict = read_attributes(read_attributes(data).get(_VERDICT, b""))
    code, chain = read_number(verdict.get(_CODE)), read_text(verdict.get(_CHAIN, b""))
    if code == _JUMP:
        return Jump(chain)
    if code == _GOTO:
        return Goto(chain)
    return _WORDS.get(code) if _CODE in verdict else None


class _Parts:
    """The attributes of a step that is read."""

    def __init__(self, body: bytes) -> None:
        self._parts = read_attributes(body)

    def has(self, kind: int) -> bool:
        return kind in self._parts

    def raw(self, kind: int) -> bytes:
        return self._parts.get(kind, b"")

    def number(self, kind: int) -> int:
        return read_number(self._parts.get(kind))

    def text(self, kind: int) -> str:
        return read_text(self.raw(kind))

    def data(self, kind: int) -> bytes:
        return read_attributes(self.raw(kind)).get(_VALUE, b"")


def _read_decision(parts: _Parts) -> Step | None:
    statement = decode_verdict(parts.raw(2))
    return Decide(statement) if statement else None


_READERS: dict[str, Callable[[_Parts], Step | None]] = {
    "meta": lambda p: Meta(p.number(2), p.number(1)),
    "ct": lambda p: SetCt(p.number(2), p.number(4)) if p.has(4) else Ct(p.number(2), p.number(1)),
    "payload": lambda p: Payload(p.number(2), p.number(3), p.number(4), p.number(1)),
    "cmp": lambda p: Compare(p.number(1), p.number(2), p.data(3)),
    "bitwise": lambda p: Mask(p.number(1), p.data(4), p.data(5) if p.data(5).strip(b"\0") else b""),
    "byteorder": lambda p: Swap(p.number(1)),
    "lookup": lambda p: Find(p.number(2), p.text(1), 0, p.has(3), bool(p.number(5))),
    "immediate": _read_decision,
    "log": lambda p: Report(p.text(2), p.number(1), p.number(3)),
    "counter": lambda _: Count(),
    "reject": lambda p: Refuse(p.number(1)),
    "limit": lambda p: Rate(p.number(1), p.number(3)),
}
"""How each step is read, by the kernel's name for it."""

_READ = (Meta, Ct, Payload, Compare, Mask, Swap, Find, Decide, Report, Count, Refuse, Rate)
_NAMES: dict[type, str] = {**dict(zip(_READ, _READERS, strict=True)), SetCt: "ct"}


def decode_steps(data: bytes) -> Iterator[Step]:
    """Yield the steps of a rule's list of expressions; nothing is ever left out."""
    for _, element in each_attribute(data):
        parts = read_attributes(element)
        name, body = read_text(parts.get(1, b"")), parts.get(2, b"")
        reader = _READERS.get(name)
        step = reader(_Parts(body)) if reader else None
        # What we would not write so has something in it that we did not read.
        yield step if step is not None and _is_all(step, body) else Unknown(name, body)


def _is_all(step: Step, body: bytes) -> bool:
    """Tell whether a step says everything that is there; what it counted is no part of it."""
    return isinstance(step, Count | Decide) or _telling(b"".join(_WRITERS[type(step)](step))) == _telling(body)


def _telling(attributes: bytes) -> dict[int, bytes]:
    """Return the attributes that are not zero: the kernel names some that we leave out, and the other way round."""
    return {kind: value for kind, value in each_attribute(attributes) if value.strip(b"\0")}
