"""Time how long policies take to be read and validated, Python's start and all imports included.

``python -m bench.policies`` prints it alone; with names of files it reads them and nothing else.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ringfence.edges.files import open_sources
from ringfence.readers import read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.figures import Figure

POLICIES, RUNS = 10_000, 3


def read_files(filenames: list[str]) -> str:
    """Read files, and say how many policies they hold."""
    sources, errors = open_sources(filenames)
    reading = read(sources, errors=errors)
    return f"{len(reading.snapshot.policies)} policies, {len(reading.errors)} errors"


def figures() -> Iterator[Figure]:
    """Measure a process that reads and does nothing else."""
    from bench.figures import Figure, spend  # noqa: PLC0415 - not to be measured
    from bench.yaml import policy_file  # noqa: PLC0415 - likewise

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "policies.yaml")
        path.write_text(policy_file(POLICIES))
        spent = spend([sys.executable, "-m", "bench.policies", path], RUNS)
    if not spent.output.startswith(f"{POLICIES} policies"):
        message = f"not every policy was read: {spent.output}"
        raise RuntimeError(message)
    yield Figure(f"process that reads and validates {POLICIES:,} policies", spent.cpu, "s", "<= 4")


def main() -> None:
    """Read the files that are named; without any, measure."""
    if names := sys.argv[1:]:
        print(read_files(names))
        return
    from bench.figures import table  # noqa: PLC0415 - not to be measured

    print(table(figures()))


if __name__ == "__main__":
    main()
