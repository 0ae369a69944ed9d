"""What manifests become in the lab: nodes, addresses, Services."""

from __future__ import annotations

from ringfence.algebra.addresses import Family, read_address, render_address
from ringfence.lab.topology import lay_out
from ringfence.model.snapshot import Snapshot
from tests.lab.small import pod_of, small

NODE = """
apiVersion: v1
kind: Node
metadata: {name: worker-9}
status: {addresses: [{type: InternalIP, address: 192.0.2.9}, {type: ExternalIP, address: 198.51.100.9}]}
"""
PLACED = """
apiVersion: v1
kind: Pod
metadata: {name: placed, namespace: shop}
spec: {nodeName: worker-9, containers: [{name: main}]}
status: {podIP: 10.0.0.7}
"""
FINISHED = """
apiVersion: v1
kind: Pod
metadata: {name: finished, namespace: shop}
spec: {containers: [{name: main}]}
status: {phase: Succeeded, podIP: 10.0.0.8}
"""


def test_pods_are_spread_over_two_nodes():
    """The replicas of a workload are on different ones, where there are two."""
    topology = lay_out(small())

    assert list(topology.snapshot.nodes) == ["node-1", "node-2"]
    replicas = [pod.node for pod in topology.snapshot.pods if pod.workload]
    assert sorted(replicas) == ["node-1", "node-2"]


def test_more_nodes_are_made_when_asked_for():
    """As many as that, named in a row."""
    assert list(lay_out(small(), nodes=4).snapshot.nodes) == ["node-1", "node-2", "node-3", "node-4"]


def test_a_pod_that_has_a_node_and_an_address_keeps_both():
    """And its node is there, with a second one beside it."""
    topology = lay_out(small(PLACED))

    placed = pod_of(topology.snapshot, "placed")
    assert placed.node == "worker-9"
    assert placed.addresses == {Family.IPV4: read_address("10.0.0.7")}
    assert set(topology.snapshot.nodes) == {"node-1", "worker-9"}


def test_a_node_keeps_all_its_addresses():
    """Internal and external."""
    node = lay_out(small(NODE)).snapshot.nodes["worker-9"]

    assert [render_address(address) for address in node.addresses] == ["192.0.2.9", "198.51.100.9"]


def test_a_host_network_pod_has_the_address_of_its_node():
    """It has no network of its own."""
    topology = lay_out(small())

    agent = pod_of(topology.snapshot, "agent")
    assert tuple(agent.addresses.values()) == topology.snapshot.nodes["node-1"].addresses
    assert agent not in topology.pods


def test_a_pod_that_has_finished_has_no_address():
    """Nor a network, though its manifest still says where it was."""
    topology = lay_out(small(FINISHED))

    finished = pod_of(topology.snapshot, "finished")
    assert finished.addresses == {}
    assert finished not in topology.pods


def test_a_service_gets_an_address_of_the_first_family():
    """As a cluster gives it by default."""
    (service,) = lay_out(small()).snapshot.services

    assert {family: render_address(a) for family, a in service.addresses.items()} == {Family.IPV4: "10.96.0.1"}


def test_a_service_that_leads_nowhere_by_itself_gets_none():
    """Headless ones, those without a selector, and names of other hosts."""
    more = "\n---\n".join(
        f"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}, namespace: shop}}\nspec: {spec}"
        for name, spec in {
            "headless": "{clusterIP: None, selector: {app: web}, ports: [{port: 80}]}",
            "by-hand": "{ports: [{port: 80}]}",
            "elsewhere": "{type: ExternalName, externalName: example.com, selector: {app: web}}",
        }.items()
    )

    services = {service.name: service for service in lay_out(small(more)).snapshot.services}

    assert [name for name, service in services.items() if service.addresses] == ["web"]


def test_dual_stack_pods_have_an_address_of_each_family():
    """Families are those seen in the input."""
    more = """
apiVersion: v1
kind: Service
metadata: {name: both, namespace: shop}
spec: {selector: {app: db}, ipFamilies: [IPv4, IPv6], ports: [{port: 80}]}
"""

    topology = lay_out(small(more))

    assert set(pod_of(topology.snapshot, "db").addresses) == {Family.IPV4, Family.IPV6}
    both = next(service for service in topology.snapshot.services if service.name == "both")
    assert set(both.addresses) == {Family.IPV4, Family.IPV6}


def test_laying_out_twice_gives_the_same():
    """Nothing is left to chance."""
    assert lay_out(small()) == lay_out(small())


def test_no_pods_are_no_obstacle():
    """Two nodes and the outside remain."""
    topology = lay_out(Snapshot())

    assert topology.pods == ()
    assert list(topology.snapshot.nodes) == ["node-1", "node-2"]
    assert topology.outside
