"""The mark of a policy in audit: of every kind, and never taken for granted."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.live import CLUSTER, read_live

from .texts import POD, VERSIONS, reading

if TYPE_CHECKING:
    from ringfence.readers import Reading

SPECS = {
    "NetworkPolicy": "{podSelector: {}, ingress: [{}]}",
    "ClusterNetworkPolicy": "{tier: Admin, priority: 1, subject: {namespaces: {}}}",
    "AdminNetworkPolicy": "{priority: 1, subject: {namespaces: {}}}",
    "BaselineAdminNetworkPolicy": "{subject: {namespaces: {}}}",
}
VERSION = {"NetworkPolicy": "networking.k8s.io/v1", **VERSIONS}
EVERY_KIND = pytest.mark.parametrize("kind", SPECS)


def marked(kind: str, annotations: str) -> Reading:
    """A policy, its annotations on line 3, and a pod."""
    metadata = f"metadata: {{name: default, annotations: {{{annotations}}}}}"
    text = f"apiVersion: {VERSION[kind]}\nkind: {kind}\n{metadata}\nspec: {SPECS[kind]}\n"
    return reading(text, f"{POD}---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: default}}\n")


@EVERY_KIND
@pytest.mark.parametrize(("value", "audited"), [('"true"', True), ('"false"', False)])
def test_a_policy_of_any_kind_says_whether_it_is_in_audit(kind: str, value: str, *, audited: bool):
    """And is the same policy otherwise."""
    found, plain = marked(kind, f"ringfence.io/audit: {value}"), marked(kind, "")
    (policy,), (unmarked,) = found.snapshot.policies, plain.snapshot.policies

    assert (found.errors, policy.audited, unmarked.audited) == ((), audited, False)
    assert policy == replace(unmarked, audited=audited)


@EVERY_KIND
@pytest.mark.parametrize("value", ["True", "yes", "1", " true", ""])
def test_any_other_value_is_an_error_and_the_policy_is_enforced_as_it_stands(kind: str, value: str):
    """Whoever wrote it is told where; what the policy means is clear, and stays."""
    found, plain = marked(kind, f'ringfence.io/audit: "{value}"'), marked(kind, "")

    said = f'expected "true" or "false", found the string "{value}", so the policy is enforced'
    assert [str(error) for error in found.errors] == [f"a.yaml:3: metadata.annotations[ringfence.io/audit]: {said}"]
    assert found.snapshot.policies == plain.snapshot.policies


@EVERY_KIND
@pytest.mark.parametrize(
    ("value", "hint"),
    [("true", "put quotes around the value"), ("0", "put quotes around the value"), ("[x]", "write a string")],
)
def test_what_is_no_text_is_refused_as_by_a_server(kind: str, value: str, hint: str):
    """Without quotes true is a boolean; a policy that the server refuses for that is closed, and not in audit."""
    found = marked(kind, f"ringfence.io/audit: {value}")
    (policy,) = found.snapshot.policies

    assert [error.hint for error in found.errors] == [hint]
    assert not policy.audited


def test_null_is_the_empty_text():
    """As to a server."""
    found = marked("NetworkPolicy", "ringfence.io/audit: null")

    assert 'found the string ""' in str(found.errors[0])
    assert not found.snapshot.policies[0].audited


def test_the_mark_is_read_of_a_live_cluster():
    """It is among the annotations that a snapshot keeps."""
    policy = copy.deepcopy(CLUSTER[-1])
    policy["metadata"]["annotations"] = {"ringfence.io/audit": "true", "other": "x"}

    assert [each.name for each in read_live([*CLUSTER[:-1], policy]).snapshot.audited] == [
        f"{policy['metadata']['namespace']}/{policy['metadata']['name']}"
    ]


def test_what_is_in_audit_is_not_enforced():
    """Nothing else is left out; where nothing is in audit the snapshot is its own."""
    text = marked("NetworkPolicy", 'ringfence.io/audit: "true"').snapshot
    other = replace(text.policies[0], name="default/other", audited=False)
    both = replace(text, policies=(*text.policies, other))

    assert [policy.name for policy in both.audited] == ["default/default"]
    assert both.enforced == replace(text, policies=(other,))
    assert both.enforced.enforced is both.enforced
