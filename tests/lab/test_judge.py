"""Three answers side by side: what agrees, what differs, and how it is said."""

from __future__ import annotations

import pytest

from ringfence.algebra.addresses import Family
from ringfence.algebra.traffic import Protocol
from ringfence.dataplane.compile import compile_program
from ringfence.dataplane.plan import plan_node
from ringfence.edges.probe import Fate, Result
from ringfence.lab.ends import Ends
from ringfence.lab.judge import Comparison, Judge
from ringfence.lab.probes import Trial, Trials
from ringfence.lab.services import frontends
from ringfence.lab.topology import lay_out
from ringfence.lab.wiring import wiring_of
from ringfence.model.connection import Connection
from ringfence.semantics.engine import Engine
from tests.lab.small import pod_of, small

TOPOLOGY = lay_out(small())
SNAPSHOT = TOPOLOGY.snapshot
ENGINE = Engine(SNAPSHOT)
PROGRAMS = {node: compile_program(plan_node(ENGINE, node, wiring_of(TOPOLOGY))) for node in SNAPSHOT.nodes}
JUDGE = Judge(ENGINE, PROGRAMS, Ends(TOPOLOGY))
WEB, DB, AGENT = (pod_of(SNAPSHOT, name) for name in ("web-0", "db", "agent"))
ALLOWED = Connection(WEB, DB, Protocol.TCP, 5432)
DENIED = Connection(WEB, DB, Protocol.TCP, 5433)


@pytest.mark.parametrize("connection", [ALLOWED, DENIED, Connection(WEB, DB, Protocol.ICMP, 0)])
def test_engine_program_and_definition_agree(connection: Connection):
    """On what is allowed, what is denied, and what has no ports."""
    answers = {JUDGE.allows(connection), JUDGE.passes(connection), JUDGE.defines(connection)}

    assert answers == {connection is ALLOWED}


def test_a_pod_that_meets_itself_directly_meets_no_program():
    """Its packets never leave it."""
    assert JUDGE.passes(Connection(DB, DB, Protocol.TCP, 1))


def test_both_nodes_must_let_a_packet_pass():
    """One that drops is enough."""
    every = Comparison(DENIED, "", engine=False, program=JUDGE.passes(DENIED), result=Result(Fate.DROPPED))

    assert every.agrees


@pytest.mark.parametrize(
    ("fate", "kernel", "word"),
    [
        (Fate.REACHED, True, "allowed"),
        (Fate.DROPPED, False, "denied"),
        (Fate.UNANSWERED, None, "unanswered"),
        (Fate.LOST, None, "lost"),
    ],
)
def test_what_the_kernel_did_is_an_answer_only_when_it_was_seen(fate: Fate, kernel: bool | None, word: str):  # noqa: FBT001
    """Lost is never denied, and a nonce without an answer is not allowed."""
    comparison = Comparison(DENIED, "", engine=False, program=False, result=Result(fate))

    assert (comparison.kernel, comparison.word) == (kernel, word)
    assert comparison.agrees is (kernel is False)


@pytest.mark.parametrize(("engine", "program"), [(True, False), (False, True), (True, True)])
def test_one_that_differs_is_a_difference(*, engine: bool, program: bool):
    """Whoever of the three it is."""
    assert not Comparison(DENIED, "", engine=engine, program=program, result=Result(Fate.DROPPED)).agrees


def test_a_difference_names_the_packet_and_who_says_what():
    """One line, with the Service and the family where they matter."""
    asked = Connection(WEB, DB, Protocol.UDP, 53, Family.IPV6)

    text = str(Comparison(asked, "shop/dns", engine=True, program=True, result=Result(Fate.LOST)))

    assert text == (
        "shop/web-0 -> shop/db UDP/53 over IPv6 through shop/dns: engine allowed, program allowed, kernel lost"
    )


def test_the_endpoint_that_the_kernel_chose_is_judged():
    """Not the one that stood for all when the trial was planned."""
    (frontend,) = frontends(SNAPSHOT)
    first, second = frontend.endpoints
    trial = Trials(ENGINE, JUDGE.ends).through(AGENT, frontend)
    arrived = second.pod.addresses[Family.IPV4]

    comparison = JUDGE.compare(trial, Result(Fate.REACHED, arrived))

    assert trial.connection.server == first.pod
    assert comparison.connection.server == second.pod
    assert comparison.through == "shop/web"


def test_a_direct_trial_is_judged_as_it_is():
    """There is nobody to choose."""
    comparison = JUDGE.compare(Trial(ALLOWED), Result(Fate.REACHED))

    assert (comparison.connection, comparison.through) == (ALLOWED, "")
