"""Plants each bug of ``mutants.txt`` in a copy of the source and runs its own tests.

A mutant is a blank-line separated block: what breaks, the tests that must notice, the
file, then ``-`` and ``+`` lines. The old lines must stand exactly once in the file.

    make mutants                   all of them
    python -m tests.mutants NAME   those whose first line contains NAME
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
LIST = Path(__file__).with_name("mutants.txt")


@dataclass(frozen=True)
class Mutant:
    """One planted bug."""

    about: str
    tests: tuple[str, ...]
    file: str
    old: str
    new: str


def read(text: str) -> list[Mutant]:
    """Read the list; lines that begin with ``#`` are remarks."""
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    found = []
    for block in filter(None, (block.strip("\n") for block in lines.split("\n\n"))):
        about, tests, file, *change = block.splitlines()
        old, new = ("\n".join(line[2:] for line in change if line[:2] == sign) for sign in ("- ", "+ "))
        found.append(Mutant(about, tuple(tests.split()), file, old, new))
    return found


def survives(mutant: Mutant) -> str:
    """Return why a mutant was not caught; empty when its tests noticed it."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "src")
        shutil.copytree(ROOT / "src", source)
        target = source.parent / mutant.file
        text = target.read_text()
        if text.count(mutant.old) != 1:
            return f"its old text stands {text.count(mutant.old)} times in {mutant.file}"
        target.write_text(text.replace(mutant.old, mutant.new))
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *mutant.tests]
        environment = os.environ | {
            "HYPOTHESIS_PROFILE": "mutants",  # a bug that is found need not be made small
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": str(source),
        }
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        if done.returncode == 1:
            return ""
        return "its tests pass" if done.returncode == 0 else f"its tests do not run: {done.stdout[-300:]}"


def main(wanted: str = "") -> int:
    """Run the mutants and print a line for each; 1 when one survives."""
    mutants = [mutant for mutant in read(LIST.read_text()) if wanted in mutant.about]
    alive = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for mutant, why in zip(mutants, pool.map(survives, mutants), strict=True):
            alive += bool(why)
            print(f"{'SURVIVES' if why else 'killed':8}  {mutant.about}{f': {why}' if why else ''}", flush=True)
    print(f"{len(mutants) - alive} killed, {alive} survive")
    return 1 if alive else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
