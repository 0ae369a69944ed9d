"""Which kinds are read, which never bear on a verdict, and which must not be passed over."""

from __future__ import annotations

from ringfence.readers.spelling import suggestion

READ = {
    "AdminNetworkPolicy": "policy.networking.k8s.io/v1alpha1",
    "BaselineAdminNetworkPolicy": "policy.networking.k8s.io/v1alpha1",
    "ClusterNetworkPolicy": "policy.networking.k8s.io/v1alpha2",
    "CronJob": "batch/v1",
    "DaemonSet": "apps/v1",
    "Deployment": "apps/v1",
    "EndpointSlice": "discovery.k8s.io/v1",
    "Endpoints": "v1",
    "GRPCRoute": "gateway.networking.k8s.io/v1",
    "HTTPRoute": "gateway.networking.k8s.io/v1",
    "Ingress": "networking.k8s.io/v1",
    "IngressClass": "networking.k8s.io/v1",
    "Job": "batch/v1",
    "Namespace": "v1",
    "NetworkPolicy": "networking.k8s.io/v1",
    "Node": "v1",
    "Pod": "v1",
    "ReplicaSet": "apps/v1",
    "ReplicationController": "v1",
    "Service": "v1",
    "StatefulSet": "apps/v1",
    "TCPRoute": "gateway.networking.k8s.io/v1alpha2",
    "TLSRoute": "gateway.networking.k8s.io/v1",
    "UDPRoute": "gateway.networking.k8s.io/v1alpha2",
}
"""The kinds that are read, and the one ``apiVersion`` of each."""

_ALSO_READ = frozenset(
    {
        ("GRPCRoute", "gateway.networking.k8s.io/v1alpha2"),
        ("HTTPRoute", "gateway.networking.k8s.io/v1beta1"),
        ("TLSRoute", "gateway.networking.k8s.io/v1alpha2"),
        ("TLSRoute", "gateway.networking.k8s.io/v1alpha3"),
    }
)
"""Other versions that have the same members, as far as they are read."""

MEMBERS = {
    "EndpointSlice": ("apiVersion", "kind", "metadata", "addressType", "endpoints", "ports"),
    "Endpoints": ("apiVersion", "kind", "metadata", "subsets"),
}
"""The members of objects that have others than most."""

_WAYS_IN = frozenset({"GRPCRoute", "HTTPRoute", "Ingress", "IngressClass", "TCPRoute", "TLSRoute", "UDPRoute"})
"""Kinds that decide no connection between pods: of other versions they are noted, and are no error."""

TIERED = frozenset({"AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy"})
"""The kinds among them that are policies of the Admin or Baseline tier."""

CLUSTER_SCOPED = TIERED | {"IngressClass", "Namespace", "Node"}
"""The kinds among them that are in no namespace."""

_IRRELEVANT_KINDS = {
    "": frozenset(
        {
            "Binding",
            "ComponentStatus",
            "ConfigMap",
            "Event",
            "LimitRange",
            "PersistentVolume",
            "PersistentVolumeClaim",
            "PodTemplate",
            "ResourceQuota",
            "Secret",
            "ServiceAccount",
        }
    ),
    "apps": frozenset({"ControllerRevision"}),
    "gateway.networking.k8s.io": frozenset(
        {"BackendTLSPolicy", "Gateway", "GatewayClass", "ListenerSet", "ReferenceGrant"}
    ),
    "networking.k8s.io": frozenset({"IPAddress", "ServiceCIDR"}),
}
"""In groups that have kinds which are read: those that decide no connection between pods."""

_IRRELEVANT_GROUPS = frozenset(
    {
        "admissionregistration.k8s.io",
        "apiextensions.k8s.io",
        "apiregistration.k8s.io",
        "autoscaling",
        "certificates.k8s.io",
        "coordination.k8s.io",
        "custom.metrics.k8s.io",
        "events.k8s.io",
        "extensions",
        "external.metrics.k8s.io",
        "flowcontrol.apiserver.k8s.io",
        "metrics.k8s.io",
        "node.k8s.io",
        "policy",
        "rbac.authorization.k8s.io",
        "resource.k8s.io",
        "scheduling.k8s.io",
        "snapshot.storage.k8s.io",
        "storage.k8s.io",
        "storagemigration.k8s.io",
    }
)
"""Groups of which no kind does."""

_GROUPS = frozenset({"", "batch", "apps", "discovery.k8s.io", "networking.k8s.io", "policy.networking.k8s.io"})
"""Groups of which every kind is known here, so that a kind not known is a misspelling."""


def is_read(kind: str, version: str) -> bool:
    """Tell whether objects of a kind and ``apiVersion`` are read."""
    return READ.get(kind) == version or (kind, version) in _ALSO_READ


def is_irrelevant(kind: str, version: str) -> bool:
    """Tell whether objects of a kind never bear on a verdict."""
    group = group_of(version)
    return kind not in _WAYS_IN and (group in _IRRELEVANT_GROUPS or kind in _IRRELEVANT_KINDS.get(group, ()))


def kind_of_workload(kind: str, version: str) -> str:
    """Return how a kind of somebody else is called here: with its group, where Kubernetes has one of that name."""
    return f"{kind}.{group_of(version)}" if kind in READ else kind


def refusal(kind: str, version: str) -> tuple[str, str] | None:
    """Return what to say of a kind that may decide something and is not read; else None.

    Returns:
        A message and a hint.
    """
    group = group_of(version)
    if kind in READ and kind not in _WAYS_IN and is_own(group):
        return f'{kind} of apiVersion "{version}" is not read', f"write apiVersion: {READ[kind]}"
    if group in _GROUPS and kind not in _WAYS_IN and not is_irrelevant(kind, version):
        here = sorted({each for each in READ if group_of(READ[each]) == group} | _IRRELEVANT_KINDS.get(group, set()))
        known = [*READ, *(each for kinds in _IRRELEVANT_KINDS.values() for each in kinds)]
        return f'kind "{kind}" is not known in apiVersion "{version}"', suggestion(kind, here, known)
    return None


def is_own(group: str) -> bool:
    """Tell whether a group is Kubernetes' own."""
    return "." not in group or group.endswith(".k8s.io")


def group_of(version: str) -> str:
    """Return the group of an ``apiVersion``; empty for that of Pods."""
    return version.rpartition("/")[0]
