"""Workloads: what makes pods, and the pods that a template stands for.

A template without its pods becomes ``<workload>-0``, and ``-1`` when it asks for two or
more or is a DaemonSet's, so that pairs within a workload are judged; a StatefulSet's pods
that a policy names stand beside the two. Live pods that were read and whose owners lead to
a workload that was read replace its template.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from ringfence.model.cluster import Pod, Workload
from ringfence.model.policy import Direction, PodPeer
from ringfence.readers.core import POD_SPEC, bound_addresses, container_ports
from ringfence.readers.fields import METADATA, Field
from ringfence.readers.places import dotted
from ringfence.readers.refusals import invalid
from ringfence.readers.selectors import check_labels

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ringfence.algebra.addresses import Address
    from ringfence.model.policy import Policy
    from ringfence.readers.manifest import Manifest

Key = tuple[str, str, str]
"""Namespace, kind and name."""

Owners = tuple[tuple[str, str], ...]
"""Kind and name of each owner, the most telling first."""

_SCALED = frozenset({"Deployment", "ReplicaSet", "ReplicationController", "StatefulSet"})
"""Kinds with ``replicas``; one when it is not given."""

WORKLOADS = _SCALED | {"CronJob", "DaemonSet", "Job"}
"""Kubernetes' own kinds of workloads."""

_DORMANT = frozenset({"CronJob", "Job"})
"""Kinds whose pods come and go; their templates stand for no pod that runs now."""

_POD_NAME, _POD_INDEX = "statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index"
"""Labels that tell the pods of one StatefulSet apart."""

_HASHES = {"Deployment": "pod-template-hash", "Rollout": "rollouts-pod-template-hash"}
"""Owners of ReplicaSets, and the label with the hash that their names end in."""

_NUMBER = re.compile(r"[0-9]{1,10}")


class OwnedPod(NamedTuple):
    """A pod as read, its owners, and the addresses that its status says of its node."""

    pod: Pod
    owners: Owners
    host: tuple[Address, ...] = ()


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
    spec, kind = Field(manifest)["spec"], manifest.kind
    spec.near(("jobTemplate", "ordinals", "replicas"))
    replicas = _count(spec["replicas"]) if kind in _SCALED else None
    if kind in _SCALED and replicas is None:
        replicas = 1
    template = _template(spec["jobTemplate"]["spec"] if kind == "CronJob" else spec)
    labels = _labels(template)
    if kind == "Job":
        labels = {**labels, "job-name": manifest.name, "batch.kubernetes.io/job-name": manifest.name}
    pod = _pod(manifest, template, labels, dormant=kind in _DORMANT or replicas == 0)
    workload = Workload(manifest.namespace, kind, manifest.name, replicas, manifest.origin())
    return Template(workload, read_owners(manifest), pod, _count(spec["ordinals"]["start"]) or 0)


def _count(number: Field) -> int | None:
    """Read a number of pods; None when it is not given or in error."""
    found = number.integer()
    if found is not None and found < 0:
        number.refuse(invalid(found, "must be greater than or equal to 0"), "write how many pods there are")
        return None
    return found


def has_template(manifest: Manifest) -> bool:
    """Tell whether an object of any kind holds the template of pods where Kubernetes' own kinds hold it."""
    part: Any = manifest.value
    for member in ("spec", "template", "spec", "containers"):
        part = part.get(member) if isinstance(part, dict) else None
    return isinstance(part, list) and bool(part)


def hides_pods(part: Any) -> bool:
    """Tell whether something that is not read holds containers anywhere, and so makes pods; walks all of it."""
    if isinstance(part, list):
        return any(map(hides_pods, part))
    if not isinstance(part, dict):
        return False
    several, single = part.get("containers"), (part.get("container"), part.get("script"))
    found = [*(several if isinstance(several, list) else ()), *single]
    return any(isinstance(each, dict) and "image" in each for each in found) or any(map(hides_pods, part.values()))


def read_foreign_workload(manifest: Manifest) -> Template:
    """Read an object that :func:`has_template`, of whatever kind; only its pods are looked at."""
    spec = Field(manifest)["spec"]
    written = spec["replicas"].value
    replicas = written if type(written) is int else 1
    template = spec["template"]
    pod = _pod(manifest, template, _labels(template), dormant=replicas == 0)
    workload = Workload(manifest.namespace, manifest.kind, manifest.name, replicas, manifest.origin())
    return Template(workload, read_owners(manifest), pod)


def _labels(template: Field) -> dict[str, str]:
    """Return the labels of a template's pods, after a look at whether a server would take them."""
    labels = template["metadata"]["labels"]
    texts = labels.strings()
    # The server leaves a step out where it names them.
    check_labels(template.manifest, dict(texts), labels.path, f"{dotted(template.path)}.labels")
    return texts


def _pod(manifest: Manifest, template: Field, labels: Mapping[str, str], *, dormant: bool) -> Pod:
    """Return a pod as a template makes them, under the workload's own name."""
    return Pod(
        namespace=manifest.namespace,
        name=manifest.name,
        labels=labels,
        origin=template.origin,
        node=template["spec"]["nodeName"].string() or None,
        host_network=template["spec"]["hostNetwork"].boolean(),
        ports=container_ports(template["spec"]),
        workload=f"{manifest.kind}/{manifest.name}",
        dormant=dormant,
        binds=bound_addresses(template["spec"], labels),
    )


def _template(spec: Field) -> Field:
    """Return the pod template of a spec, and look for members that would be lost."""
    template = spec["template"]
    spec.near(("template",))
    template.known(("metadata", "spec"))
    template["metadata"].known(METADATA)
    template["spec"].near(POD_SPEC)
    if not template.given:
        template.error("Required value", "write the template of its pods")
    return template


def read_owners(manifest: Manifest) -> Owners:
    """Return kind and name of each owner of an object, the controller first."""
    metadata = Field(manifest)["metadata"]
    written = metadata["ownerReferences"].items()
    found = [(each["kind"].string(), each["name"].string(), each["controller"].value is True) for each in written]
    return rank_owners(found, metadata["labels"].strings())


def rank_owners(references: Iterable[tuple[str, str, bool]], labels: Mapping[str, str]) -> Owners:
    """Return owners, the most telling first.

    A pod of a Deployment names its ReplicaSet, which is often not among what was read; its
    Deployment is then known from the hash that both the name and the pod's label end in. Argo
    Rollouts do the same.

    Args:
        references: Kind and name of each owner, and whether it is the controller.
        labels: Labels of the object that is owned.
    """
    owners = [(kind, name) for kind, name, _ in sorted(references, key=lambda owner: not owner[2])]
    presumed = []
    for owner, label in _HASHES.items():
        if found := labels.get(label):
            named = [name for kind, name in owners if kind == "ReplicaSet" and name.endswith(f"-{found}")]
            presumed += [(owner, name.removesuffix(f"-{found}")) for name in named]
    return (*owners, *presumed)


def expand(
    templates: Mapping[Key, Template], pods: Iterable[OwnedPod], policies: Iterable[Policy]
) -> tuple[list[Workload], list[Pod]]:
    """Return the workloads, and the pods: those read and those that templates stand for.

    Args:
        templates: Every workload that was read. One whose owner was read is none of its own.
        pods: Every pod that was read, with its owners.
        policies: Every policy that was read, for the single pods that it names.
    """
    found = []
    replaced = set()
    for pod, owners, _ in pods:
        owner = _topmost(pod.namespace, owners, templates)
        found.append(replace(pod, workload=owner.workload.key) if owner else pod)
        if owner and not pod.terminal:
            replaced.add(owner.key)
    own = [each for each in templates.values() if not _topmost(each.workload.namespace, each.owners, templates)]
    taken = {(pod.namespace, pod.name) for pod in found}
    named = _named_pods(policies)
    # A StatefulSet's pods truly have these names, so it takes them first.
    for template in sorted(own, key=lambda each: (each.workload.kind != "StatefulSet", each.key)):
        if template.key not in replaced:
            found += _stand_ins(template, named, taken)
    return [template.workload for template in own], found


def _named_pods(policies: Iterable[Policy]) -> set[str]:
    """Return every value that a policy compares with a label of single pods."""
    selectors = set()
    for policy in policies:
        selectors.add(policy.subject.pods)
        rules = (rule for direction in Direction for rule in policy.rules(direction))
        selectors |= {peer.pods.pods for rule in rules for peer in rule.peers if isinstance(peer, PodPeer)}
    required = [requirement for selector in selectors for requirement in selector.requirements]
    return {value for each in required if each.key in {_POD_NAME, _POD_INDEX} for value in each.values}


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


def _stand_ins(template: Template, named: set[str], taken: set[tuple[str, str]]) -> list[Pod]:
    """Return the pods that a template stands for, under names that no other pod has."""
    workload, pod = template.workload, template.pod
    found = []
    for number in _numbers(template, named):
        prefix, labels = workload.name, pod.labels
        if workload.kind == "StatefulSet":
            labels = {**labels, _POD_NAME: f"{prefix}-{number}", _POD_INDEX: f"{number}"}
        while (workload.namespace, f"{prefix}-{number}") in taken:
            prefix += f"-{workload.kind.lower()}"
        taken.add((workload.namespace, f"{prefix}-{number}"))
        found.append(replace(pod, name=f"{prefix}-{number}", labels=labels))
    return found


def _numbers(template: Template, named: set[str]) -> list[int]:
    """Return the numbers of a StatefulSet's pods that are named, and the first two of the others."""
    workload, single = template.workload, set[int]()
    several = 2 if workload.kind == "DaemonSet" else 1
    every = range(template.first, template.first + max(workload.replicas or several, 1))
    if workload.kind == "StatefulSet":
        endings = [value.removeprefix(f"{workload.name}-") for value in named]
        single = {number for each in endings if _NUMBER.fullmatch(each) and (number := int(each)) in every}
    others = (number for number in every if number not in single)
    return sorted({*single, *islice(others, 2)})
