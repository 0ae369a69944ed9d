"""What a server lists is cut down to what is needed, and kept as lines of text."""

from __future__ import annotations

import copy
import json

import msgspec
import pytest

from ringfence.readers.core import POD_SPEC
from ringfence.readers.listing import (
    LivePod,
    Missing,
    PodSpecShape,
    decode_page,
    read_lines,
    snapshot_schema,
    write_lines,
)
from tests.live import CLUSTER, WRITTEN, Object, an_object, container, listing, page
from tests.schemas import fits

POD = an_object(
    "v1", "Pod", "a", "x", labels={"app": "a"}, spec={"containers": [container("main")]}, status={"phase": "Running"}
)
POLICY = CLUSTER[-1]


def entry(manager: str, time: str, *parts: str, subresource: str = "") -> Object:
    """A managed fields entry that owns these parts."""
    fields = {f"f:{part}": {"f:x": {}} for part in parts}
    return {"manager": manager, "operation": "Update", "time": time, "fieldsV1": fields, "subresource": subresource}


@pytest.mark.parametrize(
    ("entries", "manager"),
    [
        (WRITTEN, "kubectl-client-side-apply"),
        ([entry("old", "2026-01-01T00:00:00Z", "spec"), entry("new", "2026-01-02T00:00:00Z", "spec")], "new"),
        ([entry("new", "2026-01-02T00:00:00Z", "spec"), entry("old", "2026-01-01T00:00:00Z", "spec")], "new"),
        ([entry("spec", "2026-01-01T00:00:00Z", "spec"), entry("label", "2026-01-02T00:00:00Z", "metadata")], "spec"),
        ([entry("scale", "2026-01-02T00:00:00Z", "spec", subresource="scale")], "scale"),
        ([entry("label", "2026-01-02T00:00:00Z", "metadata")], "label"),
        ([entry("kubelet", "2026-01-02T00:00:00Z", "status", subresource="status")], ""),
        ([], ""),
    ],
)
def test_who_last_wrote_the_spec_is_found(entries: list[Object], manager: str):
    """The newest that owns the spec; where nobody does, the newest but for status."""
    pod, policy = copy.deepcopy(POD), copy.deepcopy(POLICY)
    pod["metadata"]["managedFields"] = policy["metadata"]["managedFields"] = entries
    ((first,), _), ((second,), _) = (
        decode_page("Pod", "v1", page("Pod", [pod])),
        decode_page("NetworkPolicy", "networking.k8s.io/v1", page("NetworkPolicy", [policy])),
    )
    assert isinstance(first, LivePod)
    assert isinstance(second, dict)
    assert first.metadata.field_manager == manager
    assert second["metadata"].get("managedFields", [{"manager": ""}])[0]["manager"] == manager


def test_objects_are_cut_down():
    """A pod to what decides something; a policy keeps all but what says nothing of it."""
    ((pod,), following) = decode_page("Pod", "v1", page("Pod", [POD], "next"))
    ((policy,), _) = decode_page("NetworkPolicy", "networking.k8s.io/v1", page("NetworkPolicy", [POLICY]))

    assert following == "next"
    assert json.loads(msgspec.json.encode(pod)) == {
        "metadata": {
            "name": "a",
            "namespace": "x",
            "labels": {"app": "a"},
            "resourceVersion": "4711",
            "managedFields": [{"manager": "kubectl-client-side-apply", "fieldsV1": {"f:spec": {}}}],
        },
        "spec": {"containers": [{}]},
        "status": {"phase": "Running"},
    }
    assert isinstance(policy, dict)
    assert list(policy) == ["apiVersion", "kind", "metadata", "spec"]
    assert policy["spec"] == POLICY["spec"]
    assert list(policy["metadata"]) == ["name", "namespace", "resourceVersion", "managedFields"]


def test_a_pod_is_cut_down_to_what_its_reader_reads():
    """A member that the reader of manifests learns has to be decoded here, too."""
    assert {each.encode_name for each in msgspec.structs.fields(PodSpecShape)} == set(POD_SPEC)


def test_a_command_is_kept_of_nodelocal_dns_alone():
    """It says where such a pod listens; others may have passwords in theirs."""
    spec = {"containers": [container("main", command=["serve"], args=["--password", "x"])], "hostNetwork": True}
    usual = an_object("v1", "Pod", "a", "x", labels={"app": "a"}, spec=spec, status={})
    cache = an_object("v1", "Pod", "a", "x", labels={"k8s-app": "node-local-dns"}, spec=spec, status={})
    pages = [decode_page("Pod", "v1", page("Pod", [pod])) for pod in (usual, cache)]
    found = [json.loads(msgspec.json.encode(record)) for records, _ in pages for record in records]

    assert [each["spec"]["containers"] for each in found] == [
        [{}],
        [{"command": ["serve"], "args": ["--password", "x"]}],
    ]


def test_annotations_that_are_read_are_kept():
    """The tunnel of a node, the class of an Ingress; no other."""
    kept = {
        (record["kind"], *record["metadata"]["annotations"])
        for group in listing(list(CLUSTER)).groups
        for record in group.records
        if isinstance(record, dict) and "annotations" in record["metadata"]
    }
    assert kept == {
        ("Node", "projectcalico.org/IPv4VXLANTunnelAddr"),
        ("IngressClass", "ingressclass.kubernetes.io/is-default-class"),
        ("Ingress", "kubernetes.io/ingress.class"),
    }


def test_a_list_of_nothing_is_empty():
    """Also where the server writes null for it."""
    assert decode_page("Pod", "v1", b'{"kind": "PodList", "metadata": {}, "items": null}') == ([], "")
    assert decode_page("Pod", "v1", b'{"kind": "PodList", "metadata": {}}') == ([], "")


@pytest.mark.parametrize(
    "item",
    [
        b'{"spec": {}}',
        b'{"metadata": null}',
        b'{"metadata": {"name": "\\ud800"}}',
        b'{"metadata": {"name": "\xff"}}',
        b'{"metadata": {}, "spec": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)
def test_what_is_no_object_is_refused(item: bytes):
    """As a page, and as a line of a snapshot."""
    header, end = write_lines(listing([]))
    end = end.replace(b"0", b"1")
    line = b'{"kind": "Namespace", "apiVersion": "v1", ' + item[1:]
    with pytest.raises((msgspec.DecodeError, UnicodeDecodeError)):
        decode_page("Namespace", "v1", b'{"kind": "NamespaceList", "metadata": {}, "items": [' + item + b"]}")
    with pytest.raises((msgspec.DecodeError, UnicodeDecodeError)):
        read_lines([header, line, end])


@pytest.mark.parametrize("number", [0, -1, 65_536, 1.5])
def test_a_port_that_is_none_is_refused(number: float):
    """No server stores one."""
    spec = {"containers": [container("main", {"containerPort": number})]}
    with pytest.raises(msgspec.ValidationError):
        decode_page("Pod", "v1", page("Pod", [an_object("v1", "Pod", "a", "x", spec=spec)]))


def test_a_pod_without_a_name_is_refused():
    """Nor one without a namespace."""
    for name, namespace in (("", "x"), ("a", "")):
        with pytest.raises(msgspec.ValidationError):
            decode_page("Pod", "v1", page("Pod", [an_object("v1", "Pod", name, namespace, spec={})]))


def test_lines_say_what_they_hold():
    """A header with what is known of all of them, an object a line, each complete, and how many there were."""
    lines = [json.loads(line) for line in write_lines(listing([*CLUSTER, POD]))]

    assert lines[0] == {
        "apiVersion": "ringfence.io/v1alpha1",
        "kind": "Snapshot",
        "context": "prod",
        "namespace": "x",
        "time": "2026-01-02T03:04:05Z",
        "ringfence": "0.1.0",
        "missing": [],
    }
    assert lines[-1] == {"apiVersion": "ringfence.io/v1alpha1", "kind": "SnapshotEnd", "objects": len(lines) - 2}
    assert sorted((line["apiVersion"], line["kind"], line["metadata"]["name"]) for line in lines[1:-1]) == sorted(
        (each["apiVersion"], each["kind"], each["metadata"]["name"]) for each in (*CLUSTER, POD)
    )
    assert read_lines(write_lines(listing([*CLUSTER, POD]))) == listing([*CLUSTER, POD])


def test_lines_are_as_their_schema_says():
    """Whoever reads a snapshot with another program has it to go by."""
    schema = json.loads(snapshot_schema())
    header, *objects, end = [json.loads(line) for line in write_lines(listing([*CLUSTER, POD], (Missing("nodes"),)))]

    assert [line["kind"] for line in (header, *objects, end) if not fits(line, schema)] == []
    for broken in (
        header | {"missing": [5]},
        {**end, "objects": "1"},
        {**objects[0], "metadata": {"labels": {"a": 1}}},
    ):
        assert not fits(broken, schema)


def test_groups_are_in_order():
    """By namespace and name, whatever order the server lists in."""
    names = [("y", "b"), ("x", "b"), ("x", "a")]
    pods = [an_object("v1", "Pod", name, namespace, spec={"containers": []}) for namespace, name in names]
    (group,) = listing(pods).groups

    found = [record.metadata for record in group.records if isinstance(record, LivePod)]
    assert [(each.namespace, each.name) for each in found] == [("x", "a"), ("x", "b"), ("y", "b")]
