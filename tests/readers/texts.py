"""Manifests as text, and what is read from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.readers import Source, read
from ringfence.readers.documents import read_manifests

if TYPE_CHECKING:
    from ringfence.errors import ManifestError
    from ringfence.model.policy import Policy
    from ringfence.readers import Reading
    from ringfence.readers.manifest import Manifest

POD = """
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: x, labels: {app: a}}
spec: {containers: [{name: c, ports: [{name: http, containerPort: 8080}]}]}
"""
POLICY = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: p, namespace: x}
spec: {podSelector: {}}
"""


def source(text: str | bytes, name: str = "a.yaml", size: int = 1 << 20) -> Source:
    """One file with this text."""
    return Source(name, [text.encode() if isinstance(text, str) else text], size)


def reading(*texts: str) -> Reading:
    """What files ``a.yaml``, ``b.yaml`` and so on hold."""
    return read([source(text, f"{chr(ord('a') + number)}.yaml") for number, text in enumerate(texts)])


def manifests(
    text: str | bytes, name: str = "a.yaml", size: int = 1 << 20
) -> tuple[list[Manifest], list[ManifestError]]:
    """The objects of one file, and what is wrong with it."""
    errors: list[ManifestError] = []
    return list(read_manifests(source(text, name, size), errors)), errors


def manifest(text: str) -> Manifest:
    """The one object of a text that has nothing wrong with it."""
    (found,), errors = manifests(text)
    assert errors == []
    return found


def policy(spec: str) -> tuple[Policy, list[str]]:
    """The policy with this spec, written from line 5 on, and what is said of it."""
    indented = "\n".join(f"  {line}" for line in spec.splitlines())
    head = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: x}\nspec:\n"
    found = read([source(head + indented), source(POD, "pod.yaml")])
    return found.snapshot.policies[0], [str(error) for error in found.errors]


VERSIONS = {
    "ClusterNetworkPolicy": "policy.networking.k8s.io/v1alpha2",
    "AdminNetworkPolicy": "policy.networking.k8s.io/v1alpha1",
    "BaselineAdminNetworkPolicy": "policy.networking.k8s.io/v1alpha1",
}


def tiered(kind: str, spec: str, name: str = "default") -> Reading:
    """What one cluster-scoped policy with this spec, written from line 5 on, and one pod hold."""
    indented = "\n".join(f"  {line}" for line in spec.splitlines())
    head = f"apiVersion: {VERSIONS[kind]}\nkind: {kind}\nmetadata: {{name: {name}}}\nspec:\n"
    return read([source(head + indented), source(POD, "pod.yaml")])


def causes(found: Manifest) -> list[tuple[str, str, str]]:
    """Field, reason and message of everything that a server refuses in an object."""
    return [(each.field, each.reason, each.message.removeprefix(f"{each.field}: ")) for each in found.errors]
