"""Time single verdicts and batches of questions, each cluster in a process of its own.

``python -m bench.verdicts`` prints it alone. Manifests are read before the clock starts;
what is timed is the CPU time of the whole process from there. Questions are random: any
two workloads, most of them on a port that some policy names, the rest on any port.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from bench.clusters import PORTS, Dumper, cluster
from bench.figures import Figure, peak_memory, reset_peak, resident, table
from bench.fleet import Size, write
from ringfence.algebra.traffic import Protocol
from ringfence.cli.collector import keep_what_was_read
from ringfence.edges.files import open_sources
from ringfence.readers import read
from ringfence.report.lines import Batch
from ringfence.semantics.answer import Respondent
from ringfence.semantics.dialects import KUBERNETES, Choices, Topic
from ringfence.semantics.judging import Judge
from ringfence.semantics.universe import Universe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ringfence.model.snapshot import Snapshot

Measured = dict[str, float]

QUESTIONS, PAIRS, RUNS = 1_000_000, 2_000, 5
NUMBERS = (*(number for _, number in PORTS.values()), 9090, 53, 443)
FLEET = Size(100_000, 10_000)
WORKLOADS, POLICIES = 500, 1_000


def figures(seed: int = 1) -> Iterator[Figure]:
    """Measure a large cluster connection by connection, and both in batches."""
    with tempfile.TemporaryDirectory() as folder:
        small, large = Path(folder, "cluster.yaml"), Path(folder, "fleet.json")
        small.write_text(yaml.dump_all(cluster(seed, WORKLOADS, POLICIES), Dumper=Dumper, sort_keys=False))
        with large.open("w") as stream:
            write(stream, seed, FLEET, slim=True)
        size = f"{FLEET.pods:,} pods, {FLEET.policies:,} policies"
        found = _in_a_process("--verdicts", large)
        yield Figure(f"{size}, a verdict on ends that were asked about before", found["warm"], "us", "<= 3")
        yield Figure(f"{size}, the same with its reasons", found["reasons"], "us", "<= 30")
        yield Figure(f"{size}, a verdict on two pods of which nothing was asked", found["cold"], "us", "<= 150")
        for path, name in ((small, f"{WORKLOADS} workloads, {POLICIES:,} policies"), (large, size)):
            for option, how, goal in (("--brief", "brief", "<= 10"), ("--reasons", "with reasons", "<= 33")):
                found = _in_a_process(option, path)
                yield Figure(f"{name}, a million questions, {how}", found["batch"], "s", goal)
                yield Figure(f"{name}, the same, over input", found["over"], "MiB")


def _in_a_process(option: str, path: Path) -> Measured:
    program = [sys.executable, "-m", "bench.verdicts", option, str(path)]
    found: Measured = json.loads(subprocess.run(program, capture_output=True, check=True).stdout)  # noqa: S603
    return found


def questions(snapshot: Snapshot, rng: random.Random) -> Iterator[bytes]:
    """Yield a million lines of a batch."""
    names = sorted({f"{pod.namespace}/{pod.workload.partition('/')[2] or pod.name}" for pod in snapshot.pods})
    for _ in range(QUESTIONS):
        asked: dict[str, Any] = {"client": rng.choice(names), "server": rng.choice(names)}
        asked["port"] = rng.choice(NUMBERS) if rng.random() < 0.7 else rng.randint(1, 65535)
        asked["protocol"] = rng.choice(("TCP", "TCP", "TCP", "UDP"))
        yield json.dumps(asked).encode() + b"\n"


def measure_batch(path: str, *, brief: bool) -> Measured:
    """Answer a million questions in this process, as ``can --batch`` does."""
    reading = read(open_sources([path])[0])
    with tempfile.TemporaryFile() as asked, Path("/dev/null").open("wb") as answers:
        asked.writelines(questions(reading.snapshot, random.Random(1)))
        asked.seek(0)
        gc.collect()
        keep_what_was_read()
        reset_peak()
        before, started = resident(), time.process_time()
        batch = Batch(Respondent(reading.snapshot, "default"), brief=brief)
        answers.writelines(batch.answer(number, line)[0] for number, line in enumerate(asked, 1))
        taken = time.process_time() - started
    return {"batch": taken, "over": (peak_memory() - before) / (1 << 20)}


def measure_verdicts(path: str) -> Measured:
    """Judge connections of two known pods in this process."""
    snapshot = read(open_sources([path])[0]).snapshot
    universe = Universe(snapshot, [Choices({Topic.HOST_NETWORK})])
    rng = random.Random(1)
    pods = [rng.choice(snapshot.pods) for _ in range(2 * PAIRS)]
    family = snapshot.families[0]
    asked = [(*pair, Protocol.TCP, rng.choice(NUMBERS), family) for pair in zip(pods[::2], pods[1::2], strict=True)]
    gc.collect()
    gc.freeze()
    universe.class_of(snapshot.pod_named(pods[0].namespace, pods[0].name) or pods[0])  # names are numbered once
    judge = Judge(universe, KUBERNETES)

    def each(ask: Callable[..., object]) -> float:
        """Return the microseconds that one question takes."""
        started = time.process_time()
        for question in asked:
            ask(*question)
        return (time.process_time() - started) / len(asked) * 1e6

    cold = each(judge.outcome)
    return {"cold": cold} | {
        name: min(each(ask) for _ in range(RUNS)) for name, ask in (("warm", judge.outcome), ("reasons", judge.verdict))
    }


def main() -> None:
    """Print the figures, or measure one file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    for option in ("--verdicts", "--brief", "--reasons"):
        parser.add_argument(option, metavar="FILE", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.verdicts:
        print(json.dumps(measure_verdicts(options.verdicts)))
    elif path := options.brief or options.reasons:
        print(json.dumps(measure_batch(path, brief=bool(options.brief))))
    else:
        print(table(figures()))


if __name__ == "__main__":
    main()
