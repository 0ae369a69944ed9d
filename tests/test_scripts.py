"""Runs ``scripts/*.txtar``: the command line as a user types it.

A script is lines of commands, then files, each after a line ``-- NAME --``::

    # a remark
    [!] ringfence ARGUMENTS [< FILE]    run it among the files; ! means that it must not exit 0
    exit CODE                           of the last run
    git ARGUMENTS                       run git, which must succeed
    cp FROM TO                          copy a file
    cmp stdout|stderr FILE              it printed exactly this
    [!] stdout|stderr 'REGEX'           a line of it matches, or none does
"""

from __future__ import annotations

import io
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ringfence.cli.main import main

SCRIPTS = sorted((Path(__file__).parent / "scripts").glob("*.txtar"))
GIT = ("git", "-c", "user.name=somebody", "-c", "user.email=somebody@example.org", "-c", "init.defaultBranch=main")
FILE = re.compile(r"^-- (.+) --\n", re.MULTILINE)


class Run:
    """The last run of the program."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.monkeypatch, self.capsys = monkeypatch, capsys
        self.code, self.printed = -1, {"stdout": "", "stderr": ""}

    def step(self, words: list[str], *, negated: bool) -> None:
        """Do one line of a script."""
        match words:
            case ["ringfence", *arguments]:
                source = arguments[arguments.index("<") + 1 :] if "<" in arguments else []
                stdin = Path(source[0]).read_bytes() if source else b""
                self.monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
                self.code = main(arguments[: -2 if source else None])
                self.printed = dict(zip(("stdout", "stderr"), self.capsys.readouterr(), strict=True))
                assert (self.code != 0) is negated, self.printed
            case ["exit", code]:
                assert self.code == int(code), self.printed
            case ["git", *arguments]:
                subprocess.run([*GIT, *arguments], check=True, capture_output=True)  # noqa: S603
            case ["cp", source, target]:
                shutil.copyfile(source, target)
            case ["cmp", stream, name]:
                assert self.printed[stream] == Path(name).read_text()
            case [("stdout" | "stderr") as stream, pattern]:
                found = re.search(pattern, self.printed[stream], re.MULTILINE)
                assert bool(found) is not negated, self.printed
            case _:
                pytest.fail(f"no step of a script: {words}")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_goes_as_written(
    script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """Every line holds, from the first to the last."""
    commands, *files = FILE.split(script.read_text())
    for name, content in zip(files[::2], files[1::2], strict=True):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))  # where there is no kubeconfig
    run = Run(monkeypatch, capsys)
    for line in commands.splitlines():
        words = shlex.split(line, comments=True)
        if words:
            negated = words[0] == "!"
            run.step(words[negated:], negated=negated)
