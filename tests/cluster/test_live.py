"""A real API server is read as the files that kubectl prints of it, and by everybody who may see but a part."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest

from ringfence.edges.cluster import read_cluster
from ringfence.edges.kubeconfig import Wanted, find_access
from ringfence.edges.snapshots import load_snapshot, save_snapshot
from ringfence.readers import Source, read, read_listing
from ringfence.readers.kinds import READ
from tests.api_server import plural
from tests.cluster.kubectl import listed
from tests.edges.test_cluster import PODS
from tests.live import CLUSTER, placeless

if TYPE_CHECKING:
    from pathlib import Path

    from ringfence.readers import Reading
    from tests.cluster.client import Client
    from tests.cluster.control_plane import ControlPlane
    from tests.cluster.kinds import Kind

pytestmark = [pytest.mark.cluster, pytest.mark.parametrize("definitions", ["standard"], indirect=True)]

KINDS = (
    "namespaces,nodes,pods,services,endpointslices,deployments,replicasets,statefulsets,daemonsets,cronjobs,jobs,"
    "replicationcontrollers,ingresses,ingressclasses,networkpolicies.networking.k8s.io,clusternetworkpolicies"
)
EVERYTHING = ["", "apps", "batch", "discovery.k8s.io", "networking.k8s.io", "policy.networking.k8s.io"]
"""The groups of all that is read."""


def create(client: Client, wanted: dict[str, Any]) -> None:
    """Create an object, and its status after it, unless it is there."""
    value = copy.deepcopy(wanted)
    status = value.pop("status", None)
    kept = ("name", "namespace", "labels", "annotations")
    value["metadata"] = {name: part for name, part in value["metadata"].items() if name in kept}
    if value["kind"] in {"DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"}:
        value["spec"]["selector"] = {"matchLabels": value["spec"]["template"]["metadata"]["labels"]}
    if value["kind"] == "Service":  # whose address is the server's to give
        value["spec"] = {name: part for name, part in value["spec"].items() if not name.startswith("clusterIP")}
    if value["kind"] == "CronJob":
        value["spec"]["jobTemplate"]["spec"]["template"]["spec"]["restartPolicy"] = "Never"
    version, namespace = value["apiVersion"], value["metadata"].get("namespace")
    place = f"namespaces/{namespace}/" if namespace else ""
    path = f"/{'apis' if '/' in version else 'api'}/{version}/{place}{plural(value['kind'])}"
    code, answer = client.ask("POST", path, json.dumps(value).encode())
    assert code in {201, 409}, answer
    if status and value["kind"] in {"Node", "Pod"}:
        patch = json.dumps({"status": status}).encode()
        target = f"{path}/{value['metadata']['name']}/status"
        code, answer = client.ask("PATCH", target, patch, "application/merge-patch+json")
        assert code == 200, answer


def fill(plane: ControlPlane) -> None:
    """Put a cluster of one of everything into the server, and people who may see a part of it."""
    account = {"apiVersion": "v1", "kind": "ServiceAccount"}
    kinds = [each["kind"] for each in CLUSTER]
    with plane.client() as client:
        for each in sorted(CLUSTER, key=lambda each: kinds.index(each["kind"]) if each["kind"] != "Namespace" else -1):
            create(client, each)
        for namespace in ("x", "y"):
            create(client, {**account, "metadata": {"name": "default", "namespace": namespace}})
        for each in PODS:
            create(client, each)
        _allow(client, "jane", [plural(kind) for kind in READ if kind != "Node"])
        _allow(client, "joe", ["*"], "x")


def _allow(client: Client, user: str, resources: list[str], namespace: str = "") -> None:
    """Allow a user to list something, everywhere or in one namespace."""
    group, kind = "rbac.authorization.k8s.io", "Role" if namespace else "ClusterRole"
    metadata = {"name": user} | ({"namespace": namespace} if namespace else {})
    rule = {"apiGroups": EVERYTHING, "resources": resources, "verbs": ["list"]}
    role = {"apiVersion": f"{group}/v1", "kind": kind, "metadata": metadata, "rules": [rule]}
    binding = {
        "apiVersion": f"{group}/v1",
        "kind": f"{kind}Binding",
        "metadata": metadata,
        "roleRef": {"apiGroup": group, "kind": kind, "name": user},
        "subjects": [{"apiGroup": group, "kind": "User", "name": user}],
    }
    create(client, role)
    create(client, binding)


def live(plane: ControlPlane, user: str = "", namespace: str = "") -> Reading:
    """What somebody reads of the server."""
    access = find_access(Wanted(kubeconfig=str(plane.kubeconfig), impersonate=user), {})
    return read_listing(read_cluster(access, namespace))


def test_a_real_cluster_read_live_is_the_one_that_kubectl_prints(
    plane: ControlPlane, definitions: dict[Kind, dict[str, Any]], tmp_path: Path
):
    """Every object as the server stores and defaults it; and a snapshot of it is the same again."""
    fill(plane)
    reading = live(plane)
    files = read([Source("all.json", [listed(plane, KINDS)])])

    assert placeless(reading.snapshot) == placeless(files.snapshot)
    assert (reading.errors, reading.notes) == ((), ())
    assert {policy.name for policy in reading.snapshot.policies} >= {"x/web", "dns"}
    assert all(policy.origin.resource_version for policy in reading.snapshot.policies)
    assert all(policy.origin.field_manager for policy in reading.snapshot.policies)

    listing = read_cluster(find_access(Wanted(kubeconfig=str(plane.kubeconfig)), {}))
    save_snapshot(tmp_path / "snapshot", listing)
    assert load_snapshot(tmp_path / "snapshot") == listing


def test_who_may_not_see_nodes_gets_a_partial_answer(plane: ControlPlane, definitions: dict[Kind, dict[str, Any]]):
    """And is told what is missing."""
    fill(plane)
    reading = live(plane, "jane")

    assert [str(error) for error in reading.errors] == [
        "cluster:tests: nodes cannot be listed (forbidden), so answers lack what they decide"
    ]
    assert reading.snapshot.pods == live(plane).snapshot.pods
    assert not reading.snapshot.nodes


def test_who_may_see_one_namespace_reads_it(plane: ControlPlane, definitions: dict[Kind, dict[str, Any]]):
    """With ``-n``; what is of no namespace is missing altogether."""
    fill(plane)
    reading = live(plane, "joe", "x")

    assert {pod.namespace for pod in reading.snapshot.pods} == {"x"}
    missing, partly = sorted(str(error) for error in reading.errors)
    assert "namespaces" in missing
    assert "nodes" in missing
    assert "cannot be listed but in namespace x (forbidden)" in partly
    assert "networkpolicies" in partly
