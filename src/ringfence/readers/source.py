"""What readers read: named streams of bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_YAML_SIZE = 64 << 20
"""Bytes of YAML taken from one source unless it says otherwise: all of a text is held at once."""


@dataclass(frozen=True, slots=True)
class Source:
    """One file, or standard input.

    Attributes:
        name: Its path as the user gave it; ``-`` is standard input.
        chunks: Its bytes in order; read once. Taking the next may raise ``ManifestError``.
        max_yaml_size: Bytes of YAML that are taken at most; JSON is streamed without limit.
    """

    name: str
    chunks: Iterable[bytes]
    max_yaml_size: int = MAX_YAML_SIZE
