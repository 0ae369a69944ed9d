"""Time all pairs of clusters of many sizes, decoded and from a file, each in a process of its own.

``python -m bench.scale`` prints it alone, and with ``--pods 1000000 --policies 100000``
one cluster that takes minutes and gigabytes. Clusters are those of :mod:`bench.fleet`. CPU
seconds of what is decoded are the engine's alone, and its memory is what it takes on top
of the snapshot; from a file they are those of the whole process. Sets have the form that
``list`` would give them.
"""

from __future__ import annotations

import argparse
import gc
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.figures import Figure, peak_memory, reset_peak, resident, table
from bench.fleet import Size, write
from ringfence.cli.collector import keep_what_was_read
from ringfence.cli.engines import form_for
from ringfence.edges.files import open_sources
from ringfence.readers import read
from ringfence.semantics.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Iterator

Measured = dict[str, float]


@dataclass(frozen=True)
class Row:
    """One cluster, and what it is hoped to take.

    Attributes:
        size: The cluster.
        seconds: Goal of the CPU time.
        memory: Goal of the memory in MiB; empty for none.
        whole: Whether pods are of full size, and reading the file counts.
    """

    size: Size
    seconds: str
    memory: str = ""
    whole: bool = False

    @property
    def name(self) -> str:
        """What is measured."""
        wide = ", half of all rules cluster-wide" if self.size.wide else ""
        how = "from JSON on disk to all pairs" if self.whole else "decoded to all pairs"
        return f"{self.size.pods:,} pods, {self.size.policies:,} policies{wide}, {how}"


ROWS = (
    Row(Size(1_000, 100), "<= 0.05"),
    Row(Size(10_000, 1_000), ""),
    Row(Size(100_000, 10_000), "<= 2.5", "<= 200"),
    Row(Size(100_000, 10_000, 0.5), "<= 15"),
    Row(Size(100_000, 10_000), "<= 6", "<= 300", whole=True),
)


def figures(rows: tuple[Row, ...] = ROWS, seed: int = 1) -> Iterator[Figure]:
    """Measure each row once."""
    for row in rows:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "fleet.json")
            with path.open("w") as stream:
                write(stream, seed, row.size, slim=not row.whole)
            program = [sys.executable, "-m", "bench.scale", "--measure", str(path)]
            found: Measured = json.loads(subprocess.run(program, capture_output=True, check=True).stdout)  # noqa: S603
        if row.whole:
            yield Figure(f"{row.name}, whole process", found["whole"], "s", row.seconds)
            yield Figure(f"{row.name}, resident", found["resident"], "MiB", row.memory)
            continue
        yield Figure(row.name, found["engine"], "s", row.seconds)
        yield Figure(f"{row.name}, over input", found["over"], "MiB", row.memory)
        for what in ("classes", "programs", "rows", "blocks"):
            yield Figure(f"{row.name}, {what}", found[what], "")


def measure(path: str) -> Measured:
    """Read a file and judge all pairs in this process."""
    sources, _ = open_sources([path])
    snapshot = read(sources).snapshot
    gc.collect()
    keep_what_was_read()
    reading_peak = peak_memory()
    reset_peak()
    before, started = resident(), time.process_time()
    engine = Engine(snapshot, sets=form_for(len(snapshot.pods)))
    blocks = sum(1 for family in snapshot.families for _ in engine.blocks(family))
    done = time.process_time()
    mebi = 1 << 20
    return {
        "engine": done - started,
        "whole": done,
        "over": (peak_memory() - before) / mebi,
        "resident": max(peak_memory(), reading_peak) / mebi,
        "blocks": blocks,
        **engine.counts(),
    }


def main() -> None:
    """Print the figures, or measure one file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pods", type=int, help="measure one cluster with so many pods")
    parser.add_argument("--policies", type=int, default=10_000)
    parser.add_argument("--wide", type=float, default=0.0, help="share of rules that name pods in every namespace")
    parser.add_argument("--measure", metavar="FILE", help=argparse.SUPPRESS)
    options = parser.parse_args()
    rows = (Row(Size(options.pods, options.policies, options.wide), ""),) if options.pods else ROWS
    print(json.dumps(measure(options.measure)) if options.measure else table(figures(rows)))


if __name__ == "__main__":
    main()
