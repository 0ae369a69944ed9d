"""Intents that hold, and connections that break others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ringfence.analysis.intents import Aim, Intent, Term, aim
from ringfence.analysis.proving import Finding, Proof, Standing
from ringfence.analysis.whom import Names
from ringfence.model.policy import Direction
from ringfence.semantics.dialects import KUBERNETES
from ringfence.semantics.engine import Engine
from ringfence.semantics.question import Question
from tests.parts import network_policy, node, place, pod, pods, port, rule, service, service_port, snapshot, tcp

if TYPE_CHECKING:
    from ringfence.model.snapshot import Snapshot


def terms(text: str) -> tuple[Term, ...]:
    """Names, each at a place of its own."""
    return tuple(Term(each, place(each)) for each in text.split())


def intent(kind: Aim, group: str, others: str, ports: str = "", towards: Direction = Direction.INGRESS) -> Intent:
    """An intent of two sides."""
    asked = tuple((Term(each, place(each)), Question.of("", "", each)) for each in ports.split())
    return Intent(kind, place(), (terms(group),), terms(others), towards, asked)


def found(world: Snapshot, meant: Intent) -> Finding:
    """How an intent stands."""
    (aimed,), errors = aim([meant], Names(world, "x"))
    assert errors == ()
    return Proof(Engine(world), KUBERNETES).find(aimed)


def shown(finding: Finding) -> tuple[str, str, int]:
    """The connection that breaks an intent."""
    assert finding.counterexample
    asked = finding.counterexample.connection
    return str(asked.client), str(asked.server), asked.port


OPEN = network_policy("x/db", "app=db", ingress=(rule(pods("app=api"), traffic=tcp(80, 81)),))
WORLD = snapshot(pod("x/db", "app=db"), pod("x/api", "app=api"), pod("x/web"), OPEN)


def test_all_that_must_pass_has_to():
    """On every port that is meant, for every member."""
    assert found(WORLD, intent(Aim.ALLOW, "x/api", "x/db", "80 81")).standing is Standing.HELD
    assert shown(found(WORLD, intent(Aim.ALLOW, "x/api", "x/db", "80-82"))) == ("x/api", "x/db", 82)
    assert shown(found(WORLD, intent(Aim.ALLOW, "x/api x/web", "x/db", "80"))) == ("x/web", "x/db", 80)
    assert shown(found(WORLD, intent(Aim.ALLOW, "x/web", "x/", "80"))) == ("x/web", "x/db", 80)


def test_nothing_that_must_not_pass_may():
    """One port of one member is enough."""
    assert found(WORLD, intent(Aim.DENY, "x/web", "x/db")).standing is Standing.HELD
    assert shown(found(WORLD, intent(Aim.DENY, "x/web x/api", "x/db"))) == ("x/api", "x/db", 80)


def test_only_means_nobody_else():
    """Towards either side; whether those who may do is another intent."""
    assert found(WORLD, intent(Aim.ONLY, "x/api", "x/db")).standing is Standing.HELD
    assert shown(found(WORLD, intent(Aim.ONLY, "x/web", "x/db"))) == ("x/api", "x/db", 80)
    assert shown(found(WORLD, intent(Aim.ONLY, "x/api", "x/web", towards=Direction.EGRESS)))[:2] == ("x/web", "0")


def test_only_spares_a_pod_s_own_node_and_deny_does_not():
    """No NetworkPolicy keeps a pod from being reached from its node."""
    host = pod("x/host", node="n1", host_network=True)
    closed = network_policy("x/db", "app=db", ingress=())
    world = snapshot(host, pod("x/db", "app=db", node="n1"), pod("x/api", node="n1"), node("n1", "192.168.0.1"), closed)

    assert found(world, intent(Aim.ONLY, "x/api", "x/db")).standing is Standing.HELD
    assert shown(found(world, intent(Aim.DENY, "x/host", "x/db")))[:2] == ("x/host", "x/db")
    assert found(world, intent(Aim.ALLOW, "x/host", "x/db")).standing is Standing.HELD


def test_a_service_is_meant_on_the_ports_that_it_leads_to():
    """What its pods take on others is somebody else's intent."""
    world = snapshot(*WORLD.pods, OPEN, services=(service("x/db", "app=db", ports=(service_port(1, 80),)),))

    assert found(world, intent(Aim.ALLOW, "x/api", "svc:x/db")).standing is Standing.HELD
    assert shown(found(world, intent(Aim.ONLY, "svc:x/db", "x/api", towards=Direction.EGRESS)))[0] == "x/api"


def test_a_port_s_name_is_a_number_of_each_server_s_own():
    """Servers without it are not meant, unless nobody has it."""
    named = snapshot(pod("x/a", ports=(port("web", 80),)), pod("x/b", ports=(port("web", 81),)), pod("x/c"))
    closed = network_policy("x/p", "", ingress=(rule(traffic=tcp(80)),))
    world = snapshot(*named.pods, closed)

    assert shown(found(world, intent(Aim.ALLOW, "x/c", "x/a x/b", "web"))) == ("x/c", "x/b", 81)
    _, errors = aim([intent(Aim.ALLOW, "x/a", "x/c", "web")], Names(world, "x"))
    assert [error.message for error in errors] == ["no server has a port named web"]


@pytest.mark.parametrize(
    ("meant", "message"),
    [
        (intent(Aim.DENY, "1.2.3.4", "internet"), "neither side has pods, so no policy decides"),
        (intent(Aim.DENY, "x/gone", "x/db"), "nothing is named x/gone"),
        (intent(Aim.DENY, "2001:db8::1", "x/db"), "the sides have no address family in common"),
        (Intent(Aim.ISOLATED, place(), (terms("x/db"), terms("x/"))), "pod x/db is in two groups"),
    ],
)
def test_an_intent_about_nobody_is_an_error_at_its_place(meant: Intent, message: str):
    """Nothing is proved of it."""
    aimed, errors = aim([meant], Names(WORLD, "x"))

    assert aimed == ()
    assert [error.message for error in errors] == [message]
