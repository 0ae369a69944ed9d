"""Random worlds in the kernel: every probe must be what the definition says.

make fuzz-kernel, or ``python -m tests.kernel.fuzz 200``
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING

from hypothesis import given, settings

import tests.conftest  # noqa: F401 - sets up hypothesis, which pytest would do
from ringfence.algebra.traffic import Protocol
from ringfence.lab.cluster import Cluster
from ringfence.lab.probes import Trial, Trials
from ringfence.lab.services import frontends
from ringfence.lab.topology import lay_out
from ringfence.model.cluster import Pod
from ringfence.model.connection import Connection
from ringfence.model.origin import Origin
from ringfence.model.service import Service, ServicePort
from tests.kernel.isolation import run_isolated
from tests.worlds import NUMBERS, Limits, boundary_traffic, snapshots

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.lab.judge import Comparison
    from ringfence.model.snapshot import Snapshot

WORLDS = Limits(pods=6, addressed=True)
OWN_LABEL = "pod"
"""A label that no policy of a random world looks at, by which each pod gets a Service of its own."""

OUTSIDERS_EACH = 3
"""Of all traffic, so many points are tried between a pod and somebody who is none; all between pods."""


def differences(snapshot: Snapshot) -> tuple[int, list[str]]:
    """Build a world, try its connections, and return how many there were and where deciders differ."""
    cluster = Cluster(lay_out(with_services(snapshot)))
    try:
        trials = list(_trials(cluster))
        results = cluster.prober.run([trial.probe(cluster.ends) for trial in trials])
        found = [cluster.judge.compare(*each) for each in zip(trials, results, strict=True)]
        return len(found), [text for each in found if (text := _wrong(cluster, each))]
    finally:
        cluster.close()


def with_services(snapshot: Snapshot) -> Snapshot:
    """Give each pod a Service that leads to it alone, so that it can meet itself."""
    pods = tuple(replace(pod, labels={**pod.labels, OWN_LABEL: pod.name}) for pod in snapshot.pods)
    ports = tuple(
        ServicePort(f"{protocol.value.lower()}-{number}", protocol, number, number)
        for protocol, number in product((Protocol.TCP, Protocol.UDP), NUMBERS)
    )
    services = tuple(
        Service(
            pod.namespace,
            f"to-{pod.name}",
            "ClusterIP",
            {OWN_LABEL: pod.name},
            ports,
            Origin("world.yaml", 1, 1, "", "Service"),
            families=snapshot.families,
        )
        for pod in pods
        if not pod.host_network
    )
    return replace(snapshot, pods=pods, services=services)


def _trials(cluster: Cluster) -> Iterator[Trial]:
    traffic = [(protocol, port) for protocol, port in boundary_traffic() if port or protocol is Protocol.ICMP]
    turn = 0
    for family, ends in cluster.ends.by_family.items():
        for server, client in product(ends, ends):
            pods = isinstance(client, Pod), isinstance(server, Pod)
            if client == server or not any(pods):
                continue
            turn += OUTSIDERS_EACH
            chosen = traffic if all(pods) else [traffic[(turn + n) % len(traffic)] for n in range(OUTSIDERS_EACH)]
            yield from (Trial(Connection(client, server, *each, family)) for each in chosen)
    trials = Trials(cluster.engine, cluster.ends)
    for frontend in frontends(cluster.topology.snapshot):
        yield from (trials.through(each.pod, frontend) for each in frontend.endpoints)


def _wrong(cluster: Cluster, comparison: Comparison) -> str:
    """Return what is wrong with one connection, or nothing."""
    defined = cluster.judge.defines(comparison.connection)
    if comparison.agrees and comparison.engine is defined:
        return ""
    return f"{comparison}, definition {'allowed' if defined else 'denied'}, {comparison.result}"


@dataclass
class Run:
    """What a run of random worlds has seen so far."""

    worlds: int = 0
    probes: int = 0

    def try_worlds(self, count: int, *, always_the_same: bool) -> None:
        """Try so many random worlds; raises AssertionError with a small one that differs."""

        @settings(max_examples=count, derandomize=always_the_same, database=None)
        @given(snapshots(WORLDS))
        def each(snapshot: Snapshot) -> None:
            probes, wrong = differences(snapshot)
            self.worlds += 1
            self.probes += probes
            assert not wrong, "\n".join(wrong[:10])

        each()


def main(count: int) -> int:
    """Try so many worlds and say so."""

    def run() -> None:
        start, seen = time.monotonic(), Run()
        seen.try_worlds(count, always_the_same=False)
        took = time.monotonic() - start
        print(f"{seen.worlds} worlds, {seen.probes:,} probes, 0 differences, {took:.1f} s")  # noqa: T201

    failure = run_isolated(run)
    sys.stderr.write(failure)
    return 1 if failure else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 200))
