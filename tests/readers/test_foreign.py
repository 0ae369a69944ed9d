"""Policies of somebody else's making."""

from __future__ import annotations

import pytest

from ringfence.readers.foreign import is_foreign_policy, not_understood, plural


@pytest.mark.parametrize(
    ("kind", "version"),
    [
        ("CiliumNetworkPolicy", "cilium.io/v2"),
        ("CiliumClusterwideNetworkPolicy", "cilium.io/v2"),
        ("CiliumLocalRedirectPolicy", "cilium.io/v2"),
        ("NetworkPolicy", "projectcalico.org/v3"),
        ("NetworkPolicy", "crd.projectcalico.org/v1"),
        ("GlobalNetworkPolicy", "projectcalico.org/v3"),
        ("GlobalNetworkPolicy", "crd.projectcalico.org/v1"),
        ("NetworkPolicy", "crd.antrea.io/v1beta1"),
        ("ClusterNetworkPolicy", "crd.antrea.io/v1beta1"),
        ("MultiNetworkPolicy", "k8s.cni.cncf.io/v1beta1"),
        ("AuthorizationPolicy", "security.istio.io/v1"),
        ("PeerAuthentication", "security.istio.io/v1"),
        ("AuthorizationPolicy", "policy.linkerd.io/v1alpha1"),
        ("EgressFirewall", "k8s.ovn.org/v1"),
        ("EgressNetworkPolicy", "network.openshift.io/v1"),
        ("ClusterNetworkPolicy", "networking.k8s.aws/v1alpha1"),
        ("SecurityGroupPolicy", "vpcresources.k8s.aws/v1beta1"),
        ("FQDNNetworkPolicy", "networking.gke.io/v1alpha3"),
        ("ServiceIntentions", "consul.hashicorp.com/v1alpha1"),
        ("DeveloperNetworkPolicy", "policy.networking.k8s.io/v1alpha2"),
        ("Ciliumnetworkpolicy", "cilium.io/v2"),
        ("CILIUMLOCALREDIRECTPOLICY", "cilium.io/v2"),
        ("networkpolicy", "projectcalico.org/v3"),
    ],
)
def test_policies_of_plugins_meshes_and_clouds_are_foreign(kind: str, version: str):
    """By the end of their kind, or by name, in whatever case: what is misspelled is as loud."""
    assert is_foreign_policy(kind, version)


@pytest.mark.parametrize(
    ("kind", "version"),
    [
        ("NetworkPolicy", "networking.k8s.io/v1"),
        ("NetworkPolicy", "extensions/v1beta1"),
        ("AdminNetworkPolicy", "policy.networking.k8s.io/v1"),
        ("StagedGlobalNetworkPolicy", "projectcalico.org/v3"),
        ("stagednetworkpolicy", "projectcalico.org/v3"),
        ("Networkpolicy", "networking.k8s.io/v1"),
        ("AuthorizationPolicy", "example.com/v1"),
        ("GlobalNetworkSet", "projectcalico.org/v3"),
        ("Gateway", "networking.istio.io/v1"),
    ],
)
def test_kubernetes_own_and_what_decides_nothing_are_not(kind: str, version: str):
    """A wrong version of one that is read is a mistake with a remedy; what is staged is not enforced."""
    assert not is_foreign_policy(kind, version)


@pytest.mark.parametrize(
    ("kind", "group", "count", "said"),
    [
        ("CiliumNetworkPolicy", "", 2, "2 CiliumNetworkPolicies are"),
        ("CiliumNetworkPolicy", "", 1, "1 CiliumNetworkPolicy is"),
        ("NetworkPolicy", "projectcalico.org", 3, "3 NetworkPolicies of projectcalico.org are"),
    ],
)
def test_one_line_counts_them(kind: str, group: str, count: int, said: str):
    """And says what that means for answers."""
    assert not_understood(kind, group, count) == f"{said} not understood: answers may be too open or too closed"


@pytest.mark.parametrize(
    ("kind", "several"),
    [
        ("AuthorizationPolicy", "AuthorizationPolicies"),
        ("EgressFirewall", "EgressFirewalls"),
        ("ServiceIntentions", "ServiceIntentions"),
    ],
)
def test_several_have_a_plural(kind: str, several: str):
    """As people write it."""
    assert plural(kind) == several
