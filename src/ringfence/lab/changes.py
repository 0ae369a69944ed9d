"""What steps of a play make of a cluster: other policies, other labels, the same pods."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ringfence.analysis.describing import find_policy
from ringfence.errors import InputError, ManifestError
from ringfence.readers import Source, read
from ringfence.semantics.scene import Scenes
from ringfence.semantics.sides import Sides

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ringfence.model.origin import Origin
    from ringfence.model.policy import Policy
    from ringfence.model.snapshot import Snapshot

_FIXED = "the pods, nodes and Services of a lab stay as they are while it runs"


def read_applied(files: Mapping[str, str], namespace: str, origin: Origin) -> Snapshot:
    """Read the manifests that a step applies.

    Args:
        files: Their texts by name.
        namespace: Of objects that have none.
        origin: The step.

    Raises:
        ManifestError: one cannot be read, or holds something that a running lab cannot take.
    """
    found = read(
        [Source(name, [text.encode()]) for name, text in files.items()], default_namespace=namespace, part=True
    )
    if found.errors:
        raise found.errors[0]
    snapshot = found.snapshot
    others: tuple[tuple[str, object], ...] = (
        ("pods or workloads", snapshot.pods or snapshot.workloads),
        ("Services", snapshot.services or snapshot.slices),
        ("nodes", any(node.addresses or node.labels for node in snapshot.nodes.values())),
    )
    for what, there in others:
        if there:
            message = f"{', '.join(files)} holds {what}, and {_FIXED}"
            raise ManifestError(message, origin, "apply policies and namespaces, and give the rest with -f")
    if not snapshot.policies and not any(each.origin for each in snapshot.namespaces.values()):
        message = f"{', '.join(files)} holds no policy and no namespace"
        raise ManifestError(message, origin, "name a file that does")
    return snapshot


def applied(snapshot: Snapshot, more: Snapshot) -> Snapshot:
    """Return a snapshot with the policies and declared namespaces of another, those of the same names replaced."""
    policies = {_key(policy): policy for policy in (*snapshot.policies, *more.policies)}
    declared = {name: each for name, each in more.namespaces.items() if each.origin}
    return _with_policies(replace(snapshot, namespaces={**snapshot.namespaces, **declared}), policies.values())


def without(snapshot: Snapshot, policy: str, namespace: str) -> Snapshot:
    """Return a snapshot without one policy; raises as :func:`find_policy` does."""
    gone = find_policy(snapshot, policy, namespace)
    return _with_policies(snapshot, (each for each in snapshot.policies if each is not gone))


def relabeled(snapshot: Snapshot, pods: str, labels: Mapping[str, str | None], namespace: str) -> Snapshot:
    """Return a snapshot in which pods have other labels.

    Args:
        snapshot: Where they are.
        pods: A name, as of ``can``.
        labels: Those that are set; None for one that is taken away.
        namespace: Of a name that has none.

    Raises:
        InputError: the name means no pod.
    """
    meant = {str(pod) for pod, _ in Sides(snapshot, namespace, Scenes(snapshot)).find("pod", pods).pods}
    if not meant:
        message = f"{pods} is no pod"
        raise InputError(message, "name a pod or a workload")

    def changed(old: Mapping[str, str]) -> dict[str, str]:
        return {name: value for name, value in {**old, **labels}.items() if value is not None}

    found = (replace(pod, labels=changed(pod.labels)) if str(pod) in meant else pod for pod in snapshot.pods)
    return replace(snapshot, pods=tuple(found))


def _key(policy: Policy) -> tuple[str, str]:
    return policy.kind, policy.name


def _with_policies(snapshot: Snapshot, policies: Iterable[Policy]) -> Snapshot:
    return replace(snapshot, policies=tuple(sorted(policies, key=_key)))
