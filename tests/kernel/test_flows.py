"""Flows in a real kernel: what conntrack tells of them, and those that outlive what allowed them."""

from __future__ import annotations

import json
import select
import socket
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from ringfence.algebra.addresses import Family, render_address
from ringfence.dataplane.compile import compile_program
from ringfence.edges import conntrack, nft
from ringfence.edges.enforcement import Enforcer
from ringfence.edges.nftables import Nftables
from ringfence.lab.cluster import Cluster
from ringfence.lab.documents import lab_schema
from ringfence.lab.held import judge_flows
from ringfence.lab.telling import DropTeller, FlowTeller
from ringfence.lab.topology import lay_out
from ringfence.lab.verification import Verification, verify
from ringfence.lab.words import tell_verification
from ringfence.report.schemas import schemas
from ringfence.semantics.dialects import RINGFENCE
from ringfence.semantics.engine import Engine
from ringfence.semantics.judging import Judge
from tests.kernel.isolation import isolated
from tests.kernel.test_epoch import DENIED, PORT, WITHIN_S, connected, dropped, forget_connections, made, pass_on
from tests.lab.small import MANIFESTS, pod_of, snapshot_of
from tests.schemas import fits

if TYPE_CHECKING:
    from ringfence.lab.words import Words

pytestmark = pytest.mark.kernel
IN_AUDIT = DENIED.replace(
    "name: db, namespace: shop}\nspec:\n  podSelector",
    "name: db, namespace: shop, annotations: {ringfence.io/audit: 'true'}}\nspec:\n  podSelector",
)
ACCEPT = """
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: open, annotations: {ringfence.io/audit: "true"}}
spec:
  tier: Admin
  priority: 1
  subject: {namespaces: {}}
  ingress: [{action: Accept, from: [{namespaces: {}}]}]
"""
SCHEMA = json.loads(schemas()["flow.json"])


def told(cluster: Cluster) -> list[Words]:
    """What is told of all nodes so far, as the schema has it."""
    cluster.flows.read()
    cluster.drops.read()
    teller = FlowTeller(cluster.flows, cluster.drops)
    found = [teller.tell(entry) for entry in teller.remembered()]
    assert [each.document for each in found if not fits(each.document, SCHEMA)] == []
    return found


def where(document: dict[str, Any], **known: object) -> bool:
    """Whether a line says all this."""
    return known.items() <= document.items()


@isolated
def test_a_flow_is_told_at_either_end_when_it_is_opened_and_when_it_has_ended():
    """Each node with the half that it enforces, the rules that allow it, and all that policies can tell of the ends."""
    cluster = Cluster(lay_out(snapshot_of(MANIFESTS)))
    with connected(cluster) as (client, server):
        pass_on(client, server, b"x" * 50)
        port = client.getsockname()[1]
        for network in cluster.nodes.values():
            forget_connections(network)
    lines = [each for each in told(cluster) if each.document["client"].get("port") == port]
    by_place = {(each.document["event"], each.document["node"]): each for each in lines}
    pods = {str(pod): pod for pod in cluster.topology.pods}
    there, here = pods["shop/web-0"].node, pods["shop/db"].node

    assert all(each.good for each in lines)
    opened, ended = by_place["opened", here].document, by_place["ended", here].document
    assert opened["client"]["labels"] == {"app": "web"}
    assert opened["client"]["namespace_labels"] == {"kubernetes.io/metadata.name": "shop"}
    assert where(opened["client"], pod="shop/web-0", workload="Deployment/web", node=there)
    assert where(opened["server"], pod="shop/db", port=PORT)
    assert where(opened, verdict="allowed", protocol="TCP", family=4, id=ended["id"])
    assert opened["ingress"]["origins"][0]["rule"] == 0
    assert ended["sent"]["bytes"] > 50 + ended["returned"]["bytes"] // 2
    assert ended["start"] < ended["end"]
    assert ("egress" in opened) is (there == here)
    assert "ingress accepted by shop/db rule 0 (small.yaml:41)" in by_place["opened", here].text
    assert "packets of " in by_place["ended", here].text


@isolated
def test_what_a_flow_was_sent_to_is_told_beside_who_answers():
    """A Service by its name; its ports are no ports of the pod behind it."""
    cluster = Cluster(lay_out(snapshot_of(MANIFESTS)))
    address = render_address(cluster.topology.snapshot.services[0].addresses[Family.IPV4])
    with cluster.pods["shop/web-0"].entered():
        socket.create_connection((address, 80), timeout=WITHIN_S).close()
    documents = [each.document for each in told(cluster) if "dialed" in each.document]

    assert documents
    for each in documents:
        assert each["dialed"] == {"address": address, "port": 80, "service": "shop/web"}
        assert where(each["server"], port=8080, port_names=["http"])


@isolated
def test_a_node_that_does_otherwise_than_the_policies_say_is_an_alarm():
    """Somebody opened it by hand: what is let through is judged again, and told with what should have denied it."""
    cluster = Cluster(lay_out(snapshot_of(DENIED)))
    for network in cluster.nodes.values():
        nft.apply(network, "insert rule inet ringfence hook_forward accept\n")
    with connected(cluster):
        alarms = [each for each in told(cluster) if not each.good]

    assert alarms
    assert all(where(each.document, mismatch=True, event="opened", verdict="denied") for each in alarms)
    assert (
        "alarm: shop/web-0 -> shop/db TCP/5432: opened although denied: ingress isolated by shop/db" in alarms[0].text
    )


@isolated
def test_what_is_dropped_is_told_among_the_flows():
    """With the port of its client, of a reply as well."""
    cluster, agent = made()
    with connected(cluster) as (client, server):
        pass_on(client, server, b"one")
        agent.apply(DENIED)
        server.sendall(b"two")
        select.select(cluster.drops.filenos(), [], [], WITHIN_S)
        cluster.drops.read()
        (denied,) = (each for each in told(cluster) if each.document["event"] == "denied")

        # The log judges by the policies that it was made with: it says that the drop is none of theirs.
        assert where(denied.document, mismatch=True, verdict="allowed")
        assert where(denied.document["client"], pod="shop/web-0", port=client.getsockname()[1])
        assert where(denied.document["server"], pod="shop/db", port=PORT)


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
        assert (document["node"], document["denied"][0]["ingress"]["verdict"]) == (agent.node, "denied")

        agent.apply(DENIED)
        assert [each.flows.denied for each in judge_flows(cluster)] == [(), ()]
        assert sum(each.flows.anew for each in judge_flows(cluster)) >= 1


@isolated
def test_what_comes_while_policies_change_met_either_and_is_no_alarm():
    """A flow that those before let through, and that is read only when they have changed; what comes later is one."""
    cluster = Cluster(lay_out(snapshot_of(MANIFESTS)))
    teller = FlowTeller(cluster.flows, cluster.drops)
    denied = replace(cluster.topology.snapshot, policies=snapshot_of(DENIED).policies)
    with connected(cluster):
        cluster.flows.judge_by(Engine(denied, RINGFENCE), Judge.of(denied, RINGFENCE), cluster.nodes)
        (opened,) = (each for each in map(teller.tell, teller.remembered()) if "ingress" in each.document)
        assert opened.good
        assert where(opened.document, verdict="allowed", revision=1)
        for network in cluster.nodes.values():
            forget_connections(network)
    with connected(cluster):
        cluster.flows.read()
    alarms = [each for each in map(teller.tell, teller.remembered()) if not each.good]
    assert alarms
    assert all(where(each.document, revision=2) for each in alarms)


@isolated
def test_what_a_policy_in_audit_would_deny_is_let_through_and_told_until_the_policy_is_enforced():
    """With the policy, its file and line, and the nearest rule; then it is cut, and nothing else is told of it."""
    cluster = Cluster(lay_out(snapshot_of(IN_AUDIT)))
    assert verify(cluster, progress=lambda _: None).differences == ()
    with connected(cluster) as (client, server):
        pass_on(client, server, b"one")
        for network in cluster.nodes.values():
            forget_connections(network)
        port = client.getsockname()[1]
        mine = [each for each in told(cluster) if where(each.document["client"], port=port)]
    assert "ended" in {each.document["event"] for each in mine}
    would = [each for each in mine if "audit" in each.document]

    with connected(cluster) as (client, server):
        pass_on(client, server, b"one")
        cluster.change(replace(cluster.declared, policies=snapshot_of(DENIED).policies))
        client.sendall(b"two")
        assert dropped(cluster) == (client.getsockname()[1], PORT)
        *_, after = (each for each in told(cluster) if each.document["event"] == "denied")

    assert [(each.good, each.document["verdict"]) for each in would] == [(True, "allowed")]
    (document,) = (each.document for each in would)
    assert where(document, event="opened", node=pod_of(cluster.declared, "db").node, revision=1)
    assert where(document["audit"], verdict="denied")
    assert "egress" not in document["audit"]
    assert [each["line"] for each in document["audit"]["ingress"]["origins"]] == [34]
    assert [each["line"] for each in document["audit"]["ingress"]["nearest"]] == [41]
    assert would[0].text.endswith(
        "; in audit: ingress would be denied: isolated by shop/db and no rule matched (small.yaml:34)"
        "; nearest small.yaml:41\n"
    )
    assert "audit" not in after.document
    assert after.document["revision"] == 2


@isolated
def test_what_a_policy_in_audit_would_let_through_is_dropped_and_told():
    """An Accept of the Admin tier is not enforced either."""
    cluster = Cluster(lay_out(snapshot_of(f"{DENIED}---{ACCEPT}")))
    address = pod_of(cluster.declared, "db").addresses[Family.IPV4]
    with cluster.pods["shop/web-0"].entered():
        client = socket.socket()
    with client:
        client.setblocking(False)  # noqa: FBT003 - a socket has it so
        client.connect_ex((render_address(address), PORT))
        dropped(cluster)
    (denied,) = (each for each in told(cluster) if each.document["event"] == "denied")
    (drop,) = map(DropTeller(cluster.drops).tell, cluster.drops.remembered)

    assert (denied.good, drop.good) == (True, True)
    assert where(denied.document["audit"], verdict="allowed")
    assert denied.document["audit"] == drop.document["audit"]
    assert fits(drop.document, json.loads(lab_schema()))
    assert "; in audit: ingress would be allowed: accepted by open rule 0 (small.yaml:" in drop.text
