"""The verdict path says what the definition says, in its words, whatever it was asked before."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.algebra.addresses import Family, read_address
from ringfence.algebra.selectors import Selector
from ringfence.algebra.traffic import Protocol
from ringfence.model.cluster import Node
from ringfence.model.connection import Connection
from ringfence.model.policy import Action, DomainPeer, NodePeer, Tier
from ringfence.semantics.dialects import DIALECTS, KUBERNETES
from ringfence.semantics.judging import Judge
from ringfence.semantics.spec import verdict
from tests.parts import block, cluster_policy, named, network_policy, place, pod, pods, port, rule, snapshot, tcp
from tests.worlds import boundary_traffic, pairs, snapshots

if TYPE_CHECKING:
    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics.dialects import Dialect

BOTH = tuple(Family)
WEB = (port("web", 80),)
OPEN = (rule(pods("app=p")), rule(block("10.0.0.0/8")), rule(block("0.0.0.0/0")), rule(**named("web")))
PORTS = ((), WEB, (port("web", 81),))
GUESTS = ((1, "n9"), (2, None))
TWINS = snapshot(
    *(pod(f"x/subject-{number}", "app=s", node=node, ports=WEB) for number, node in enumerate(("n1", "n2", None))),
    *(pod(f"x/host-{number}", host_network=True, node=node) for number, node in enumerate(("n1", "n2", "n3", None))),
    *(pod(f"x/guest-{number}", "", f"192.168.0.1{number}", host_network=True, node=node) for number, node in GUESTS),
    *(pod(f"x/six-{number}", "", f"fd00::1{number}", node="n2", ports=own) for number, own in enumerate(PORTS)),
    pod("x/inside", "", "10.0.0.1", node="n2"),
    pod("x/outside", "", "172.16.0.1", node="n2"),
    pod("x/unknown", node="n2"),
    pod("x/dual", "", "10.0.0.2", "fd00::2", node="n2", ports=WEB),
    network_policy("x/in", "app=s", ingress=(OPEN[1], rule(**named("web")))),
    network_policy("x/out", "app=s", egress=OPEN),
    cluster_policy(
        "zones",
        Tier.ADMIN,
        egress=(
            rule(NodePeer(Selector.labels({"zone": "a"}), place("zone")), action=Action.DENY, traffic=tcp(80)),
            rule(DomainPeer(("example.com",), place("domain")), action=Action.DENY, traffic=tcp(81)),
        ),
    ),
    Node("n1", {"zone": "a"}, (read_address("192.168.0.1"), read_address("fd01::1"))),
    Node("n2", {"zone": "b"}, (read_address("192.168.0.2"), read_address("fd01::2"))),
    Node("n3", {"zone": "b"}, (read_address("192.168.0.3"),), tunnels=(read_address("10.0.3.0"),)),
    families=BOTH,
)
"""Ends that differ in one thing alone: their node, their address, whether these are known, and their ports."""

DIALECTS_AND_STRICT = [replace(each, strict=strict) for each, strict in product(DIALECTS.values(), (False, True))]


def judge(snapshot: Snapshot, dialect: Dialect = KUBERNETES) -> Judge:
    """Who judges a snapshot."""
    return Judge.of(snapshot, dialect)


@given(snapshots(), st.sampled_from(DIALECTS_AND_STRICT))
def test_every_connection_gets_the_definition_s_own_verdict(snapshot: Snapshot, dialect: Dialect):
    """Outcome, tier, reason, origins, nearest rules, assumptions and open points, of both halves."""
    judging = judge(snapshot, dialect)
    for client, server, family, via in pairs(snapshot):
        if via is None:
            for protocol, port in boundary_traffic():
                defined = verdict(snapshot, Connection(client, server, protocol, port, family), dialect)
                asked = (client, server, protocol, port, family)

                assert judging.verdict(*asked) == defined, asked
                assert judging.outcome(*asked) is defined.outcome, asked


@given(snapshots(), st.sampled_from(DIALECTS_AND_STRICT))
def test_every_half_is_the_definition_s_own(snapshot: Snapshot, dialect: Dialect):
    """Of connections through a Service as well, where a pod may meet itself; and whoever was told of it before."""
    judging = judge(snapshot, dialect)
    for client, server, family, via in pairs(snapshot):
        asked = Connection(client, server, Protocol.TCP, 80, family, via=via)
        for half in verdict(snapshot, asked, dialect).halves:
            assert judging.half(half.direction, asked) == half, asked


@pytest.mark.parametrize("dialect", [KUBERNETES, replace(DIALECTS["aws"], strict=True)], ids=["loose", "strict"])
@pytest.mark.parametrize("backwards", [False, True], ids=["forwards", "backwards"])
def test_ends_that_differ_in_one_thing_are_never_taken_for_each_other(dialect: Dialect, backwards: bool):  # noqa: FBT001
    """Whichever was asked about first."""
    judging = judge(TWINS, dialect)
    every = [each for each in pairs(TWINS) if each[3] is None]
    for client, server, family, _ in reversed(every) if backwards else every:
        for protocol, number in ((Protocol.TCP, 80), (Protocol.TCP, 81), (Protocol.UDP, 80), (Protocol.ICMP, 0)):
            defined = verdict(TWINS, Connection(client, server, protocol, number, family), dialect)

            assert judging.verdict(client, server, protocol, number, family) == defined, (client, server, number)


def test_a_loopback_is_taken_for_no_other_address():
    """Nor another for it, whichever was asked about first."""
    closed = pod("x/a", "app=a", "10.0.0.1")
    world = snapshot(closed, network_policy("x/p", "app=a", egress=()))
    judging = judge(world)
    asked = [read_address(text) for text in ("126.0.0.1", "127.0.0.1", "128.0.0.1", "127.0.0.2")]
    found = [judging.outcome(closed, each, Protocol.TCP, 80, Family.IPV4).value for each in asked]

    assert found == ["denied", "allowed", "denied", "allowed"]


def test_what_was_judged_is_forgotten_when_it_is_too_much(monkeypatch: pytest.MonkeyPatch):
    """And judged again."""
    monkeypatch.setattr("ringfence.semantics.judging._HALVES", 3)
    judging = judge(TWINS)
    for client, server, family, via in pairs(TWINS):
        if via is None:
            defined = verdict(TWINS, Connection(client, server, Protocol.TCP, 80, family))

            assert judging.outcome(client, server, Protocol.TCP, 80, family) is defined.outcome


def test_a_pod_that_is_not_of_the_snapshot_is_an_error():
    """It must not be judged by what another of its name is; one that only equals one of it is that one."""
    judging, own = judge(TWINS), TWINS.pods[0]
    for stranger in (pod("y/stranger"), replace(own, labels={"app": "other"})):
        with pytest.raises(KeyError):
            judging.outcome(stranger, own, Protocol.TCP, 80, Family.IPV4)

    assert judging.standing(replace(own)) is judging.standing(own)
