"""The engine against the definition, on a world in which every open point matters."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ringfence.algebra.addresses import Family, read_address
from ringfence.model.cluster import Pod
from ringfence.model.connection import Connection
from ringfence.model.policy import Action, Tier
from ringfence.semantics.dialects import TIES, Dialect, Topic
from ringfence.semantics.engine import Engine, PairTraffic
from ringfence.semantics.spec import verdict
from tests.differential.test_engine import POINTS, outcome, told
from tests.parts import block, cluster_policy, network_policy, node, pod, pods, rule, snapshot, tcp
from tests.worlds import pairs

if TYPE_CHECKING:
    from ringfence.model.snapshot import Snapshot


def crossroads() -> Snapshot:
    """A world in which every open point matters: alike and host-network pods on two nodes, one with a tunnel."""
    everywhere = [
        pod(f"x/{name}-{number}", "app=a", f"10.0.{number}.{place}", node=f"n{number}")
        for place, name in enumerate(("one", "two"), 1)
        for number in (1, 2)
    ]
    hosts = [pod(f"x/host-{number}", "app=a", node=f"n{number}", host_network=True) for number in (1, 2)]
    hosts.append(pod("x/host-3", "app=a", host_network=True))
    nodes = [node(f"n{number}", f"192.168.0.{number}") for number in (1, 2)]
    nodes[1] = replace(nodes[1], tunnels=(read_address("10.0.2.0"),))
    to_some = network_policy(
        "x/to", "app=a", egress=(rule(block("0.0.0.0/0"), traffic=tcp(81)), rule(pods("app=a"), traffic=tcp(80)))
    )
    from_some = network_policy("x/from", "app=a", ingress=(rule(block("10.0.0.0/16"), traffic=tcp(80, 81)),))
    baseline = cluster_policy("b", Tier.BASELINE, ingress=(rule(action=Action.DENY),))
    return snapshot(*everywhere, *hosts, *nodes, to_some, from_some, baseline)


CHOICES = [topic for topic in Topic if topic not in TIES]


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("topics", [(), *((topic,) for topic in CHOICES)])
def test_every_choice_is_the_definition_s(topics: tuple[Topic, ...], strict: bool):  # noqa: FBT001 - a parameter
    """No point or one decided the other way, on a world where each of them matters."""
    world, dialect = crossroads(), Dialect("some", frozenset(topics), strict)
    engine = Engine(world, dialect)
    blocks = list(engine.blocks(Family.IPV4))
    for client, server, family, via in pairs(world):
        whole = engine.allowed(client, server, family, via)
        pods_alone = client != server and not any(not isinstance(e, Pod) and world.pod_at(e) for e in (client, server))
        block_traffic = told(engine, blocks, client, server) if pods_alone else PairTraffic()
        for at, protocol, port in POINTS:
            defined = verdict(world, Connection(client, server, protocol, port, family, via), dialect)
            assert outcome(whole, at) is defined.outcome, defined
            assert not pods_alone or outcome(block_traffic, at) is defined.outcome, defined
