"""Parts of an object as readers walk it: a value that knows its path and its place.

Every method that expects a type adds an error and returns an empty value when it finds
another, so a reader walks on and reports everything that is wrong with an object at once.
Null and absent mean the same, as they do to the API server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringfence.errors import ManifestError
from ringfence.readers.places import Path, dotted
from ringfence.readers.spelling import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ringfence.model.origin import Origin
    from ringfence.readers.manifest import Manifest

METADATA = (
    "name",
    "generateName",
    "namespace",
    "selfLink",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "labels",
    "annotations",
    "ownerReferences",
    "finalizers",
    "managedFields",
)
"""The members of every object's ``metadata``. Source: ``metav1.ObjectMeta``."""


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
        self.value = value if path else manifest.value

    def __getitem__(self, name: str) -> Field:
        """Return a member, present or not; anything but a mapping has none."""
        members = self.value if isinstance(self.value, dict) else {}
        return Field(self.manifest, (*self.path, name), members.get(name))

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
        return {name: text for name, text in texts.items() if isinstance(members[name], str)}

    def known(self, names: Iterable[str]) -> None:
        """Add an error for every member that has none of these names."""
        for name in self.mapping().keys() - set(names):
            self._unknown(name, names)

    def error(self, message: str, hint: str = "") -> None:
        """Add an error about this part."""
        text = f"{dotted(self.path)}: {message}" if self.path else message
        self.manifest.errors.append(ManifestError(text, self.origin, hint))

    def _typed(self, wanted: type, words: str) -> Any:
        """Return the value if it has a type; True is no number, though Python says so."""
        if self.value is None or type(self.value) is wanted:
            return self.value
        hint = f"put quotes around it: {_written(self.value)!r}" if wanted is str and _is_scalar(self.value) else ""
        self.error(f"expected {words}, found {describe(self.value)}", hint or f"write {words}")
        return None

    def _unknown(self, name: str, known: Iterable[str]) -> None:
        path = (*self.path, name)
        message = f'unknown field "{dotted(path)}"'
        self.manifest.errors.append(ManifestError(message, self.manifest.origin(path), suggestion(name, known)))


def describe(value: Any) -> str:
    """Return a value as an error message shows it."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        return f'the string "{value}"'
    if value is None:
        return "nothing"
    return f"the number {value}" if not isinstance(value, bool) else _written(value)


def _is_scalar(value: Any) -> bool:
    return not isinstance(value, dict | list)


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
