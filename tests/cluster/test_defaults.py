"""What the server stores means what was written: its defaults are ours."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

import pytest

from ringfence.model.origin import Origin
from ringfence.model.policy import Policy
from ringfence.readers import Source, read
from tests.cluster.answers import DRY_RUN, errors_of, written
from tests.cluster.kinds import (
    ADMIN_NETWORK_POLICY,
    BASELINE_ADMIN_NETWORK_POLICY,
    CLUSTER_NETWORK_POLICY,
    DEFINED,
    NETWORK_POLICY,
)
from tests.cluster.objects import NETWORK_POLICY as NETWORK_POLICY_SHAPE
from tests.cluster.objects import objects, read_definition

if TYPE_CHECKING:
    from tests.cluster.control_plane import ControlPlane
    from tests.cluster.kinds import Kind
    from tests.cluster.shapes import Shape

pytestmark = pytest.mark.cluster

COUNT = 500
"""Objects of each kind that are tried; more than half of them are taken."""

INGRESS = {"podSelector": {}, "policyTypes": ["Ingress"]}
BOTH = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
TCP = {"protocol": "TCP"}

SPECS = {
    "nothing": ({}, INGRESS),
    "no types": ({"policyTypes": []}, INGRESS),
    "null types": ({"policyTypes": None}, INGRESS),
    "empty egress": ({"egress": []}, INGRESS),
    "egress rules": ({"egress": [{}]}, {**BOTH, "egress": [{}]}),
    "no types and egress rules": ({"policyTypes": [], "egress": [{}]}, {**BOTH, "egress": [{}]}),
    "ingress rules": ({"ingress": [{}]}, {**INGRESS, "ingress": [{}]}),
    "ingress rules, egress type": (
        {"policyTypes": ["Egress"], "ingress": [{}]},
        {"podSelector": {}, "policyTypes": ["Egress"], "ingress": [{}]},
    ),
    "egress rules, ingress type": (
        {"policyTypes": ["Ingress"], "egress": [{}]},
        {**INGRESS, "egress": [{}]},
    ),
    "null selector": ({"podSelector": None}, INGRESS),
    "empty lists": ({"ingress": [{"from": [], "ports": []}]}, {**INGRESS, "ingress": [{}]}),
    "null lists": ({"ingress": [{"from": None, "ports": None}], "egress": None}, {**INGRESS, "ingress": [{}]}),
    "null ingress": ({"ingress": None}, INGRESS),
    "empty ingress": ({"ingress": []}, INGRESS),
    "port of nothing": ({"ingress": [{"ports": [{}]}]}, {**INGRESS, "ingress": [{"ports": [TCP]}]}),
    "port without protocol": (
        {"egress": [{"ports": [{"port": 80, "endPort": 90}, {"port": "http"}]}]},
        {**BOTH, "egress": [{"ports": [{**TCP, "port": 80, "endPort": 90}, {**TCP, "port": "http"}]}]},
    ),
    "peers of all": (
        {"ingress": [{"from": [{"podSelector": {}}, {"namespaceSelector": {}, "podSelector": None}]}]},
        {**INGRESS, "ingress": [{"from": [{"podSelector": {}}, {"namespaceSelector": {}}]}]},
    ),
}
"""Specs of NetworkPolicies as written, and as stored."""

SUBJECT = {"subject": {"namespaces": {}}}
PEERS = {"action": "Deny", "from": [{"namespaces": {}}]}
PORTS = [{"portNumber": {"port": 80}}, {"portRange": {"start": 1, "end": 2}}]
FILLED = [{"portNumber": {"port": 80, **TCP}}, {"portRange": {"start": 1, "end": 2, **TCP}}]


def stored(plane: ControlPlane, kind: Kind, made: dict[str, Any]) -> dict[str, Any] | None:
    """The object as the server would keep it; None when it refuses it."""
    with plane.client() as client:
        status, answer = client.ask("POST", kind.path + DRY_RUN, written(kind, made))
    return answer if status == 201 else None


def policy(made: dict[str, Any], kind: Kind) -> Policy:
    """The policy that an object is."""
    (found,) = read([Source("object.json", [written(kind, made)])]).snapshot.policies
    return found


def meaning(value: Any) -> Any:
    """A value without the places where it was read, and a policy without its name: the server may choose it."""
    if isinstance(value, Origin):
        return None
    if is_dataclass(value):
        names = [each.name for each in fields(value) if not (isinstance(value, Policy) and each.name == "name")]
        return (type(value), *(meaning(getattr(value, name)) for name in names))
    return tuple(meaning(each) for each in value) if isinstance(value, tuple) else value


def compare(plane: ControlPlane, kind: Kind, shape: Shape) -> int:
    """Read objects as they are written and as they are stored; return how many were stored."""
    count = 0
    for made in objects(shape, COUNT, seed=2):
        kept = stored(plane, kind, made)
        if kept and not errors_of(written(kind, made)):  # else we know better, and say so
            count += 1
            assert meaning(policy(made, kind)) == meaning(policy(kept, kind)), made
    return count


def test_a_network_policy_means_what_is_stored(plane: ControlPlane):
    """Whatever is taken reads the same as written and as stored."""
    assert compare(plane, NETWORK_POLICY, NETWORK_POLICY_SHAPE) > COUNT / 2


@pytest.mark.parametrize("kind", DEFINED, ids=lambda kind: kind.name)
@pytest.mark.parametrize("definitions", ["experimental"], indirect=True)
def test_a_policy_of_a_tier_means_what_is_stored(
    plane: ControlPlane, definitions: dict[Kind, dict[str, Any]], kind: Kind
):
    """Whatever is taken reads the same as written and as stored."""
    assert compare(plane, kind, read_definition(definitions[kind])) > COUNT / 2


@pytest.mark.parametrize(("spec", "kept"), SPECS.values(), ids=SPECS)
def test_a_network_policy_is_stored_with_its_defaults(plane: ControlPlane, spec: dict[str, Any], kept: dict[str, Any]):
    """Types follow from the rules for egress, a port is one of TCP, and empty lists are none."""
    found = stored(plane, NETWORK_POLICY, {"metadata": {"name": "x"}, "spec": spec})

    assert found is not None
    assert found["spec"] == kept
    assert found["metadata"]["generation"] == 1
    isolates = policy({"metadata": {"name": "x"}, "spec": spec}, NETWORK_POLICY).isolates
    assert {direction.value for direction in isolates} == set(kept["policyTypes"])


@pytest.mark.parametrize("definitions", ["standard"], indirect=True)
def test_ports_of_the_first_version_are_of_tcp(plane: ControlPlane, definitions: dict[Kind, dict[str, Any]]):
    """A port needs a protocol there, and gets one."""
    spec = {**SUBJECT, "ingress": [{**PEERS, "ports": PORTS}]}
    admin = stored(plane, ADMIN_NETWORK_POLICY, {"metadata": {"name": "x"}, "spec": {**spec, "priority": 1}})
    baseline = stored(plane, BASELINE_ADMIN_NETWORK_POLICY, {"metadata": {"name": "default"}, "spec": spec})

    assert admin is not None
    assert baseline is not None
    assert [each["spec"]["ingress"][0]["ports"] for each in (admin, baseline)] == [FILLED] * 2


@pytest.mark.parametrize("definitions", ["standard"], indirect=True)
def test_the_second_version_has_no_defaults(plane: ControlPlane, definitions: dict[Kind, dict[str, Any]]):
    """A ClusterNetworkPolicy is stored as it is written."""
    ingress = [{**PEERS, "protocols": [{"tcp": {"destinationPort": {"number": 80}}}]}]
    spec = {**SUBJECT, "tier": "Baseline", "priority": 0, "ingress": ingress, "egress": []}

    found = stored(plane, CLUSTER_NETWORK_POLICY, {"metadata": {"name": "x"}, "spec": spec})

    assert found is not None
    assert found["spec"] == spec
