"""What a server serves is asked once, or version by version where it is older."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ringfence.edges.discovery import Resource, discover
from ringfence.edges.server import connect
from ringfence.errors import ClusterError
from tests.api_server import ApiServer, serving, status
from tests.edges.clusters import access

if TYPE_CHECKING:
    from pathlib import Path

CALICO = {"projectcalico.org/v3": ("NetworkPolicy", "GlobalNetworkPolicy"), "metrics.k8s.io/v1": ("PodMetrics",)}


def discovered(server: ApiServer, folder: Path) -> list[Resource] | None:
    """What is found on a server."""
    with serving(server), connect(access(folder, server.url)) as connected:
        return discover(connected)


@pytest.mark.parametrize("aggregated", [True, False])
def test_kinds_of_extensions_are_found(tmp_path: Path, *, aggregated: bool):
    """With the name that they have in paths, and whether they are in namespaces."""
    found = discovered(ApiServer(served=CALICO, aggregated=aggregated), tmp_path)
    assert found
    there = [each for each in found if each.version == "projectcalico.org/v3"]

    assert there == [
        Resource("NetworkPolicy", "projectcalico.org/v3", "networkpolicies", namespaced=True, whole=False),
        Resource("GlobalNetworkPolicy", "projectcalico.org/v3", "globalnetworkpolicies", namespaced=False, whole=False),
    ]


def test_older_servers_are_asked_about_extensions_alone(tmp_path: Path):
    """Of the groups that every cluster has nothing needs to be asked; an extension that is down serves nothing."""
    server = ApiServer(served=CALICO, aggregated=False, forbidden={"/apis/projectcalico.org/v3"})
    assert discovered(server, tmp_path) == []

    assert [path for path, _ in server.requests] == ["/apis", "/apis/projectcalico.org/v3"]


def test_who_may_not_discover_does_not_know(tmp_path: Path):
    """That differs from a server that serves nothing, and from one that is none."""
    assert discovered(ApiServer(forbidden={"/apis"}), tmp_path) is None
    with pytest.raises(ClusterError, match="does not answer as an API server: /apis: 404 Not Found"):
        discovered(ApiServer(answers={"/apis": lambda _: status(404, "not here")}), tmp_path)
    with pytest.raises(ClusterError, match="does not answer as an API server: /apis: "):
        discovered(ApiServer(answers={"/apis": lambda _: (200, b"[]")}), tmp_path)


def test_a_resource_knows_where_it_is_listed():
    """The core has a path of its own."""
    assert Resource("Pod", "v1", "pods", namespaced=True).path() == "/api/v1/pods"
    assert Resource("Pod", "v1", "pods", namespaced=True).path("x") == "/api/v1/namespaces/x/pods"
    assert Resource("Job", "batch/v1", "jobs", namespaced=True).path() == "/apis/batch/v1/jobs"
