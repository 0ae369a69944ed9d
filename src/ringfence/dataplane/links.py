"""Names of network interfaces as numbers, so that every field of a key is a number.

A name is the number of its sixteen bytes, as the kernel keeps them: the name, then zeros.
All names that begin alike are one range.
"""

from __future__ import annotations

import re

from ringfence.algebra.intervals import Intervals

BYTES = 16
"""How long a name is in the kernel, at least one zero at its end: ``linux/if.h``, ``IFNAMSIZ``."""

_NAME = re.compile(r"[A-Za-z0-9._@-]{1,15}")


def link_number(name: str) -> int:
    """Return the number of a name.

    Raises:
        ValueError: no interface has it, or nft could not write it.
    """
    return int.from_bytes(_bytes(name).ljust(BYTES, b"\0"))


def links_named(beginning: str) -> Intervals:
    """Return the numbers of all names that begin so; raises as :func:`link_number` does."""
    first = _bytes(beginning)
    low, high = (int.from_bytes(first.ljust(BYTES, filling)) for filling in (b"\0", b"\xff"))
    return Intervals.of([(low, high)])


def link_beginning(first: int, last: int) -> bytes:
    """Return what all names of a range begin with: a whole name, with its zeros, when it is of one.

    Raises:
        ValueError: the range is not all names that begin alike.
    """
    low = first.to_bytes(BYTES)
    if first == last:
        return low
    beginning = low.rstrip(b"\0")
    if not beginning or last.to_bytes(BYTES) != beginning.ljust(BYTES, b"\xff"):
        message = "these names of links do not begin alike"
        raise ValueError(message)
    return beginning


def render_links(first: int, last: int) -> str:
    """Return nft's text of a name, or of all names that begin alike."""
    beginning = link_beginning(first, last)
    return f'"{beginning.rstrip(bytes(1)).decode()}{"" if first == last else "*"}"'


def _bytes(name: str) -> bytes:
    if not _NAME.fullmatch(name):
        message = f"no link can be named {name!r}"
        raise ValueError(message)
    return name.encode()
