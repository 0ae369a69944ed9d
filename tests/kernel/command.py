"""Runs the program as a user would, in a process of its own, as root or as an ordinary user."""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
import tempfile
import traceback
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import ringfence.cli.lab
import ringfence.lab.holder
import ringfence.report.json  # noqa: F401 - an ordinary user may not read where the modules lie
from ringfence.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NOBODY = 65_534
PR_SET_DUMPABLE = 4


@dataclass(frozen=True)
class Done:
    """What a command came to."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class User:
    """Somebody with a folder for sockets.

    Attributes:
        number: The user's number.
        folder: A folder that is only theirs.
    """

    number: int
    folder: Path

    def run(self, *arguments: str) -> Done:
        """Run a command and wait for it."""
        return self.call(lambda: main(list(arguments)))

    def call(self, function: Callable[[], int]) -> Done:
        """Call a function in a process of this user."""
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            process = self.start(function, out.fileno(), err.fileno())
            code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
            texts = [stream.seek(0) or stream.read() for stream in (out, err)]
        return Done(code, *texts)

    def start(self, function: Callable[[], int], out: int, err: int) -> int:
        """Start a process of this user that calls a function."""
        process = os.fork()
        if process:
            return process
        code = 70
        try:
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(out, 1)
            os.dup2(err, 2)
            sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", 1, closefd=False)
            os.environ["XDG_RUNTIME_DIR"] = str(self.folder)
            if os.geteuid() != self.number:
                os.setgroups([])
                os.setresgid(self.number, self.number, self.number)
                os.setresuid(self.number, self.number, self.number)
                # Changing the user hides /proc/self from it, until a program is executed or this is said.
                ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 1)
            code = int(function())
        except BaseException:  # noqa: BLE001 - the fork must end here
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)


@contextmanager
def user(*, ordinary: bool) -> Iterator[User]:
    """Be root, or somebody who is not; whoever is not root already stays who he is."""
    number = NOBODY if ordinary and os.geteuid() == 0 else os.geteuid()
    folder = Path(tempfile.mkdtemp(prefix="ringfence-test-"))
    os.chown(folder, number, -1)
    try:
        yield User(number, folder)
    finally:
        shutil.rmtree(folder)
