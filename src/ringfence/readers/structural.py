"""What the API server says of an object whose kind a CustomResourceDefinition defines.

Such an object is checked against the schema of its definition, by nothing that knows the
kind: types, members, sizes, patterns, sets, and conditions that are written in CEL. The
schemas are tables in :mod:`ringfence.readers.schemas`; this module walks one of them along
an object. Members that are null count as absent, and members that the schema does not have
are taken out before anything is counted, as the server does; it refuses the latter when it
is asked to be strict, which kubectl does. ``status`` is not looked at: the server throws it
away when an object is created.

Source: ``apiextensions-apiserver`` (``pkg/registry/customresource/strategy.go`` and
``pkg/apiserver/schema``) and ``kube-openapi`` (``pkg/validation``), both of v1.36.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ringfence.readers.fields import Field
from ringfence.readers.refusals import (
    Refusal,
    duplicate,
    invalid,
    quoted,
    required,
    too_long,
    unknown_field,
    unsupported,
)
from ringfence.readers.spelling import suggestion

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ringfence.readers.manifest import Manifest
    from ringfence.readers.places import Path


class Channel(Enum):
    """Which of its two definitions of a kind a cluster has; the second knows more."""

    STANDARD = "standard"
    EXPERIMENTAL = "experimental"


@dataclass(frozen=True, slots=True)
class Condition:
    """A rule in CEL, by hand.

    Attributes:
        message: What the server says where it does not hold.
        holds: Whether it does, for a value that has the types of its schema.
        experimental: Whether only the experimental channel has it.
        hint: Our remark.
        clear: Whether a value for which it does not hold still has one meaning.
    """

    message: str
    holds: Callable[[Any], bool]
    experimental: bool = False
    hint: str = ""
    clear: bool = False


@dataclass(frozen=True, slots=True)
class Schema:
    """What one part of an object must look like.

    Attributes:
        type: ``object``, ``array``, ``string`` or ``integer``; empty when only the names of
            members count; ``elsewhere`` for what others look at.
        members: The members that an object may have, by name.
        required: The members that it must have.
        each: The schema of every item of an array, or of every member of an object whose
            members may have any name.
        least: The fewest members or items, or the smallest number; None for no limit.
        most: The most members, items or characters, or the largest number; likewise.
        choices: The texts that are taken; empty for any.
        pattern: A regular expression that a text must match; empty for any.
        unique: Whether an array is a set.
        filled: Whether the server fills it in where it is absent.
        conditions: What must hold besides.
        experimental: Whether only the experimental channel has it.
    """

    type: str
    members: Mapping[str, Schema] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    each: Schema | None = None
    least: int | None = None
    most: int | None = None
    choices: tuple[str, ...] = ()
    pattern: str = ""
    unique: bool = False
    filled: bool = False
    conditions: tuple[Condition, ...] = ()
    experimental: bool = False


@dataclass(frozen=True, slots=True)
class Structure:
    """What was found in an object.

    Attributes:
        unclear: The parts in which something is wrong that leaves their meaning open, and
            all that they are parts of.
        broken: Those of them where it is.
        experimental: The members that only the experimental channel has: by name the first of each.
    """

    unclear: frozenset[Path]
    broken: frozenset[Path]
    experimental: Mapping[str, Path]


def check(manifest: Manifest, schema: Schema, channel: Channel = Channel.EXPERIMENTAL) -> Structure:
    """Add to an object's errors what the server has against it."""
    walk = _Walk(channel)
    walk.visit(Field(manifest), schema)
    # What is wrong with metadata was found before.
    if walk.blocked or any(error.reason in _BLOCKING for error in manifest.errors):
        walk.doubt()
    else:
        walk.hold()
    unclear = {path[:length] for path in walk.broken for length in range(len(path) + 1)}
    return Structure(frozenset(unclear), frozenset(walk.broken), walk.experimental)


class _Walk:
    """One pass over an object.

    Attributes:
        blocked: Whether something was found after which the server looks at no condition.
        broken: Where something was found that leaves the meaning of a part open.
        experimental: The members that only the experimental channel has: by name the first of each.
    """

    def __init__(self, channel: Channel) -> None:
        self.blocked = False
        self.broken: set[Path] = set()
        self.experimental: dict[str, Path] = {}
        self._channel = channel
        self._conditions: list[tuple[Field, Condition]] = []

    def visit(self, part: Field, schema: Schema) -> None:
        """Check one part that is there, and all that is in it."""
        if schema.type in {"", "elsewhere"}:
            self._prune(part, schema)
            return
        fits = self._has_type(part, schema)
        if schema.choices and part.value not in schema.choices:
            words = f"write {' or '.join(schema.choices)}"
            self._refuse(part, unsupported(part.value, schema.choices), words)
        if schema.type == "integer" and _type_of(part.value) in {"integer", "number"}:
            self._visit_integer(part, schema)
        if not fits:
            self._prune(part, Schema(""))
            return
        self._conditions += [(part, each) for each in schema.conditions if self._knows(each)]
        match schema.type:
            case "object":
                self._visit_object(part, schema)
            case "array":
                self._visit_array(part, schema)
            case "string":
                self._visit_string(part, schema)

    def hold(self) -> None:
        """Check the conditions of all that was visited."""
        for part, condition in self._conditions:
            if condition.experimental and part.manifest.resource_version:
                continue  # a server of the standard channel has taken it
            if not condition.holds(part.value):
                value = "" if isinstance(part.value, dict) else f"{quoted(part.value)}: "
                refusal = Refusal("FieldValueInvalid", f"Invalid value: {value}{condition.message}")
                self._refuse(part, refusal, condition.hint, clear=condition.clear)
                if condition.experimental:
                    part.manifest.dispute()

    def doubt(self) -> None:
        """Note the texts whose conditions do not hold, of which the server says nothing: they mean nothing."""
        for part, condition in self._conditions:
            if isinstance(part.value, str) and not condition.holds(part.value):
                self.broken.add(part.path)

    def _knows(self, part: Schema | Condition) -> bool:
        return not part.experimental or self._channel is Channel.EXPERIMENTAL

    def _members(self, schema: Schema) -> Mapping[str, Schema]:
        """Return the members that the channel knows."""
        if self._channel is Channel.EXPERIMENTAL:
            return schema.members
        return {name: each for name, each in schema.members.items() if self._knows(each)}

    def _has_type(self, part: Field, schema: Schema) -> bool:
        """Check the type of a part; a whole number with a point is an integer, if it is exact."""
        found = _type_of(part.value)
        if found == schema.type:
            return True
        if schema.type == "integer" and found == "number" and abs(part.value) < _EXACT and part.value % 1 == 0:
            return True
        wanted = schema.type
        if wanted == "integer" and found in _INEXACT:
            wanted, found = "int32", _INEXACT[found]
        message = f'Invalid value: "{found}": {_at(part.path)} in body must be of type {wanted}: "{found}"'
        self._refuse(part, Refusal("FieldValueTypeInvalid", message), _TYPE_HINTS.get(schema.type, ""))
        return False

    def _visit_object(self, part: Field, schema: Schema) -> None:
        if schema.each:
            for name, value in part.value.items():
                if value is not None:
                    self.visit(_member(part, name), schema.each)
            return
        members = self._members(schema)
        given = [name for name, value in part.value.items() if value is not None and name in members]
        self._strangers(part, members)
        self._count(part, schema, len(given), "properties")
        for name in given:
            if members[name].experimental:
                self.experimental.setdefault(name, (*part.path, name))
            self.visit(_member(part, name), members[name])
        for name in schema.required:
            if name not in given and not members[name].filled:
                self._refuse(part[name], required(), f"add {name}")

    def _prune(self, part: Field, schema: Schema) -> None:
        """Report the members that are not known in a part of which nothing else counts."""
        if isinstance(part.value, list):
            for item in part.items():
                self._prune(item, schema.each or Schema(""))
        elif isinstance(part.value, dict) and schema.type != "elsewhere":
            self._strangers(part, schema.members)
            for name in part.value:
                if name in schema.members:
                    self._prune(part[name], schema.members[name])

    def _strangers(self, part: Field, members: Mapping[str, Schema]) -> None:
        """Report the members of a mapping that are not known."""
        if part.value.keys() <= members.keys():
            return
        for name in part.value:
            if name not in members:
                self.broken.add(part.path)
                field = _at((*part.path, name))
                hint = _meant(name, part.value, members)
                part.manifest.report(unknown_field(field), (*part.path, name), hint, field=field)

    def _visit_array(self, part: Field, schema: Schema) -> None:
        items = part.items()
        for item in items:
            if schema.each:
                self.visit(item, schema.each)
        if schema.unique:
            self._visit_set(items)
        self._count(part, schema, len(items), "items")

    def _visit_set(self, items: list[Field]) -> None:
        """Report what stands twice: of three or more the server names the second alone."""
        seen: Counter[tuple[type, str]] = Counter()
        for item in items:
            key = (type(item.value), str(item.value))
            seen[key] += 1
            if seen[key] == 2:
                self._refuse(item, duplicate(item.value), "remove one of the two", clear=True)

    def _count(self, part: Field, schema: Schema, size: int, of: str) -> None:
        if schema.least is not None and size < schema.least:
            message = f"{_at(part.path)} in body should have at least {schema.least} {of}"
            names = ", ".join(self._members(schema))
            self._refuse(part, invalid(size, message), f"write one of: {names}" if names else "add an item")
        if schema.most is not None and size > schema.most:
            noun = "item" if schema.most == 1 else "items"
            refusal = Refusal("FieldValueTooMany", f"Too many: {size}: must have at most {schema.most} {noun}")
            # Too long a list still says what it says; two peers in the place of one do not.
            hint = "write several"
            if of == "properties":
                in_list = type(part.path[-1]) is int
                hint = "write each in an item of its own" if in_list else "write one of them alone"
            self._refuse(part, refusal, hint, clear=of == "items")

    def _visit_string(self, part: Field, schema: Schema) -> None:
        if schema.most is not None and len(part.value) > schema.most:
            self._refuse(part, too_long(schema.most), "shorten it", clear=True)
        elif schema.pattern and not _compiled(schema.pattern).search(part.value):
            message = f"{_at(part.path)} in body should match '{schema.pattern}'"
            self._refuse(part, invalid(part.value, message), "correct it")

    def _visit_integer(self, part: Field, schema: Schema) -> None:
        if part.value % 1 or not -_INT32 <= part.value < _INT32:  # which the server says of the object as a whole
            message = f'Invalid value: "": Checked value must be of type integer with format int32 in {_at(part.path)}'
            part.refuse(Refusal("FieldValueInvalid", message), _TYPE_HINTS["integer"], _at(()))
        if schema.most is not None and part.value > schema.most:
            message = f"{_at(part.path)} in body should be less than or equal to {schema.most}"
            self._refuse(part, invalid(part.value, message), f"write at most {schema.most}")
        if schema.least is not None and part.value < schema.least:
            message = f"{_at(part.path)} in body should be greater than or equal to {schema.least}"
            self._refuse(part, invalid(part.value, message), f"write at least {schema.least}")

    def _refuse(self, part: Field, refusal: Refusal, hint: str, *, clear: bool = False) -> None:
        self.blocked |= refusal.reason in _BLOCKING
        if not clear:
            self.broken.add(part.path)
        part.refuse(refusal, hint, _at(part.path))


def _member(part: Field, name: str) -> Field:
    """Return a member of a part that is known to be a mapping and to have it."""
    return Field(part.manifest, (*part.path, name), part.value[name])


def _meant(name: str, given: Mapping[str, Any], members: Mapping[str, Schema]) -> str:
    """Return a hint for a member that is not known: many have lost or won some spaces, or are from an older API."""
    within = [member for member in given if member in members and name in members[member].members]
    if within:
        return f"indent it, so that it is within {within[0]}"
    if "matchLabels" in members and name in _FORMER:
        return _FORMER[name]
    value = given[name]
    if isinstance(value, dict) and value and value.keys() <= members.keys():
        return "take it away, and leave in its place what is within it"
    return suggestion(name, members) if members else "remove it: nothing has a name here"


_NO_MORE = "name labels and their values by matchLabels: 0.1.7 of the API has dropped it"
_FORMER = {
    "namespaceSelector": "take it away, and leave in its place what is within it: 0.1.0 of the API alone had it",
    "sameLabels": _NO_MORE,
    "notSameLabels": _NO_MORE,
}
"""What older releases of AdminNetworkPolicy had beside the members of a selector; examples still show it."""

_INT32 = 1 << 31
"""The integers of 32 bits begin at its negative, and end before it."""

_INEXACT = {"boolean": "", "object": "", "number": "float64"}
"""What the server calls values that are no integer of 32 bits; text and lists keep their names."""

_TYPE_HINTS = {
    "object": "write a mapping",
    "array": "begin every item with a dash",
    "string": "put quotes around the value",
    "integer": "write a whole number without quotes",
}

_BLOCKING = {
    "FieldValueNotSupported",
    "FieldValueRequired",
    "FieldValueTooLong",
    "FieldValueTooMany",
    "FieldValueTypeInvalid",
}
"""The reasons after which the server looks at no condition."""

_TYPES = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number"}


_EXACT = 1 << 53
"""The first number that is not told from the next one when it has a point."""

_INT64 = range(-(1 << 63), 1 << 63)
"""The integers of Go; those beyond them are numbers with a point to it."""


def _type_of(value: Any) -> str:
    if type(value) is int and value not in _INT64:
        return "number"
    return _TYPES.get(type(value), "null")


def _at(path: Path) -> str:
    """Return a path as the server writes it: with names as they are; the object itself has an odd one."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text[1:] if text else "<nil>"


@lru_cache(maxsize=8)
def _compiled(pattern: str) -> re.Pattern[str]:
    """Compile a pattern of Go, whose ``$`` is the very end of a text."""
    return re.compile(pattern.removesuffix("$") + r"\Z")
