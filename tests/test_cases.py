"""Every decider gives the answers of every case."""

from __future__ import annotations

import pytest

from ringfence.algebra.traffic import point
from ringfence.dataplane.compile import compile_program
from ringfence.dataplane.plan import plan_node
from ringfence.lab.ends import Ends
from ringfence.lab.judge import Judge
from ringfence.lab.topology import lay_out
from ringfence.lab.wiring import wiring_of
from ringfence.semantics.dialects import RINGFENCE
from ringfence.semantics.engine import Engine
from ringfence.semantics.spec import verdict
from ringfence.semantics.verdict import Outcome
from tests.case import Case, Row, cases
from tests.case_index import INDEX, render

CASES = cases()
ROWS = [
    pytest.param(case, row, id=f"{case.name}: {row.text} ({row.dialect.name})")
    for case in CASES
    for row in (*case.rows, *case.dialect_rows)
]


@pytest.mark.parametrize(("case", "row"), ROWS)
def test_the_definition_answers(case: Case, row: Row):
    """The definition gives the outcome, the policies or rules that decided, and what it rests on that is open."""
    for ask in case.connections(row):
        answer = verdict(case.snapshot, ask, row.dialect)

        assert answer.outcome is row.outcome
        assert row.names_what_decided(answer), answer
        assert tuple(sorted({each.topic for each in answer.undefined})) == row.open


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_engine_answers(case: Case):
    """The engine gives the outcome of every row, in its dialect."""
    engines = {row.dialect: Engine(case.snapshot, row.dialect) for row in (*case.rows, *case.dialect_rows)}

    for row in (*case.rows, *case.dialect_rows):
        for ask in case.connections(row):
            traffic = engines[row.dialect].allowed(ask.client, ask.server, ask.family, ask.via)
            asked = point(ask.protocol, ask.port)
            outcome = Outcome.UNDECIDED if asked in traffic.undecided else Outcome.DENIED
            assert (Outcome.ALLOWED if asked in traffic.allowed else outcome) is row.outcome, (row.text, ask)


@pytest.mark.parametrize("nodes", [1, 2])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_compiled_programs_answer(case: Case, nodes: int):
    """The programs of the nodes on the way, run on the packet, let through what is allowed, and nothing else.

    Pods that no case puts on a node are neighbors on one, or strangers on two.
    """
    topology = lay_out(case.snapshot, nodes)
    engine = Engine(topology.snapshot, RINGFENCE)
    links = wiring_of(topology)
    programs = {node: compile_program(plan_node(engine, node, links)) for node in topology.snapshot.nodes}
    judge = Judge(engine, programs, Ends(topology))

    for row in case.rows:
        for ask in case.connections(row, topology.snapshot):
            assert judge.passes(ask) is (row.outcome is Outcome.ALLOWED), (row.text, ask)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_is_read_whole(case: Case):
    """What a sentence is shown with is valid: nothing of it is an error or passed over."""
    assert case.problems == ()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_shows_both_sides(case: Case):
    """A table of one outcome alone cannot tell a sentence from its neglect."""
    assert len({row.outcome for row in case.rows}) > 1


def test_the_index_holds_every_case():
    """The page is what its generator writes: no case is missing, and none is made up."""
    assert INDEX.read_text() == render()
