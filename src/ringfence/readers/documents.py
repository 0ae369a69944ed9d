"""Sources in, objects out: format, encoding, size and Lists.

A source is JSON when its name ends in ``.json`` or its text begins as JSON does; any other
is YAML.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE, getincrementaldecoder
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from ringfence.errors import ManifestError
from ringfence.model.origin import Origin
from ringfence.readers.fields import Field, describe
from ringfence.readers.json_spans import JsonSpan
from ringfence.readers.json_stream import LOST, LOST_HINT, NO_LIST, Listed, loses_members, read_json
from ringfence.readers.manifest import Manifest
from ringfence.readers.workloads import OwnedPod

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ringfence.readers.places import Place, Places
    from ringfence.readers.source import Source


_JSON = re.compile(r'\s*(?:\[|\{\s*(?:["}]|\Z))')
"""How JSON begins; a mapping of YAML may begin with a brace too, and so does a chart's template."""


def read_manifests(source: Source, errors: list[ManifestError]) -> Iterator[Manifest | OwnedPod]:
    """Yield every object of a source, the items of a List in place of it; pods that were read fast as what they are.

    Args:
        source: What to read.
        errors: Where errors are added about text that holds no object to yield.
    """
    try:
        texts, head = _texts(source), ""
        while head.strip() in {"", "{"} and (piece := next(texts, "")):
            head += piece
        read = _json if _JSON.match(head) or source.name.endswith(".json") else _yaml
        yield from read(source, chain((head,), texts), errors)
    except ManifestError as error:
        errors.append(error)


def _texts(source: Source) -> Iterator[str]:
    """Yield the text of a source in pieces, without a byte order mark."""
    decoder, lines, began = getincrementaldecoder("utf-8")(), 0, False
    for number, chunk in enumerate(chain(source.chunks, (b"",))):
        if number == 0 and chunk.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
            _refuse(source, 0, "encoded in UTF-16", "save it as UTF-8")
        if b"\0" in chunk:
            _refuse(source, 0, "a binary file: it holds NUL bytes", "give files of YAML or JSON only")
        try:
            text = decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            line = lines + error.object.count(b"\n", 0, error.start) + 1
            _refuse(source, line, f"not UTF-8: byte 0x{error.object[error.start]:02x}", "save it as UTF-8")
        lines += text.count("\n")
        if text:
            yield text if began else text.removeprefix("\ufeff")
            began = True


def _yaml(source: Source, texts: Iterable[str], errors: list[ManifestError]) -> Iterator[Manifest]:
    pieces, size = [], 0
    for piece in texts:
        pieces.append(piece)
        size += len(piece.encode())
        if size > source.max_yaml_size:
            hint = "give it as JSON, which is streamed without limit, or raise --max-file-size"
            _refuse(source, 0, f"YAML of more than {source.max_yaml_size:,} bytes", hint)
    from ringfence.readers.yaml_spans import read_yaml  # noqa: PLC0415 - costs 30 ms, which JSON need not pay

    for value, span in read_yaml("".join(pieces), source.name, errors):
        if value is not None:
            yield from _flatten(source, value, span, errors)


def _json(source: Source, texts: Iterable[str], errors: list[ManifestError]) -> Iterator[Manifest | OwnedPod]:
    for item in read_json(iter(texts), source.name, errors):
        if isinstance(item.value, OwnedPod):
            yield item.value
            continue
        span = JsonSpan(item.text, item.place)
        if item.doubled or _items(item.value) is not None:
            errors += [each.error(source.name) for each in span.doubled()]
            yield from _flatten(source, item.value, span, errors, item.listed)
        else:
            yield from _manifest(source, _Found(item.value, item.place, span), errors, item.listed)


class _Found(NamedTuple):
    """A value that should be an object.

    Attributes:
        value: It.
        place: Its first character.
        span: The places of all its parts.
        template: The file of a chart that it was rendered from; empty when nothing says so.
    """

    value: Any
    place: Place
    span: Places
    template: str = ""

    def error(self, source: Source, message: str, hint: str) -> ManifestError:
        """Return what is wrong with it as a whole."""
        return ManifestError(message, Origin(source.name, *self.place, "", "", template=self.template), hint)


def _flatten(
    source: Source, value: Any, span: Places, errors: list[ManifestError], listed: Listed = NO_LIST
) -> Iterator[Manifest]:
    """Yield an object, or in place of a List its items."""
    items = _items(value)
    if items is None:
        yield from _manifest(source, _Found(value, span.place, span, span.template), errors, listed)
        return
    if isinstance(value, dict):
        if loses_members(value):
            errors.append(_Found(value, span.place, span, span.template).error(source, LOST, LOST_HINT))
        listed = (str(value.get("kind") or ""), str(value.get("apiVersion") or ""))
        span = span.part("items") or span
    for index, item in enumerate(items):
        where = span.part(index)
        yield from _flatten(source, item, where or span, errors, listed)


def _items(value: Any) -> list[Any] | None:
    """Return the objects that a value is a list of, or None when it is one object itself.

    ``kind: List`` without items is an empty list, and so is ``PodList`` with ``items: null``.
    """
    if isinstance(value, list):
        return value
    if not isinstance(value, dict):
        return None
    items, kind = value.get("items"), str(value.get("kind"))
    if items is None and (kind == "List" or (kind.endswith("List") and "items" in value)):
        return []
    return items if isinstance(items, list) else None


def _manifest(source: Source, found: _Found, errors: list[ManifestError], listed: Listed) -> Iterator[Manifest]:
    """Yield an object if it says what it is; an item of a ``PodList`` need not."""
    value = found.value
    if not isinstance(value, dict):
        message = f"not a Kubernetes object: expected a mapping, found {describe(value)}"
        errors.append(found.error(source, message, "write apiVersion, kind and metadata"))
        return
    list_kind, list_version = listed
    kind, version = value.get("kind"), value.get("apiVersion")
    if kind is None and version is None and list_kind.endswith("List"):
        kind, version = list_kind.removesuffix("List"), list_version
    for name, word in (("kind", kind), ("apiVersion", version)):
        if not isinstance(word, str) or not word:
            instead = "" if word is None else f", found {describe(word)}"
            message = f"not a Kubernetes object: no {name}{instead}"
            late = list_version and not list_kind  # keys were sorted
            hint = "put the kind of the list before its items, or write kind in each"
            errors.append(found.error(source, message, hint if late else f"write {name}, or leave the file out"))
            return
    manifest = Manifest(source.name, value, found.place, found.span, str(kind), str(version), template=found.template)
    if kind == "List":  # whose items are no list, or it would not be here
        Field(manifest)["items"].items()
        errors += manifest.errors
    else:
        yield manifest


def _refuse(source: Source, line: int, message: str, hint: str) -> NoReturn:
    raise ManifestError(message, Origin(source.name, line, 1 if line else 0, "", ""), hint)
