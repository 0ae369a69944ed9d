"""The open points that a map rests on, against those that the definition names for single connections."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.model.cluster import Pod
from ringfence.model.connection import Connection
from ringfence.semantics.dialects import KUBERNETES, Dialect, Topic
from ringfence.semantics.engine import Engine
from ringfence.semantics.resting import touching
from ringfence.semantics.spec import verdict
from ringfence.semantics.universe import Universe
from ringfence.semantics.verdict import Undefined
from tests.differential.test_dialects import CHOICES, crossroads
from tests.differential.test_engine import POINTS, dialects, forms, worlds
from tests.parts import block, network_policy, pod, rule, snapshot, tcp
from tests.worlds import pairs

if TYPE_CHECKING:
    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics.sets import Sets

TIES = Topic.EQUAL_PRIORITY.value


def defined(world: Snapshot, dialect: Dialect, namespace: str | None) -> set[str]:
    """The points that the definition names for some pair, no pod with itself, with an end in a namespace."""
    found: set[str] = set()
    for client, server, family, via in pairs(world):
        others = [end for end in (client, server) if not isinstance(end, Pod)]
        told = {end.namespace for end in (client, server) if isinstance(end, Pod)}
        if via is None and client != server and not any(map(world.pod_at, others)) and namespace in {None, *told}:
            for _, protocol, port in POINTS:
                answer = verdict(world, Connection(client, server, protocol, port, family), dialect)
                found |= {each.topic for each in answer.undefined}
    return found - {TIES}


@given(forms, worlds, dialects | st.just(KUBERNETES), st.sampled_from([None, "x", "y"]))
def test_a_map_rests_on_what_some_connection_rests_on(
    form: Sets, world: Snapshot, dialect: Dialect, namespace: str | None
):
    """The engine names every point that the definition names for some pair, and no other."""
    named = Engine(world, dialect, form, flips=True).rests_on(namespace)

    assert {each.topic for each in named} == defined(world, dialect, namespace)


OF_PAIRS = [topic for topic in CHOICES if topic in touching(Universe(crossroads()))]


@pytest.mark.parametrize("topics", [(), *((topic,) for topic in OF_PAIRS)])
def test_where_every_point_matters_each_is_named(topics: tuple[Topic, ...]):
    """Whoever decides it; all but what concerns Services and a pod that meets itself."""
    world, dialect = crossroads(), Dialect("some", frozenset(topics))
    named = {each.topic for each in Engine(world, dialect, flips=True).rests_on()}

    assert named == defined(world, dialect, None)
    assert len(named) >= 5


def test_what_concerns_nobody_of_a_namespace_is_not_named():
    """No pair has an end there."""
    assert Engine(crossroads(), flips=True).rests_on("elsewhere") == ()


def test_what_the_other_end_denies_whatever_anybody_decides_rests_on_nothing():
    """Whether a block lets a pod out to another does not matter where that one takes nothing from anybody."""
    client, server = pod("x/a", "app=a", "10.0.0.1"), pod("x/b", "app=b", "10.0.0.2")
    out = network_policy("x/out", "app=a", egress=(rule(block("10.0.0.0/24"), traffic=tcp(80)),))
    closed = network_policy("x/closed", "app=b", ingress=())
    named = {
        shut: {each.topic for each in Engine(snapshot(client, server, out, *shut), flips=True).rests_on()}
        for shut in ((), (closed,))
    }

    assert named[()] == {"icmp", "ip-block-pods"}
    assert named[closed,] == {"icmp"}


def test_who_would_answer_otherwise_is_named():
    """As an answer about one connection names them; strict or not."""
    for strict in (False, True):
        named = {
            each.topic: each for each in Engine(crossroads(), replace(KUBERNETES, strict=strict), flips=True).rests_on()
        }

        assert named["ip-block-pods"] == Undefined("ip-block-pods", "kubernetes", ("cilium", "gke"))
        assert named["icmp"].otherwise == ()
