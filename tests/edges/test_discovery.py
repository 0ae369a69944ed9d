"""What a server serves is asked once, or version by version where it is older."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from ringfence.edges.discovery import Discovery, Resource, discover
from ringfence.edges.server import connect
from ringfence.errors import ClusterError
from ringfence.readers.listing import Missing
from tests.api_server import ApiServer, serving, status
from tests.edges.clusters import access

if TYPE_CHECKING:
    from pathlib import Path

CALICO = {"projectcalico.org/v3": ("NetworkPolicy", "GlobalNetworkPolicy"), "metrics.k8s.io/v1": ("PodMetrics",)}


def discovered(server: ApiServer, folder: Path) -> Discovery:
    """What is found on a server."""
    with serving(server), connect(access(folder, server.url)) as connected:
        return discover(connected)


@pytest.mark.parametrize("aggregated", [True, False])
def test_kinds_of_extensions_are_found(tmp_path: Path, *, aggregated: bool):
    """With the name that they have in paths, and whether they are in namespaces."""
    found = discovered(ApiServer(served=CALICO, aggregated=aggregated), tmp_path)
    assert found.resources
    assert found.missing == ()
    there = [each for each in found.resources if each.version == "projectcalico.org/v3"]

    assert there == [
        Resource("NetworkPolicy", "projectcalico.org/v3", "networkpolicies", namespaced=True, whole=False),
        Resource("GlobalNetworkPolicy", "projectcalico.org/v3", "globalnetworkpolicies", namespaced=False, whole=False),
    ]


def test_older_servers_are_asked_about_extensions_alone(tmp_path: Path):
    """Of the groups that every cluster has nothing needs to be asked, nor of those that hold no policies."""
    server = ApiServer(served=CALICO, aggregated=False)
    discovered(server, tmp_path)

    assert [path for path, _ in server.requests] == ["/apis", "/apis/projectcalico.org/v3"]


def test_a_group_that_tells_nothing_is_missing(tmp_path: Path):
    """Forbidden, or the extension is down; policies may be among what it serves."""
    path = "/apis/projectcalico.org/v3"
    metrics = "/apis/metrics.k8s.io/v1"
    server = ApiServer(served=CALICO, aggregated=False, forbidden={path, metrics})
    assert discovered(server, tmp_path) == Discovery([], (Missing(path, "", "forbidden"),))

    server = ApiServer(served=CALICO, aggregated=False, answers={path: lambda _: status(503, "down")})
    assert discovered(server, tmp_path).missing == (Missing(path, "", "not served"),)


def test_a_stale_group_is_missing_unless_its_kinds_are_known(tmp_path: Path):
    """So servers from 1.27 on say that they could not ask an extension; what it served before is listed."""

    def stale(*resources: dict[str, Any]) -> bytes:
        items = [
            {"metadata": {"name": group}, "versions": [{"version": "v1", "freshness": "Stale", "resources": known}]}
            for group, known in (("policies.example", list(resources)), ("metrics.k8s.io", []))
        ]
        return json.dumps({"kind": "APIGroupDiscoveryList", "items": items}).encode()

    kind = {"resource": "guards", "responseKind": {"kind": "Guard"}, "scope": "Cluster", "verbs": ["list"]}
    unknown = discovered(ApiServer(answers={"/apis": lambda _: (200, stale())}), tmp_path)
    known = discovered(ApiServer(answers={"/apis": lambda _: (200, stale(kind))}), tmp_path)

    assert unknown == Discovery([], (Missing("/apis/policies.example/v1", "", "not served"),))
    assert known.missing == ()
    assert [each.kind for each in known.resources or ()] == ["Guard"]


def test_who_may_not_discover_does_not_know(tmp_path: Path):
    """That differs from a server that serves nothing, and from one that is none."""
    assert discovered(ApiServer(forbidden={"/apis"}), tmp_path) == Discovery(None, (Missing("/apis", "", "forbidden"),))
    with pytest.raises(ClusterError, match="does not answer as an API server: /apis: 404 Not Found"):
        discovered(ApiServer(answers={"/apis": lambda _: status(404, "not here")}), tmp_path)
    with pytest.raises(ClusterError, match="does not answer as an API server: /apis: "):
        discovered(ApiServer(answers={"/apis": lambda _: (200, b"[]")}), tmp_path)


def test_a_resource_knows_where_it_is_listed():
    """The core has a path of its own."""
    assert Resource("Pod", "v1", "pods", namespaced=True).path() == "/api/v1/pods"
    assert Resource("Pod", "v1", "pods", namespaced=True).path("x") == "/api/v1/namespaces/x/pods"
    assert Resource("Job", "batch/v1", "jobs", namespaced=True).path() == "/apis/batch/v1/jobs"
