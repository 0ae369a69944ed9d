"""The control plane itself: it is the version that we compare with, and it takes and refuses objects."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.cluster.answers import Answer, of_server, written
from tests.cluster.kinds import CHANNELS, CLUSTER_NETWORK_POLICY, DEFINED, NETWORK_POLICY

if TYPE_CHECKING:
    from typing import Any

    from tests.cluster.control_plane import ControlPlane
    from tests.cluster.kinds import Kind

pytestmark = pytest.mark.cluster


def test_the_server_is_the_one_that_we_compare_with(plane: ControlPlane):
    """Messages and rules are those of one version."""
    with plane.client() as client:
        assert client.ask("GET", "/version")[1]["gitVersion"] == "v1.36.3"


def test_who_has_no_token_is_refused(plane: ControlPlane):
    """Another user of the machine gets nothing from the port."""
    with replace(plane, token="").client() as client:
        assert client.ask("GET", "/api/v1/namespaces")[0] == 401


def test_a_dry_run_names_what_is_refused(plane: ControlPlane):
    """A refusal has a field, a reason and a message; what is not refused is taken and not kept."""
    refused = {"metadata": {"name": "x"}, "spec": {"policyTypes": ["ingress"]}}
    undecodable = {"metadata": {"name": "x"}, "spec": {"policyTypes": "Ingress"}}
    taken = {"metadata": {"name": "x"}, "spec": {"policyTypes": ["Ingress"]}}
    message = 'Unsupported value: "ingress": supported values: "Ingress", "Egress"'
    causes = frozenset({("spec.policyTypes[0]", "FieldValueNotSupported", message)})

    with plane.client() as client:
        answers = [of_server(client, NETWORK_POLICY, written(NETWORK_POLICY, each)) for each in (refused, undecodable)]
        twice = [of_server(client, NETWORK_POLICY, written(NETWORK_POLICY, taken)) for _ in range(2)]

    assert answers == [Answer(accepted=False, causes=causes), Answer(accepted=False, undecodable="spec.policyTypes")]
    assert twice == [Answer(accepted=True)] * 2


@pytest.mark.parametrize("definitions", CHANNELS, indirect=True)
def test_both_channels_of_the_policy_apis_are_served(plane: ControlPlane, definitions: dict[Kind, dict[str, Any]]):
    """What only one channel has tells which one is in the server."""
    spec = {"tier": "Admin", "priority": 1, "subject": {"namespaces": {}}}
    peers = {"spec": {**spec, "egress": [{"action": "Accept", "to": [{"nodes": {}}]}]}, "metadata": {"name": "x"}}
    channels = {each["metadata"]["annotations"]["policy.networking.k8s.io/channel"] for each in definitions.values()}

    with plane.client() as client:
        answer = of_server(client, CLUSTER_NETWORK_POLICY, written(CLUSTER_NETWORK_POLICY, peers))

    assert definitions.keys() == set(DEFINED)
    assert channels == ({"experimental"} if answer.accepted else {"standard"})
