"""The files of a play, read and checked before a lab is asked to carry it out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ringfence.cli import output
from ringfence.edges.files import STDIN, open_sources
from ringfence.errors import InputError, ManifestError
from ringfence.readers.play import Apply, Step, read_play
from ringfence.readers.source import Source


def read_script(file: str, namespace: str) -> dict[str, Any]:
    """Read a play and the files that it applies, and return what a lab wants to know of them.

    Args:
        file: Its path, or ``-``.
        namespace: Of names and objects that have none.

    Raises:
        InputError: something is wrong with one of them; whatever else is, is said.
    """
    from ringfence.lab.changes import read_applied  # noqa: PLC0415 - slow to import

    text = _text(file)
    errors: list[ManifestError] = []
    steps = read_play(Source(file, [text.encode()]), errors)
    files = {} if errors else _applied(file, steps)
    for step in () if errors else steps:
        if isinstance(step.act, Apply):
            try:
                read_applied({name: files[name] for name in step.act.files}, namespace, step.origin)
            except ManifestError as error:
                errors.append(error)
    for each in errors[:-1]:
        output.say_error(each)
    if errors:
        raise errors[-1]
    if not steps:
        message = f"{file}: no steps"
        raise InputError(message, "ringfence lab play --help shows some")
    return {"source": file, "text": text, "files": files, "namespace": namespace}


def _applied(file: str, steps: tuple[Step, ...]) -> dict[str, str]:
    """Return the texts of the files that steps apply, by the names that steps have for them."""
    folder = Path() if file == STDIN else Path(file).parent
    found: dict[str, str] = {}
    for step in steps:
        for name in step.act.files if isinstance(step.act, Apply) else ():
            try:
                found[name] = _text(str(folder / name))
            except ManifestError as error:
                raise ManifestError(str(error), step.origin, error.hint) from error
    return found


def _text(path: str) -> str:
    sources, errors = open_sources([path])
    if errors:
        raise errors[0]
    if len(sources) != 1:
        message = f"{path} is a folder"
        raise InputError(message, "name a file")
    try:
        return b"".join(sources[0].chunks).decode()
    except UnicodeDecodeError as error:
        message = f"{path} is no text in UTF-8"
        raise InputError(message) from error
