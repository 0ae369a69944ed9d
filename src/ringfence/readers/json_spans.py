"""The places in a JSON text that is known to be well formed, worked out for the parts that somebody asks about."""

from __future__ import annotations

import re
from bisect import bisect_left
from functools import cached_property
from json import JSONDecoder, loads
from json.scanner import make_scanner
from typing import TYPE_CHECKING

from ringfence.readers.places import Doubled, Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.readers.places import Path, Step

_NAME = re.compile(r'[ \t\r\n,]*(?:("(?:[^"\\]|\\.)*")[ \t\r\n]*:[ \t\r\n]*|\})')
_END = re.compile(r"\n")
_ITEM = re.compile(r"[ \t\r\n,]*(\])?")

_pass = make_scanner(JSONDecoder())  # type: ignore[arg-type] # the stub has the class for the attributes
"""Decodes the value that begins at a place, and returns it with the place behind it."""


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
        part = self._parts.get(step)
        if part is None and (found := self._members.get(step)):
            part = self._parts[step] = JsonSpan(self._text, self._place, found[1], self._ruler)
        return part

    def find(self, path: Path) -> Place:
        """Return the place that a path points at: the name of a member, the start of an item.

        A path that leads nowhere is placed at the deepest part on its way.
        """
        span, at = self, self._at
        for step in path:
            part = span.part(step)
            if part is None:
                break
            span, at = part, span._members[step][0]
        return self._ruler.place(at)

    def doubled(self) -> Iterator[Doubled]:
        """Yield every key that is given twice, in the order of the text."""
        seen: dict[Step, int] = {}
        for step, start, value in self._walk():
            if step in seen:
                yield Doubled(str(step), self._ruler.place(seen[step]), self._ruler.place(start))
            seen[step] = start
            yield from JsonSpan(self._text, self._place, value, self._ruler).doubled()

    @cached_property
    def _members(self) -> dict[Step, tuple[int, int]]:
        """Where each member begins, with its name and without."""
        return {step: (start, value) for step, start, value in self._walk()}

    def _walk(self) -> Iterator[tuple[Step, int, int]]:
        """Yield the members of a mapping, or the items of a list, and where each begins, with its name and without."""
        text, at = self._text, self._at + 1
        if text[self._at] == "{":
            while (found := _NAME.match(text, at)) and (name := found[1]):
                value = found.end()
                yield loads(name) if "\\" in name else name[1:-1], found.start(1), value
                at = _pass(text, value)[1]
        elif text[self._at] == "[":
            index = 0
            while (found := _ITEM.match(text, at)) and not found[1]:
                value = found.end()
                yield index, value, value
                index, at = index + 1, _pass(text, value)[1]
