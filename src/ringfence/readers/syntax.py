"""Names, labels and ports as the API server takes them: each function returns what is wrong with a text.

The details are in the server's words and order; none of them means that the text is right.
The same few keys and values stand in every policy, so what was judged is remembered.

Source: k8s.io/apimachinery ``api/validate/content`` and ``util/validation/validation.go``.
"""

from __future__ import annotations

import re
from functools import lru_cache

from ringfence.readers import refusals

_REMEMBERED = 1 << 14

_LONGEST_LABEL = 63
_LONGEST_SUBDOMAIN = 253
_LONGEST_PORT = 15

_LABEL = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(rf"{_LABEL.pattern}(?:\.{_LABEL.pattern})*")
_KEY_NAME = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?")
_PORT = re.compile(r"[-a-z0-9]+")
_LETTER = re.compile(r"[a-z]")


@lru_cache(_REMEMBERED)
def label_key(text: str) -> tuple[str, ...]:
    """Judge the key of a label: a name of at most 63 letters, before it perhaps a subdomain and a slash."""
    prefix, slash, name = text.rpartition("/")
    if "/" in prefix:
        return (refusals.KEY_SLASHES,)
    found = []
    if slash and not prefix:
        found.append(refusals.KEY_NO_PREFIX)
    elif slash:
        found += [f"prefix part {each}" for each in subdomain(prefix, "bytes")]
    if not name:
        found.append(refusals.KEY_NO_NAME)
    elif size(name) > _LONGEST_LABEL:
        found.append(f"name part {refusals.longer_than(_LONGEST_LABEL, 'bytes')}")
    if not _KEY_NAME.fullmatch(name):
        found.append(refusals.KEY_NAME_LETTERS)
    return tuple(found)


@lru_cache(_REMEMBERED)
def label_value(text: str) -> tuple[str, ...]:
    """Judge the value of a label: empty, or at most 63 letters."""
    found = []
    if size(text) > _LONGEST_LABEL:
        found.append(refusals.longer_than(_LONGEST_LABEL, "bytes"))
    if text and not _KEY_NAME.fullmatch(text):
        found.append(refusals.VALUE_LETTERS)
    return tuple(found)


def subdomain(text: str, unit: str = "characters") -> tuple[str, ...]:
    """Judge a name that is a DNS subdomain, as that of most objects.

    Args:
        text: The name.
        unit: What the server calls the bytes that it counts, which is not the same everywhere.
    """
    found = []
    if size(text) > _LONGEST_SUBDOMAIN:
        found.append(refusals.longer_than(_LONGEST_SUBDOMAIN, unit))
    if not _SUBDOMAIN.fullmatch(text):
        found.append(refusals.SUBDOMAIN_LETTERS)
    return tuple(found)


@lru_cache(_REMEMBERED)
def dns_label(text: str) -> tuple[str, ...]:
    """Judge a name that is a DNS label, as that of a namespace."""
    found = []
    if size(text) > _LONGEST_LABEL:
        found.append(refusals.longer_than(_LONGEST_LABEL, "characters"))
    if not _LABEL.fullmatch(text):
        found.append(refusals.LABEL_DOTS if _SUBDOMAIN.fullmatch(text) else refusals.LABEL_LETTERS)
    return tuple(found)


@lru_cache(_REMEMBERED)
def port_name(text: str) -> tuple[str, ...]:
    """Judge the name of a port."""
    judged = (
        (size(text) > _LONGEST_PORT, refusals.longer_than(_LONGEST_PORT, "characters")),
        (not _PORT.fullmatch(text), refusals.PORT_LETTERS),
        (not _LETTER.search(text), refusals.PORT_ONE_LETTER),
        ("--" in text, refusals.PORT_HYPHENS),
        (text.startswith("-") or text.endswith("-"), refusals.PORT_EDGES),
    )
    return tuple(detail for wrong, detail in judged if wrong)


def size(text: str) -> int:
    """Return how many bytes a text has, as Go counts."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
