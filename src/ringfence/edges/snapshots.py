"""Snapshots of a live cluster as files: JSON lines, compressed.

The same listing gives the same bytes. What is in a file is never changed: another file takes its place.
"""

from __future__ import annotations

import gzip
import os
import tempfile
import zlib
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ringfence.errors import InputError, WorldError
from ringfence.readers.listing import read_lines, write_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.readers.listing import Listing


def load_snapshot(path: Path) -> Listing:
    """Read a snapshot.

    Raises:
        InputError: it cannot be read, or is none.
    """
    try:
        with gzip.open(path, "rb") as lines:
            return read_lines(lines)
    except (msgspec.DecodeError, UnicodeDecodeError, gzip.BadGzipFile, EOFError, zlib.error) as error:
        message = f"{path}: not a snapshot, or not a whole one"
        raise InputError(message, "name another file, or remove it to take a new one") from error
    except OSError as error:
        message = f"{path}: cannot be read: {os.strerror(error.errno or 0).lower()}"
        raise InputError(message, "make it readable, or name another file") from error


def save_snapshot(path: Path, listing: Listing) -> None:
    """Write a snapshot, all of it or nothing, for the user's own eyes.

    Raises:
        WorldError: it cannot be written, or somebody has put a file there meanwhile.
    """
    with _draft(path, listing, "name a file that is not there, in a folder that can be written to") as draft:
        os.link(draft, path)  # unlike a rename it fails where a file is


def replace_snapshot(path: Path, listing: Listing) -> None:
    """Write a snapshot in the place of the one that may be there, so that it lasts.

    Whoever reads meanwhile, or after the machine has failed, finds the one or the other whole.

    Raises:
        WorldError: it cannot be written; what was there still is.
    """
    with _draft(path, listing, "name a file in a folder that can be written to") as draft:
        draft.replace(path)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


@contextmanager
def _draft(path: Path, listing: Listing, hint: str) -> Iterator[Path]:
    """Lay a snapshot down beside the place that it is for, under a name of its own; it is gone afterwards."""
    draft = ""
    try:
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with open(handle, "wb") as stream:  # noqa: PTH123
            with gzip.GzipFile("", "wb", 6, stream, mtime=0) as lines:
                for line in write_lines(listing):
                    lines.write(line)
            stream.flush()
            os.fsync(stream.fileno())
        yield Path(draft)
    except OSError as error:
        message = f"{path}: cannot be written: {os.strerror(error.errno or 0).lower()}"
        raise WorldError(message, hint) from error
    finally:
        with suppress(OSError):
            Path(draft).unlink()
