"""Every case in a real kernel: the fourth decider."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ringfence.lab.cluster import Cluster
from ringfence.lab.probes import Trial
from ringfence.lab.services import frontends
from ringfence.lab.topology import lay_out
from ringfence.model.cluster import Pod
from ringfence.semantics.verdict import Outcome
from tests.case import Case, cases
from tests.kernel.isolation import isolated

if TYPE_CHECKING:
    from ringfence.lab.judge import Comparison
    from ringfence.model.connection import Connection
    from ringfence.model.snapshot import Snapshot

pytestmark = pytest.mark.kernel


@isolated
@pytest.mark.parametrize("nodes", [1, 2])
def test_the_kernel_answers_every_row_of_every_case(nodes: int):
    """A real packet arrives, or is dropped, as the sentence of the API wants it; within a node and between two."""
    wrong = [f"{case.name}: {each}" for case in cases() for each in contradictions(case, nodes)]

    assert wrong == []


def contradictions(case: Case, nodes: int) -> list[str]:
    """The rows of a case that the kernel answers otherwise when there are so many nodes at least."""
    cluster = Cluster(lay_out(case.snapshot, nodes))
    asked = [(row, ask) for row in case.rows for ask in case.connections(row, cluster.topology.snapshot)]
    for end in (end for _, ask in asked for end in (ask.client, ask.server)):
        if not isinstance(end, Pod):
            cluster.admit(end)
    trials = [trial_of(ask, cluster.topology.snapshot) for _, ask in asked]
    results = cluster.prober.run([trial.probe(cluster.ends) for trial in trials])
    found = [cluster.judge.compare(*each) for each in zip(trials, results, strict=True)]
    cluster.close()
    return [
        f"{each}; {row.outcome.value} is right"
        for each, (row, _) in zip(found, asked, strict=True)
        if bad(each, row.outcome)
    ]


def trial_of(ask: Connection, snapshot: Snapshot) -> Trial:
    """What to send; where a Service was called, to its own address and port."""
    if ask.via is None:
        return Trial(ask)
    return next(
        Trial(ask, frontend)
        for frontend in frontends(snapshot)
        if (str(frontend.service), frontend.family, frontend.port.protocol) == (ask.via, ask.family, ask.protocol)
        if [(each.pod, each.port) for each in frontend.endpoints] == [(ask.server, ask.port)]
    )


def bad(comparison: Comparison, right: Outcome) -> bool:
    """Whether the kernel is not of the right opinion; what is undecided it has to drop."""
    return comparison.kernel is not (right is Outcome.ALLOWED)
