"""Decoding as the API server does it: the types of values, and fields that there are not.

A server that is asked to be strict, as kubectl asks it, names every field that it does not
know; of values of a wrong type it names the first alone. Here all of them are errors, in
the order in which the server would come upon one: first a value that ends decoding, then
values of a wrong type, then fields that are not known.

Source: sigs.k8s.io/json ``internal/golang/encoding/json/decode.go``.
"""

from __future__ import annotations

from copy import deepcopy
from enum import IntEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from ringfence.readers.fields import mistyped
from ringfence.readers.places import dotted, joined
from ringfence.readers.refusals import unknown_field
from ringfence.readers.shapes import TEXT, Items, Members, Scalar, Struct
from ringfence.readers.spelling import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ringfence.readers.manifest import Manifest
    from ringfence.readers.places import Path
    from ringfence.readers.shapes import Shape


class _Rank(IntEnum):
    FATAL = 0
    MISTYPED = 1
    UNKNOWN = 2


class _Fault(NamedTuple):
    rank: _Rank
    path: Path
    field: str
    message: str
    hint: str


def decode(manifest: Manifest, value: Any, shape: Shape, path: Path = ()) -> Any:
    """Return a part of an object without the values that cannot be decoded; an error is added for each.

    Args:
        manifest: The object.
        value: The part.
        shape: What it should be.
        path: Where it is.

    Returns:
        The value itself when there is nothing wrong with it. Otherwise a copy with null in
        place of every value of a wrong type; fields that are not known stay.
    """
    if fits(value, shape):
        return value
    faults: list[_Fault] = []
    _walk(value, shape, path, faults)
    for fault in sorted(faults, key=lambda each: each.rank):
        manifest.report(fault.message, fault.path, fault.hint, field=fault.field)
    return _without(value, [fault.path[len(path) :] for fault in faults if fault.rank is not _Rank.UNKNOWN])


def fits(value: Any, shape: Shape) -> bool:
    """Tell whether :func:`_walk` finds nothing wrong; most objects have no mistake, and this takes half the time."""
    if value is None:
        return True
    if isinstance(shape, Struct):
        return type(value) is dict and _all_known(value, shape.fields)
    if isinstance(shape, Scalar):
        return shape.takes(value)
    if isinstance(shape, Items):
        return type(value) is list and _all_fit(value, shape.of)
    return type(value) is dict and _all_fit(value.values(), shape.of)


def _all_fit(values: Iterable[Any], shape: Shape) -> bool:
    if shape is TEXT:
        return all(type(value) is str or value is None for value in values)
    return all(fits(value, shape) for value in values)


def _all_known(members: dict[str, Any], fields: dict[str, Shape]) -> bool:
    for name, member in members.items():
        shape = fields.get(name)
        if shape is None or not ((type(member) is str and shape is TEXT) or fits(member, shape)):
            return False
    return True


def _walk(value: Any, shape: Shape, path: Path, faults: list[_Fault]) -> None:
    """Add what is wrong with a value, in the order of the text. Null is the empty value of every type."""
    if value is None:
        return
    if isinstance(shape, Scalar):
        if not shape.takes(value):
            faults.append(_mistyped(value, shape.words, path, fatal=shape.fatal))
    elif isinstance(shape, Items):
        if type(value) is list:
            for index, item in enumerate(value):
                _walk(item, shape.of, (*path, index), faults)
        else:
            faults.append(_mistyped(value, "a list", path))
    elif type(value) is not dict:
        faults.append(_mistyped(value, "a mapping", path))
    elif isinstance(shape, Members):
        _walk_members(value, shape, path, faults)
    else:
        _walk_struct(value, shape, path, faults)


def _walk_members(value: dict[str, Any], shape: Members, path: Path, faults: list[_Fault]) -> None:
    """Add what is wrong with the members of a map, of which the server names no key."""
    before = len(faults)
    for name, member in value.items():
        _walk(member, shape.of, (*path, name), faults)
    for index in range(before, len(faults)):
        faults[index] = faults[index]._replace(field=dotted(path))


def _walk_struct(value: dict[str, Any], shape: Struct, path: Path, faults: list[_Fault]) -> None:
    for name, member in value.items():
        known = shape.fields.get(name)
        where = (*path, name)
        if known is None:
            hint = shape.elsewhere.get(name) or suggestion(name, shape.fields)
            faults.append(_Fault(_Rank.UNKNOWN, where, joined(where), unknown_field(joined(where)), hint))
        else:
            _walk(member, known, where, faults)


def _mistyped(value: Any, words: str, path: Path, *, fatal: bool = False) -> _Fault:
    message, hint = mistyped(value, words)
    field = dotted(path)
    return _Fault(_Rank.FATAL if fatal else _Rank.MISTYPED, path, field, f"{field}: {message}", hint)


def _without(value: Any, paths: list[Path]) -> Any:
    """Return a copy with null at every path."""
    if () in paths:
        return None
    copy = deepcopy(value) if paths else value
    for path in paths:
        part = copy
        for step in path[:-1]:
            part = part[step]
        part[path[-1]] = None
    return copy
