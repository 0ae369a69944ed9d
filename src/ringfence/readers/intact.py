"""Whether a value is all that its JSON says: no key is given twice, and nothing is too deep.

Every key has a colon. One that is given twice is lost in decoding, and its colon is missing
when the value is written again.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from ringfence.readers.places import MAX_DEPTH

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from msgspec import Raw

_ESCAPED = re.compile(r"\\u(?:003a|d)", re.IGNORECASE)
"""A colon that is written with an escape, and half a character."""

_NO_BRACKETS = bytes(set(range(256)) - set(b'{}[]"'))

_ROUNDS = 2
"""How often pairs of brackets are taken away; few are left of most objects by then."""

_REMEMBERED = 1 << 20
"""Bytes of text of which something is remembered: the parts of some hundred workloads."""

_decode: Callable[[bytes], Any] = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode

_Known = TypeVar("_Known")


def may_deceive(text: str) -> bool:
    """Tell whether colons cannot be counted in a text, or half a character may stand in it."""
    return "\\" in text and _ESCAPED.search(text) is not None


def keeps_keys(text: bytes, value: Any) -> bool:
    """Tell whether a value has every key of a text, as far as it was decoded; parts of it may be :class:`Raw`.

    Args:
        text: JSON that :func:`may_deceive` says nothing of.
        value: What was decoded.
    """
    return _encode(value).count(b":") == text.count(b":")


def intact(text: bytes, within: int) -> Any:
    """Return the value of a text which says nothing more.

    Args:
        text: JSON, part of a text of which :func:`may_deceive` says nothing.
        within: How deep it stands.

    Raises:
        ValueError: a key is given twice, something may be too deep, or it is no JSON.
        RecursionError: something is far too deep.
    """
    value = _decode(text)
    if type(value) is dict or type(value) is list:
        written = _encode(value)
        if written.count(b":") != text.count(b":") or _may_be_deeper(written, MAX_DEPTH - within):
            message = "a key that is given twice, or something too deep"
            raise ValueError(message)
    return value


class Remembered(dict[Any, _Known]):
    """What was found of texts; all of it is forgotten when they are too long together."""

    def __init__(self) -> None:
        super().__init__()
        self._size = 0

    def keep(self, key: Any, found: _Known, size: int) -> _Known:
        """Keep what was found under a key of so many bytes, and return it."""
        self._size += size
        if self._size > _REMEMBERED:
            self.clear()
            self._size = size
        self[key] = found
        return found


class IntactParts:
    """Parts of objects of which nothing is lost; alike parts are looked at once.

    Args:
        within: How deep they stand.
    """

    def __init__(self, within: int) -> None:
        self._within = within
        self._known: Remembered[None] = Remembered()

    def look_at(self, members: Mapping[str, Raw]) -> None:
        """Look at the members of a mapping; raises what :func:`intact` raises."""
        known = self._known
        for text in map(bytes, members.values()):
            if text not in known:
                intact(text, self._within)
                known.keep(text, None, len(text))


def _may_be_deeper(written: bytes, limit: int) -> bool:
    """Tell whether compact JSON may have more levels; where the answer is no, it has not.

    No object is deeper than it has opening brackets. Where they are many, pairs of brackets
    with nothing between are taken away, which makes it less deep by two at most. Quotes
    stay, so that no bracket of a text is paired with one that is none.
    """
    if _brackets(written) <= limit:
        return False
    rest = written.replace(b"\\\\", b"").replace(b'\\"', b"").translate(None, _NO_BRACKETS)
    for taken in range(2, 2 * _ROUNDS + 1, 2):
        rest = rest.replace(b'""', b"").replace(b"{}", b"").replace(b"[]", b"")
        if taken + _brackets(rest) <= limit:
            return False
    return True


def _brackets(text: bytes) -> int:
    return text.count(b"{") + text.count(b"[")
