"""The open points that a map rests on, against those that the definition names for single connections."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.algebra.addresses import read_address
from ringfence.algebra.selectors import EVERYTHING, Selector
from ringfence.model.cluster import Node, Pod
from ringfence.model.connection import Connection
from ringfence.model.policy import Action, DomainPeer, NodePeer, Tier
from ringfence.semantics.dialects import KUBERNETES, Dialect, Topic
from ringfence.semantics.engine import Engine
from ringfence.semantics.resting import touching
from ringfence.semantics.spec import verdict
from ringfence.semantics.universe import Universe
from ringfence.semantics.unknown import NODES
from ringfence.semantics.verdict import Undefined, Verdict
from tests.differential.test_dialects import CHOICES, crossroads
from tests.differential.test_engine import POINTS, dialects, forms, worlds
from tests.parts import block, cluster_policy, network_policy, place, pod, rule, snapshot, tcp
from tests.worlds import pairs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.model.policy import Rule
    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics.sets import Sets


def answers(world: Snapshot, dialect: Dialect, namespace: str | None) -> Iterator[Verdict]:
    """What the definition says of every pair, no pod with itself, with an end in a namespace."""
    for client, server, family, via in pairs(world):
        others = [end for end in (client, server) if not isinstance(end, Pod)]
        told = {end.namespace for end in (client, server) if isinstance(end, Pod)}
        if via is None and client != server and not any(map(world.pod_at, others)) and namespace in {None, *told}:
            for _, protocol, port in POINTS:
                yield verdict(world, Connection(client, server, protocol, port, family), dialect)


def defined(world: Snapshot, dialect: Dialect, namespace: str | None) -> set[str]:
    """The points that the definition names for some pair."""
    return {each.topic for answer in answers(world, dialect, namespace) for each in answer.undefined}


@given(forms, worlds, dialects | st.just(KUBERNETES), st.sampled_from([None, "x", "y"]))
def test_a_map_rests_on_what_some_connection_rests_on(
    form: Sets, world: Snapshot, dialect: Dialect, namespace: str | None
):
    """The engine names every point that the definition names for some pair, and no other; so what is not known."""
    engine, found = Engine(world, dialect, form, flips=True), list(answers(world, dialect, namespace))

    assert {each.topic for each in engine.rests_on(namespace)} == {u.topic for each in found for u in each.undefined}
    assert {*engine.unknown(namespace)} == {unknown for each in found for unknown in each.unknown}


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


@pytest.mark.parametrize("names", ["ab", "ba"])
def test_what_the_other_end_denies_whatever_anybody_decides_rests_on_nothing(names: str):
    """Whether a block lets a pod out to another does not matter where that one takes nothing from anybody."""
    client, server = (pod(f"x/{name}", f"app={name}", f"10.0.0.{at}") for at, name in enumerate(names, 1))
    out = network_policy("x/out", f"app={names[0]}", egress=(rule(block("10.0.0.0/24"), traffic=tcp(80)),))
    closed = network_policy("x/closed", f"app={names[1]}", ingress=())
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


def both(world: Snapshot) -> tuple[set[str], set[str]]:
    """The open points and the unknown that engine and definition name alike."""
    engine, found = Engine(world, flips=True), list(answers(world, KUBERNETES, None))
    points, words = ({u.topic for u in engine.rests_on()}, {u.words for u in engine.unknown()})

    assert (points, words) == (
        {u.topic for each in found for u in each.undefined},
        {u.words for each in found for u in each.unknown},
    )
    return points, words


IN_A = NodePeer(Selector.labels({"zone": "a"}), place("zone"))


def test_a_tie_is_named_where_its_order_would_decide():
    """Whether the server is in the zone is not known, and matters in one order alone; so does which order it is."""
    client, server = pod("x/a", "app=a", "10.0.0.1"), pod("x/b", host_network=True)
    node = Node("n1", {"zone": "b"}, (read_address("192.168.0.1"),))
    accept, deny = rule(IN_A), rule(NodePeer(EVERYTHING, place("all")), action=Action.DENY)
    for names in (("a", "b"), ("b", "a")):
        narrow, wide = (
            cluster_policy(name, Tier.ADMIN, egress=(each,)) for name, each in zip(names, (accept, deny), strict=True)
        )

        assert "equal-priority" in both(snapshot(client, server, node, narrow, wide))[0]
        assert "equal-priority" not in both(snapshot(client, server, node, narrow, replace(wide, priority=1)))[0]


def test_a_name_is_named_where_its_addresses_would_decide():
    """Not where what follows says the same, nor where nothing gets that far; of two names in one rule each may."""

    def names(*texts: str) -> Rule:
        return rule(DomainPeer(texts, place(texts[0])), action=Action.ACCEPT, at=texts[0])

    denied, accepted = (rule(block("0.0.0.0/0"), action=each, at=each.value) for each in (Action.DENY, Action.ACCEPT))
    not_there = rule(IN_A, action=Action.DENY, at="zone")
    named = {
        rules: both(snapshot(pod("x/a", "", "10.0.0.1"), cluster_policy("dn", Tier.ADMIN, egress=rules)))[1]
        for rules in (
            (names("a", "b"), denied),
            (names("a"), accepted),
            (names("a"), names("b"), denied, names("c")),
            (denied, names("a")),
            (not_there, names("a"), accepted),
            (not_there, names("a", "b"), denied),
        )
    }

    assert [*named.values()] == [
        {"the addresses of a", "the addresses of b"},
        set(),
        {"the addresses of a", "the addresses of b"},
        set(),
        {NODES.words},
        {NODES.words},
    ]
