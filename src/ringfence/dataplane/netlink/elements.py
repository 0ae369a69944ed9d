"""Elements of sets and maps as the kernel has them.

A key of single values is one element. So is a range of a key of several fields, with both
ends in it. A range of the one field of any other key is two elements: where it begins, and
the value after it, marked as an end; a range up to the greatest value has no end.

Source: ``net/netfilter/nf_tables_api.c``, ``nft_set_rbtree.c`` and ``nft_set_pipapo.c``.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ringfence.dataplane.netlink.messages import (
    attribute,
    each_attribute,
    nested,
    number,
    read_attributes,
    read_number,
)
from ringfence.dataplane.netlink.steps import LIST_ELEMENT, decode_verdict, encode_verdict
from ringfence.dataplane.nft import Element, Map

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ringfence.dataplane.expressions import Statement
    from ringfence.dataplane.netlink.keys import Layout
    from ringfence.dataplane.nft import Key, Set

_KEY, _DATA, _FLAGS, _USER, _KEY_END = 1, 2, 3, 6, 10
_VALUE = 1
_END = 1
_NESTED = 0x8000

LARGEST = 0xFFFF - 4
"""Bytes of elements in one message: the length of an attribute has 16 bits."""


def encode_elements(named: Set | Map, layout: Layout) -> Iterator[bytes]:
    """Yield all elements of a set or map, in order and as few strings of bytes as messages can hold."""
    if isinstance(named, Map):
        parts = [
            nested(LIST_ELEMENT, _key(_KEY, layout, [first for first, _ in each.key]), _data(each.statement))
            for each in named.elements
        ]
    elif not named.interval:
        parts = _encode_values(named.elements, layout)
    elif len(layout.types) > 1:
        parts = [_encode_box(key, layout) for key in named.elements]
    else:
        parts = [_encode_range(key[0], layout) for key in named.elements]
    yield from _gathered(parts)


def _gathered(parts: Sequence[bytes]) -> Iterator[bytes]:
    held: list[bytes] = []
    size = 0
    for part in parts:
        if size + len(part) > LARGEST:
            yield b"".join(held)
            held, size = [], 0
        held.append(part)
        size += len(part)
    if held:
        yield b"".join(held)


def _encode_values(keys: Iterable[Key], layout: Layout) -> list[bytes]:
    """Return single values: all that differs between them is the key."""
    head, tail = _frame(layout)
    if len(layout.types) == 3 and not layout.has_long:
        pack = layout.struct.pack
        return [head + pack(one, two, three) + tail for (one, _), (two, _), (three, _) in keys]
    return [head + layout.encode([first for first, _ in key]) + tail for key in keys]


def _frame(layout: Layout) -> tuple[bytes, bytes]:
    """Return what stands before and after the key of an element that has nothing else."""
    length = layout.struct.size
    padding = -length % 4
    lengths = (12 + length + padding, LIST_ELEMENT | _NESTED, 8 + length + padding, _KEY | _NESTED, 4 + length, _VALUE)
    return struct.pack("=6H", *lengths), bytes(padding)


def _encode_box(key: Key, layout: Layout) -> bytes:
    ends = _key(_KEY, layout, [first for first, _ in key]), _key(_KEY_END, layout, [last for _, last in key])
    return nested(LIST_ELEMENT, *ends)


def _encode_range(pair: tuple[int, int], layout: Layout) -> bytes:
    first, last = pair
    start = nested(LIST_ELEMENT, _key(_KEY, layout, [first]))
    if last == layout.last:
        return start
    return start + nested(LIST_ELEMENT, number(_FLAGS, _END), _key(_KEY, layout, [last + 1]))


def _key(kind: int, layout: Layout, values: Sequence[int]) -> bytes:
    return nested(kind, attribute(_VALUE, layout.encode(values)))


def _data(statement: Statement) -> bytes:
    return nested(_DATA, encode_verdict(statement))


class ForeignElementError(Exception):
    """An element that no set of ours holds."""


def decode_values(data: bytes, layout: Layout) -> list[Key]:
    """Return the keys of elements that are single values.

    Raises:
        ForeignElementError: there is something else in one of them. What users note beside
            an element, as nft does, decides nothing and is passed over.
    """
    head, tail = _frame(layout)
    form = struct.Struct(f"{len(head)}s{layout.struct.size}s{len(tail)}s")
    # The kernel does not mark what is nested.
    plain = struct.pack("=6H", *(each & ~_NESTED for each in struct.unpack("=6H", head)))
    found = list(form.iter_unpack(data)) if len(data) % form.size == 0 else []
    if found and {start for start, _, _ in found} <= {head, plain}:
        return [tuple([(value, value) for value in layout.decode(key)]) for _, key, _ in found]
    return [tuple([(value, value) for value in _values(parts, _KEY, layout)]) for parts in _each(data, {_KEY})]


def decode_map(data: bytes, layout: Layout) -> Iterator[Element]:
    """Yield the elements of a map; raises as :func:`decode_values` does."""
    for parts in _each(data, {_KEY, _DATA}):
        statement = decode_verdict(parts[_DATA]) if _DATA in parts else None
        if statement is None:
            raise ForeignElementError
        yield Element(tuple((value, value) for value in _values(parts, _KEY, layout)), statement)


def decode_boxes(data: bytes, layout: Layout) -> Iterator[Key]:
    """Yield ranges of several fields; raises as :func:`decode_values` does."""
    for parts in _each(data, {_KEY, _KEY_END}):
        firsts = _values(parts, _KEY, layout)
        lasts = _values(parts, _KEY_END, layout) if _KEY_END in parts else firsts
        yield tuple(zip(firsts, lasts, strict=True))


def decode_ranges(data: bytes, layout: Layout) -> list[Key]:
    """Return ranges of one field, sorted; raises as :func:`decode_values` does.

    The kernel goes by the nearest element at or below a value: a beginning without an end
    goes on to the next beginning, and an end without a beginning says nothing.
    """
    marks = sorted(
        (_values(parts, _KEY, layout)[0], read_number(parts.get(_FLAGS)) != _END)
        for parts in _each(data, {_KEY, _FLAGS})
    )
    found: list[Key] = []
    first: int | None = None
    for value, begins in marks:
        if first is not None:
            found.append(((first, value - 1),))
        first = value if begins else None
    if first is not None:
        found.append(((first, layout.last),))
    return found


def _each(data: bytes, known: set[int]) -> Iterator[dict[int, bytes]]:
    for _, element in each_attribute(data):
        parts = read_attributes(element)
        if _KEY not in parts or not parts.keys() - {_USER} <= known:
            raise ForeignElementError
        yield parts


def _values(parts: dict[int, bytes], kind: int, layout: Layout) -> tuple[int, ...]:
    value = read_attributes(parts[kind]).get(_VALUE, b"")
    if len(value) != layout.struct.size:
        raise ForeignElementError
    return layout.decode(value)
