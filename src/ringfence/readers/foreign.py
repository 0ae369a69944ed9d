"""Policies of somebody else's making: kinds that decide connections, and that are not read.

A mesh, a plugin or a cloud enforces them beside Kubernetes' own policies or before them.
An answer without them may be wrong in either direction, so it is never given as whole.
"""

from __future__ import annotations

from ringfence.readers.kinds import READ, group_of, is_own

_FOREIGN = {
    "cilium.io": frozenset({"CiliumLocalRedirectPolicy"}),
    "consul.hashicorp.com": frozenset({"ServiceIntentions"}),
    "crd.nsx.vmware.com": frozenset({"SecurityPolicy"}),
    "k8s.cni.cncf.io": frozenset({"MultiNetworkPolicy"}),
    "k8s.ovn.org": frozenset({"EgressFirewall"}),
    "kuma.io": frozenset({"MeshTrafficPermission", "TrafficPermission"}),
    "kubeovn.io": frozenset({"SecurityGroup"}),
    "policy.linkerd.io": frozenset(
        {"AuthorizationPolicy", "MeshTLSAuthentication", "NetworkAuthentication", "Server", "ServerAuthorization"}
    ),
    "security.istio.io": frozenset({"AuthorizationPolicy", "PeerAuthentication"}),
    "vpcresources.k8s.aws": frozenset({"SecurityGroupPolicy"}),
}
"""Kinds by group, beside those that end in NetworkPolicy, of which every group's decide something."""

_BY_NAME = {group: frozenset(map(str.lower, kinds)) for group, kinds in _FOREIGN.items()}
_READ = frozenset(map(str.lower, READ))

_NO_EFFECT = "staged"
"""What the kinds begin with whose policies are recorded and not enforced, as those of Calico."""


def is_foreign_policy(kind: str, version: str) -> bool:
    """Tell whether objects of a kind are policies that are not read and not Kubernetes' own.

    Letters in the wrong case, which no server takes, are no reason to overlook one.
    """
    group, word = group_of(version), kind.lower()
    if word in _BY_NAME.get(group, ()):
        return True
    another_version = word in _READ and is_own(group)
    return word.endswith("networkpolicy") and not word.startswith(_NO_EFFECT) and not another_version


def not_understood(kind: str, group: str, count: int) -> str:
    """Return what to say of policies that are not read.

    Args:
        kind: Their kind.
        group: Their group, where the kind alone would not tell; else empty.
        count: How many there are.
    """
    named = f"{plural(kind) if count != 1 else kind}{f' of {group}' if group else ''}"
    verb = "is" if count == 1 else "are"
    return f"{count} {named} {verb} not understood: answers may be too open or too closed"


def plural(kind: str) -> str:
    """Return the plural of a kind."""
    if kind.endswith("s"):
        return kind
    return f"{kind[:-1]}ies" if kind.endswith("y") else f"{kind}s"
