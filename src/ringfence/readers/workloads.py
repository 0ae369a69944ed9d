"""Workloads: what makes pods, and the pods that a template stands for.

A template without its pods becomes ``<workload>-0``, and ``-1`` when it asks for two or
more or is a DaemonSet's, so that pairs within a workload are judged. Pods that were read and whose owners lead
to a workload that was read replace its template.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ringfence.model.cluster import Pod, Workload
from ringfence.readers.core import container_ports
from ringfence.readers.fields import Field

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ringfence.readers.manifest import Manifest

Key = tuple[str, str, str]
"""Namespace, kind and name."""

Owners = tuple[tuple[str, str], ...]
"""Kind and name of each owner, the most telling first."""

_SCALED = frozenset({"Deployment", "ReplicaSet", "ReplicationController", "StatefulSet"})
"""Kinds with ``replicas``; one when it is not given."""

_DORMANT = frozenset({"CronJob", "Job"})
"""Kinds whose pods come and go; their templates stand for no pod that runs now."""


@dataclass(frozen=True, slots=True)
class Template:
    """A workload as read, before it is known whether its pods were read too.

    Attributes:
        workload: The workload.
        owners: Its owners.
        pod: A pod as its template makes them, still under the workload's own name.
        first: The number of its first pod.
    """

    workload: Workload
    owners: Owners
    pod: Pod
    first: int = 0

    @property
    def key(self) -> Key:
        """What owners are looked up by."""
        return (self.workload.namespace, self.workload.kind, self.workload.name)


def read_workload(manifest: Manifest) -> Template:
    """Read a Deployment, ReplicaSet, ReplicationController, StatefulSet, DaemonSet, Job or CronJob."""
    root, kind = Field(manifest), manifest.kind
    spec = root["spec"]
    replicas = spec["replicas"].integer() if kind in _SCALED else None
    if kind in _SCALED and replicas is None:
        replicas = 1
    template = spec["jobTemplate"]["spec"]["template"] if kind == "CronJob" else spec["template"]
    labels = template["metadata"]["labels"].strings()
    if kind == "Job":
        labels = {**labels, "job-name": manifest.name, "batch.kubernetes.io/job-name": manifest.name}
    pod = Pod(
        namespace=manifest.namespace,
        name=manifest.name,
        labels=labels,
        origin=template.origin,
        node=template["spec"]["nodeName"].string() or None,
        host_network=template["spec"]["hostNetwork"].boolean(),
        ports=container_ports(template["spec"]),
        workload=f"{kind}/{manifest.name}",
        dormant=kind in _DORMANT or replicas == 0,
    )
    workload = Workload(manifest.namespace, kind, manifest.name, replicas, manifest.origin())
    return Template(workload, read_owners(manifest), pod, spec["ordinals"]["start"].integer() or 0)


def read_owners(manifest: Manifest) -> Owners:
    """Return kind and name of each owner of an object, the controller first.

    A pod of a Deployment names its ReplicaSet, which is often not among what was read; its
    Deployment is then known from the hash that both the name and the pod's label end in.
    """
    metadata = Field(manifest)["metadata"]
    written = sorted(metadata["ownerReferences"].items(), key=lambda owner: owner["controller"].value is not True)
    owners = [(owner["kind"].string(), owner["name"].string()) for owner in written]
    suffix = f"-{metadata['labels'].strings().get('pod-template-hash', '')}"
    presumed = [name.removesuffix(suffix) for kind, name in owners if kind == "ReplicaSet" and name.endswith(suffix)]
    return (*owners, *(("Deployment", name) for name in presumed if len(suffix) > 1))


def expand(templates: Mapping[Key, Template], pods: Iterable[tuple[Pod, Owners]]) -> tuple[list[Workload], list[Pod]]:
    """Return the workloads, and the pods: those read and those that templates stand for.

    Args:
        templates: Every workload that was read. One whose owner was read is none of its own.
        pods: Every pod that was read, with its owners.
    """
    found = []
    replaced = set()
    for pod, owners in pods:
        owner = _topmost(pod.namespace, owners, templates)
        found.append(replace(pod, workload=owner.workload.key) if owner else pod)
        if owner and not pod.terminal:  # what has finished stands for nothing that could connect
            replaced.add(owner.key)
    own = [each for each in templates.values() if not _topmost(each.workload.namespace, each.owners, templates)]
    taken = {(pod.namespace, pod.name) for pod in found}
    # A StatefulSet's pods truly have these names, so it takes them first.
    for template in sorted(own, key=lambda each: (each.workload.kind != "StatefulSet", each.key)):
        if template.key not in replaced:
            found += _stand_ins(template, taken)
    return [template.workload for template in own], found


def _topmost(namespace: str, owners: Owners, templates: Mapping[Key, Template]) -> Template | None:
    """Follow owners up to the last that was read."""
    topmost, visited = None, set()
    while True:
        keys = [(namespace, kind, name) for kind, name in owners]
        key = next((key for key in keys if key in templates and key not in visited), None)
        if key is None:
            return topmost
        visited.add(key)
        topmost = templates[key]
        owners = topmost.owners


def _stand_ins(template: Template, taken: set[tuple[str, str]]) -> list[Pod]:
    """Return the pods that a template stands for, under names that no other pod has."""
    workload, pod = template.workload, template.pod
    found = []
    # Two of a kind, so that pairs within the workload are judged; a DaemonSet has one for each node.
    several = workload.kind == "DaemonSet" or (workload.replicas or 0) > 1
    for number in range(template.first, template.first + (2 if several else 1)):
        prefix, labels = workload.name, pod.labels
        if workload.kind == "StatefulSet":
            index = {
                "statefulset.kubernetes.io/pod-name": f"{prefix}-{number}",
                "apps.kubernetes.io/pod-index": f"{number}",
            }
            labels = {**labels, **index}
        while (workload.namespace, f"{prefix}-{number}") in taken:
            prefix += f"-{workload.kind.lower()}"
        taken.add((workload.namespace, f"{prefix}-{number}"))
        found.append(replace(pod, name=f"{prefix}-{number}", labels=labels))
    return found
