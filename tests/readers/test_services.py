"""Services, EndpointSlices and Endpoints in, model out."""

from __future__ import annotations

import pytest

from ringfence.algebra.addresses import Family, read_address, read_cidr
from ringfence.algebra.traffic import Protocol
from ringfence.model.service import Balancer, EndpointPort, EndpointSlice, KnownEndpoint, Service, ServicePort
from ringfence.readers.services import read_endpoint_slice, read_endpoints, read_service

from .texts import manifest

SERVICE_FIELDS = (
    "allocateLoadBalancerNodePorts: true, externalIPs: [], externalName: a, externalTrafficPolicy: Local, "
    "healthCheckNodePort: 0, internalTrafficPolicy: Local, ipFamilyPolicy: SingleStack, loadBalancerClass: a, "
    "loadBalancerIP: 192.0.2.1, loadBalancerSourceRanges: [], publishNotReadyAddresses: true, sessionAffinity: None, "
    "sessionAffinityConfig: {}, trafficDistribution: PreferClose"
)


KINDS = '"ClusterIP", "ExternalName", "LoadBalancer", "NodePort"'


def service(spec: str, status: str = "{}") -> tuple[Service, list[str]]:
    """The Service with this spec, and what is wrong with it."""
    found = manifest(f"apiVersion: v1\nkind: Service\nspec: {spec}\nstatus: {status}\n")
    return read_service(found), [error.message for error in found.errors]


@pytest.mark.parametrize(
    ("spec", "attribute", "value"),
    [
        ("{}", "kind", "ClusterIP"),
        ("{type: NodePort}", "kind", "NodePort"),
        ("{}", "selector", None),
        ("{selector: {}}", "selector", None),
        ("{selector: {a: b}}", "selector", {"a": "b"}),
        ("{}", "headless", False),
        ("{clusterIP: None}", "headless", True),
        ("{clusterIP: None, clusterIPs: [None]}", "addresses", {}),
        ("{clusterIP: ''}", "addresses", {}),
        ("{clusterIP: 10.96.0.1}", "addresses", {Family.IPV4: read_address("10.96.0.1")}),
        (
            "{clusterIP: 10.96.0.1, clusterIPs: [10.96.0.1, 'fd00::1']}",
            "addresses",
            {Family.IPV4: read_address("10.96.0.1"), Family.IPV6: read_address("fd00::1")},
        ),
        ("{ipFamilies: [IPv6, IPv4]}", "families", (Family.IPV6, Family.IPV4)),
        ("{ports: [{port: 80}]}", "ports", (ServicePort("", Protocol.TCP, 80, 80),)),
        (
            "{ports: [{name: a, port: 80, targetPort: 8080, protocol: UDP, nodePort: 30000}]}",
            "ports",
            (ServicePort("a", Protocol.UDP, 80, 8080, 30_000),),
        ),
        ("{ports: [{port: 80, targetPort: http}]}", "ports", (ServicePort("", Protocol.TCP, 80, "http"),)),
        ("{type: ExternalName, externalName: db.example.com.}", "external_name", "db.example.com"),
        (
            "{externalIPs: [192.0.2.9, 192.0.2.8, 192.0.2.9]}",
            "external_addresses",
            (read_address("192.0.2.8"), read_address("192.0.2.9")),
        ),
        ("{externalTrafficPolicy: Local}", "local_from_outside", True),
        ("{externalTrafficPolicy: Cluster}", "local_from_outside", False),
        ("{externalTrafficPolicy: Local}", "local_from_inside", False),
        ("{internalTrafficPolicy: Local}", "local_from_inside", True),
        (
            "{loadBalancerSourceRanges: [10.0.0.0/8, ' 192.0.2.0/24 ']}",
            "source_ranges",
            read_cidr("10.0.0.0/8") | read_cidr("192.0.2.0/24"),
        ),
        ("{ports: [{port: 80, targetPort: 0, nodePort: 0}]}", "ports", (ServicePort("", Protocol.TCP, 80, 80),)),
    ],
)
def test_a_service_has_what_its_manifest_says(spec: str, attribute: str, value: object):
    """With the defaults of the API server."""
    found, errors = service(spec)

    assert getattr(found, attribute) == value
    assert errors == []


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("{ports: [{}]}", "spec.ports[0].port: Required value"),
        ("{ports: [{port: 0}]}", "spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive"),
        ("{ports: [{port: 80, targetPort: [1]}]}", "spec.ports[0].targetPort: expected a whole number, found a list"),
        ("{ipFamilies: [ipv4]}", 'spec.ipFamilies[0]: Unsupported value: "ipv4": supported values: "IPv4", "IPv6"'),
        (
            "{type: Nodeport}",
            f'spec.type: Unsupported value: "Nodeport": supported values: {KINDS}',
        ),
        (
            "{externalTrafficPolicy: local}",
            'spec.externalTrafficPolicy: Unsupported value: "local": supported values: "Cluster", "Local"',
        ),
        (
            "{loadBalancerSourceRanges: [10.0.0.0]}",
            'spec.loadBalancerSourceRanges[0]: Invalid value: "10.0.0.0": must be a valid CIDR value',
        ),
        ("{externalIPs: [a]}", 'spec.externalIPs[0]: Invalid value: "a": must be a valid IP address'),
        ("{clusterIP: a}", 'spec.clusterIP: Invalid value: "a": must be a valid IP address'),
    ],
)
def test_what_is_wrong_with_a_service_is_said(spec: str, message: str):
    """Once."""
    assert service(spec)[1] == [message]


def test_load_balancers_are_those_of_the_status():
    """By address or by name; one that proxies opens connections of its own."""
    written = "{ip: 192.0.2.1, ipMode: VIP}, {ip: 192.0.2.2, ipMode: Proxy}, {hostname: lb.example.com}"
    found, errors = service("{type: LoadBalancer}", f"{{loadBalancer: {{ingress: [{written}]}}}}")

    assert errors == []
    assert found.balancers == (
        Balancer(read_address("192.0.2.1")),
        Balancer(read_address("192.0.2.2"), proxies=True),
        Balancer(hostname="lb.example.com"),
    )


def test_a_service_may_have_every_field():
    """And what is nearly one that decides is an error."""
    assert service(f"{{{SERVICE_FIELDS}}}")[1] == []
    assert service("{slector: {a: b}}")[1] == ['strict decoding error: unknown field "spec.slector"']
    assert service("{ports: [{port: 80, targetport: 81}]}")[1] == [
        'strict decoding error: unknown field "spec.ports[0].targetport"'
    ]


SLICE = """
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {labels: {kubernetes.io/service-name: db}}
addressType: IPv4
ports:
- {name: sql, port: 5432}
- {name: dns, port: 53, protocol: UDP}
- {name: any}
endpoints:
- addresses: [10.0.0.1]
  nodeName: w1
  targetRef: {kind: Pod, name: db-0, namespace: shop}
- addresses: [10.0.0.2]
  conditions: {ready: false, serving: true, terminating: true}
- addresses: [10.0.0.3]
  conditions: {ready: false, serving: false, terminating: true}
- addresses: [10.0.0.4]
  conditions: {ready: false}
- addresses: [203.0.113.9, 203.0.113.10]
  conditions: {ready: true}
  targetRef: {kind: Machine, name: old}
"""


def sliced(text: str) -> tuple[EndpointSlice | None, list[str]]:
    """The slice of a text, and what is wrong with it."""
    found = manifest(text)
    return read_endpoint_slice(found), [error.message for error in found.errors]


def test_a_slice_has_addresses_of_a_known_type():
    """Else it is in error, and what it says is read all the same."""
    found, errors = sliced(SLICE.replace("IPv4", "IPv5"))

    assert found == sliced(SLICE)[0]
    assert errors == ['addressType: Unsupported value: "IPv5": supported values: "FQDN", "IPv4", "IPv6"']


def test_a_slice_tells_who_takes_connections():
    """Conditions that are not given are good; an endpoint that drains counts when nobody is ready."""
    found, errors = sliced(SLICE)

    assert errors == []
    assert found is not None
    assert found.service == "db"
    assert found.ports == (
        EndpointPort("sql", Protocol.TCP, 5432),
        EndpointPort("dns", Protocol.UDP, 53),
        EndpointPort("any", Protocol.TCP, None),
    )
    assert found.endpoints == (
        KnownEndpoint(read_address("10.0.0.1"), node="w1", pod="db-0"),
        KnownEndpoint(read_address("10.0.0.2"), ready=False, draining=True),
        KnownEndpoint(read_address("10.0.0.3"), ready=False),
        KnownEndpoint(read_address("10.0.0.4"), ready=False),
        KnownEndpoint(read_address("203.0.113.9")),
    )


@pytest.mark.parametrize(("old", "new"), [("{kubernetes.io/service-name: db}", "{}"), ("IPv4", "FQDN")])
def test_a_slice_of_no_service_or_of_names_leads_nowhere(old: str, new: str):
    """As for kube-proxy."""
    text = SLICE.replace(old, new)

    assert sliced(text)[0] is None


def test_what_is_wrong_with_a_slice_is_said():
    """An endpoint that cannot be read is left out."""
    found, errors = sliced(SLICE.replace("10.0.0.1", "10.0.0.300").replace("nodeName", "nodename"))

    assert found is not None
    assert len(found.endpoints) == 4
    assert errors == [
        'strict decoding error: unknown field "endpoints[0].nodename"',
        'endpoints[0].addresses[0]: Invalid value: "10.0.0.300": must be a valid IP address',
    ]


def test_endpoints_are_slices_of_their_subsets():
    """Of those that are not ready it is known; each subset has its own ports."""
    text = """
apiVersion: v1
kind: Endpoints
subsets:
- addresses: [{ip: 10.0.0.1, nodeName: w1, targetRef: {kind: Pod, name: db-0}}]
  notReadyAddresses: [{ip: 10.0.0.2}]
  ports: [{port: 5432}]
- addresses: [{ip: 203.0.113.9}]
  ports: [{name: b, port: 53, protocol: UDP}]
"""
    found = manifest(text)
    found.name = "db"
    first, second = read_endpoints(found)

    assert found.errors == []
    assert (first.service, second.service) == ("db", "db")
    assert (first.origin.pointer, second.origin.pointer) == ("/subsets/0", "/subsets/1")
    assert first.ports == (EndpointPort("", Protocol.TCP, 5432),)
    assert first.endpoints == (
        KnownEndpoint(read_address("10.0.0.1"), node="w1", pod="db-0"),
        KnownEndpoint(read_address("10.0.0.2"), ready=False),
    )
    assert second.ports == (EndpointPort("b", Protocol.UDP, 53),)
