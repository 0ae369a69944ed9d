"""Reads the console blocks of Markdown pages and runs them as a reader of the page would.

A block is fenced as ``console``; a line that begins with ``$`` is a command, what follows
is exactly what it prints. Blocks fenced otherwise are not run: what they print varies.

    python -m tests.console PAGE...     write into pages what their commands print now
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Command:
    """One command of a page.

    Attributes:
        page: The page, from the root of the repository.
        line: The 1-based line of the command.
        text: The command as typed.
        output: What the page says that it prints.
    """

    page: str
    line: int
    text: str
    output: str

    def __str__(self) -> str:
        """Return ``page:line``."""
        return f"{self.page}:{self.line}"


def commands(page: Path) -> list[Command]:
    """Return every command of a page, in order; a block without any is a ``ValueError``."""
    text, name = page.read_text(), str(page.resolve().relative_to(ROOT))
    found = []
    for block in BLOCK.finditer(text):
        first = text.count("\n", 0, block.start(1)) + 1
        lines = block[1].splitlines()
        starts = [index for index, line in enumerate(lines) if line.startswith("$ ")]
        if starts[:1] != [0]:
            message = f"{name}:{first}: a console block begins with a command"
            raise ValueError(message)
        for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
            output = "".join(f"{line}\n" for line in lines[start + 1 : end])
            found.append(Command(name, first + start, lines[start].removeprefix("$ "), output))
    return found


def run(command: Command) -> str:
    """Run a command from the root, with this environment's programs, and return what it prints."""
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}",
        "HOME": "/nonexistent",
        "LANG": "C.UTF-8",
    }
    done = subprocess.run(  # noqa: S603 - the pages are ours
        ["/bin/bash", "-o", "pipefail", "-c", command.text],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    return done.stdout + done.stderr


def renew(page: Path) -> None:
    """Write into a page what its commands print now; whether it is right is for people to judge."""
    lines = page.read_text().splitlines(keepends=True)
    for command in reversed(commands(page)):
        end = command.line + len(command.output.splitlines())
        lines[command.line : end] = run(command).splitlines(keepends=True)
    page.write_text("".join(lines))


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        renew(Path(argument))
