"""Time questions about many ends in a large cluster, once its engine has judged all pairs.

``python -m bench.queries`` prints it alone. The cluster is that of :mod:`bench.fleet`; its
tenants are the groups that are asked about, by the label of their namespaces. Seconds are
CPU time of the question alone.
"""

from __future__ import annotations

import argparse
import gc
import json
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from bench.figures import Figure, table
from bench.fleet import Size, write
from ringfence.analysis.comparison import Comparison
from ringfence.analysis.exposure import expose
from ringfence.analysis.isolation import Isolation
from ringfence.analysis.reach import reach, reasons
from ringfence.analysis.whom import CLIENT, SERVER, Names, in_families
from ringfence.cli.collector import keep_what_was_read
from ringfence.edges.files import open_sources
from ringfence.model.policy import Direction
from ringfence.readers import read
from ringfence.semantics.dialects import KUBERNETES
from ringfence.semantics.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.model.cluster import Pod
    from ringfence.model.policy import Policy

SIZE = Size(100_000, 10_000)

GOALS = {
    "isolation of {tenants:.0f} tenants": "<= 0.5",
    "one policy left out, all rows": "<= 0.025",
    "difference of one policy": "<= 0.1",
    "all redundant policies": "<= 1",
}
"""What questions are hoped to take, in seconds; others have no goal."""


def figures(size: Size = SIZE, seed: int = 1) -> Iterator[Figure]:
    """Measure each question once."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "fleet.json")
        with path.open("w") as stream:
            write(stream, seed, size, slim=True)
        program = [sys.executable, "-m", "bench.queries", "--measure", str(path)]
        found: dict[str, float] = json.loads(subprocess.run(program, capture_output=True, check=True).stdout)  # noqa: S603
    tenants = found.pop("tenants")
    for question, seconds in found.items():
        name = f"{size.pods:,} pods, {size.policies:,} policies, {question.format(tenants=tenants)}"
        yield Figure(name, seconds, "s", GOALS.get(question, ""))


def measure(path: str) -> dict[str, float]:
    """Ask everything about a file in this process; seconds by question, and the number of tenants."""
    sources, _ = open_sources([path])
    snapshot = read(sources).snapshot
    gc.collect()
    keep_what_was_read()
    engine, names = Engine(snapshot), Names(snapshot, "default")
    for family in snapshot.families:
        for _ in engine.blocks(family):
            pass
    tenants: dict[str, list[Pod]] = defaultdict(list)
    for pod in names.directory.pods:
        tenants[snapshot.namespace_labels(pod.namespace).get("tenant", "")].append(pod)
    groups = [in_families(snapshot, pods) for pods in tenants.values()]
    someone = str(next(pod for pod in names.directory.pods if all(engine.is_isolated(pod, each) for each in Direction)))
    edited = engine.revised(snapshot.policies[1:])
    changes(engine, edited)  # from now on what is said of each side is at hand
    questions = {
        "one policy left out, all rows": lambda: rows_without(engine, snapshot.policies[len(snapshot.policies) // 2]),
        "difference of one policy": lambda: changes(engine, engine.revised(snapshot.policies[:-1])),
        "all redundant policies": lambda: [each for each in snapshot.policies if not engine.changes_without(each)],
        "isolation of {tenants:.0f} tenants": lambda: [
            block for family in snapshot.families for block in Isolation(engine, groups, family).crossing()
        ],
        "whom a pod reaches": lambda: reasons(engine, reach(engine, names.find(CLIENT, someone))),
        "who reaches a pod": lambda: reasons(engine, reach(engine, None, names.find(SERVER, someone))),
        "exposure": lambda: expose(engine, names, KUBERNETES),
    }
    found = {"tenants": float(len(tenants))}
    for question, ask in questions.items():
        started = time.process_time()
        ask()
        found[question] = time.process_time() - started
    return found


def rows_without(engine: Engine, policy: Policy) -> None:
    """Leave a policy out, and have the rows of every class that it judged at hand again."""
    left = engine.revised(each for each in engine.snapshot.policies if each is not policy)
    for family in engine.snapshot.families:
        for number in left.unlike(engine):
            for atom in left.universe.atoms_of_class(number).get(family, ())[:1]:
                for direction in Direction:
                    left.overlay(family).said_at(atom, direction)


def changes(before: Engine, after: Engine) -> int:
    """Count what differs between two engines."""
    return sum(1 for family in before.snapshot.families for _ in Comparison(before, after, family).changes())


def main() -> None:
    """Print the figures, or measure one file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--measure", metavar="FILE", help=argparse.SUPPRESS)
    options = parser.parse_args()
    print(json.dumps(measure(options.measure)) if options.measure else table(figures()))


if __name__ == "__main__":
    main()
