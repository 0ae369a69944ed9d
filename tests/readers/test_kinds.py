"""Which kinds are read, passed over, listed or refused."""

from __future__ import annotations

import pytest

from ringfence.readers.kinds import READ, is_irrelevant, is_read, kind_of_workload, refusal


@pytest.mark.parametrize(
    ("kind", "version"),
    [
        ("ConfigMap", "v1"),
        ("Secret", "v1"),
        ("ServiceAccount", "v1"),
        ("PersistentVolumeClaim", "v1"),
        ("ClusterRoleBinding", "rbac.authorization.k8s.io/v1"),
        ("HorizontalPodAutoscaler", "autoscaling/v2"),
        ("PodDisruptionBudget", "policy/v1"),
        ("CustomResourceDefinition", "apiextensions.k8s.io/v1"),
        ("StorageClass", "storage.k8s.io/v1"),
        ("ServiceCIDR", "networking.k8s.io/v1"),
        ("Gateway", "gateway.networking.k8s.io/v1"),
        ("ControllerRevision", "apps/v1"),
    ],
)
def test_kinds_that_decide_nothing_are_passed_over(kind: str, version: str):
    """Without a word."""
    assert is_irrelevant(kind, version)
    assert refusal(kind, version) is None


@pytest.mark.parametrize(
    ("kind", "version"),
    [("Certificate", "cert-manager.io/v1"), ("Service", "serving.knative.dev/v1"), ("Job", "batch.volcano.sh/v1")],
)
def test_a_kind_of_somebody_else_is_only_listed(kind: str, version: str):
    """Even when it is called like one of Kubernetes' own."""
    assert not is_irrelevant(kind, version)
    assert refusal(kind, version) is None


@pytest.mark.parametrize(
    ("kind", "version", "message", "hint"),
    [
        (
            "NetworkPolicy",
            "extensions/v1beta1",
            'NetworkPolicy of apiVersion "extensions/v1beta1" is not read',
            "write apiVersion: networking.k8s.io/v1",
        ),
        ("Deployment", "extensions/v1beta1", 'Deployment of apiVersion "extensions/v1beta1" is not read', "apps/v1"),
        ("Pod", "apps/v1", 'Pod of apiVersion "apps/v1" is not read', "write apiVersion: v1"),
        ("CronJob", "batch/v1beta1", 'CronJob of apiVersion "batch/v1beta1" is not read', "write apiVersion: batch/v1"),
        ("AdminNetworkPolicy", "policy.networking.k8s.io/v1alpha2", "is not read", "policy.networking.k8s.io/v1alpha1"),
        ("ClusterNetworkPolicy", "policy.networking.k8s.io/v1", "is not read", "policy.networking.k8s.io/v1alpha2"),
        ("Deploymnt", "apps/v1", 'kind "Deploymnt" is not known in apiVersion "apps/v1"', 'mean "Deployment"?'),
        ("NetworkPolicies", "networking.k8s.io/v1", 'kind "NetworkPolicies" is not known', 'mean "NetworkPolicy"?'),
        ("EndpointSlice", "discovery.k8s.io/v1beta1", "is not read", "write apiVersion: discovery.k8s.io/v1"),
        ("pod", "v1", 'kind "pod" is not known in apiVersion "v1"', 'did you mean "Pod"?'),
        ("Deploymnt", "v1", 'kind "Deploymnt" is not known in apiVersion "v1"', 'did you mean "Deployment"?'),
        ("Foo", "batch/v1", 'kind "Foo" is not known in apiVersion "batch/v1"', "known here: CronJob, Job"),
    ],
)
def test_a_kind_that_may_decide_something_is_refused(kind: str, version: str, message: str, hint: str):
    """It must not be passed over, so the answer is partial."""
    found = refusal(kind, version)

    assert found is not None
    assert message in found[0]
    assert hint in found[1]


def test_no_kind_is_both_read_and_passed_over():
    """The table has no contradiction."""
    assert [kind for kind, version in READ.items() if is_irrelevant(kind, version)] == []


@pytest.mark.parametrize(
    ("kind", "version", "known"),
    [
        ("HTTPRoute", "gateway.networking.k8s.io/v1", True),
        ("HTTPRoute", "gateway.networking.k8s.io/v1beta1", True),
        ("HTTPRoute", "gateway.networking.k8s.io/v1alpha2", False),
        ("TLSRoute", "gateway.networking.k8s.io/v1alpha3", True),
        ("Service", "serving.knative.dev/v1", False),
    ],
)
def test_some_kinds_are_read_in_several_versions(kind: str, version: str, known: bool):  # noqa: FBT001
    """Those of which all have the same members."""
    assert is_read(kind, version) is known


@pytest.mark.parametrize(
    ("kind", "version", "name"),
    [
        ("Rollout", "argoproj.io/v1alpha1", "Rollout"),
        ("Service", "serving.knative.dev/v1", "Service.serving.knative.dev"),
        ("StatefulSet", "apps.kruise.io/v1beta1", "StatefulSet.apps.kruise.io"),
    ],
)
def test_a_workload_of_somebody_else_is_not_taken_for_kubernetes_own(kind: str, version: str, name: str):
    """Two objects of one kind and name would be one twice declared."""
    assert kind_of_workload(kind, version) == name
