"""Flows in a real kernel: what conntrack tells of them, and those that outlive what allowed them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ringfence.dataplane.compile import compile_program
from ringfence.edges import conntrack
from ringfence.edges.enforcement import Enforcer
from ringfence.edges.nftables import Nftables
from ringfence.lab.held import judge_flows
from ringfence.lab.verification import Verification
from ringfence.lab.words import tell_verification
from ringfence.semantics.engine import Engine
from tests.kernel.isolation import isolated
from tests.kernel.test_epoch import DENIED, PORT, connected, made, pass_on
from tests.lab.small import snapshot_of

pytestmark = pytest.mark.kernel


@isolated
def test_a_flow_that_outlives_what_allowed_it_is_found_out():
    """Rules change and keep their number, as they must not: the flow goes on, and is told with what denies it."""
    cluster, agent = made()
    with connected(cluster) as (client, server):
        pass_on(client, server, b"one")
        pass_on(server, client, b"two")
        (flow,) = (each for each in conntrack.flows(agent.network) if each.server_port == PORT)
        assert flow.client_port == client.getsockname()[1]
        assert flow.answered
        assert [each.flows.denied for each in judge_flows(cluster)] == [(), ()]

        cluster.engine = Engine(replace(cluster.topology.snapshot, policies=snapshot_of(DENIED).policies))
        kernel = Nftables(agent.network)
        Enforcer(kernel).apply(compile_program(agent.plan(DENIED), agent.upkeep.handling))
        pass_on(client, server, b"three")
        found = tuple(judge_flows(cluster))

        words = tell_verification(cluster.ends, Verification((), 0, 0.0, flows=found))
        assert not words.good
        assert "1 flow goes on although denied" in words.text
        assert "shop/db TCP/5432 goes on: 10.244." in words.text
        assert "(ingress denied: isolated by shop/db and no rule matched; small.yaml:34)" in words.text
        (document,) = (each for each in words.document["flows"] if each["denied"])
        assert (document["node"], document["denied"][0]["halves"][0]["verdict"]) == (agent.node, "denied")

        agent.apply(DENIED)
        assert [each.flows.denied for each in judge_flows(cluster)] == [(), ()]
        assert sum(each.flows.anew for each in judge_flows(cluster)) >= 1
