"""Engine, simulated programs and kernel, compared by real packets, and what the kernel holds with the engine."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.lab.held import judge_flows, prove_nodes
from ringfence.lab.probes import Trials
from ringfence.report.counting import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ringfence.algebra.addresses import Family
    from ringfence.lab.cluster import Cluster
    from ringfence.lab.held import NodeFlows, NodeProof
    from ringfence.lab.judge import Comparison
    from ringfence.lab.probes import Plan

_EVERY_S = 0.5
"""How often somebody who waits is told how far the work is."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How many connections of one family were tried, and how many each of the three allowed.

    Attributes:
        tried: All of them.
        engine: Those that the engine allows.
        undecided: Those that it leaves undecided, and that must be dropped for that.
        program: Those that the simulated programs let through.
        kernel: Those that the kernel let through.
        denied: Those that the kernel dropped.
        differences: Those that the three do not agree on.
    """

    tried: int
    engine: int
    undecided: int
    program: int
    kernel: int
    denied: int
    differences: int


@dataclass(frozen=True, slots=True)
class Verification:
    """What came out of all trials.

    Attributes:
        comparisons: One for each trial, in the order of the plan.
        total: How many trials there would have been with every pair.
        seconds: How long planning, sending and judging took.
        missed: How many drops the kernel could not tell of meanwhile.
        nodes: What came of reading back what each node holds.
        flows: What came of the flows of each node; None when nobody asked for them.
    """

    comparisons: tuple[Comparison, ...]
    total: int
    seconds: float
    missed: int = 0
    nodes: tuple[NodeProof, ...] = ()
    flows: tuple[NodeFlows, ...] | None = None

    @property
    def differences(self) -> tuple[Comparison, ...]:
        """The connections that the three do not agree on."""
        return tuple(each for each in self.comparisons if not each.agrees)

    def tally(self, family: Family) -> Tally:
        """Count the connections of one family."""
        mine = [each for each in self.comparisons if each.connection.family is family]
        return Tally(
            tried=len(mine),
            engine=sum(each.engine for each in mine),
            undecided=sum(each.undecided for each in mine),
            program=sum(each.program for each in mine),
            kernel=sum(each.kernel is True for each in mine),
            denied=sum(each.kernel is False for each in mine),
            differences=sum(not each.agrees for each in mine),
        )

    @property
    def undecided(self) -> int:
        """How many of them the engine leaves undecided."""
        return sum(each.undecided for each in self.comparisons)

    @property
    def through_services(self) -> int:
        """How many of them went through a Service."""
        return sum(bool(each.through) for each in self.comparisons)


def verify(
    cluster: Cluster, *, every: bool = False, flows: bool = False, progress: Callable[[str], None]
) -> Verification:
    """Read back what the nodes of a lab hold, then try connections and judge what became of each.

    Args:
        cluster: The lab.
        every: Try every pair, however many there are.
        flows: Judge what the nodes track as well, when all was tried.
        progress: Is told twice a second how far it is.
    """
    start, missed = time.monotonic(), cluster.drops.missed
    progress("reading back what the nodes hold")
    nodes = tuple(prove_nodes(cluster))
    plan = Trials(cluster.engine, cluster.ends).plan(every=every)
    comparisons = tuple(_judged(cluster, plan, progress))
    missed = cluster.drops.missed - missed
    tracked = tuple(judge_flows(cluster)) if flows else None
    return Verification(comparisons, plan.total, time.monotonic() - start, missed, nodes, tracked)


def _judged(cluster: Cluster, plan: Plan, progress: Callable[[str], None]) -> Iterator[Comparison]:
    told = time.monotonic()
    results = cluster.prober.run([trial.probe(cluster.ends) for trial in plan.trials])
    for number, (trial, result) in enumerate(zip(plan.trials, results, strict=True), 1):
        yield cluster.judge.compare(trial, result)
        if time.monotonic() - told > _EVERY_S:
            told = time.monotonic()
            progress(f"{number:,} of {counted(len(plan.trials), 'connection')} tried")
