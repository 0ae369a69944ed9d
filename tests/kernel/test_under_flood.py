"""Rules that are replaced, edited and tightened while packets come without a pause.

``RINGFENCE_CHANGES`` says how many changes of each kind there are; CI makes a few.
"""

from __future__ import annotations

import os
import random

import pytest

from ringfence.dataplane.compile import compile_program
from ringfence.dataplane.delta import replacement
from ringfence.edges import links
from ringfence.edges.nftables import Nftables
from ringfence.lab.held import judge_flows
from tests.kernel.isolation import isolated
from tests.kernel.moving import Moving
from tests.lab.small import MANIFESTS

pytestmark = pytest.mark.kernel
PAUSE_MS = 20
"""Between eight new connections and the next; each of them is read and judged after every tightening."""

CHANGES = int(os.environ.get("RINGFENCE_CHANGES", "6"))
SEED = int(os.environ.get("RINGFENCE_SEED", "1"))
DENIED = MANIFESTS.replace("app: web}}}]\n      ports", "app: nobody}}}]\n      ports")
POLICY = """
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: more-{name}, namespace: shop}}
spec:
  podSelector: {{matchLabels: {{app: {subject}}}}}
  policyTypes: [{kind}]
  {direction}:
    - {peers}: [{peer}]
      ports: [{{port: {port}, endPort: {last}, protocol: {protocol}}}]
"""
PEERS = (
    "{ipBlock: {cidr: 198.51.100.0/24}}",
    "{ipBlock: {cidr: 198.51.0.0/16, except: [198.51.100.0/25]}}",
    "{ipBlock: {cidr: '2001:db8:1::/48'}}",
    "{podSelector: {matchLabels: {app: db}}}",
)
"""Peers that no flood comes from."""


def edited(choice: random.Random) -> str:
    """Random policies beside those of the small cluster; what the floods send is judged as ever."""
    more = []
    for name in range(choice.randrange(4)):
        # Whom a web pod may be reached by is left alone: everybody.
        egress = choice.random() < 0.5
        kind, direction, peers = ("Egress", "egress", "to") if egress else ("Ingress", "ingress", "from")
        port = choice.randrange(100, 9_000)
        more.append(
            POLICY.format(
                name=name,
                subject="db",
                kind=kind,
                direction=direction,
                peers=peers,
                peer=choice.choice(PEERS),
                port=port,
                last=port + choice.choice((0, 0, 50)),
                protocol=choice.choice(("TCP", "UDP")),
            )
        )
    return MANIFESTS + "".join(more)


@isolated
def test_a_table_is_replaced_without_a_gap():
    """All of it in one transaction, again and again."""
    lab = Moving()
    program = compile_program(lab.plan(MANIFESTS))
    kernel = Nftables(lab.network)
    with lab.watched():
        for _ in range(CHANGES):
            kernel.apply(replacement(program))
    lab.check(MANIFESTS)


@isolated
def test_random_edits_lose_nothing_and_let_nothing_through():
    """One after the other on every node, by differences; what the nodes hold is right each time."""
    lab, choice = Moving(), random.Random(SEED)  # noqa: S311 - a walk to repeat, no secret
    with lab.watched():
        for turn in range(CHANGES):
            manifests = edited(choice)
            assert lab.cluster.change(lab.snapshot(manifests)) == ()
            if turn % 10 == 0:
                lab.check(manifests)
    lab.check(manifests)


@isolated
def test_no_connection_is_let_through_unjudged_that_a_tightening_denies():
    """New connections come all the while; of those that a node tracks none bears the number of rules that deny it."""
    lab = Moving()
    # Closed connections are forgotten soon, or there would be as many as were ever opened.
    timeouts = {f"netfilter/nf_conntrack_tcp_timeout_{state}": "1" for state in ("close", "syn_sent", "syn_recv")}
    for network in lab.cluster.nodes.values():
        links.set_sysctls(network, timeouts)
    floods = [*lab.flood(5432, pause_ms=PAUSE_MS)]
    tracked = 0
    try:
        for _ in range(CHANGES):
            lab.cluster.change(lab.snapshot(MANIFESTS))
            sent = [flood.turn() for flood in floods]
            while any(flood.turn() <= before for flood, before in zip(floods, sent, strict=True)):
                pass
            lab.cluster.change(lab.snapshot(DENIED))
            for found in judge_flows(lab.cluster):
                assert found.flows.denied == ()
                tracked += found.flows.read
    finally:
        for flood in floods:
            flood.close()
    assert tracked > 0
