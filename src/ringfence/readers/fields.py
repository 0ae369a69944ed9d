"""Parts of an object as readers walk it: a value that knows its path and its place.

Every method that expects a type adds an error and returns an empty value when it finds
another, so a reader walks on and reports everything that is wrong with an object at once.
Null is the empty value of whatever type is expected, as it is to the API server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringfence.readers.places import Path, dotted, joined
from ringfence.readers.refusals import unknown_field
from ringfence.readers.shapes import OBJECT_META
from ringfence.readers.spelling import nearest, suggestion

if TYPE_CHECKING:
    from collections.abc import Collection

    from ringfence.model.origin import Origin
    from ringfence.readers.manifest import Manifest
    from ringfence.readers.refusals import Refusal

_SHOWN = 60
"""Characters of a text that an error message shows at most."""

METADATA = tuple(OBJECT_META.fields)
"""The members of every object's ``metadata``."""

OBJECT = ("apiVersion", "kind", "metadata", "spec", "status")
"""The members of every object that is read."""


class Field:
    """One part of an object, present or not.

    Attributes:
        manifest: The object.
        path: The steps that lead to it.
        value: What was decoded there; None when it is null or absent.
    """

    __slots__ = ("manifest", "path", "value")

    def __init__(self, manifest: Manifest, path: Path = (), value: Any = None) -> None:
        self.manifest = manifest
        self.path = path
        self.value: Any = value if path else manifest.value

    def __getitem__(self, name: str) -> Field:
        """Return a member, present or not; anything but a mapping has none."""
        return Field(self.manifest, (*self.path, name), self.mapping().get(name))

    @property
    def given(self) -> bool:
        """Whether there is a value, and it is not null."""
        return self.value is not None

    @property
    def origin(self) -> Origin:
        """Its place."""
        return self.manifest.origin(self.path)

    def mapping(self) -> dict[str, Any]:
        """Return its members; empty when it is not given."""
        return self._typed(dict, "a mapping") or {}

    def items(self) -> list[Field]:
        """Return its items; empty when it is not given."""
        found: list[Any] = self._typed(list, "a list") or []
        return [Field(self.manifest, (*self.path, index), value) for index, value in enumerate(found)]

    def string(self) -> str:
        """Return its text; empty when it is not given."""
        return self._typed(str, "a string") or ""

    def boolean(self) -> bool:
        """Return whether it is true; false when it is not given."""
        return self._typed(bool, "true or false") or False

    def integer(self) -> int | None:
        """Return its number; None when it is not given."""
        found: int | None = self._typed(int, "a whole number")
        return found

    def strings(self) -> dict[str, str]:
        """Return its members, all of them text, as labels are; empty when it is not given."""
        members = self.mapping()
        if all(type(value) is str for value in members.values()):
            return members
        texts = {name: self[name].string() for name in members}
        return {name: text for name, text in texts.items() if isinstance(members[name], str | None)}

    def known(self, names: Collection[str]) -> None:
        """Add an error for every member that has none of these names."""
        for name in self.mapping():
            if name not in names:
                self._unknown(name, suggestion(name, names))

    def near(self, names: tuple[str, ...]) -> None:
        """Add an error for every member that has none of these names, but nearly one.

        For parts of which not every name is known here, but these decide something.
        """
        for name in self.mapping():
            if name not in names and (meant := nearest(name, names)):
                self._unknown(name, f'did you mean "{meant}"?')

    def error(self, message: str, hint: str = "") -> None:
        """Add an error about this part."""
        self.manifest.report(f"{dotted(self.path)}: {message}", self.path, hint)

    def refuse(self, refusal: Refusal, hint: str = "", at: str = "") -> None:
        """Add an error in the API server's words.

        Args:
            refusal: What the server says.
            hint: Our remark.
            at: The path that the server names; this part's own by default.
        """
        field = at or dotted(self.path)
        self.manifest.report(f"{field}: {refusal.message}", self.path, hint, field=field, reason=refusal.reason)

    def _unknown(self, name: str, hint: str) -> None:
        path = (*self.path, name)
        self.manifest.report(unknown_field(joined(path)), path, hint, field=joined(path))

    def _typed(self, wanted: type, words: str) -> Any:
        """Return the value if it has a type; True is no number, though Python says so."""
        if self.value is None or type(self.value) is wanted:
            return self.value
        message, hint = mistyped(self.value, words)
        field = dotted(self.path)
        self.manifest.report(f"{field}: {message}", self.path, hint, field=field)
        return None


def mistyped(value: Any, words: str) -> tuple[str, str]:
    """Return what to say of a value that is not what was expected: a message and a hint.

    Args:
        value: What was found.
        words: What was expected, such as ``a list``.
    """
    hint = f"write {words}"
    if words == "a string" and not isinstance(value, dict | list):
        hint = "put quotes around the value"  # as it was written: here, y is known as true only
    elif words == "a list":
        hint = "begin every item with a dash"
    elif words == "a whole number" and type(value) is int:  # one that no field holds
        hint = "write a smaller number; those of ports are from 1 to 65535"
    return f"expected {words}, found {describe(value)}", hint


def describe(value: Any) -> str:
    """Return a value as an error message shows it."""
    match value:
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case str():
            return f'the string "{value}"' if len(value) <= _SHOWN else f'the string "{value[:_SHOWN]}..."'
        case None:
            return "null"
        case bool():
            return str(value).lower()
    return f"the number {value}"
