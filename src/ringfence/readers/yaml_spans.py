"""YAML as kubectl reads it, with the place of every key, value and item.

Built on the events of libyaml rather than on a loader, because no loader has kubectl's
rules: what scalars mean is in :mod:`ringfence.readers.yaml_scalars`, keys become strings,
and a merge key ``<<`` overrides what stands before it in its mapping.

Every document stands alone: a broken one is one error, and the next is read.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from yaml import YAMLError
from yaml._yaml import CParser
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
)

from ringfence.errors import ManifestError
from ringfence.model.origin import Origin
from ringfence.readers.places import MAX_DEPTH, TOO_DEEP, TOO_DEEP_HINT, Doubled, Place
from ringfence.readers.rendered import hint, templates
from ringfence.readers.yaml_scalars import UnwritableError, key, plain, tagged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from yaml.events import SequenceStartEvent

    from ringfence.readers.places import Path, Step

MAX_ALIASED = 1_000_000
"""Values that the aliases of one document may stand for, against texts that explode."""

_DOCUMENT = re.compile(r"^---", re.MULTILINE)
"""Where kubectl parts a text, before it looks at YAML: a directive, which comes before, stands alone."""

_SEPARATOR = re.compile(r"---[^\S\n]*(?:\s#.*)?$", re.MULTILINE)
"""The whole line: kubectl wants nothing but a comment there."""

_BREAK = re.compile("[\n\x85\u2028\u2029]")
"""What ends a line in YAML 1.1, once carriage returns are gone."""

_BYTE_ORDER_MARK = re.compile(r"^\ufeff", re.MULTILINE)
"""Stands before a document wherever files were joined."""

_TEMPLATE = re.compile(r"^[ -]*(?:\S+:\s+)?\{\{", re.MULTILINE)
"""An action of a chart's template where YAML has a value or a line of its own."""

_MERGE = "tag:yaml.org,2002:merge"


def read_yaml(text: str, source: str, errors: list[ManifestError]) -> Iterator[tuple[Any, MarkedSpan]]:
    """Yield the value and the span of every document that can be read.

    Args:
        text: The whole text.
        source: Its name, for origins.
        errors: Where errors are added: a document that cannot be read, a key given twice.
    """
    if "\ufeff" in text:
        text = _BYTE_ORDER_MARK.sub("", text)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    starts = [0, *(found.start() for found in _DOCUMENT.finditer(text) if found.start())]
    line, template, following = 0, "", ""
    rendered = "# Source: " in text
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        chunk = text[start:end]
        if rendered:
            template, following = templates(chunk, following)
        document = _Text(chunk, line, source, template)
        try:
            _check_separator(document)
            yield from _Builder(document, errors).documents()
        except (YAMLError, ManifestError, UnwritableError) as error:
            broken = error if isinstance(error, ManifestError) else _broken(error, document)
            if _TEMPLATE.search(chunk):
                broken.hint = "render the chart first, as helm template does"
            errors.append(broken)
        line += _breaks(chunk)


def _breaks(text: str) -> int:
    """Count the ends of lines."""
    return text.count("\n") if text.isascii() else len(_BREAK.findall(text))


class _Text(NamedTuple):
    """One document; more only where ``...`` parts them.

    Attributes:
        text: It.
        line: Lines of the source before it.
        source: Name of its source.
        template: What it was rendered from; empty when nothing says so.
    """

    text: str
    line: int
    source: str
    template: str

    def error(self, place: Place, message: str, hint: str) -> ManifestError:
        """Return what is wrong at a place of the source."""
        return ManifestError(message, Origin(self.source, *place, "", "", template=self.template), hint)


def _check_separator(text: _Text) -> None:
    if text.text.startswith("---") and not _SEPARATOR.match(text.text):
        message, hint = "text after the --- that begins a document", "write it on a line of its own"
        raise text.error(Place(text.line + 1, 4), message, hint)


_Parts = dict[str, Any] | list[Any] | None
"""The entries of a mapping's members by name, or of a list's items in order; None for a scalar."""

_Entry = Any
"""The mark of a member's name or of an item: alone for a scalar, else in a pair with its parts."""


class MarkedSpan(NamedTuple):
    """The places in one document, kept as libyaml's marks until somebody asks.

    Attributes:
        entry: The mark of the value, and those of its parts.
        line: Lines of the source before the text that the marks count from.
        template: What the document was rendered from; empty when nothing says so.
    """

    entry: _Entry
    line: int
    template: str = ""

    @property
    def place(self) -> Place:
        """The value's first character; that of its name when it is a member of a mapping."""
        mark = self.entry[0] if self.entry.__class__ is tuple else self.entry
        return Place(self.line + mark.line + 1, mark.column + 1)

    def part(self, step: Step) -> MarkedSpan | None:
        """Return the span of one member or item, or None when there is none."""
        entry = _step(self.entry, step)
        return None if entry is None else MarkedSpan(entry, self.line, self.template)

    def find(self, path: Path) -> Place:
        """Return the place that a path points at, or that of the deepest part on its way."""
        found = self.entry
        for step in path:
            entry = _step(found, step)
            if entry is None:
                break
            found = entry
        return MarkedSpan(found, self.line).place


def _step(entry: _Entry, step: Step) -> _Entry | None:
    """Return the entry of one part of an entry; None when there is none."""
    parts = entry[1] if entry.__class__ is tuple else None
    if isinstance(parts, dict):
        return parts.get(step)
    if isinstance(parts, list) and isinstance(step, int) and step < len(parts):
        return parts[step]
    return None


class _Anchored(NamedTuple):
    """A value that aliases can repeat, and how many values it is made of."""

    value: Any
    parts: _Parts
    size: int


class _Builder:
    """Turns the events of a text into values and spans.

    Its two loops run once for every value of the input: what is met most, a scalar
    without a tag or an anchor, is read there without a call.

    Args:
        text: What to read.
        errors: Where keys given twice are added.
    """

    def __init__(self, text: _Text, errors: list[ManifestError]) -> None:
        self._next: Callable[[], Any] = CParser(text.text).get_event
        self._text = text
        self._errors = errors
        self._anchors: dict[str, _Anchored | None] = {}
        self._size = self._aliased = self._depth = 0

    def documents(self) -> Iterator[tuple[Any, MarkedSpan]]:
        """Yield the value and the span of each document.

        Raises:
            YAMLError: libyaml cannot parse the text.
            ManifestError: the text is YAML that kubectl would refuse, or that explodes.
        """
        while event := self._next():
            if event.__class__ is DocumentStartEvent:
                self._anchors.clear()
                self._size = self._aliased = 0
                root = self._next()
                value, parts = self._value(root)
                yield value, MarkedSpan((root.start_mark, parts), self._text.line, self._text.template)

    def _value(self, event: Any) -> tuple[Any, _Parts]:
        """Read the value that begins with an event."""
        if event.__class__ is AliasEvent:
            return self._alias(event)
        if event.__class__ is not ScalarEvent:
            return self._collection(event)
        self._size += 1
        value = self._scalar(event)
        if event.anchor:
            self._anchors[event.anchor] = _Anchored(value, None, 1)
        return value, None

    def _scalar(self, event: ScalarEvent) -> Any:
        if event.tag is None:
            return plain(event.value) if event.implicit[0] else event.value
        try:
            return tagged(event.tag, event.value)
        except ValueError as error:
            self._fail(event, f"wrong tag: {error}", "correct the value or take the tag away")

    def _collection(self, event: MappingStartEvent | SequenceStartEvent) -> tuple[Any, _Parts]:
        if self._depth == MAX_DEPTH:
            self._fail(event, TOO_DEEP, TOO_DEEP_HINT)
        before = self._size
        self._depth += 1
        if event.anchor:
            self._anchors[event.anchor] = None
        value, parts = self._mapping() if event.__class__ is MappingStartEvent else self._sequence()
        self._size += 1
        if event.anchor:
            self._anchors[event.anchor] = _Anchored(value, parts, self._size - before)
        self._depth -= 1
        return value, parts

    def _sequence(self) -> tuple[list[Any], _Parts]:
        items: list[Any] = []
        entries: list[_Entry] = []
        take, scalars = self._next, 0
        while (event := take()).__class__ is not SequenceEndEvent:
            if event.__class__ is ScalarEvent and event.tag is event.anchor is None:
                scalars += 1
                items.append(plain(event.value) if event.implicit[0] else event.value)
                entries.append(event.start_mark)
            else:
                value, parts = self._value(event)
                items.append(value)
                entries.append((event.start_mark, parts))
        self._size += scalars
        return items, entries

    def _mapping(self) -> tuple[dict[str, Any], _Parts]:
        members: dict[str, Any] = {}
        entries: dict[str, _Entry] = {}
        merged: set[str] = set()  # names that came in by a merge key and were not written yet
        take, scalars = self._next, 0
        while (event := take()).__class__ is not MappingEndEvent:
            mark, name = event.start_mark, None
            if event.__class__ is ScalarEvent and event.tag is event.anchor is None:
                name = plain(event.value) if event.implicit[0] else event.value
                scalars += 1
            if name.__class__ is not str or name == "<<":
                name = self._key(event)
                if name == "<<" and _is_plain(event):
                    self._merge(members, entries, merged)
                    continue
            if name in members:
                self._check_twice(name, mark, entries, merged)
            event = take()
            if event.__class__ is ScalarEvent and event.tag is event.anchor is None:
                scalars += 1
                members[name] = plain(event.value) if event.implicit[0] else event.value
                entries[name] = mark
            else:
                members[name], parts = self._value(event)
                entries[name] = (mark, parts)
        self._size += scalars
        return members, entries

    def _key(self, event: Any) -> str:
        value, parts = self._value(event)
        if parts is not None:
            self._fail(event, "a key is a mapping or a list", "put quotes around text that begins with { or [")
        try:
            return key(value, getattr(event, "value", ""))
        except ValueError as error:
            self._fail(event, str(error), "put quotes around it, or write a key before the colon")

    def _check_twice(self, name: str, mark: Any, entries: dict[str, _Entry], merged: set[str]) -> None:
        """Report a name that has been written before; one that was merged may be written once."""
        if name in merged:
            merged.remove(name)
        else:
            first, second = (MarkedSpan(entry, self._text.line).place for entry in (entries[name], mark))
            self._errors.append(Doubled(name, first, second).error(self._text.source, self._text.template))

    def _alias(self, event: AliasEvent) -> tuple[Any, _Parts]:
        name = str(event.anchor)
        if name not in self._anchors:
            self._fail(event, f"no anchor &{name} stands before its alias", "define the anchor first")
        anchored = self._anchors[name]
        if anchored is None:
            self._fail(event, f"anchor &{name} contains itself", "take the alias out of its own anchor")
        self._size += anchored.size
        self._aliased += anchored.size
        if self._aliased > MAX_ALIASED:
            self._fail(event, f"aliases expand to more than {MAX_ALIASED:,} values", "write the values out")
        return anchored.value, anchored.parts

    def _merge(self, members: dict[str, Any], entries: dict[str, _Entry], merged: set[str]) -> None:
        """Add the members of the mappings that a merge key names; the first of a list wins."""
        event = self._next()
        value, parts = self._value(event)
        found = list(zip(value, parts or (), strict=True)) if isinstance(value, list) else [(value, (None, parts))]
        for each, entry in reversed(found):
            if not isinstance(each, dict):
                self._fail(event, "a merge key << needs a mapping or a list of mappings", "quote << to use it as a key")
            merged |= each.keys() - members.keys()
            members |= each
            entries |= entry[1]

    def _fail(self, event: Any, message: str, hint: str = "") -> NoReturn:
        raise self._text.error(MarkedSpan(event.start_mark, self._text.line).place, message, hint)


def _is_plain(event: Any) -> bool:
    """Tell whether a key is unquoted, or tagged as a merge key."""
    return event.__class__ is ScalarEvent and (event.implicit[0] or event.tag == _MERGE)


def _broken(error: YAMLError | UnwritableError, text: _Text) -> ManifestError:
    """Say in one message where and why libyaml, or we, gave up."""
    if isinstance(error, UnwritableError):
        before = text.text.partition(error.text)[0]
        place = Place(text.line + before.count("\n") + 1, len(before) - before.rfind("\n"))
        return text.error(place, str(error), "put quotes around it")
    mark = getattr(error, "problem_mark", None)
    if mark is None:  # a ReaderError: it knows an offset only
        before = text.text.encode()[: getattr(error, "position", 0)].decode(errors="ignore")
        lines = _BREAK.split(before)
        place = Place(text.line + len(lines), len(lines[-1]) + 1)
        return text.error(place, f"not YAML: {getattr(error, 'reason', error)}", "remove the character")
    lines = _BREAK.split(text.text)
    number, column = min((mark.line, mark.column), (len(lines) - 1, len(lines[-1])))  # the end is a line of its own
    place = Place(text.line + number + 1, column + 1)
    if "nesting depth" in str(error):  # libyaml has looked further ahead than its events tell
        return text.error(place, TOO_DEEP, TOO_DEEP_HINT)
    written = lines[number]
    if "\t" in written[: len(written) - len(written.lstrip())]:
        return text.error(place, "not YAML: a tab in the indentation", "indent with spaces")
    problem = str(getattr(error, "problem", error))
    context, begin = getattr(error, "context", None), getattr(error, "context_mark", None)
    if context and begin and begin.line != mark.line:
        problem += f" {context} that begins at line {text.line + begin.line + 1}"
    return text.error(place, f"not YAML: {problem}", hint(text.text) or _mending(problem))


def _mending(problem: str) -> str:
    """Return what most often mends such a line."""
    if "mapping values are not allowed" in problem:
        return "put quotes around text that holds a colon, or correct the indentation"
    if "cannot start any token" in problem:
        return "put quotes around text that begins with this character"
    if "unexpected end of stream" in problem:
        return "close the quote or bracket"
    return "correct the indentation, quotes or brackets around this line"
