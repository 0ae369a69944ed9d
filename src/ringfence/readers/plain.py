"""Pods with which nothing is wrong, read fast; every other object is left to the readers that say what is wrong.

A file of a large cluster is pods for the most part, nearly all of them as a server wrote
them. Here such a pod becomes what :func:`ringfence.readers.core.read_pod` makes of it, in a
seventh of the time; at the first thing that is not as it usually is, this reader gives up
without a word. So it never decides that something is wrong, nor where.

Pods are alike in most of their parts. So a pod is decoded into the texts of its parts, and
of a text that was there before only what came of it is looked up.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from ringfence.algebra.addresses import read_address
from ringfence.model.cluster import Pod
from ringfence.model.origin import Origin
from ringfence.readers.addresses import by_family
from ringfence.readers.core import CACHE, POD_SPEC, POD_STATUS, container_ports
from ringfence.readers.decoding import fits
from ringfence.readers.fields import Field
from ringfence.readers.intact import IntactParts, Remembered, intact, keeps_keys, may_deceive
from ringfence.readers.manifest import Manifest
from ringfence.readers.metadata import check_identity
from ringfence.readers.places import Place, Span
from ringfence.readers.selectors import are_labels
from ringfence.readers.shapes import OBJECT_META, TIME
from ringfence.readers.syntax import dns_label, subdomain
from ringfence.readers.workloads import OwnedPod, rank_owners

if TYPE_CHECKING:
    from ringfence.algebra.addresses import Address
    from ringfence.model.cluster import ContainerPort
    from ringfence.readers.json_stream import Listed
    from ringfence.readers.workloads import Owners

_WITHIN = 2
"""How deep the parts of a pod stand: they are members of its members."""

_REMEMBERED = 4096
"""Names, and sets of names, of which is remembered whether they are right."""

_ENDED = frozenset({"Succeeded", "Failed"})

_NOWHERE = Place(0, 0)

_SOMETHING_ELSE = (AttributeError, KeyError, RecursionError, TypeError, ValueError)
"""What is raised by what is no JSON, or has not the types that it has in a pod; msgspec's errors are ``ValueError``."""

_NULL = Raw(b"null")

_Part = Raw | UnsetType
_Text = str | None | UnsetType
_Number = Annotated[int, Meta(ge=-(1 << 63), le=(1 << 63) - 1)] | None | UnsetType
_Time = Annotated[str, Meta(min_length=1)] | None | UnsetType
_Ports = tuple["ContainerPort", ...]


class _Owner(Struct, gc=False, forbid_unknown_fields=True, rename="camel"):
    """One entry of ``ownerReferences``."""

    kind: _Text = UNSET
    name: _Text = UNSET
    controller: bool | UnsetType | None = UNSET
    api_version: _Text = UNSET
    uid: _Text = UNSET
    block_owner_deletion: bool | UnsetType | None = UNSET


class _Metadata(Struct, gc=False, forbid_unknown_fields=True, rename="camel"):
    """The metadata of a pod, as :data:`ringfence.readers.shapes.OBJECT_META` has it or stricter."""

    name: str
    namespace: Annotated[str, Meta(min_length=1)]
    generate_name: _Text = UNSET
    labels: _Part = UNSET
    owner_references: _Part = UNSET
    annotations: _Part = UNSET
    finalizers: _Part = UNSET
    managed_fields: _Part = UNSET
    creation_timestamp: _Time = UNSET
    deletion_timestamp: _Time = UNSET
    uid: _Text = UNSET
    resource_version: _Text = UNSET
    self_link: _Text = UNSET
    generation: _Number = UNSET
    deletion_grace_period_seconds: _Number = UNSET


class _Outline(Struct, gc=False, forbid_unknown_fields=True, rename="camel"):
    """A pod as the texts of its parts."""

    metadata: _Metadata
    spec: dict[str, Raw]
    kind: _Text = UNSET
    api_version: _Text = UNSET
    status: dict[str, Raw] | UnsetType | None = UNSET

    def is_pod(self, listed: Listed) -> bool:
        """Tell whether it says that it is a pod, or its list does."""
        said = (self.kind or None, self.api_version or None)
        return said == ("Pod", "v1") or (said == (None, None) and listed == ("PodList", "v1"))


class _Address(Struct, gc=False, forbid_unknown_fields=True):
    ip: str


_labels = msgspec.json.Decoder(dict[str, str] | None).decode
_owners = msgspec.json.Decoder(list[_Owner] | None).decode
_containers = msgspec.json.Decoder(list[dict[str, Raw]] | None).decode
_ports = msgspec.json.Decoder(list[dict[str, Any]] | None).decode
_addresses = msgspec.json.Decoder(list[_Address] | None).decode
_text = msgspec.json.Decoder(str | None).decode
_boolean = msgspec.json.Decoder(bool | None).decode


class _UnusualError(ValueError):
    """Something is not as it usually is."""


class _Kin(NamedTuple):
    """What the pods of a workload have in common."""

    namespace: str
    labels: dict[str, str]
    owners: Owners


class _Container(NamedTuple):
    """What of a container decides ports: names of its members, its restart policy, names and values in its ports."""

    names: tuple[str, ...]
    policy: str | None
    ports: tuple[tuple[tuple[str, Any], ...], ...]

    @property
    def value(self) -> dict[str, Any]:
        """The container, null in place of all that decides nothing."""
        given = {"restartPolicy": self.policy, "ports": [dict(port) for port in self.ports]}
        return {name: given.get(name) for name in self.names}


class PlainReader:
    """Reads the pods of one source; what alike pods have in common it looks at once, and keeps once.

    Args:
        source: The name of the source, for origins.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._decode = msgspec.json.Decoder(_Outline).decode
        self._parts = IntactParts(_WITHIN)
        self._inner_parts = IntactParts(_WITHIN + 2)
        self._shaped: Remembered[None] = Remembered()
        self._kin: Remembered[_Kin] = Remembered()
        self._owners: Remembered[list[tuple[str, str, bool]]] = Remembered()
        self._containers: Remembered[_Ports] = Remembered()
        self._ports: Remembered[_Ports] = Remembered()
        self._hosts: Remembered[tuple[Address, ...]] = Remembered()
        self._names: dict[str, str] = {}

    def read(self, text: str, place: Place, listed: Listed) -> OwnedPod | None:
        """Read the text of one object; None for what must be looked at closely.

        Args:
            text: What may be the JSON of one object; only if it is, is anything returned.
            place: Where it begins.
            listed: The List that it is an item of.
        """
        try:
            written = text.encode()
            outline = self._decode(written)
            if may_deceive(text) or not (outline.is_pod(listed) and keeps_keys(written, outline)):
                return None
            return self._pod(outline, place)
        except _SOMETHING_ELSE:
            return None

    def _pod(self, outline: _Outline, place: Place) -> OwnedPod:
        metadata, spec, status = outline.metadata, outline.spec, outline.status or {}
        if subdomain(metadata.name) or _has_misspelled(POD_SPEC, *spec) or _has_misspelled(POD_STATUS, *status):
            raise _UnusualError
        self._check_metadata(metadata)
        kin = self._known_kin(metadata)
        ports = self._known_ports(spec.pop("containers", _NULL), spec.pop("initContainers", _NULL))
        node = _text(spec.pop("nodeName", _NULL)) or None
        on_host = _boolean(spec.pop("hostNetwork", _NULL)) or False
        phase = _text(status.pop("phase", _NULL))
        addresses = _read_addresses(status.pop("podIPs", _NULL), status.pop("podIP", _NULL))
        hosts = self._known_hosts(status.pop("hostIPs", _NULL), status.pop("hostIP", _NULL))
        self._parts.look_at(spec)
        self._parts.look_at(status)
        pod = Pod(
            kin.namespace,
            metadata.name,
            kin.labels,
            Origin(self._source, *place, "", f"Pod/{kin.namespace}/{metadata.name}"),
            by_family(addresses),
            node and self._names.setdefault(node, node),
            on_host,
            phase in _ENDED,
            ports,
        )
        return OwnedPod(pod, kin.owners, hosts)

    def _check_metadata(self, metadata: _Metadata) -> None:
        """Look at what decides nothing."""
        for time in (metadata.creation_timestamp, metadata.deletion_timestamp):
            if time and not TIME.takes(time):
                raise _UnusualError
        for name, part in (
            ("annotations", metadata.annotations),
            ("finalizers", metadata.finalizers),
            ("managedFields", metadata.managed_fields),
        ):
            if part and (key := (name, bytes(part))) not in self._shaped:
                if not fits(intact(key[1], _WITHIN), OBJECT_META.fields[name]):
                    raise _UnusualError
                self._shaped.keep(key, None, len(key[1]))

    def _known_kin(self, metadata: _Metadata) -> _Kin:
        """Return what a pod shares with others, if a server takes all by which policies know it but its name."""
        labels_text, owners_text = bytes(metadata.labels or _NULL), bytes(metadata.owner_references or _NULL)
        key = (metadata.namespace, metadata.generate_name, labels_text, owners_text)
        found = self._kin.get(key)
        if found is None:
            labels = _labels(labels_text) or {}
            right = (
                not dns_label(metadata.namespace) and _may_begin(metadata.generate_name or "") and are_labels(labels)
            )
            if not (right and keeps_keys(labels_text, labels)) or labels.get("k8s-app") == CACHE:
                raise _UnusualError
            namespace = self._names.setdefault(metadata.namespace, metadata.namespace)
            kin = _Kin(namespace, labels, rank_owners(self._known_owners(owners_text), labels))
            found = self._kin.keep(key, kin, len(labels_text) + len(owners_text))
        return found

    def _known_owners(self, text: bytes) -> list[tuple[str, str, bool]]:
        """Return kind and name of each owner, and whether it is the controller."""
        found = self._owners.get(text)
        if found is None:
            written = _owners(text) or []
            if not keeps_keys(text, written):
                raise _UnusualError
            owners = [(each.kind or "", each.name or "", each.controller is True) for each in written]
            found = self._owners.keep(text, owners, len(text))
        return found

    def _known_ports(self, containers: Raw, initial: Raw) -> _Ports:
        """Return the ports that a pod declares, if no member of its containers is misspelled."""
        texts = (bytes(containers), bytes(initial))
        found = self._containers.get(texts)
        if found is None:
            key = (self._outlines(texts[0]), self._outlines(texts[1]))
            size = len(texts[0]) + len(texts[1])
            ports = self._ports.get(key)
            if ports is None:
                ports = self._ports.keep(key, _ports_of(*key), size)
            found = self._containers.keep(texts, ports, size)
        return found

    def _outlines(self, text: bytes) -> tuple[_Container, ...]:
        """Return what decides the ports of the containers of a list."""
        containers = _containers(text) or []
        if not keeps_keys(text, containers):
            raise _UnusualError
        found = []
        for each in containers:
            names = tuple(each)
            policy = _text(each.pop("restartPolicy", _NULL))
            written = bytes(each.pop("ports", _NULL))
            ports = _ports(written) or []
            usual = all(type(port["containerPort"]) is int for port in ports)  # true and 1.0 are equal to 1
            if not (usual and keeps_keys(written, ports)):
                raise _UnusualError
            self._inner_parts.look_at(each)
            found.append(_Container(names, policy, tuple([tuple(port.items()) for port in ports])))
        return tuple(found)

    def _known_hosts(self, listed: Raw, first: Raw) -> tuple[Address, ...]:
        """Return the addresses of a pod's node, each once."""
        key = (bytes(listed), bytes(first))
        found = self._hosts.get(key)
        if found is None:
            addresses = tuple(dict.fromkeys(_read_addresses(listed, first)))
            found = self._hosts.keep(key, addresses, len(key[0]) + len(key[1]))
        return found


@lru_cache(_REMEMBERED)
def _has_misspelled(known: tuple[str, ...], *members: str) -> bool:
    """Tell whether one of the members of a mapping may be meant to be another that decides something."""
    manifest = _scratch(dict.fromkeys(members))
    Field(manifest).near(known)
    return bool(manifest.errors)


@lru_cache(_REMEMBERED)
def _may_begin(beginning: str) -> bool:
    """Tell whether a server takes the beginning of a name that it completes."""
    manifest = _scratch({})
    check_identity(manifest, {"name": "a", "generateName": beginning})
    return not manifest.errors


def _ports_of(containers: tuple[_Container, ...], initial: tuple[_Container, ...]) -> _Ports:
    """Return the ports that containers declare, with nothing wrong about them."""
    spec = {"containers": [each.value for each in containers], "initContainers": [each.value for each in initial]}
    manifest = _scratch({"spec": spec})
    found = container_ports(Field(manifest)["spec"])
    if manifest.errors:
        raise _UnusualError
    return found


def _read_addresses(listed: Raw, first: Raw) -> list[Address]:
    """Return the addresses of a list, or the first alone where there is no list."""
    written, alone = _addresses(listed), _text(first)
    if not written:
        return [read_address(alone)] if alone else []
    if (alone and alone != written[0].ip) or not keeps_keys(bytes(listed), written):
        raise _UnusualError
    return [read_address(each.ip) for each in written if each.ip]


def _scratch(value: dict[str, Any]) -> Manifest:
    """Return a pod to try out whether anything is wrong with it; where does not matter."""
    return Manifest("", value, _NOWHERE, Span(_NOWHERE), "Pod", "v1")
