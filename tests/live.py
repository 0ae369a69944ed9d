"""Objects as an API server lists them, in full, and the same read in two ways."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from typing import Any

from hypothesis import strategies as st

from ringfence.model.origin import Origin
from ringfence.readers import Reading, Source, read, read_listing
from ringfence.readers.listing import Group, Header, Listing, Missing, decode_page

Object = dict[str, Any]

HEADER = Header(context="prod", namespace="x", time="2026-01-02T03:04:05Z", ringfence="0.1.0")

WRITTEN = [
    {
        "manager": "kubectl-client-side-apply",
        "operation": "Update",
        "apiVersion": "v1",
        "time": "2026-01-01T00:00:00Z",
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:metadata": {"f:labels": {}}, "f:spec": {"f:containers": {'k:{"name":"main"}': {".": {}}}}},
    },
    {
        "manager": "kubelet",
        "operation": "Update",
        "apiVersion": "v1",
        "time": "2026-01-02T00:00:00Z",
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:status": {"f:phase": {}}},
        "subresource": "status",
    },
]
"""Managed fields: kubectl wrote the spec, kubelet the status after it."""


def an_object(version: str, kind: str, name: str, namespace: str = "", **parts: Any) -> Object:
    """An object with all that a server adds to its metadata, which these are part of: labels, annotations, owners."""
    labels, owners, annotations = (parts.pop(part, None) for part in ("labels", "owners", "annotations"))
    metadata: Object = {
        "name": name,
        **({"namespace": namespace} if namespace else {}),
        "uid": "7d1c5a0e-2f0b-4a44-9f0e-0c8f5a2b9d11",
        "resourceVersion": "4711",
        "generation": 1,
        "creationTimestamp": "2026-01-01T00:00:00Z",
        **({"labels": labels} if labels else {}),
        "annotations": {"example.com/secret": "not for everybody", **(annotations or {})},
        **({"ownerReferences": owners} if owners else {}),
        "managedFields": WRITTEN,
    }
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **parts}


def owner(kind: str, name: str, *, controller: bool = True) -> Object:
    """An owner reference."""
    return {"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": "u", "controller": controller}


def container(name: str = "main", *ports: Object, **more: Any) -> Object:
    """A container with an image, environment and ports."""
    known = {"name": name, "image": "registry.example/app:1", "env": [{"name": "PASSWORD", "value": "hunter2"}]}
    return {**known, **({"ports": list(ports)} if ports else {}), **more}


def template(labels: dict[str, str], *containers: Object, **spec: Any) -> Object:
    """A pod template as a server stores it."""
    return {"metadata": {"creationTimestamp": None, "labels": labels}, "spec": {"containers": list(containers), **spec}}


IS_DEFAULT = "ingressclass.kubernetes.io/is-default-class"
HTTP = {"name": "http", "containerPort": 8080, "protocol": "TCP"}

CLUSTER: tuple[Object, ...] = (
    an_object(
        "v1", "Namespace", "x", labels={"env": "a"}, spec={"finalizers": ["kubernetes"]}, status={"phase": "Active"}
    ),
    an_object("v1", "Namespace", "y", spec={}, status={"phase": "Active"}),
    an_object(
        "v1",
        "Node",
        "n1",
        labels={"zone": "a"},
        annotations={"projectcalico.org/IPv4VXLANTunnelAddr": "10.0.0.192"},
        spec={"podCIDR": "10.0.0.0/24", "podCIDRs": ["10.0.0.0/24"]},
        status={
            "addresses": [
                {"type": "InternalIP", "address": "192.168.0.1"},
                {"type": "Hostname", "address": "n1"},
                {"type": "InternalIP", "address": "fd01::1"},
            ],
            "images": [{"names": ["registry.example/app:1"], "sizeBytes": 1}],
        },
    ),
    an_object(
        "v1",
        "Service",
        "web",
        "x",
        spec={
            "type": "ClusterIP",
            "clusterIP": "10.96.0.1",
            "clusterIPs": ["10.96.0.1"],
            "ipFamilies": ["IPv4"],
            "ipFamilyPolicy": "SingleStack",
            "internalTrafficPolicy": "Cluster",
            "sessionAffinity": "None",
            "selector": {"app": "web"},
            "ports": [{"name": "http", "port": 80, "protocol": "TCP", "targetPort": "http"}],
        },
        status={"loadBalancer": {}},
    ),
    an_object(
        "apps/v1",
        "Deployment",
        "web",
        "x",
        spec={
            "replicas": 2,
            "selector": {"matchLabels": {"app": "web"}},
            "template": template({"app": "web"}, container("main", HTTP)),
            "strategy": {"type": "RollingUpdate"},
        },
        status={"replicas": 2},
    ),
    an_object(
        "apps/v1",
        "ReplicaSet",
        "web-5d9f",
        "x",
        labels={"app": "web", "pod-template-hash": "5d9f"},
        owners=[owner("Deployment", "web")],
        spec={
            "replicas": 2,
            "template": template({"app": "web", "pod-template-hash": "5d9f"}, container("main", HTTP)),
        },
        status={"replicas": 2},
    ),
    an_object(
        "apps/v1",
        "StatefulSet",
        "db",
        "y",
        spec={"replicas": 3, "ordinals": {"start": 5}, "template": template({"app": "db"}, container("main"))},
        status={},
    ),
    an_object(
        "apps/v1",
        "DaemonSet",
        "agent",
        "y",
        spec={"template": template({"app": "agent"}, container("main"), hostNetwork=True)},
        status={},
    ),
    an_object(
        "batch/v1",
        "CronJob",
        "backup",
        "y",
        spec={"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": template({"app": "backup"}, container())}}},
        status={},
    ),
    an_object(
        "apps/v1",
        "DaemonSet",
        "node-local-dns",
        "y",
        spec={
            "template": template(
                {"k8s-app": "node-local-dns"},
                container("node-cache", args=["-localip", "169.254.20.11", "-conf", "/etc/Corefile"]),
                hostNetwork=True,
            )
        },
        status={},
    ),
    an_object(
        "networking.k8s.io/v1",
        "IngressClass",
        "nginx",
        annotations={IS_DEFAULT: "true"},
        spec={"controller": "example.com/n"},
    ),
    an_object(
        "networking.k8s.io/v1",
        "Ingress",
        "web",
        "x",
        annotations={"kubernetes.io/ingress.class": "nginx"},
        spec={"defaultBackend": {"service": {"name": "web", "port": {"number": 80}}}},
        status={"loadBalancer": {"ingress": [{"ip": "203.0.113.7"}]}},
    ),
    an_object(
        "discovery.k8s.io/v1",
        "EndpointSlice",
        "web-abc",
        "x",
        labels={"kubernetes.io/service-name": "web"},
        addressType="IPv4",
        endpoints=[
            {
                "addresses": ["10.0.0.1"],
                "conditions": {"ready": True, "serving": True, "terminating": False},
                "nodeName": "n1",
                "targetRef": {"kind": "Pod", "name": "p1", "namespace": "x", "uid": "u"},
            }
        ],
        ports=[{"name": "http", "port": 8080, "protocol": "TCP"}],
    ),
    an_object(
        "policy.networking.k8s.io/v1alpha2",
        "ClusterNetworkPolicy",
        "dns",
        spec={
            "tier": "Admin",
            "priority": 10,
            "subject": {"namespaces": {}},
            "egress": [
                {
                    "name": "dns",
                    "action": "Accept",
                    "to": [{"networks": ["169.254.20.10/32"]}],
                    "protocols": [{"udp": {"destinationPort": {"number": 53}}}],
                }
            ],
        },
    ),
    an_object(
        "networking.k8s.io/v1",
        "NetworkPolicy",
        "web",
        "x",
        spec={
            "podSelector": {"matchLabels": {"app": "web"}},
            "policyTypes": ["Ingress"],
            "ingress": [{"from": [{"namespaceSelector": {}}], "ports": [{"port": "http", "protocol": "TCP"}]}],
        },
    ),
)
"""A cluster that has one of everything but pods."""

_LABELS = st.dictionaries(st.sampled_from(("app", "tier")), st.sampled_from(("a", "b")), max_size=2)
_PORTS = st.fixed_dictionaries(
    {"containerPort": st.integers(1, 65535), "protocol": st.sampled_from(("TCP", "UDP", "SCTP"))},
    optional={"name": st.sampled_from(("http", "dns")), "hostPort": st.integers(1, 65535)},
)
_NAMED_ONCE = st.lists(_PORTS, max_size=3, unique_by=lambda port: port.get("name", id(port)))
_CONTAINERS = st.builds(lambda ports: container("main", *ports), _NAMED_ONCE)
_INITIAL = st.builds(
    lambda each, always: {**each, "restartPolicy": "Always"} if always else each, _CONTAINERS, st.booleans()
)
_OWNERS = st.lists(
    st.builds(
        lambda named, controls: owner(*named, controller=controls),
        st.sampled_from(
            (("ReplicaSet", "web-5d9f"), ("ReplicaSet", "gone-5d9f"), ("StatefulSet", "db"), ("Widget", "w"))
        ),
        st.booleans(),
    ),
    max_size=2,
)


@st.composite
def pods(draw: st.DrawFn) -> list[Object]:
    """Pods in every state, with one address, two or none."""
    found = []
    for number in range(draw(st.integers(1, 4))):
        spec: Object = {
            "containers": draw(st.lists(_CONTAINERS, min_size=1, max_size=2)),
            "serviceAccountName": "default",
            "volumes": [{"name": "token", "projected": {"sources": []}}],
        }
        spec |= {"initContainers": found_} if (found_ := draw(st.lists(_INITIAL, max_size=2))) else {}
        spec |= {"hostNetwork": True} if draw(st.booleans()) else {}
        spec |= {"nodeName": name} if (name := draw(st.sampled_from(("", "n1", "n2")))) else {}
        if draw(st.integers(0, 3)) == 0:  # NodeLocal DNS says in its command line where it listens
            spec["containers"][0]["args"] = ["-localip", "169.254.20.12"]
        status: Object = {"phase": draw(st.sampled_from(("Pending", "Running", "Succeeded", "Failed", "Unknown")))}
        addresses = [[], [f"10.0.0.{number}"], [f"fd00::{number}"], [f"10.0.0.{number}", f"fd00::{number}"]]
        if chosen := draw(st.sampled_from(addresses)):
            status |= {"podIP": chosen[0], "podIPs": [{"ip": each} for each in chosen]}
        if on := draw(st.sampled_from([[], ["192.0.2.1"], ["192.0.2.2", "2001:db8::2"]])):
            status |= {"hostIP": on[0]} | draw(st.sampled_from([{}, {"hostIPs": [{"ip": each} for each in on]}]))
        labels = draw(_LABELS) | ({"pod-template-hash": "5d9f"} if draw(st.booleans()) else {})
        labels |= {"k8s-app": "node-local-dns"} if "args" in spec["containers"][0] and draw(st.booleans()) else {}
        namespace = draw(st.sampled_from(("x", "y")))
        owners = draw(_OWNERS)
        found.append(
            an_object("v1", "Pod", f"p{number}", namespace, labels=labels, owners=owners, spec=spec, status=status)
        )
    return found


def listing(objects: list[Object], missing: tuple[Missing, ...] = ()) -> Listing:
    """What a server that holds these objects lists."""
    kinds = dict.fromkeys((each["kind"], each["apiVersion"]) for each in objects)
    groups = []
    for kind, version in kinds:
        items = [each for each in objects if (each["kind"], each["apiVersion"]) == (kind, version)]
        records, _ = decode_page(kind, version, page(kind, items))
        groups.append(Group.of(kind, version, records))
    header = Header(context="prod", namespace="x", time=HEADER.time, ringfence="0.1.0", missing=missing)
    return Listing(header, tuple(groups))


def page(kind: str, items: list[Object], token: str = "") -> bytes:
    """A page of a list: its items do not say what they are."""
    bare = [{name: part for name, part in each.items() if name not in {"apiVersion", "kind"}} for each in items]
    metadata = {"resourceVersion": "1"} | ({"continue": token} if token else {})
    return json.dumps({"kind": f"{kind}List", "apiVersion": "v1", "metadata": metadata, "items": bare}).encode()


def read_live(objects: list[Object]) -> Reading:
    """What is read of a live cluster that holds these objects."""
    return read_listing(listing(objects))


def read_file(objects: list[Object]) -> Reading:
    """What is read of these objects from what ``kubectl get -o json`` prints of them."""
    text = json.dumps({"apiVersion": "v1", "kind": "List", "metadata": {}, "items": objects}).encode()
    return read([Source("all.json", [text])], default_namespace="x")


def placeless(value: Any) -> Any:
    """A value without any origin in it, for comparing what was read from different places."""
    if isinstance(value, Origin):
        return None
    if is_dataclass(value) and not isinstance(value, type):
        return type(value), {each.name: placeless(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, dict):
        return {name: placeless(part) for name, part in value.items()}
    return tuple(placeless(each) for each in value) if isinstance(value, tuple) else value
