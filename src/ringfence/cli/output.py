"""Both streams: standard output holds the answer alone, standard error what is for people."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import contextmanager
from pathlib import PurePath
from typing import TYPE_CHECKING, TextIO

from ringfence.errors import WorldError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.errors import RingfenceError

_PATIENCE_S = 1.0
"""So long nobody wonders whether anything happens."""

_STYLES = {"error": "31", "hint": "36", "note": "33"}


def answer(text: bytes, *, flush: bool = True) -> None:
    """Write an answer, or a part of it, to standard output.

    Args:
        text: What to write.
        flush: Whether it must arrive at once; the last part of an answer must.

    Raises:
        BrokenPipeError: nobody reads any more.
        WorldError: it cannot be written.
    """
    try:
        sys.stdout.buffer.write(text)
        if flush:
            sys.stdout.buffer.flush()
    except OSError as error:
        forget_stdout()
        if isinstance(error, BrokenPipeError):
            raise
        message = f"the answer cannot be written: {os.strerror(error.errno or 0).lower()}"
        raise WorldError(message) from error


def forget_stdout() -> None:
    """Let what could not be written go nowhere, else the interpreter tries again when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def say_error(error: RingfenceError) -> None:
    """Say an error with its place, and its hint when it has one, in which commands are those of this program."""
    say("error", str(error))
    if error.hint:
        say("hint", error.hint.replace("`ringfence ", f"`{program_name()} "))


def program_name() -> str:
    """Return what the user typed: kubectl runs ``kubectl-ringfence`` for ``kubectl ringfence``."""
    name = PurePath(sys.argv[0]).name
    return "kubectl ringfence" if name.startswith("kubectl-") else "ringfence"


def say(kind: str, text: str) -> None:
    """Say one line on standard error: ``ringfence: KIND: TEXT``."""
    word = f"\x1b[{_STYLES[kind]}m{kind}\x1b[0m" if has_color(sys.stderr) else kind
    sys.stderr.write(f"ringfence: {word}: {text}\n")


@contextmanager
def patience(work: str) -> Iterator[None]:
    """Say on a terminal what is being done once it lasts over a second."""
    if not sys.stderr.isatty():
        yield
        return
    timer = threading.Timer(_PATIENCE_S, say, ("note", f"{work} ..."))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def has_color(stream: TextIO) -> bool:
    """Tell whether a stream shows colors: a terminal does, unless the user minds (no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
