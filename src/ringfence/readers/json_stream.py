"""JSON objects one by one out of a text of any length; of a List, only one item is held.

The decoder is the standard library's: it is run at the start of each item, and again
with more text when the item turns out to be cut off. Places are computed for an item only
when somebody asks, by :mod:`ringfence.readers.json_spans`.
"""

from __future__ import annotations

import re
from json import JSONDecodeError, JSONDecoder
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from ringfence.errors import ManifestError
from ringfence.model.origin import Origin
from ringfence.readers.places import MAX_DEPTH, Place

if TYPE_CHECKING:
    from collections.abc import Iterator

_SPACE = re.compile(r"[ \t\r\n]*")

_BETWEEN = re.compile(r"(?:[ \t\r\n]|---(?=\s))*")
"""What may stand between two objects: white space, and the document marker of YAML."""

_CUT = 16
"""An error this near to the end of the text may come from a word or an escape cut in two."""


Listed = tuple[str, str]
"""``kind`` and ``apiVersion`` of the List that an object is an item of."""

NO_LIST: Listed = ("", "")
"""What an object is an item of when it is in no List, or in one that has not said yet."""


class Item(NamedTuple):
    """One object of the text.

    Attributes:
        value: The decoded object.
        text: Its JSON.
        place: Where it begins.
        doubled: A key was given twice somewhere in it; the last one counts.
        listed: The List that it is an item of.
    """

    value: Any
    text: str
    place: Place
    doubled: bool
    listed: Listed = NO_LIST


def read_json(texts: Iterator[str], source: str) -> Iterator[Item]:
    """Yield every object of a text, and every item of a List or an array in place of it.

    Args:
        texts: The text in pieces, without a byte order mark.
        source: Its name, for origins.

    Raises:
        ManifestError: the text is not JSON from some place on; what stood before was yielded.
    """
    return _Stream(texts, source).objects()


class _Stream:
    """A window on the text, and the place of its first character not yet consumed."""

    def __init__(self, texts: Iterator[str], source: str) -> None:
        self._texts = texts
        self._source = source
        self._text = ""
        self._at = 0
        self._held: int | None = None  # what must stay in the window though it is consumed
        self._place = Place(1, 1)
        self._doubled = False
        self._decoder = JSONDecoder(object_pairs_hook=self._members, parse_constant=_refuse)

    def objects(self) -> Iterator[Item]:
        """Yield the objects of the text."""
        while mark := self._peek(_BETWEEN):
            if mark == "{":
                yield from self._object()
            elif mark == "[":
                yield from self._items({})
            else:
                self._fail("not JSON: expected an object", "begin with { or [")

    def _object(self) -> Iterator[Item]:
        """Yield one object, or its items when it has any; other members are then dropped."""
        self._held, start, listed = self._at, self._place, False
        members: dict[str, Any] = {}
        self._doubled = False
        for name in self._names():
            if name in members:
                self._doubled = True
            if name == "items" and self._peek() == "[":
                listed, self._held = True, None
                yield from self._items(members)
            else:
                members[name] = self._value(depth=1)
        if not listed:
            held = self._held or 0
            self._held = None
            yield Item(members, self._text[held : self._at], start, self._doubled)

    def _names(self) -> Iterator[str]:
        """Yield the name of each member and leave its value to the caller."""
        self._expect("{")
        if self._peek() == "}":
            self._expect("}")
            return
        while True:
            if self._peek() != '"':
                self._fail("not JSON: expected a name in double quotes", "put it in double quotes")
            name = self._value(depth=1)
            self._expect(":")
            self._peek()
            yield name
            if self._peek() != ",":
                break
            self._expect(",")
        self._expect("}")

    def _items(self, head: dict[str, Any]) -> Iterator[Item]:
        self._expect("[")
        if self._peek() == "]":
            self._expect("]")
            return
        while True:
            self._peek()
            start, at, self._doubled = self._place, self._at, False
            self._held = at
            value = self._value(depth=2)
            text = self._text[self._held : self._at]
            self._held = None
            listed = (str(head.get("kind") or ""), str(head.get("apiVersion") or ""))
            yield Item(value, text, start, self._doubled, listed)
            if self._peek() != ",":
                break
            self._expect(",")
        self._expect("]")

    def _value(self, depth: int) -> Any:
        """Decode the value that stands next, so many levels deep already, and consume it."""
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._at)
            except JSONDecodeError as error:
                cut = error.msg.startswith("Unterminated string") or error.pos > len(self._text) - _CUT
                if cut and self._more():
                    continue
                self._consume(max(error.pos, self._at))
                self._fail(f"not JSON: {error.msg[0].lower()}{error.msg[1:]}", "correct the text at this place")
            except RecursionError:
                self._too_deep()
            if end == len(self._text) and self._more():
                continue  # a number may go on
            if _deeper_than(MAX_DEPTH - depth, value):
                self._too_deep()
            self._consume(end)
            return value

    def _peek(self, between: re.Pattern[str] = _SPACE) -> str:
        """Consume white space and return the next character; empty at the end of the text."""
        while True:
            found = between.match(self._text, self._at)
            end = found.end() if found else self._at
            if end + _CUT < len(self._text) or not self._more():
                self._consume(end)
                return self._text[end : end + 1]

    def _expect(self, mark: str) -> None:
        found = self._peek()
        if found != mark:
            what = f'"{found}"' if found else "the end of the text"
            self._fail(f'not JSON: expected "{mark}", found {what}', "correct the text at this place")
        self._consume(self._at + 1)

    def _consume(self, end: int) -> None:
        lines = self._text.count("\n", self._at, end)
        line, column = self._place
        if lines:
            self._place = Place(line + lines, end - self._text.rfind("\n", self._at, end))
        else:
            self._place = Place(line, column + end - self._at)
        self._at = end

    def _more(self) -> bool:
        """Widen the window; false at the end of the text.

        It grows at least twofold where something is held, so that a long value is decoded
        only a few times.
        """
        start = self._at if self._held is None else self._held
        pieces, size, wanted = [self._text[start:]], 0, len(self._text) - start
        for piece in self._texts:
            pieces.append(piece)
            size += len(piece)
            if size > wanted:
                break
        self._text = "".join(pieces)
        self._at -= start
        if self._held is not None:
            self._held = 0
        return size > 0

    def _members(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        if len(members) != len(pairs):
            self._doubled = True
        return members

    def _too_deep(self) -> NoReturn:
        self._fail(f"nested more than {MAX_DEPTH} levels deep", "check the brackets; no Kubernetes object is so deep")

    def _fail(self, message: str, hint: str) -> NoReturn:
        raise ManifestError(message, Origin(self._source, *self._place, "", ""), hint)


def _refuse(word: str) -> NoReturn:
    message = f"{word} is no JSON number"
    raise JSONDecodeError(message, "", 0)


def _deeper_than(limit: int, value: Any) -> bool:
    """Tell whether mappings and lists lie within each other more than so many levels deep."""
    level = [value]
    for _ in range(limit + 1):
        level = [part for part in level if isinstance(part, dict | list)]
        if not level:
            return False
        level = [part for each in level for part in (each.values() if isinstance(each, dict) else each)]
    return True
