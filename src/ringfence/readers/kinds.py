"""Which kinds are read, which never bear on a verdict, and which must not be passed over."""

from __future__ import annotations

from ringfence.readers.spelling import suggestion

READ = {
    "CronJob": "batch/v1",
    "DaemonSet": "apps/v1",
    "Deployment": "apps/v1",
    "Job": "batch/v1",
    "Namespace": "v1",
    "NetworkPolicy": "networking.k8s.io/v1",
    "Node": "v1",
    "Pod": "v1",
    "ReplicaSet": "apps/v1",
    "ReplicationController": "v1",
    "Service": "v1",
    "StatefulSet": "apps/v1",
}
"""The kinds that are read, and the one ``apiVersion`` of each."""

CLUSTER_SCOPED = frozenset({"Namespace", "Node"})
"""The kinds among them that are in no namespace."""

_IRRELEVANT_KINDS = {
    "": frozenset(
        {
            "Binding",
            "ComponentStatus",
            "ConfigMap",
            "Endpoints",
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
    "networking.k8s.io": frozenset({"IPAddress", "Ingress", "IngressClass", "ServiceCIDR"}),
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
        "discovery.k8s.io",
        "events.k8s.io",
        "extensions",
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

_GROUPS = frozenset({"", "batch", "apps", "networking.k8s.io"})
"""Groups of which every kind is known here, so that a kind not known is a misspelling."""


def is_irrelevant(kind: str, version: str) -> bool:
    """Tell whether objects of a kind never bear on a verdict."""
    group = _group(version)
    return group in _IRRELEVANT_GROUPS or kind in _IRRELEVANT_KINDS.get(group, ())


def refusal(kind: str, version: str) -> tuple[str, str] | None:
    """Return what to say of a kind that may decide something and is not read; else None.

    Returns:
        A message and a hint.
    """
    group = _group(version)
    own = "." not in group or group.endswith(".k8s.io")
    if kind in READ and own:
        return f'{kind} of apiVersion "{version}" is not read', f"write apiVersion: {READ[kind]}"
    if kind.endswith("NetworkPolicy"):
        message = f"{kind} of {version} is a policy that is not read yet, so the answer lacks what it decides"
        return message, "take it out of the input to answer without it"
    if group in _GROUPS and not is_irrelevant(kind, version):
        known = [*READ, *(each for kinds in _IRRELEVANT_KINDS.values() for each in kinds)]
        return f'kind "{kind}" is not known in apiVersion "{version}"', suggestion(kind, known)
    return None


def _group(version: str) -> str:
    return version.rpartition("/")[0]
