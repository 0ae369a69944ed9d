"""What an API server refuses in the metadata of an object that is created, in the server's order.

What it overwrites instead, such as ``uid`` and ``generation``, is not looked at.

Source: k8s.io/apimachinery ``api/validation/objectmeta.go`` and ``meta/v1/validation``;
k8s.io/kubernetes ``apis/core/validation`` for finalizers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringfence.readers import refusals
from ringfence.readers.refusals import invalid
from ringfence.readers.selectors import check_labels
from ringfence.readers.syntax import dns_label, label_key, size, subdomain

if TYPE_CHECKING:
    from collections.abc import Callable

    from ringfence.readers.manifest import Manifest

_ANNOTATION_BYTES = 256 << 10

_GENERATED = 5
"""Letters that a server adds to ``generateName``."""

_LONGEST_BEGINNING = 63 - _GENERATED

_LABELED = frozenset({"Namespace", "Service", "StatefulSet"})
"""Kinds whose names are DNS labels. Source: ``NameIsDNSLabel`` and who uses it."""

_FINALIZERS = frozenset({"kubernetes", "orphan", "foregroundDeletion"})
"""Those that need no domain. Source: ``apis/core/helper/helpers.go``."""

_LONGEST_MANAGER = 128
_LONGEST_SUBRESOURCE = 256

_OWNER = ("apiVersion", "kind", "name", "uid", "controller", "blockOwnerDeletion")
"""The members of an owner reference in the order of Go's type, in which the server shows them."""


def check_metadata(manifest: Manifest, metadata: dict[str, Any]) -> None:
    """Add all that a server refuses, in its order.

    Args:
        manifest: The object; its namespace is known.
        metadata: Its metadata, decoded.
    """
    check_identity(manifest, metadata)
    if annotations := metadata.get("annotations"):
        _check_annotations(manifest, annotations)
    if owners := metadata.get("ownerReferences"):
        _check_owners(manifest, owners)
    if finalizers := metadata.get("finalizers"):
        _check_finalizers(manifest, finalizers)
    if managed := metadata.get("managedFields"):
        _check_managed(manifest, managed)


def check_identity(manifest: Manifest, metadata: dict[str, Any]) -> None:
    """Add what a server refuses of that by which policies know an object: names and labels.

    Args:
        manifest: The object; its namespace is known.
        metadata: Its metadata, decoded.
    """
    _check_name(manifest, metadata, dns_label if manifest.kind in _LABELED else subdomain)
    if manifest.namespace:
        for detail in dns_label(manifest.namespace):
            hint = "write a name of at most 63 of a-z, 0-9 and -"
            manifest.refuse(invalid(manifest.namespace, detail), ("metadata", "namespace"), hint)
    if labels := metadata.get("labels"):
        check_labels(manifest, labels, ("metadata", "labels"))


def _check_name(manifest: Manifest, metadata: dict[str, Any], judge: Callable[[str], tuple[str, ...]]) -> None:
    name, beginning = metadata.get("name") or "", metadata.get("generateName") or ""
    hint = "write a name of a-z, 0-9 and -, with a letter or digit at both ends"
    if beginning:
        # As the server judges it: with a hyphen at the end, its last two letters become one.
        masked = f"{beginning[:-2]}a" if len(beginning) > 1 and beginning.endswith("-") else beginning
        wrong = judge(masked)
        for detail in wrong:
            manifest.refuse(invalid(beginning, detail), ("metadata", "generateName"), hint)
        generated = beginning[:_LONGEST_BEGINNING] + "x" * _GENERATED
        name = name or ("" if wrong else generated)
        if wrong and not name:
            return  # the server says the same of the name that it made
    if not name:
        manifest.refuse(refusals.required(refusals.NO_NAME), ("metadata", "name"), "write a name")
    for detail in judge(name) if name else ():
        manifest.refuse(invalid(name, detail), ("metadata", "name"), hint)


def _check_annotations(manifest: Manifest, annotations: dict[str, str | None]) -> None:
    path = ("metadata", "annotations")
    total = 0
    for key, value in annotations.items():
        total += size(key) + size(value or "")
        for detail in label_key(key.lower()):
            refusal = invalid(key, detail)
            manifest.refuse(refusal, (*path, key), "correct the name of the annotation", "metadata.annotations")
    if total > _ANNOTATION_BYTES:
        manifest.refuse(refusals.too_long(_ANNOTATION_BYTES), path, f"shorten them: they have {total} bytes")


def _check_owners(manifest: Manifest, written: list[dict[str, Any] | None]) -> None:
    at, controller = "metadata.ownerReferences", ""
    owners = [_owner(each or {}) for each in written]
    for index, owner in enumerate(owners):
        if owner in owners[:index]:
            continue  # the server drops a second one
        path = ("metadata", "ownerReferences", index)
        _, slash, version = owner["apiVersion"].partition("/")
        if not (version if slash else owner["apiVersion"]) or "/" in version:
            refusal = invalid(owner["apiVersion"], refusals.NO_VERSION)
            manifest.refuse(refusal, (*path, "apiVersion"), "write the owner's apiVersion", f"{at}.apiVersion")
        for name in ("kind", "name", "uid"):
            if not owner[name]:
                refusal = invalid("", refusals.EMPTY)
                manifest.refuse(refusal, (*path, name), f"write the owner's {name}", f"{at}.{name}")
        if (owner["apiVersion"], owner["kind"]) == ("v1", "Event"):
            manifest.refuse(invalid(owner, refusals.EVENT_OWNER), path, "remove this owner", at)
        if owner.get("controller"):
            name = f"{owner['kind']}/{owner['name']}"
            if controller:
                unique = [each for place, each in enumerate(owners) if each not in owners[:place]]
                refusal = invalid(unique, refusals.two_controllers(controller, name))
                manifest.refuse(refusal, path, "let one of them be the controller", at)
            controller = controller or name


def _owner(written: dict[str, Any]) -> dict[str, Any]:
    """Return an owner reference as the server has it: texts that are absent are empty, other members stay away."""
    texts = {name: written.get(name) or "" for name in _OWNER[:4]}
    return texts | {name: written[name] for name in _OWNER[4:] if written.get(name) is not None}


def _check_finalizers(manifest: Manifest, written: list[str | None]) -> None:
    path, names = ("metadata", "finalizers"), [name or "" for name in written]
    for index, name in enumerate(names):
        for detail in label_key(name):
            refusal = invalid(name, detail)
            manifest.refuse(refusal, (*path, index), "write a domain, a slash and a name", "metadata.finalizers")
    if {"orphan", "foregroundDeletion"} <= set(names):
        manifest.refuse(invalid(names, refusals.TWO_FINALIZERS), path, "remove one of the two")
    for index, name in enumerate(names if manifest.kind == "NetworkPolicy" else ()):  # custom resources are only warned
        if "/" not in name and name not in _FINALIZERS:
            refusal = invalid(name, refusals.NO_FINALIZER)
            manifest.refuse(refusal, (*path, index), "write a domain, a slash and a name")


def _check_managed(manifest: Manifest, written: list[dict[str, Any] | None]) -> None:
    """Look at field managers; a server that cannot make sense of one entry drops them all unseen."""
    entries = [entry or {} for entry in written]
    for entry in entries:
        if entry.get("operation") not in {"Apply", "Update"} or not entry.get("apiVersion"):
            return
        if entry.get("fieldsType") != "FieldsV1":
            return
    for index, entry in enumerate(entries):
        path = ("metadata", "managedFields", index)
        manager, subresource = entry.get("manager") or "", entry.get("subresource") or ""
        if size(manager) > _LONGEST_MANAGER:
            manifest.refuse(refusals.too_long(_LONGEST_MANAGER), (*path, "manager"), "shorten it")
        for position, letter in enumerate(manager):
            if not letter.isprintable():
                refusal = invalid(manager, refusals.unprintable(letter, size(manager[:position])))
                manifest.refuse(refusal, (*path, "manager"), "remove the letter")
        if size(subresource) > _LONGEST_SUBRESOURCE:
            manifest.refuse(refusals.too_long(_LONGEST_SUBRESOURCE), (*path, "subresource"), "shorten it")
