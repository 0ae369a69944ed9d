"""Where the parts of a decoded document stand in its text."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple, Protocol

from ringfence.errors import ManifestError
from ringfence.model.origin import Origin

MAX_DEPTH = 100
"""Mappings and lists within each other; no Kubernetes object comes near it."""

TOO_DEEP = f"nested more than {MAX_DEPTH} levels deep"
TOO_DEEP_HINT = "check the indentation and brackets; no Kubernetes object is so deep"

Step = str | int
"""One step into a value: the name of a member, or the index of an item."""

Path = tuple[Step, ...]
"""Steps from the root of an object to one of its parts; empty for the object itself."""


class Place(NamedTuple):
    """A 1-based line and column."""

    line: int
    column: int


class Places(Protocol):
    """Where a value and everything in it stand; each reader of texts has its own way to hold that."""

    @property
    def place(self) -> Place:
        """The value's first character."""

    @property
    def template(self) -> str:
        """The file of a chart that its object was rendered from; empty when nothing says so."""

    def part(self, step: Step) -> Places | None:
        """Return those of one member or item, or None when there is none."""

    def find(self, path: Path) -> Place:
        """Return the place that a path points at, or that of the deepest part on its way."""


class Span(NamedTuple):
    """The place of a value and of everything in it.

    Attributes:
        place: The value's first character.
        parts: The spans of its members by name, or of its items in order; None for a scalar.
        keys: The places of the names of its members; None for anything but a mapping.
        template: Always empty: JSON has no comments that could name one.
    """

    place: Place
    parts: dict[str, Span] | list[Span] | None = None
    keys: dict[str, Place] | None = None
    template: str = ""

    def part(self, step: Step) -> Span | None:
        """Return the span of one member or item, or None when there is none."""
        found: Span | None = None
        if isinstance(self.parts, dict) and isinstance(step, str):
            found = self.parts.get(step)
        elif isinstance(self.parts, list) and isinstance(step, int) and step < len(self.parts):
            found = self.parts[step]
        return found

    def find(self, path: Path) -> Place:
        """Return the place that a path points at: the name of a member, the start of an item.

        A path that leads nowhere is placed where it leaves the text: at the deepest part
        that exists. So a field that is missing is placed at what should hold it.
        """
        span, place = self, self.place
        for step in path:
            part = span.part(step)
            if part is None:
                break
            place = span.keys[step] if span.keys and isinstance(step, str) else part.place
            span = part
        return place


class Doubled(NamedTuple):
    """A key that is given twice in one mapping, and the places of both."""

    name: str
    first: Place
    second: Place

    def error(self, source: str, template: str = "") -> ManifestError:
        """Return what to say of it."""
        message = f'key "{self.name}" is given twice, first at line {self.first.line}; the last one counts'
        return ManifestError(message, Origin(source, *self.second, "", "", template=template), "remove one of the two")


@lru_cache(1 << 12)  # the same few paths lead to the rules and peers of every policy
def pointer(path: Path) -> str:
    """Return a path as an RFC 6901 JSON pointer."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def dotted(path: Path) -> str:
    """Return a path as the API server writes it: ``spec.ingress[0].from``."""
    text = str(path[0]) if path else ""
    for step in path[1:]:
        text += f".{step}" if isinstance(step, str) and step.isidentifier() else f"[{step}]"
    return text


def joined(path: Path) -> str:
    """Return a path as the API server's strict decoder writes it: a dot before every name, whatever is in it."""
    return "".join(f".{step}" if isinstance(step, str) else f"[{step}]" for step in path).removeprefix(".")
