"""A node that starts knows what it knew when it ended, or lets no pod send and receive."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest
import yaml

from ringfence.algebra.addresses import render_address
from ringfence.edges import nft
from ringfence.edges.nftables import Nftables
from ringfence.edges.resuming import resume
from ringfence.edges.snapshots import replace_snapshot
from ringfence.edges.upkeep import Upkeep
from ringfence.lab.wiring import wiring_of
from ringfence.readers.listing import Missing
from tests.kernel.isolation import isolated
from tests.kernel.moving import LESS, Moving
from tests.lab.small import MANIFESTS
from tests.live import an_object, listing

if TYPE_CHECKING:
    from pathlib import Path

    from ringfence.edges.resuming import Resumed
    from ringfence.readers.listing import Listing

pytestmark = pytest.mark.kernel


def listed(lab: Moving, manifests: str, missing: tuple[Missing, ...] = ()) -> Listing:
    """What an API server lists of a lab under the policies of manifests, and one in audit that would close all pods."""
    snapshot = lab.snapshot(manifests)
    objects = [an_object("v1", "Namespace", name) for name in snapshot.namespaces]
    for name, node in snapshot.nodes.items():
        addresses = [{"type": "InternalIP", "address": render_address(each)} for each in node.addresses]
        objects.append(an_object("v1", "Node", name, status={"addresses": addresses}))
    for pod in snapshot.pods:
        ports = [
            {"name": port.name, "containerPort": port.number, "protocol": port.protocol.value} for port in pod.ports
        ]
        spec = {
            "nodeName": pod.node,
            "hostNetwork": pod.host_network,
            "containers": [{"name": "main", "ports": ports}],
        }
        ips = [{"ip": render_address(each)} for each in pod.addresses.values()]
        status = {"phase": "Running", "podIPs": ips} | ({"podIP": ips[0]["ip"]} if ips else {})
        objects.append(
            an_object("v1", "Pod", pod.name, pod.namespace, labels=dict(pod.labels), spec=spec, status=status)
        )
    for each in yaml.safe_load_all(manifests):
        if each["kind"] == "NetworkPolicy":
            name, namespace = each["metadata"]["name"], each["metadata"]["namespace"]
            objects.append(an_object(each["apiVersion"], each["kind"], name, namespace, spec=each["spec"]))
    closing = {"podSelector": {}, "policyTypes": ["Ingress"]}
    audited = {"ringfence.io/audit": "true"}
    objects.append(
        an_object("networking.k8s.io/v1", "NetworkPolicy", "audited", "shop", annotations=audited, spec=closing)
    )
    return listing(objects, missing)


def started(lab: Moving, path: Path) -> Resumed:
    """The node after it has lost every rule, and after a new process has started on it."""
    nft.apply(lab.network, "flush ruleset\n")
    upkeep = Upkeep(lab.network, Nftables(lab.network))
    found = resume(upkeep, path, lab.node, wiring_of(lab.cluster.topology))
    upkeep.close()
    return found


def arrived(lab: Moving, port: int, protocol: str = "TCP") -> list[int]:
    """How much of a flood arrives at the database, in each family, after a good deal was sent."""
    floods = lab.flood(port, protocol)
    for each in floods:
        while each.counts()[-1].sent < 50:
            pass
    return [sum(count.arrived for count in each.stop()) for each in floods]


@isolated
def check_remembered(path: Path) -> None:
    """The newest file counts, and is replaced as a whole."""
    lab = Moving()
    for manifests in (MANIFESTS, LESS):
        replace_snapshot(path, listed(lab, manifests))
        found = started(lab, path)

        assert found.closed == ""
        assert found.reading
        assert found.applied.quarantined == ()
        lab.check(manifests)
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    assert all(arrived(lab, 5432))
    assert arrived(lab, 7, "UDP") == [0, 0]


def test_a_node_enforces_what_it_knew_before_anybody_can_be_asked(tmp_path: Path):
    """Every packet as the kernel would have treated it before, in both families."""
    check_remembered(tmp_path / "snapshot.jsonl.gz")


@isolated
def check_closed(path: Path) -> None:
    """None of these files says what policies there are."""
    lab = Moving()
    whole = listed(lab, MANIFESTS)
    replace_snapshot(path, listed(lab, MANIFESTS, (Missing("networkpolicies.networking.k8s.io", "", "forbidden"),)))
    lacking = path.read_bytes()
    replace_snapshot(path, whole)
    text = gzip.decompress(path.read_bytes())
    for content, reason in (
        (None, "cannot be read: no such file or directory"),
        (lacking, "lacks networkpolicies.networking.k8s.io"),
        (path.read_bytes()[:-20], "not a snapshot, or not a whole one"),
        (gzip.compress(text[: text.rindex(b'{"apiVersion"')]), "not a snapshot, or not a whole one"),
        (b"", "not a snapshot, or not a whole one"),
    ):
        path.unlink()
        if content is not None:
            path.write_bytes(content)
        found = started(lab, path)

        assert found.reading is None
        assert found.closed == f"{path}: {reason}"
        assert arrived(lab, 5432) == [0, 0]
        path.write_bytes(b"")


def test_a_node_that_knows_nothing_for_certain_stays_closed_to_its_pods(tmp_path: Path):
    """Without a file, with half a file, and with one by somebody who could not list the policies."""
    check_closed(tmp_path / "snapshot.jsonl.gz")
