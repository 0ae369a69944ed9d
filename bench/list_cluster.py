"""Time ``ringfence list`` as a whole process, and the engine alone, on a generated cluster.

``python -m bench`` prints seconds; nothing is asserted. Take the best of
several runs on a quiet machine: ``--runs``.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

from bench.clusters import Dumper, cluster
from ringfence.edges.files import open_sources
from ringfence.readers import read
from ringfence.semantics.engine import Engine

RINGFENCE = Path(sys.executable).with_name("ringfence")


def whole_process(path: Path) -> tuple[float, str]:
    """Run ``ringfence list`` once; return its seconds and what it printed."""
    started = time.perf_counter()
    run = subprocess.run([RINGFENCE, "list", "-f", path], capture_output=True, text=True, check=True)  # noqa: S603
    return time.perf_counter() - started, run.stdout


def stages(path: Path) -> dict[str, float]:
    """Return the seconds of each stage, without starting Python or printing."""
    times = [time.perf_counter()]
    sources, _ = open_sources([str(path)], recursive=False, max_file_size=path.stat().st_size + 1)
    snapshot = read(sources).snapshot
    times.append(time.perf_counter())
    engine = Engine(snapshot)
    times.append(time.perf_counter())
    blocks = [block for family in snapshot.families for block in engine.blocks(family)]
    times.append(time.perf_counter())
    print(f"{len(snapshot.pods)} pods, {len(engine.classes)} classes, {len(blocks)} blocks")
    return dict(zip(("read", "classes", "blocks"), map(float.__sub__, times[1:], times), strict=True))


def main() -> None:
    """Print the best times of several runs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--workloads", type=int, default=1_000)
    parser.add_argument("--policies", type=int, default=1_080)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "cluster.yaml")
        with path.open("w") as stream:
            yaml.dump_all(cluster(options.seed, options.workloads, options.policies), stream, Dumper=Dumper)
        print(f"{options.workloads} workloads, {options.policies} policies, {path.stat().st_size / 1e6:.1f} MB of YAML")
        for stage, seconds in stages(path).items():
            print(f"{stage:>14} {seconds:6.2f} s")
        runs = [whole_process(path) for _ in range(options.runs)]
    print(f"ringfence list {min(seconds for seconds, _ in runs):6.2f} s, {len(runs[0][1].splitlines())} lines")


if __name__ == "__main__":
    main()
