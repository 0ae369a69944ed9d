"""The places in a JSON text that is known to be well formed."""

from __future__ import annotations

import re
from json import loads
from typing import TYPE_CHECKING

from ringfence.readers.places import Doubled, Place, Span

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+|\n')


def read_spans(text: str, place: Place, doubled: list[Doubled]) -> Span:
    """Return the span of the one value that a text holds.

    Args:
        text: JSON that has been decoded already, not nested deeper than ``MAX_DEPTH``.
        place: Where its first character stands.
        doubled: Where keys given twice are added.
    """
    tokens = _tokens(text, place)
    return _value(*next(tokens), tokens, doubled)


def _tokens(text: str, place: Place) -> Iterator[tuple[str, Place]]:
    """Yield every token with its place."""
    line, base = place.line, 1 - place.column
    for found in _TOKEN.finditer(text):
        mark = found[0]
        if mark == "\n":
            line, base = line + 1, found.end()
        else:
            yield mark, Place(line, found.start() - base + 1)


def _value(mark: str, place: Place, tokens: Iterator[tuple[str, Place]], doubled: list[Doubled]) -> Span:
    if mark == "[":
        items: list[Span] = []
        for next_mark, where in tokens:
            if next_mark == "]":
                break
            if next_mark != ",":
                items.append(_value(next_mark, where, tokens, doubled))
        return Span(place, items)
    if mark == "{":
        parts: dict[str, Span] = {}
        keys: dict[str, Place] = {}
        for next_mark, where in tokens:
            if next_mark == "}":
                break
            if next_mark != ",":
                name = loads(next_mark)
                if name in keys:
                    doubled.append(Doubled(name, keys[name], where))
                next(tokens)  # the colon
                parts[name], keys[name] = _value(*next(tokens), tokens, doubled), where
        return Span(place, parts, keys)
    return Span(place)
