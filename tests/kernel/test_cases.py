"""Every case in a real kernel: the fourth decider."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ringfence.lab.cluster import Cluster
from ringfence.lab.probes import Trial
from ringfence.lab.topology import lay_out
from ringfence.model.cluster import Pod
from ringfence.semantics.verdict import Outcome
from tests.case import Case, cases
from tests.kernel.isolation import isolated

if TYPE_CHECKING:
    from ringfence.lab.judge import Comparison

pytestmark = pytest.mark.kernel


@isolated
def test_the_kernel_answers_every_row_of_every_case():
    """A real packet arrives, or is dropped, as the sentence of the API wants it."""
    wrong = [f"{case.name}: {each}" for case in cases() for each in contradictions(case)]

    assert wrong == []


def contradictions(case: Case) -> list[str]:
    """The rows of a case that the kernel answers otherwise."""
    cluster = Cluster(lay_out(case.snapshot))
    connections = [case.connection(row, cluster.topology.snapshot) for row in case.rows]
    for end in (end for each in connections for end in (each.client, each.server)):
        if not isinstance(end, Pod):
            cluster.admit(end)
    trials = [Trial(each) for each in connections]
    results = cluster.prober.run([trial.probe(cluster.ends) for trial in trials])
    found = [cluster.judge.compare(*each) for each in zip(trials, results, strict=True)]
    cluster.close()
    return [
        f"{each}; {row.outcome.value} is right"
        for each, row in zip(found, case.rows, strict=True)
        if bad(each, row.outcome)
    ]


def bad(comparison: Comparison, right: Outcome) -> bool:
    """Whether the kernel is not of the right opinion."""
    return comparison.kernel is not (right is Outcome.ALLOWED)
