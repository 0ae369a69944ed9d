"""The places in a JSON text that is known to be well formed."""

from __future__ import annotations

import re
from json import loads
from typing import TYPE_CHECKING

from ringfence.readers.places import Doubled, Place, Span

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+|\n')

_Token = tuple[str, Place]


def read_spans(text: str, place: Place, doubled: list[Doubled]) -> Span:
    """Return the span of the one value that a text holds.

    Args:
        text: JSON that has been decoded already, not nested deeper than ``MAX_DEPTH``.
        place: Where its first character stands.
        doubled: Where keys given twice are added.
    """
    tokens = _tokens(text, place)
    return _value(next(tokens), tokens, doubled)


def _tokens(text: str, place: Place) -> Iterator[_Token]:
    """Yield every token with its place."""
    line, base = place.line, 1 - place.column
    for found in _TOKEN.finditer(text):
        if found[0] == "\n":
            line, base = line + 1, found.end()
        else:
            yield found[0], Place(line, found.start() - base + 1)


def _value(first: _Token, tokens: Iterator[_Token], doubled: list[Doubled]) -> Span:
    mark, place = first
    if mark == "[":
        items: list[Span] = []
        while (token := next(tokens))[0] != "]":
            if token[0] != ",":
                items.append(_value(token, tokens, doubled))
        return Span(place, items)
    if mark == "{":
        parts: dict[str, Span] = {}
        keys: dict[str, Place] = {}
        while (token := next(tokens))[0] != "}":
            if token[0] != ",":
                name = loads(token[0])
                if name in keys:
                    doubled.append(Doubled(name, keys[name], token[1]))
                next(tokens)  # the colon
                parts[name], keys[name] = _value(next(tokens), tokens, doubled), token[1]
        return Span(place, parts, keys)
    return Span(place)
