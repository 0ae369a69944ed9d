"""Pods and Namespaces in, model out."""

from __future__ import annotations

import pytest

from ringfence.algebra.addresses import Family, read_address
from ringfence.algebra.traffic import Protocol
from ringfence.model.cluster import NAME_LABEL, ContainerPort, Pod
from ringfence.readers.core import host_addresses, read_namespace, read_pod

from .texts import manifest

POD_FIELDS = (
    "activeDeadlineSeconds: 1, affinity: {}, automountServiceAccountToken: true, dnsConfig: {}, dnsPolicy: Default, "
    "enableServiceLinks: true, ephemeralContainers: [], hostAliases: [], hostIPC: true, hostPID: true, "
    "hostUsers: true, hostname: a, hostnameOverride: a, imagePullSecrets: [], nodeSelector: {}, os: {}, overhead: {}, "
    "preemptionPolicy: Never, priority: 0, priorityClassName: a, readinessGates: [], resourceClaims: [], "
    "resources: {}, restartPolicy: Never, runtimeClassName: a, schedulerName: a, schedulingGates: [], "
    "securityContext: {}, serviceAccount: a, serviceAccountName: a, setHostnameAsFQDN: true, "
    "shareProcessNamespace: true, subdomain: a, terminationGracePeriodSeconds: 1, tolerations: [], "
    "topologySpreadConstraints: [], volumes: []"
)
CONTAINER_FIELDS = (
    "args: [], command: [], env: [], envFrom: [], image: a, imagePullPolicy: Always, lifecycle: {}, livenessProbe: {}, "
    "name: a, readinessProbe: {}, resizePolicy: [], resources: {}, restartPolicyRules: [], securityContext: {}, "
    "startupProbe: {}, stdin: true, stdinOnce: true, terminationMessagePath: a, terminationMessagePolicy: File, "
    "tty: true, volumeDevices: [], volumeMounts: [], workingDir: a"
)
STATUS_FIELDS = (
    "status: {conditions: [], containerStatuses: [], ephemeralContainerStatuses: [], hostIP: 192.0.2.1, hostIPs: [], "
    "initContainerStatuses: [], message: a, nominatedNodeName: w, observedGeneration: 1, qosClass: Burstable, "
    "reason: a, resize: a, resourceClaimStatuses: [], startTime: a}"
)


def pod(text: str) -> tuple[Pod, list[str]]:
    """The pod with this spec or status, and what is wrong with it."""
    found = manifest(f"apiVersion: v1\nkind: Pod\n{text}\n")
    return read_pod(found), [error.message for error in found.errors]


def sound(text: str) -> Pod:
    """The pod of a text that has nothing wrong with it."""
    found, errors = pod(text)
    assert errors == []
    return found


def test_a_pod_without_anything_is_on_no_node():
    """No addresses, no ports, no labels; it runs."""
    found = sound("spec:")

    assert (found.labels, found.addresses, found.node, found.ports, found.workload) == ({}, {}, None, (), "")
    assert (found.host_network, found.terminal, found.dormant) == (False, False, False)


def test_a_pod_has_what_its_manifest_says():
    """Labels, node, host network."""
    found = sound("metadata: {labels: {a: b}}\nspec: {nodeName: w, hostNetwork: true}")

    assert (found.labels, found.node, found.host_network) == ({"a": "b"}, "w", True)
    assert (found.origin.line, found.origin.pointer) == (1, "")


@pytest.mark.parametrize(
    ("phase", "terminal"),
    [("Pending", False), ("Running", False), ("Unknown", False), ("Succeeded", True), ("Failed", True)],
)
def test_a_pod_that_has_ended_is_terminal(phase: str, terminal: bool):  # noqa: FBT001
    """It can no longer connect."""
    assert sound(f"status: {{phase: {phase}}}").terminal is terminal


@pytest.mark.parametrize(
    ("status", "addresses"),
    [
        ("{podIP: 10.0.0.1}", {Family.IPV4: "10.0.0.1"}),
        ("{podIP: 10.0.0.1, podIPs: [{ip: 10.0.0.1}]}", {Family.IPV4: "10.0.0.1"}),
        ("{podIPs: [{ip: 'fd00::1'}, {ip: 10.0.0.1}]}", {Family.IPV4: "10.0.0.1", Family.IPV6: "fd00::1"}),
        ("{podIP: 'fd00::1'}", {Family.IPV6: "fd00::1"}),
        ("{podIP: ''}", {}),
        ("{podIPs: []}", {}),
        ("{}", {}),
    ],
)
def test_a_pod_has_the_addresses_of_its_status(status: str, addresses: dict[Family, str]):
    """At most one of each family, in the order of families."""
    found = sound(f"status: {status}").addresses

    assert list(found.items()) == [(family, read_address(text)) for family, text in addresses.items()]


def test_an_address_that_is_none_is_an_error():
    """And the pod has no address."""
    found, errors = pod("status: {podIP: 10.0.0.256}")

    assert found.addresses == {}
    assert errors == ['status.podIP: Invalid value: "10.0.0.256": must be a valid IP address']


def test_the_first_address_of_a_list_is_looked_at_where_it_stands_alone_too():
    """The list counts, and nothing is passed over in silence."""
    found, errors = pod("status: {podIP: 1.2.3.400, podIPs: [{ip: 10.0.0.1}]}")

    assert found.addresses == {Family.IPV4: read_address("10.0.0.1")}
    assert errors == ['status.podIP: Invalid value: "1.2.3.400": must be a valid IP address']
    of_node = manifest("apiVersion: v1\nkind: Pod\nstatus: {hostIP: 1.2.3.400, hostIPs: [{ip: 192.0.2.1}]}")
    assert host_addresses(of_node) == (read_address("192.0.2.1"),)
    assert [error.field or error.message for error in of_node.errors] == [
        'status.hostIP: Invalid value: "1.2.3.400": must be a valid IP address'
    ]


PORTS = """
spec:
  containers:
  - ports: [{containerPort: 8080, name: http}, {containerPort: 53, protocol: UDP}]
  - ports: [{containerPort: 53}, {containerPort: 8080, name: http}]
  - {}
  initContainers:
  - ports: [{containerPort: 1}]
  - ports: [{containerPort: 2}]
    restartPolicy: Always
"""


def test_ports_are_those_of_containers_and_native_sidecars():
    """Each once, sorted; an init container has ended by the time the pod serves."""
    assert sound(PORTS).ports == (
        ContainerPort("", Protocol.TCP, 2),
        ContainerPort("", Protocol.TCP, 53),
        ContainerPort("", Protocol.UDP, 53),
        ContainerPort("http", Protocol.TCP, 8080),
    )


@pytest.mark.parametrize(
    ("port", "message"),
    [
        ("{containerPort: 0}", "containerPort: Invalid value: 0: must be between 1 and 65535, inclusive"),
        ("{containerPort: '80'}", 'containerPort: expected a whole number, found the string "80"'),
        ("{name: http}", "containerPort: Required value"),
        (
            "{containerPort: 80, protocol: tcp}",
            'protocol: Unsupported value: "tcp": supported values: "SCTP", "TCP", "UDP"',
        ),
    ],
)
def test_a_container_port_in_error_is_left_out(port: str, message: str):
    """None is guessed."""
    found, errors = pod(f"spec: {{containers: [{{ports: [{port}, {{containerPort: 443}}]}}]}}")

    assert [each.number for each in found.ports] == [443]
    assert errors == [f"spec.containers[0].ports[0].{message}"]


def test_a_namespace_bears_its_name_as_a_label():
    """Whatever its manifest says, for nobody can change it."""
    text = f"apiVersion: v1\nkind: Namespace\nmetadata: {{labels: {{a: b, {NAME_LABEL}: other}}}}"
    found = manifest(text)
    found.name = "x"

    assert read_namespace(found).labels == {"a": "b", NAME_LABEL: "x"}
    assert found.notes == [f"a.yaml:3: an API server makes the label {NAME_LABEL} x, as the name is"]


@pytest.mark.parametrize(
    ("text", "field", "meant"),
    [
        ("spec: {hostnetwork: true}", "spec.hostnetwork", "hostNetwork"),
        ("spec: {nodename: w}", "spec.nodename", "nodeName"),
        ("spec: {contaniers: []}", "spec.contaniers", "containers"),
        ("spec: {init_containers: []}", "spec.init_containers", "initContainers"),
        ("spec: {containers: [{port: []}]}", "spec.containers[0].port", "ports"),
        ("spec: {initContainers: [{restartpolicy: Always}]}", "spec.initContainers[0].restartpolicy", "restartPolicy"),
        ("spec: {containers: [{ports: [{containerPort: 1, nme: a}]}]}", "spec.containers[0].ports[0].nme", "name"),
        ("status: {podIp: 10.0.0.1}", "status.podIp", "podIP"),
    ],
)
def test_a_field_that_is_nearly_one_that_decides_is_an_error(text: str, field: str, meant: str):
    """It would open or close what nobody asked for."""
    found = manifest(f"apiVersion: v1\nkind: Pod\n{text}\n")
    read_pod(found)

    assert [(error.message, error.hint) for error in found.errors] == [
        (f'strict decoding error: unknown field "{field}"', f'did you mean "{meant}"?')
    ]


@pytest.mark.parametrize("text", [f"spec: {{{POD_FIELDS}, containers: [{{{CONTAINER_FIELDS}}}]}}", STATUS_FIELDS])
def test_fields_that_decide_nothing_are_passed_over(text: str):
    """None of the API's own is taken for another."""
    sound(text)


@pytest.mark.parametrize(
    "text", ["metadata: a", "spec: []", "spec: {containers: {}}", "status: 5", "metadata: {labels: a}"]
)
def test_a_part_of_another_type_is_an_error(text: str):
    """At any depth, once."""
    assert len(pod(text)[1]) == 1


@pytest.mark.parametrize(
    ("labels", "spec", "addresses"),
    [
        (
            "k8s-app: node-local-dns",
            "hostNetwork: true, containers: [{args: [-localip, '169.254.20.10,10.96.0.10']}]",
            ("10.96.0.10", "169.254.20.10"),
        ),
        (
            "k8s-app: node-local-dns",
            "hostNetwork: true, containers: [{command: [/node-cache, --localip=169.254.9.9]}]",
            ("169.254.9.9",),
        ),
        (
            "k8s-app: node-local-dns",
            "hostNetwork: true, containers: [{args: [-localip, '__PILLAR__,10.96.0.10']}]",
            ("10.96.0.10",),
        ),
        (
            "k8s-app: node-local-dns",
            "hostNetwork: true, containers: [{args: [-conf, /etc/Corefile]}]",
            ("169.254.20.10",),
        ),
        ("k8s-app: node-local-dns", "containers: [{args: [-localip, 169.254.20.10]}]", ()),
        ("k8s-app: kube-dns", "hostNetwork: true, containers: [{args: [-localip, 169.254.20.10]}]", ()),
    ],
)
def test_a_cache_of_names_answers_at_the_addresses_it_is_started_with(
    labels: str, spec: str, addresses: tuple[str, ...]
):
    """NodeLocal DNS binds them on its node; no other pod has any."""
    found = sound(f"metadata: {{labels: {{{labels}}}}}\nspec: {{{spec}}}")

    assert found.binds == tuple(map(read_address, addresses))
