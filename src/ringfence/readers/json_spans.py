"""The places in a JSON text that is known to be well formed, worked out for the parts that somebody asks about."""

from __future__ import annotations

import re
from bisect import bisect_left
from functools import cached_property
from json import JSONDecoder, loads
from typing import TYPE_CHECKING, NamedTuple

from ringfence.readers.places import Doubled, Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.readers.places import Path, Step

_NAME = re.compile(r'[ \t\r\n,]*(?:(?P<name>"(?:[^"\\]|\\.)*")[ \t\r\n]*:[ \t\r\n]*|\})')
_END = re.compile(r"\n")
_ITEM = re.compile(r"[ \t\r\n,]*(?P<end>\])?")

_pass = JSONDecoder().raw_decode
"""Decodes the value that begins at a place, and returns it with the place behind it."""


class _Member(NamedTuple):
    """Where a member of a mapping or an item of a list begins, with its name and without."""

    step: Step
    start: int
    value: int


class _Ruler:
    """Tells where the characters of a text stand; its lines are looked for once, when somebody first asks."""

    def __init__(self, text: str, place: Place) -> None:
        self._text = text
        self._origin = place

    def place(self, at: int) -> Place:
        """Return the place of one character."""
        lines = bisect_left(self._ends, at)
        if lines:
            return Place(self._origin.line + lines, at - self._ends[lines - 1])
        return Place(self._origin.line, self._origin.column + at)

    @cached_property
    def _ends(self) -> list[int]:
        """Where lines end."""
        return [found.start() for found in _END.finditer(self._text)]


class JsonSpan:
    """The place of a value and of everything in it.

    Args:
        text: JSON that has been decoded already, not nested deeper than ``MAX_DEPTH``.
        place: Where its first character stands.
        at: Where in it the value begins.
        ruler: Of the text, where one has been made.
    """

    template = ""  # JSON has no comments that could name one

    def __init__(self, text: str, place: Place, at: int = 0, ruler: _Ruler | None = None) -> None:
        self._text = text
        self._place = place
        self._at = at
        self._ruler = ruler or _Ruler(text, place)
        self._parts: dict[Step, JsonSpan] = {}

    @property
    def place(self) -> Place:
        """The value's first character."""
        return self._ruler.place(self._at)

    def part(self, step: Step) -> JsonSpan | None:
        """Return the span of one member or item, or None when there is none."""
        if step not in self._parts and (found := self._members.get(step)):
            self._parts[step] = JsonSpan(self._text, self._place, found.value, self._ruler)
        return self._parts.get(step)

    def find(self, path: Path) -> Place:
        """Return the place that a path points at: the name of a member, the start of an item.

        A path that leads nowhere is placed at the deepest part on its way.
        """
        span, at = self, self._at
        for step in path:
            part = span.part(step)
            if part is None:
                break
            span, at = part, span._members[step].start
        return self._ruler.place(at)

    def doubled(self) -> Iterator[Doubled]:
        """Yield every key that is given twice, in the order of the text."""
        seen: dict[Step, int] = {}
        for member in self._walk():
            if member.step in seen:
                yield Doubled(str(member.step), self._ruler.place(seen[member.step]), self._ruler.place(member.start))
            seen[member.step] = member.start
            yield from JsonSpan(self._text, self._place, member.value, self._ruler).doubled()

    @cached_property
    def _members(self) -> dict[Step, _Member]:
        return {member.step: member for member in self._walk()}

    def _walk(self) -> Iterator[_Member]:
        """Yield the members of a mapping, or the items of a list; nothing of a scalar."""
        text, at = self._text, self._at + 1
        if text[self._at] == "{":
            while (found := _NAME.match(text, at)) and (name := found["name"]):
                yield _Member(loads(name) if "\\" in name else name[1:-1], found.start("name"), found.end())
                at = _pass(text, found.end())[1]
        elif text[self._at] == "[":
            index = 0
            while (found := _ITEM.match(text, at)) and not found["end"]:
                yield _Member(index, found.end(), found.end())
                index, at = index + 1, _pass(text, found.end())[1]
