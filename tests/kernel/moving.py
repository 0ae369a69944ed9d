"""A small lab under floods while its rules are changed, and what must be so afterwards."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from ringfence.dataplane.plan import plan_node
from ringfence.edges.flood import Flood, Stream
from ringfence.lab.cluster import Cluster
from ringfence.lab.held import judge_flows, prove_nodes
from ringfence.lab.topology import lay_out
from ringfence.lab.trying import Attempt
from ringfence.lab.wiring import wiring_of
from ringfence.semantics.engine import Engine
from ringfence.semantics.question import Question
from tests.kernel.test_cluster import DUAL_STACK
from tests.lab.small import MANIFESTS, pod_of, small, snapshot_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.dataplane.plan import NodePlan
    from ringfence.edges.netns import Network
    from ringfence.model.snapshot import Snapshot

PAUSE_MS = 10
"""Between the bursts of a flood, which shares the machine with what it watches."""

LESS = MANIFESTS.replace("192.0.2.128/25", "192.0.2.0/25").replace("endPort: 8010", "endPort: 8005")
"""Policies under which the database may reach fewer; web pods may reach it as before."""


class Moving:
    """The small lab in both families, whose nodes other programs change.

    Attributes:
        cluster: The lab.
        node: The node of the database.
        network: Its network.
    """

    def __init__(self) -> None:
        self.cluster = Cluster(lay_out(small(DUAL_STACK)))
        self.cluster.prober.close()
        self.node = pod_of(self.cluster.topology.snapshot, "db").node or ""
        self.network: Network = self.cluster.nodes[self.node]

    def snapshot(self, manifests: str) -> Snapshot:
        """The cluster under the policies of manifests."""
        return replace(self.cluster.topology.snapshot, policies=snapshot_of(manifests).policies)

    def plan(self, manifests: str) -> NodePlan:
        """What the node of the database must enforce then."""
        return plan_node(Engine(self.snapshot(manifests)), self.node, wiring_of(self.cluster.topology))

    def flood(
        self, port: int, protocol: str = "TCP", server: str = "db", client: str = "web-0", pause_ms: int = PAUSE_MS
    ) -> list[Flood]:
        """Floods from one pod to another, one in each family."""
        question = Question.of(client, server, port, protocol)
        found = []
        for trial in Attempt(question, "shop").trials(self.cluster):
            probe = trial.probe(self.cluster.ends)
            stream = Stream(probe.source, probe.destination, probe.protocol, probe.port)
            asked = trial.connection
            sender, receiver = map(self.cluster.network, (asked.client, asked.server))
            found.append(Flood(stream, sender, [receiver], pause_ms=pause_ms))
        return found

    @contextmanager
    def watched(self) -> Iterator[None]:
        """See that nothing denied arrives meanwhile, and everything allowed, live connections and new ones."""
        denied = [*self.flood(7, "UDP"), *self.flood(7)[:1]]
        allowed = [*self.flood(5432)[:1], *self.flood(9, "UDP", server="web-1")]
        try:
            yield
            assert [each.counts()[0].arrived for each in denied] == [0] * len(denied)
            lost = [count.sent - count.arrived for each in allowed for count in each.counts()]
            assert lost == [0] * len(allowed)
            assert all(count.sent > 0 for each in (*denied, *allowed) for count in each.counts())
        finally:
            for each in (*denied, *allowed):
                each.close()

    def check(self, manifests: str) -> None:
        """See that the node enforces exactly these policies, on every live connection that it does not judge too."""
        lab = self.cluster
        lab.engine = Engine(self.snapshot(manifests))
        lab.plans[self.node] = self.plan(manifests)
        (proof,) = (each for each in prove_nodes(lab) if each.node == self.node)
        assert list(proof.lines(lab.engine.snapshot)) == []
        (found,) = (each for each in judge_flows(lab) if each.node == self.node)
        assert found.flows.denied == ()
