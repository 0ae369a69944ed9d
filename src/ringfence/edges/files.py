"""Files, directories and standard input as sources.

Nothing is opened before its first byte is asked for, so any number of files may be named;
a file that cannot be opened or read by then is an error of its own, and the others are read.
"""

from __future__ import annotations

import os
import stat
import sys
from contextlib import nullcontext
from errno import EACCES, EIO, ENOENT
from pathlib import Path
from typing import TYPE_CHECKING

from ringfence.errors import ManifestError
from ringfence.model.origin import Origin
from ringfence.readers.source import MAX_YAML_SIZE, Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

STDIN = "-"
"""The name of standard input."""

SUFFIXES = (".yaml", ".yml", ".json")
"""What files of a directory are taken, as kubectl takes them; a file that is named may have any."""

_CHUNK = 1 << 20


def open_sources(
    filenames: Sequence[str], *, recursive: bool = False, max_file_size: int = MAX_YAML_SIZE
) -> tuple[tuple[Source, ...], tuple[ManifestError, ...]]:
    """Return the sources that names stand for, in the order named, each file once.

    Args:
        filenames: Files, directories, or ``-`` for standard input.
        recursive: Whether directories within directories are taken as well.
        max_file_size: Bytes of YAML that are taken from one file at most.

    Returns:
        The sources, the files of a directory sorted by name; and an error for each name
        that stands for nothing. What cannot be read is found later, by whoever reads it.
    """
    sources: dict[str, Source] = {}
    errors: list[ManifestError] = []
    for filename in filenames:
        for path in _paths(filename, recursive=recursive, errors=errors):
            sources.setdefault(os.path.realpath(path), Source(path, _chunks(path), max_file_size))
    return tuple(sources.values()), tuple(errors)


def _paths(filename: str, *, recursive: bool, errors: list[ManifestError]) -> list[str]:
    """Return the files that a name stands for; none when that is an error."""
    if filename == STDIN:
        return [STDIN]
    try:
        if not stat.S_ISDIR(Path(filename).stat().st_mode):
            return [filename]
    except OSError as error:
        errors.append(_refusal(filename, error))
        return []
    before = len(errors)
    found = _in_directory(filename, recursive=recursive, errors=errors)
    if not found and len(errors) == before:
        hint = f"name files, or a directory that holds {', '.join(SUFFIXES)}"
        if not recursive and _in_directory(filename, recursive=True, errors=[]):
            hint = "give -R to take the directories within it"
        errors.append(_error(filename, "an empty directory: it holds no manifests", hint))
    return found


def _in_directory(directory: str, *, recursive: bool, errors: list[ManifestError]) -> list[str]:
    """Return the manifests of a directory, sorted by name; links to directories are not followed."""
    found = []
    try:
        entries = sorted(os.scandir(directory), key=lambda entry: entry.name)
    except OSError as error:
        errors.append(_refusal(directory, error))
        return []
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            found += _in_directory(entry.path, recursive=True, errors=errors) if recursive else []
        elif entry.name.endswith(SUFFIXES):
            found.append(entry.path)
    return found


def _chunks(path: str) -> Iterator[bytes]:
    """Yield the bytes of a file; ``ManifestError`` when it cannot be read."""
    try:
        with nullcontext(sys.stdin.buffer) if path == STDIN else Path(path).open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                yield chunk
    except OSError as error:
        raise _refusal(path, error) from error


def _refusal(name: str, error: OSError) -> ManifestError:
    """Say in the system's words why something cannot be read."""
    hints = {ENOENT: "correct the path", EACCES: "make it readable"}
    reason = os.strerror(error.errno or EIO)
    return _error(
        name, f"cannot be read: {reason[:1].lower()}{reason[1:]}", hints.get(error.errno or EIO, "name another")
    )


def _error(name: str, message: str, hint: str) -> ManifestError:
    return ManifestError(message, Origin(name, 0, 0, "", ""), hint)
