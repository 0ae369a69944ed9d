"""Services: what they lead to, and how nodes translate."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ringfence.lab.services import frontends, service_table
from ringfence.lab.topology import lay_out
from tests.lab.small import small

if TYPE_CHECKING:
    from ringfence.lab.services import Frontend


def service(name: str, spec: str) -> str:
    """A Service in the namespace shop."""
    return f"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}, namespace: shop}}\nspec: {spec}"


def found(more: str) -> list[Frontend]:
    """The frontends of one more Service."""
    return [each for each in frontends(lay_out(small(more)).snapshot) if each.service.name != "web"]


def ends(frontend: Frontend) -> list[tuple[str, int]]:
    """Its endpoints by name and port."""
    return [(each.pod.name, each.port) for each in frontend.endpoints]


def test_a_port_name_is_looked_up_on_each_pod():
    """``targetPort: http`` is whatever the pod calls so."""
    (web,) = frontends(lay_out(small()).snapshot)

    assert ends(web) == [("web-0", 8080), ("web-1", 8080)]


def test_a_port_name_that_a_pod_lacks_leads_nowhere():
    """Neither does one of another protocol."""
    (missing, other) = found(
        service(
            "db",
            "{selector: {app: db}, ports: [{name: a, port: 1, targetPort: nosuch}, "
            "{name: b, port: 2, targetPort: stat}]}",
        )
    )

    assert (ends(missing), ends(other)) == ([], [])


def test_a_selector_needs_all_its_labels():
    """And stays within its namespace."""
    (frontend,) = found(service("db", "{selector: {app: db, tier: back}, ports: [{port: 1}]}"))

    assert ends(frontend) == []


def test_host_network_pods_are_endpoints_too():
    """At the address of their node."""
    (frontend,) = found(service("agent", "{selector: {app: agent}, ports: [{port: 9100}]}"))

    assert ends(frontend) == [("agent", 9100)]


def table(more: str) -> list[str]:
    """The lines of a node's translation table."""
    topology = lay_out(small(more))
    return [line.strip() for line in service_table(topology, topology.snapshot.nodes["node-1"]).splitlines()]


def test_one_endpoint_is_translated_to_and_several_are_chosen_from():
    """Both are the pod's own address and port, which is what policies judge."""
    lines = table(service("db", "{selector: {app: db}, ports: [{port: 15432, targetPort: 5432}]}"))

    assert "ip daddr 10.96.0.1 tcp dport 15432 dnat ip to 10.244.0.1:5432" in lines
    choice = "{ 0 : 10.244.0.2 . 8080, 1 : 10.244.0.3 . 8080 }"
    assert f"ip daddr 10.96.0.2 tcp dport 80 dnat ip to numgen random mod 2 map {choice}" in lines


def test_a_node_port_is_translated_at_the_node_s_own_address():
    """Whatever node it comes to."""
    lines = table(service("db", "{type: NodePort, selector: {app: db}, ports: [{port: 5432, nodePort: 30432}]}"))

    assert "ip daddr 172.18.0.1 tcp dport 30432 dnat ip to 10.244.0.1:5432" in lines


def test_without_services_there_is_no_table():
    """Nothing is loaded that does nothing."""
    topology = lay_out(replace(small(), services=()))

    assert service_table(topology, topology.snapshot.nodes["node-1"]) == ""
