"""Time how an engine follows a large cluster: one change, and every row fresh again.

``python -m bench.history`` prints it alone. The cluster is that of :mod:`bench.fleet`, of
which everything was judged before. Milliseconds are CPU time, the least of several.
"""

from __future__ import annotations

import argparse
import gc
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bench.figures import Figure, table
from bench.fleet import Size, write
from ringfence.algebra.addresses import Family, read_address
from ringfence.algebra.selectors import Selector
from ringfence.algebra.traffic import Protocol, ports
from ringfence.edges.files import open_sources
from ringfence.model.policy import Direction, PodPeer, PodSelector
from ringfence.readers import read
from ringfence.semantics.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ringfence.model.cluster import Pod
    from ringfence.model.policy import Policy, Rule
    from ringfence.model.snapshot import Snapshot

SIZE, RUNS = Size(100_000, 10_000), 5

ONE = "statefulset.kubernetes.io/pod-name"
"""A label of which each pod has a value of its own: whoever names one cuts a class."""

GOALS = {
    "ports that are known": "<= 0.025",
    "a new selector": "<= 0.12",
}
"""What is hoped for, in seconds; other changes have no goal."""


def figures(size: Size = SIZE, seed: int = 1) -> Iterator[Figure]:
    """Measure each change in a process of its own cluster."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "fleet.json")
        with path.open("w") as stream:
            write(stream, seed, size, slim=True)
        program = [sys.executable, "-m", "bench.history", "--measure", str(path)]
        found: dict[str, float] = json.loads(subprocess.run(program, capture_output=True, check=True).stdout)  # noqa: S603
    for change, seconds in found.items():
        name = f"{size.pods:,} pods, {size.policies:,} policies, followed: {change}"
        yield Figure(name, seconds, "s", GOALS.get(change, ""))


def measure(path: str) -> dict[str, float]:
    """Make each change to the cluster of a file; seconds by change."""
    sources, _ = open_sources([path])
    snapshot = read(sources).snapshot
    engine = Engine(snapshot)
    rows(engine)
    gc.collect()
    gc.freeze()
    asking = min(_seconds(lambda: rows(engine)) for _ in range(RUNS))
    return {change: _follow(engine, later) - asking for change, later in changes(snapshot).items()}


def rows(engine: Engine) -> None:
    """Ask for the rows of every class that has pods, so that they are at hand."""
    for family in engine.snapshot.families:
        overlay = engine.overlay(family)
        for atom in overlay.subjects:
            for direction in Direction:
                overlay.said_at(atom, direction)


def changes(snapshot: Snapshot) -> dict[str, Snapshot]:
    """Return the cluster after each change."""
    edited = next(p for p in snapshot.policies if p.subject.pods.requirements and _names_pods(p))
    (rule, *rest), namespace = edited.ingress, str(edited.subject.scope)

    def policy(changed: Rule) -> Snapshot:
        after = replace(edited, ingress=(changed, *rest))
        return replace(snapshot, policies=tuple(after if each is edited else each for each in snapshot.policies))

    def selecting(scope: str | Selector, **labels: str) -> Snapshot:
        peer = PodPeer(PodSelector(scope, Selector.labels(labels)), rule.origin, by_pods=True)
        return policy(replace(rule, peers=(*rule.peers, peer)))

    def pods(*pairs: tuple[Pod | None, Pod | None]) -> Snapshot:
        gone = {id(old) for old, _ in pairs}
        found = [*(each for each in snapshot.pods if id(each) not in gone), *(new for _, new in pairs if new)]
        return replace(snapshot, pods=tuple(sorted(found, key=lambda each: (each.namespace, each.name))))

    pod = next(each for each in snapshot.pods if each.namespace == namespace and each.selectable)
    alike = (each for each in snapshot.pods if each.namespace == namespace and each.ports == pod.ports)
    other = next(each for each in alike if each.labels["app"] != pod.labels["app"])
    named = next(each for each in snapshot.pods if each.namespace == namespace and ONE in each.labels)
    labels = snapshot.namespaces[namespace].labels
    new = replace(pod, name=f"{pod.name}-new", addresses={Family.IPV4: read_address("10.200.0.1")})
    relabelled = replace(snapshot.namespaces[namespace], labels={**labels, "env": "test"})
    return {
        "ports that are known": policy(replace(rule, traffic=ports(Protocol.TCP, 8080, 8080), named=())),
        "a new port": policy(replace(rule, traffic=ports(Protocol.TCP, 7777, 7777), named=())),
        "a new selector": selecting(namespace, **{ONE: named.labels[ONE]}),
        "a new selector in all namespaces": selecting(Selector(), component="component-7"),
        "a pod added": pods((None, new)),
        "a pod with other labels": pods((pod, replace(pod, labels=other.labels))),
        "a pod gone": pods((pod, None)),
        "a namespace with other labels": replace(snapshot, namespaces={**snapshot.namespaces, namespace: relabelled}),
    }


def _names_pods(policy: Policy) -> bool:
    return bool(policy.ingress) and all(isinstance(peer, PodPeer) for peer in policy.ingress[0].peers)


def _follow(engine: Engine, later: Snapshot) -> float:
    """Return how long it takes until every row is at hand again, how they are asked for included."""
    found = []
    for _ in range(RUNS):
        started = time.process_time()
        after = engine.after(replace(later))  # of which nothing is known yet
        seconds = time.process_time() - started
        if not after.follows:
            message = "the change was not followed"
            raise RuntimeError(message)
        for family in after.snapshot.families:
            after.overlay(family)  # who is asked is no part of it
        found.append(seconds + _seconds(lambda: rows(after)))  # noqa: B023 - called at once
    return min(found)


def _seconds(work: Callable[[], None]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def main() -> None:
    """Print the figures, or measure one file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--measure", metavar="FILE", help=argparse.SUPPRESS)
    options = parser.parse_args()
    print(json.dumps(measure(options.measure)) if options.measure else table(figures()))


if __name__ == "__main__":
    main()
