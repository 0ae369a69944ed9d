"""Time ``ringfence list`` as a whole process, and each of its stages, on a generated cluster.

``python -m bench.list_cluster --workloads 5000 --policies 2000`` prints other sizes.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from bench.clusters import Dumper, cluster
from bench.figures import Figure, spend, table
from ringfence.edges.files import open_sources
from ringfence.readers import read
from ringfence.semantics.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Iterator

RINGFENCE = Path(sys.executable).with_name("ringfence")


def figures() -> Iterator[Figure]:
    """Measure two sizes."""
    yield from cluster_figures(Cluster(1_000, 1_080), ("<= 1.1", "<= 100"))
    yield from cluster_figures(Cluster(10_000, 10_800), ("<= 8", "<= 400"), runs=1)


@dataclass(frozen=True)
class Cluster:
    """How large a cluster is, and the seed that it is made from."""

    workloads: int
    policies: int
    seed: int = 1


def cluster_figures(size: Cluster, goals: tuple[str, str] = ("", ""), runs: int = 3) -> Iterator[Figure]:
    """Measure the stages once, and the process several times.

    Args:
        size: The cluster.
        goals: For the CPU seconds and for the memory of the process.
        runs: How often the process is run.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "cluster.yaml")
        with path.open("w") as stream:
            yaml.dump_all(cluster(size.seed, size.workloads, size.policies), stream, Dumper=Dumper)
        about = f"{size.workloads:,} workloads, {size.policies:,} policies"
        yield from _stages(path, about)
        spent = spend([RINGFENCE, "list", "-f", path], runs)
    yield Figure(f"ringfence list, {about}, {len(spent.output.splitlines()):,} lines", spent.cpu, "s", goals[0])
    yield Figure(f"ringfence list, {about}, elapsed", spent.elapsed, "s")
    yield Figure(f"ringfence list, {about}, memory", spent.memory, "MB", goals[1])


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
    print(table(cluster_figures(Cluster(options.workloads, options.policies, options.seed), runs=options.runs)))


if __name__ == "__main__":
    main()
