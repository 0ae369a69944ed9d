"""Flows that go on without being judged are judged once more, for the pods of their node."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ringfence.algebra.addresses import read_address
from ringfence.dataplane.compile import compile_program
from ringfence.dataplane.expressions import Rule, Word
from ringfence.dataplane.flows import Flow, FlowJudge, JudgedFlows, Unjudged
from ringfence.dataplane.handling import Epoch, Handling, Mode
from ringfence.semantics.dialects import RINGFENCE
from ringfence.semantics.engine import Engine
from ringfence.semantics.judging import Judge
from tests.dataplane.small import small_plan, small_snapshot

DB, WEB, WEB_2, NODE, STRANGER = map(read_address, ("10.0.0.5", "10.0.0.9", "10.0.1.9", "192.168.0.1", "10.9.9.9"))
EPOCH = Epoch(7)
ENGINE = Engine(small_snapshot(), RINGFENCE)
JUDGE = Judge.of(ENGINE.snapshot, RINGFENCE)
HERE = Unjudged(((EPOCH.mask, EPOCH.value),))


def flow(client: int, server: int, port: int, number: int = 6, **more: object) -> Flow:
    """A flow that bears the epoch."""
    return Flow(number, client, 40_000, server, port, server, port, **{"mark": EPOCH.value, **more})


def judged(*flows: Flow, node: str = "n1", unjudged: Unjudged = HERE) -> JudgedFlows:
    """What comes of flows."""
    return FlowJudge(ENGINE, JUDGE, node).judge(flows, unjudged)


@pytest.mark.parametrize(
    ("established", "passes"),
    [
        (EPOCH, [True, True, False, False, False]),
        (Mode.TRUST, [False, True, True, True, False]),
        (Mode.ALWAYS, [False, False, False, False, False]),
    ],
)
def test_what_passes_unjudged_is_read_from_the_rules(established: Epoch | Mode, passes: list[bool]):
    """By the mark, other bits of it aside; or whatever was answered; or nothing; and never what has ended."""
    unjudged = Unjudged.by(compile_program(small_plan(), Handling(established)))
    flows = [
        flow(WEB, DB, 5432),
        flow(WEB, DB, 5432, mark=EPOCH.value | 0x8000_0001, answered=True),
        flow(WEB, DB, 5432, mark=Epoch(8).value, answered=True),
        flow(WEB, DB, 5432, mark=0, answered=True),
        flow(WEB, DB, 5432, answered=True, ended=True),
    ]

    assert [unjudged.passes(each) for each in flows] == passes


def test_where_nothing_judges_everything_passes():
    """There is no table, or somebody put a rule into a base chain that accepts whatever comes."""
    program = compile_program(small_plan(), Handling(Mode.ALWAYS))
    chains = tuple(
        replace(chain, rules=(Rule((Word.ACCEPT,)), *chain.rules)) if chain.name == "hook_input" else chain
        for chain in program.chains
    )

    assert Unjudged.by(None).passes(flow(WEB, DB, 1, mark=0))
    assert Unjudged.by(replace(program, chains=chains)).passes(flow(WEB, DB, 1, mark=0))


def test_a_flow_that_policies_deny_is_told_with_its_reason():
    """Both halves are this node's, and one of them denies."""
    found = judged(flow(WEB, DB, 5432), flow(WEB, DB, 22))

    assert (found.read, found.judged, found.others, found.anew) == (2, 2, 0, 0)
    (denied,) = found.denied
    assert str(denied.flow) == "10.0.0.9 port 40000 -> 10.0.0.5 port 22 TCP"
    assert [half.reason for half in denied.halves] == ["isolated by shop/db-from-web and no rule matched"]
    assert str(denied.connection.client) == "shop/web"


def test_what_another_node_enforces_is_not_asked_of_this_one():
    """A connection that the server's node refuses has been let out by its client's all the same."""
    one = flow(WEB_2, DB, 22)

    assert judged(one).denied
    assert judged(one, node="n2").denied == ()
    assert judged(one, node="n2").judged == 1


def test_only_what_goes_on_unjudged_and_is_a_pod_s_is_judged():
    """Everything else is counted: what is judged at its next packet, and what is between others."""
    found = judged(
        flow(WEB, DB, 22, mark=Epoch(6).value),
        flow(WEB, DB, 22, ended=True),
        flow(NODE, STRANGER, 22),
        flow(DB, WEB, 1),
    )

    assert (found.read, found.judged, found.others, found.anew, found.denied) == (4, 1, 1, 2, ())


def test_roles_are_those_of_the_opener():
    """A database may answer a web pod; it may not be reached by a stranger whose port is a database's."""
    assert judged(flow(WEB, DB, 5432, answered=True)).denied == ()
    (denied,) = judged(Flow(6, STRANGER, 5432, DB, 40_000, DB, 40_000, mark=EPOCH.value)).denied
    assert denied.connection.port == 40_000


def test_a_pod_that_meets_itself_came_through_a_service():
    """No NetworkPolicy blocks that, whatever the pod's own address would be told."""
    hairpin = Flow(6, DB, 40_000, read_address("10.96.0.1"), 80, DB, 22, mark=EPOCH.value)

    assert (judged(hairpin).judged, judged(hairpin).denied) == (1, ())


def test_what_a_node_sends_to_its_own_pods_is_nobody_s():
    """It meets no rule, and is always allowed; another node's is judged."""
    found = judged(flow(NODE, DB, 22), flow(read_address("192.168.0.2"), DB, 22))

    assert (found.judged, found.others) == (1, 1)
    assert [denied.flow.client for denied in found.denied] == [read_address("192.168.0.2")]
