"""JSON objects one by one out of a text of any length; of a List, only one item is held.

The decoder is the standard library's: it is run at the start of each item, and again
with more text when the item turns out to be cut off. Places are computed for an item only
when somebody asks, by :mod:`ringfence.readers.json_spans`.

The items of a long List look alike. Once many have passed, the end of the next is guessed
from what stood between the last two, and its text is offered to :mod:`ringfence.readers.plain`;
that takes nothing but one whole object, so a wrong guess costs time and nothing else.
"""

from __future__ import annotations

import re
from functools import cached_property
from json import JSONDecodeError, JSONDecoder, dumps, loads
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from ringfence.errors import ManifestError
from ringfence.model.origin import Origin
from ringfence.readers.places import MAX_DEPTH, TOO_DEEP, TOO_DEEP_HINT, Doubled, Place
from ringfence.readers.yaml_scalars import EXACT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ringfence.readers.plain import PlainReader

_HALF = re.compile("[\ud800-\udfff]")
"""Half a character, which is written with two escapes."""

_SPACE = re.compile(r"[ \t\r\n]*")

_BETWEEN = re.compile(r"(?:[ \t\r\n]|---(?=\s|\Z))*")
"""What may stand between two objects: white space, and the document marker of YAML."""

_FROM_ONE_TO_NEXT = re.compile(r'(?P<gap>\}[ \t\r\n]*,[ \t\r\n]*)\{[ \t\r\n]*"[^"\\]*"')
"""From the last character of an item to the first name in the next."""

MANY = 64
"""Items of a List after which the fast reader is worth its own start."""

_CUT = 16
"""An error this near to the end of the text may come from a word or an escape cut in two."""

Listed = tuple[str, str]
"""``kind`` and ``apiVersion`` of the List that an object is an item of."""

NO_LIST: Listed = ("", "")
"""What an object is an item of when it is in no List, or in one that has not said yet."""


LOST = "not a list by its kind, yet it has items: nothing else of it is read"
LOST_HINT = "write kind: List, or remove items"

_OF_LISTS = frozenset({"apiVersion", "items", "metadata"})
"""What a List has beside its kind."""


def loses_members(members: Mapping[str, Any]) -> bool:
    """Tell whether something that has items is more than a List of them; kubectl, too, reads only those."""
    kind = members.get("kind")
    if kind is None:
        return bool(members.keys() - _OF_LISTS)
    return not (isinstance(kind, str) and kind.endswith("List"))


class Item(NamedTuple):
    """One object of the text.

    Attributes:
        value: The decoded object; of one that is plain, the pod that was read.
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


def read_json(texts: Iterator[str], source: str, errors: list[ManifestError]) -> Iterator[Item]:
    """Yield every object of a text, and every item of a List or an array in place of it.

    Args:
        texts: The text in pieces, without a byte order mark.
        source: Its name, for origins.
        errors: Where errors are added about what is passed over.

    Raises:
        ManifestError: the text is not JSON from some place on; what stood before was yielded.
    """
    return _Stream(texts, source, errors).objects()


class _Stream:
    """A window on the text, and the place of its first character not yet consumed."""

    def __init__(self, texts: Iterator[str], source: str, errors: list[ManifestError]) -> None:
        self._texts = texts
        self._source = source
        self._errors = errors
        self._text = ""
        self._at = 0
        self._held: int | None = None  # where an object begins that must stay in the window whole
        self._place = Place(1, 1)
        self._doubled = False
        self._between = ""  # two items, from the last character of one to the first name in the next
        self._gap = 0  # characters of that before the next item
        self._decoder = JSONDecoder(object_pairs_hook=self._members, parse_constant=_refuse, parse_float=_number)

    @cached_property
    def _plain_reader(self) -> PlainReader:
        from ringfence.readers.plain import PlainReader  # noqa: PLC0415 - slow to import, for short texts

        return PlainReader(self._source)

    def objects(self) -> Iterator[Item]:
        """Yield the objects of the text."""
        while mark := self._peek(_BETWEEN):
            if mark == "{":
                yield from self._object()
            elif mark == "[":
                yield from self._items({})
            else:
                self._fail("expected an object", "begin with { or [")

    def _object(self) -> Iterator[Item]:
        """Yield one object, or its items when it has any; its other members then say what they are."""
        start, is_list = self._hold(), False
        members: dict[str, Any] = {}
        places: dict[str, Place] = {}
        doubled = []
        for name, place in self._names():
            if name in places:
                doubled.append(Doubled(name, places[name], place))
            places[name] = place
            if name == "items" and self._peek() == "[":
                is_list = True
                yield from self._items(members)
            else:
                members[name] = self._value()
        if is_list:
            self._errors += [each.error(self._source) for each in doubled]
            if loses_members(members):
                self._errors.append(self._error(start, LOST, LOST_HINT))
        else:
            self._doubled |= bool(doubled)
            yield from self._release(members, start)

    def _names(self) -> Iterator[tuple[str, Place]]:
        """Yield the name of each member with its place, and leave its value to the caller."""
        for _ in self._listed("{", "}"):
            if self._peek() != '"':
                self._fail("expected a name in double quotes", "put it in double quotes")
            place, name = self._place, self._value()
            self._expect(":")
            self._peek()
            yield name, place

    def _items(self, head: dict[str, Any]) -> Iterator[Item]:
        listed = (str(head.get("kind", "")), str(head.get("apiVersion", "")))
        for number, _ in enumerate(self._listed("[", "]")):
            self._peek()
            if number >= MANY:
                yield from self._plain(listed)
            start = self._hold()
            yield from self._release(self._value(), start, listed)
            if found := _FROM_ONE_TO_NEXT.match(self._text, self._at - 1):
                self._between, self._gap = found[0], found.end("gap") - found.start()

    def _plain(self, listed: Listed) -> Iterator[Item]:
        """Yield the items that stand next as long as they are plain, and another follows: that one is left."""
        while (last := self._guess()) >= 0:
            text = self._text[self._at : last + 1]
            found = self._plain_reader.read(text, self._place, listed)
            if not found:
                return
            yield Item(found, text, self._place, doubled=False, listed=listed)
            self._consume(last + self._gap)

    def _guess(self) -> int:
        """Return where the item that stands next may end, before another; -1 when there is no telling."""
        last = self._text.find(self._between, self._at) if self._between else -1
        if last < 0 and self._between and self._more():
            last = self._text.find(self._between, self._at)
        return last

    def _listed(self, first: str, last: str) -> Iterator[None]:
        """Pass what stands between two brackets, yielding at each element."""
        self._expect(first)
        if self._peek() != last:
            yield
            while self._peek() == ",":
                self._expect(",")
                yield
        self._expect(last)

    def _hold(self) -> Place:
        """Keep the text from here on, and return the place."""
        self._held, self._doubled = self._at, False
        return self._place

    def _release(self, value: Any, start: Place, listed: Listed = NO_LIST) -> Iterator[Item]:
        """Yield the object whose text was kept, unless it is too deep."""
        text = self._text[self._held : self._at]
        self._held = None
        if text.count("{") + text.count("[") > MAX_DEPTH and _is_deeper(value, MAX_DEPTH):
            self._errors.append(self._error(start, TOO_DEEP, TOO_DEEP_HINT))
            return
        if "\\" in text and "\\ud" in text.lower():  # half a character is no text; Go puts another in its place
            value = loads(_HALF.sub("\ufffd", dumps(value, ensure_ascii=False)))
        yield Item(value, text, start, self._doubled, listed)

    def _value(self) -> Any:
        """Decode the value that stands next and consume it."""
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._at)
            except JSONDecodeError as error:
                cut = error.msg.startswith("Unterminated string") or error.pos > len(self._text) - _CUT
                if cut and self._more():
                    continue
                self._consume(max(error.pos, self._at))
                self._expect_more()
                self._fail(f"{error.msg[0].lower()}{error.msg[1:]}", "correct the text at this place")
            except RecursionError:
                self._fail(TOO_DEEP, TOO_DEEP_HINT)
            except ValueError:
                self._fail("a number of thousands of digits", "correct the text at this place")
            if end < len(self._text) or not self._more():  # else a number may go on
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
        self._expect_more()
        if found != mark:
            self._fail(f'expected "{mark}", found "{found}"', "correct the text at this place")
        self._consume(self._at + 1)

    def _expect_more(self) -> None:
        if self._at == len(self._text):
            self._fail("the text ends in the middle of an object", "check that it is complete")

    def _consume(self, end: int) -> None:
        line, column = self._place
        last = self._text.rfind("\n", self._at, end)  # from the end, which is a tenth of the time that counting takes
        if last >= 0:
            alone = self._text.find("\n", self._at, end) == last  # mostly, where every object has a line of its own
            lines = 1 if alone else self._text.count("\n", self._at, end)
            self._place = Place(line + lines, end - last)
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
        if size:  # else every offset stays as it is
            self._text = "".join(pieces)
            self._at -= start
            self._held = None if self._held is None else 0
        return size > 0

    def _members(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        if len(members) != len(pairs):
            self._doubled = True
        return members

    def _fail(self, message: str, hint: str) -> NoReturn:
        raise self._error(self._place, f"not JSON: {message}; nothing after this place is read", hint)

    def _error(self, place: Place, message: str, hint: str) -> ManifestError:
        return ManifestError(message, Origin(self._source, *place, "", ""), hint)


def _number(text: str) -> int | float:
    """Return a number with a point or an exponent; kubectl sends a whole one on without."""
    value = float(text)
    if abs(value) == float("inf"):
        _refuse(text)
    return int(value) if value.is_integer() and abs(value) < EXACT else value


def _refuse(word: str) -> NoReturn:
    message = f"found {word}, which is no number of JSON"
    raise JSONDecodeError(message, "", 0)


def _is_deeper(value: Any, limit: int) -> bool:
    """Tell whether mappings and lists lie within each other more than so many levels deep."""
    level = [value]
    for _ in range(limit + 1):
        level = [part for part in level if isinstance(part, dict | list)]
        if not level:
            return False
        level = [part for each in level for part in (each.values() if isinstance(each, dict) else each)]
    return True
