"""Time ``ringfence list`` as a whole process, and each of its stages, on a generated cluster.

``python -m bench.list_cluster --workloads 5000 --policies 2000`` prints other sizes.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from bench.clusters import Dumper, cluster
from bench.figures import Figure, process_seconds, table
from ringfence.edges.files import open_sources
from ringfence.readers import read
from ringfence.semantics.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Iterator

RINGFENCE = Path(sys.executable).with_name("ringfence")


def figures(workloads: int = 1_000, policies: int = 1_080, seed: int = 1, runs: int = 3) -> Iterator[Figure]:
    """Measure the stages once, and the process several times."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "cluster.yaml")
        with path.open("w") as stream:
            yaml.dump_all(cluster(seed, workloads, policies), stream, Dumper=Dumper)
        yield from _stages(path, f"{workloads:,} workloads, {policies:,} policies")
        seconds, elapsed, output = process_seconds([RINGFENCE, "list", "-f", path], runs)
    yield Figure(f"ringfence list, {len(output.splitlines()):,} lines", seconds, "s", "<= 0.8")
    yield Figure("ringfence list, elapsed", elapsed, "s")


def _stages(path: Path, size: str) -> Iterator[Figure]:
    """Measure each stage, without starting Python or printing."""
    times = [time.process_time()]
    sources, _ = open_sources([str(path)], recursive=False, max_file_size=path.stat().st_size + 1)
    snapshot = read(sources).snapshot
    times.append(time.process_time())
    engine = Engine(snapshot)
    times.append(time.process_time())
    blocks = [block for family in snapshot.families for block in engine.blocks(family)]
    times.append(time.process_time())
    names = (
        f"reading {size}, {path.stat().st_size / 1e6:.1f} MB",
        f"{len(engine.classes):,} classes of {len(snapshot.pods):,} pods",
        f"{len(blocks):,} blocks of pairs",
    )
    for name, seconds in zip(names, map(float.__sub__, times[1:], times), strict=True):
        yield Figure(name, seconds, "s")


def main() -> None:
    """Print the figures of a cluster of any size."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--workloads", type=int, default=1_000)
    parser.add_argument("--policies", type=int, default=1_080)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    print(table(figures(options.workloads, options.policies, options.seed, options.runs)))


if __name__ == "__main__":
    main()
