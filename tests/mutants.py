"""Plants each bug of ``planted/*.txt`` in a copy of the source and runs its own tests.

There is a list for each package of the source. A mutant is a block: what breaks, the tests
that must notice, the file, then ``-`` and ``+`` lines. The old lines must stand exactly once
in the file.

    make mutants                   all of them
    make mutants SECONDS=300       as many as begin in that time, others with another SEED
    python -m tests.mutants NAME   those whose first line contains NAME
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
LISTS = Path(__file__).with_name("planted")

BLOCK = re.compile(r"(?:^(?![-+] ).+\n){3}(?:^[-+] .*\n)+", re.MULTILINE)
"""Three lines and a change; a merge of two lists may leave no blank line between two of them."""


@dataclass(frozen=True)
class Mutant:
    """One planted bug."""

    about: str
    tests: tuple[str, ...]
    file: str
    old: str
    new: str


def planted() -> list[Mutant]:
    """Read every list, in the order of their names."""
    found = []
    for text in (path.read_text() for path in sorted(LISTS.glob("*.txt"))):
        for block in BLOCK.findall(text):
            about, tests, file, *change = block.splitlines()
            old, new = ("\n".join(line[2:] for line in change if line[:2] == sign) for sign in ("- ", "+ "))
            found.append(Mutant(about, tuple(tests.split()), file, old, new))
    return found


def misfit(mutant: Mutant) -> str:
    """Return why a mutant cannot be planted; empty when it can."""
    path = ROOT / mutant.file
    count = path.read_text().count(mutant.old) if path.is_file() else 0
    gone = [test for test in mutant.tests if not (ROOT / test.partition("::")[0]).exists()]
    if count != 1:
        return f"its old text stands {count} times in {mutant.file}"
    return f"there is no {gone[0]}" if gone else ""


def survives(mutant: Mutant) -> str:
    """Return why a mutant was not caught; empty when its tests noticed it."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "src")
        shutil.copytree(ROOT / "src", source)
        target = source.parent / mutant.file
        target.write_text(target.read_text().replace(mutant.old, mutant.new))
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


def run(mutants: list[Mutant], seconds: float) -> tuple[int, list[str]]:
    """Run mutants, two at a time on two cores, and print a line for each.

    Args:
        mutants: What to plant.
        seconds: None begins after that.

    Returns:
        How many were run, and the lines of those that survived.
    """
    end = time.monotonic() + seconds
    ran, alive = 0, []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        outcomes = pool.map(lambda each: survives(each) if time.monotonic() < end else None, mutants)
        for mutant, why in zip(mutants, outcomes, strict=True):
            if why is None:
                continue
            ran += 1
            if why:
                alive.append(f"SURVIVES  {mutant.about}: {why}")
            print(alive[-1] if why else f"killed    {mutant.about}", flush=True)
    return ran, alive


def main() -> int:
    """Run the mutants; 1 when one survives or cannot be planted."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("wanted", nargs="?", default="")
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    every = planted()
    mutants = [mutant for mutant in every if options.wanted in mutant.about]
    if not options.wanted:
        random.Random(options.seed).shuffle(mutants)
    misfits = {mutant.about: why for mutant in every if (why := misfit(mutant))}
    for about, why in misfits.items():
        print(f"MISFIT    {about}: {why}")
    ran, alive = run([mutant for mutant in mutants if mutant.about not in misfits], options.seconds)
    rest = f", {len(mutants) - ran} not run" if ran < len(mutants) else ""
    print(*alive, f"{ran - len(alive)} killed, {len(alive)} survive{rest}", sep="\n")
    return 1 if alive or misfits else 0


if __name__ == "__main__":
    sys.exit(main())
