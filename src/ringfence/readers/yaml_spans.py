"""YAML as kubectl reads it, with the place of every key, value and item.

Built on the events of libyaml rather than on a loader, because no loader has kubectl's
rules: what scalars mean is in :mod:`ringfence.readers.yaml_scalars`, keys become strings,
and a merge key ``<<`` overrides what stands before it in its mapping.

Every document stands alone: a broken one is one error, and the next is read.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, cast

from yaml import YAMLError
from yaml._yaml import CParser
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from ringfence.errors import ManifestError
from ringfence.model.origin import Origin
from ringfence.readers.places import MAX_DEPTH, TOO_DEEP, TOO_DEEP_HINT, Doubled, Place, Span
from ringfence.readers.yaml_scalars import key, plain, tagged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from yaml.events import Event

MAX_ALIASED = 1_000_000
"""Values that the aliases of one document may stand for, against texts that explode."""

_DOCUMENT = re.compile(r"^(?:%.*\n)*---(?=\s|\Z)", re.MULTILINE)
"""The first line of a document; no scalar can hold one, so it can be found without parsing."""

_BYTE_ORDER_MARK = re.compile(r"^\ufeff", re.MULTILINE)
"""Stands before a document wherever files were joined."""

_TEMPLATE = re.compile(r"^[ -]*(?:\S+:\s+)?\{\{", re.MULTILINE)
"""An action of a chart's template where YAML has a value or a line of its own."""

_MERGE = "tag:yaml.org,2002:merge"


def read_yaml(text: str, source: str, errors: list[ManifestError]) -> Iterator[tuple[Any, Span]]:
    """Yield the value and the span of every document that can be read.

    Args:
        text: The whole text.
        source: Its name, for origins.
        errors: Where errors are added: a document that cannot be read, a key given twice.
    """
    if "\ufeff" in text:
        text = _BYTE_ORDER_MARK.sub("", text)
    starts = [0, *(found.start() for found in _DOCUMENT.finditer(text) if found.start())]
    line = 0
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        chunk = text[start:end]
        try:
            yield from _Builder(chunk, line, source, errors).documents()
        except (YAMLError, ManifestError) as error:
            broken = error if isinstance(error, ManifestError) else _broken(error, chunk, line, source)
            if _TEMPLATE.search(chunk):
                broken.hint = "render the chart first, as helm template does"
            errors.append(broken)
        line += chunk.count("\n")


class _Anchored(NamedTuple):
    """A value that aliases can repeat, and how many values it is made of."""

    value: Any
    span: Span
    size: int


class _Builder:
    """Turns the events of a text into values and spans.

    Args:
        text: One document; more only where ``...`` parts them.
        line: Lines of the source before it.
        source: Its name, for origins.
        errors: Where keys given twice are added.
    """

    def __init__(self, text: str, line: int, source: str, errors: list[ManifestError]) -> None:
        self._next: Callable[[], Any] = CParser(text).get_event
        self._line = line
        self._source = source
        self._errors = errors
        self._anchors: dict[str, _Anchored | None] = {}
        self._size = self._aliased = self._depth = 0

    def documents(self) -> Iterator[tuple[Any, Span]]:
        """Yield the value and the span of each document.

        Raises:
            YAMLError: libyaml cannot parse the text.
            ManifestError: the text is YAML that kubectl would refuse, or that explodes.
        """
        while event := self._next():
            if isinstance(event, DocumentStartEvent):
                self._anchors.clear()
                self._size = self._aliased = 0
                yield self._value(self._next())

    def _place(self, event: Event) -> Place:
        mark = event.start_mark
        return Place(self._line + mark.line + 1, mark.column + 1)  # type: ignore[union-attr]  # libyaml always marks

    def _fail(self, event: Event, message: str, hint: str = "") -> NoReturn:
        raise ManifestError(message, Origin(self._source, *self._place(event), "", ""), hint)

    def _value(self, event: Event) -> tuple[Any, Span]:
        self._size += 1
        if isinstance(event, ScalarEvent):
            value, span = self._scalar(event), Span(self._place(event))
            if event.anchor:
                self._anchors[event.anchor] = _Anchored(value, span, 1)
            return value, span
        if isinstance(event, AliasEvent):
            return self._alias(event)
        return self._collection(cast("MappingStartEvent | SequenceStartEvent", event))

    def _scalar(self, event: ScalarEvent) -> Any:
        if event.tag is None:
            return plain(event.value) if event.implicit[0] else event.value
        try:
            return tagged(event.tag, event.value)
        except ValueError as error:
            self._fail(event, f"wrong tag: {error}", "correct the value or take the tag away")

    def _collection(self, event: MappingStartEvent | SequenceStartEvent) -> tuple[Any, Span]:
        if self._depth == MAX_DEPTH:
            self._fail(event, TOO_DEEP, TOO_DEEP_HINT)
        before = self._size
        self._depth += 1
        if event.anchor:
            self._anchors[event.anchor] = None
        value, span = self._mapping(event) if isinstance(event, MappingStartEvent) else self._sequence(event)
        if event.anchor:
            self._anchors[event.anchor] = _Anchored(value, span, self._size - before + 1)
        self._depth -= 1
        return value, span

    def _sequence(self, start: Event) -> tuple[list[Any], Span]:
        items, spans = [], []
        while not isinstance(event := self._next(), SequenceEndEvent):
            value, span = self._value(event)
            items.append(value)
            spans.append(span)
        return items, Span(self._place(start), spans)

    def _mapping(self, start: Event) -> tuple[dict[str, Any], Span]:
        members: dict[str, Any] = {}
        parts: dict[str, Span] = {}
        keys: dict[str, Place] = {}
        written: set[str] = set()
        while not isinstance(event := self._next(), MappingEndEvent):
            name, place = self._key(event)
            if name == "<<" and _is_plain(event):
                self._merge(members, parts, keys)
                continue
            if name in written:
                self._errors.append(Doubled(name, keys[name], place).error(self._source))
            written.add(name)
            members[name], parts[name] = self._value(self._next())
            keys[name] = place
        return members, Span(self._place(start), parts, keys)

    def _key(self, event: Event) -> tuple[str, Place]:
        value, span = self._value(event)
        if isinstance(value, dict | list):
            self._fail(event, "a key is a mapping or a list", "put quotes around text that begins with { or [")
        try:
            return key(value), span.place
        except ValueError as error:
            self._fail(event, str(error), "put quotes around it, or write a key before the colon")

    def _alias(self, event: AliasEvent) -> tuple[Any, Span]:
        name = str(event.anchor)
        if name not in self._anchors:
            self._fail(event, f"no anchor &{name} stands before its alias", "define the anchor first")
        anchored = self._anchors[name]
        if anchored is None:
            self._fail(event, f"anchor &{name} contains itself", "take the alias out of its own anchor")
        self._size += anchored.size - 1
        self._aliased += anchored.size
        if self._aliased > MAX_ALIASED:
            self._fail(event, f"aliases expand to more than {MAX_ALIASED:,} values", "write the values out")
        return anchored.value, Span(self._place(event), anchored.span.parts, anchored.span.keys)

    def _merge(self, members: dict[str, Any], parts: dict[str, Span], keys: dict[str, Place]) -> None:
        """Add the members of the mappings that a merge key names; the first of a list wins."""
        event = self._next()
        value, span = self._value(event)
        merged = list(zip(value, span.parts or (), strict=True)) if isinstance(value, list) else [(value, span)]
        for each, where in reversed(merged):
            if not isinstance(each, dict):
                self._fail(event, "a merge key << needs a mapping or a list of mappings", "quote << to use it as a key")
            members |= each
            parts |= cast("dict[str, Span]", where.parts)
            keys |= where.keys or {}


def _is_plain(event: Event) -> bool:
    """Tell whether a scalar is unquoted, or tagged as a merge key."""
    return isinstance(event, ScalarEvent) and (event.implicit[0] or event.tag == _MERGE)


def _broken(error: YAMLError, chunk: str, line: int, source: str) -> ManifestError:
    """Say in one message where and why libyaml gave up."""
    mark = getattr(error, "problem_mark", None)
    if mark is None:  # a ReaderError: it knows an offset only
        before = chunk.encode()[: getattr(error, "position", 0)].decode(errors="ignore")
        place = Place(line + before.count("\n") + 1, len(before) - before.rfind("\n"))
        return _unreadable(source, place, str(getattr(error, "reason", error)), "remove the character")
    place = Place(line + mark.line + 1, mark.column + 1)
    if "nesting depth" in str(error):  # libyaml has looked further ahead than its events tell
        return ManifestError(TOO_DEEP, Origin(source, *place, "", ""), TOO_DEEP_HINT)
    lines = chunk.split("\n")
    written = lines[min(mark.line, len(lines) - 1)]
    if "\t" in written[: len(written) - len(written.lstrip())]:
        return _unreadable(source, place, "a tab in the indentation", "indent with spaces")
    problem = str(getattr(error, "problem", error))
    context, begin = getattr(error, "context", None), getattr(error, "context_mark", None)
    if context and begin and begin.line != mark.line:
        problem += f" {context} that begins at line {line + begin.line + 1}"
    return _unreadable(source, place, problem, _hint(problem))


def _hint(problem: str) -> str:
    """Return what most often mends such a line."""
    if "mapping values are not allowed" in problem:
        return "put quotes around text that holds a colon, or correct the indentation"
    if "cannot start any token" in problem:
        return "put quotes around text that begins with this character"
    if "unexpected end of stream" in problem:
        return "close the quote or bracket"
    return "correct the indentation, quotes or brackets around this line"


def _unreadable(source: str, place: Place, problem: str, hint: str) -> ManifestError:
    return ManifestError(f"not YAML: {problem}", Origin(source, *place, "", ""), hint)
