"""Pods with which nothing is wrong, read fast; every other object is left to the readers that say what is wrong.

A file of a large cluster is pods for the most part, nearly all of them as a server wrote
them. Here such a pod becomes what :func:`ringfence.readers.core.read_pod` makes of it, in a
fifth of the time; at the first thing that is not as it usually is, this reader gives up
without a word. So it never decides that something is wrong, nor where.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypeVar

import msgspec
from msgspec import Meta, Struct, convert, field

from ringfence.algebra.addresses import read_address
from ringfence.model.cluster import Pod
from ringfence.model.origin import Origin
from ringfence.readers.addresses import by_family, hosts_of
from ringfence.readers.core import CACHE, POD_SPEC, POD_STATUS, container_ports
from ringfence.readers.decoding import fits
from ringfence.readers.fields import OBJECT, Field
from ringfence.readers.manifest import Manifest
from ringfence.readers.metadata import check_identity
from ringfence.readers.places import MAX_DEPTH, Place, Span
from ringfence.readers.selectors import are_labels
from ringfence.readers.shapes import OBJECT_META, TIME
from ringfence.readers.syntax import subdomain
from ringfence.readers.workloads import OwnedPod, rank_owners

if TYPE_CHECKING:
    from collections.abc import Callable

    from ringfence.algebra.addresses import Address
    from ringfence.model.cluster import ContainerPort
    from ringfence.readers.json_stream import Listed
    from ringfence.readers.workloads import Owners

_REMEMBERED = 4096
"""Label sets, and sets of ports, of which is remembered that nothing is wrong: those of as many workloads."""

_ESCAPED = re.compile(r"\\u(?:003a|d)", re.IGNORECASE)
"""A colon that is written with an escape, and half a character."""

_NO_BRACKETS = bytes(set(range(256)) - set(b'{}[]"'))

_ROUNDS = 2
"""How often pairs of brackets are taken away; few are left of most objects by then."""

_MEMBERS = frozenset(OBJECT)

_NOWHERE = Place(0, 0)

_SOMETHING_ELSE = (AttributeError, KeyError, RecursionError, TypeError, ValueError)
"""What is raised by what is no JSON, or has not the types that it has in a pod; msgspec's errors are ``ValueError``."""

_MANAGED = OBJECT_META.fields["managedFields"]

_Number = Annotated[int, Meta(ge=-(1 << 63), le=(1 << 63) - 1)] | None

_Known = TypeVar("_Known")


class _Owner(Struct, gc=False, forbid_unknown_fields=True, rename="camel"):
    """One entry of ``ownerReferences``."""

    kind: str | None = None
    name: str | None = None
    controller: bool | None = None
    api_version: str | None = None
    uid: str | None = None
    block_owner_deletion: bool | None = None


class _Metadata(Struct, gc=False, forbid_unknown_fields=True, rename="camel"):
    """The metadata of a pod, as :data:`ringfence.readers.shapes.OBJECT_META` has it or stricter."""

    name: str
    namespace: str
    labels: dict[str, str] | None = None
    beginning: str | None = field(name="generateName", default=None)
    owners: list[_Owner] | None = field(name="ownerReferences", default=None)
    managed: Any = field(name="managedFields", default=None)
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    annotations: dict[str, str] | None = None
    finalizers: list[str] | None = None
    uid: str | None = None
    resource_version: str | None = None
    self_link: str | None = None
    generation: _Number = None
    deletion_grace_period_seconds: _Number = None

    @property
    def has_times(self) -> bool:
        """Whether its times are times."""
        deletion = self.deletion_timestamp is None or TIME.takes(self.deletion_timestamp)
        return deletion and (self.creation_timestamp is None or TIME.takes(self.creation_timestamp))


class _Kin(NamedTuple):
    """What the pods of a workload have in common."""

    labels: dict[str, str]
    owners: Owners


class PlainReader:
    """Reads the pods of one source; what alike pods have in common it looks at once, and keeps once.

    Args:
        source: The name of the source, for origins.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._decode: Callable[[str], Any] = msgspec.json.Decoder().decode
        self._encode = msgspec.json.Encoder().encode
        self._kin: dict[Any, _Kin] = {}
        self._names: dict[Any, None] = {}
        self._ports: dict[Any, tuple[ContainerPort, ...]] = {}
        self._texts: dict[str, str] = {}
        self._hosts: dict[tuple[str, ...], tuple[Address, ...]] = {}

    def read(self, text: str, place: Place, listed: Listed) -> OwnedPod | None:
        """Read the text of one object; None for what must be looked at closely.

        Args:
            text: What may be the JSON of one object; only if it is, is anything returned.
            place: Where it begins.
            listed: The List that it is an item of.
        """
        try:
            value = self._decode(text)
            return self._pod(value, place) if _is_pod(value, listed) and self._keeps_all(text, value) else None
        except _SOMETHING_ELSE:
            return None

    def _keeps_all(self, text: str, value: Any) -> bool:
        """Tell whether a value is all that its text says: no key is given twice, and nothing is too deep.

        Every key has a colon. One that is given twice is lost in decoding, and its colon is
        missing when the value is written again.
        """
        if "\\" in text and _ESCAPED.search(text):
            return False
        written = self._encode(value)
        return written.count(b":") == text.count(":") and _greatest_depth(written) <= MAX_DEPTH

    def _pod(self, value: dict[str, Any], place: Place) -> OwnedPod | None:
        metadata, spec, status = value["metadata"], value["spec"], _typed(value.get("status"), dict) or {}
        written = convert(metadata, _Metadata)
        name, namespace = written.name, written.namespace
        if not namespace or subdomain(name) or not (written.has_times and fits(written.managed, _MANAGED)):
            return None
        known, ports = self._known(written), self._known_ports(spec, status)
        if known is None or ports is None or known.labels.get("k8s-app") == CACHE:
            return None
        addresses = _addresses(status, "podIPs", "podIP")
        hosts = _addresses(status, "hostIPs", "hostIP")
        node = _typed(spec.get("nodeName"), str) or None
        pod = Pod(
            self._texts.setdefault(namespace, namespace),
            name,
            known.labels,
            Origin(self._source, *place, "", f"Pod/{namespace}/{name}"),
            by_family([read_address(each) for each in addresses if each]),
            node and self._texts.setdefault(node, node),
            _typed(spec.get("hostNetwork"), bool) or False,
            _typed(status.get("phase"), str) in {"Succeeded", "Failed"},
            ports,
        )
        return OwnedPod(pod, known.owners, hosts_of(hosts, self._hosts))

    def _known(self, metadata: _Metadata) -> _Kin | None:
        """Return what a pod shares with others, if a server takes all by which policies know it but its name."""
        labels = metadata.labels or {}
        owners = [(each.kind or "", each.name or "", each.controller is True) for each in metadata.owners or ()]
        key = (metadata.namespace, metadata.beginning, *owners, *labels.items())
        found = self._kin.get(key)
        if found is None:
            if not (self._is_name(metadata.namespace, metadata.beginning) and are_labels(labels)):
                return None
            found = _remember(self._kin, key, _Kin(labels, rank_owners(owners, labels)))
        return found

    def _is_name(self, namespace: str, beginning: str | None) -> bool:
        """Tell whether a server takes a namespace, and the beginning of a name that it completes."""
        key = (namespace, beginning)
        if key not in self._names:
            manifest = _scratch({}, namespace)
            check_identity(manifest, {"name": "a", "generateName": beginning})
            if manifest.errors:
                return False
            _remember(self._names, key, None)
        return True

    def _known_ports(self, spec: dict[str, Any], status: dict[str, Any]) -> tuple[ContainerPort, ...] | None:
        """Return the ports that a pod declares, if no member of its spec and status is misspelled."""
        containers, initial = _outlines(spec.get("containers")), _outlines(spec.get("initContainers"))
        key = (tuple(spec), tuple(status), *containers, None, *initial)
        found = self._ports.get(key)
        if found is None:
            manifest = _scratch({"spec": spec, "status": status})
            root = Field(manifest)
            root["spec"].near(POD_SPEC)
            root["status"].near(POD_STATUS)
            ports = container_ports(root["spec"])
            if manifest.errors:
                return None
            found = _remember(self._ports, key, ports)
        return found


def _is_pod(value: Any, listed: Listed) -> bool:
    if type(value) is not dict or not value.keys() <= _MEMBERS:
        return False
    said = (value.get("kind"), value.get("apiVersion"))
    return said == ("Pod", "v1") or (said == (None, None) and listed == ("PodList", "v1"))


def _greatest_depth(written: bytes) -> int:
    """Return a depth that nothing in compact JSON exceeds, and mostly not much more than its own.

    No object is deeper than it has opening brackets. Where they are many, pairs of brackets
    with nothing between are taken away, which makes it less deep by two at most. Quotes
    stay, so that no bracket of a text is paired with one that is none.
    """
    found = written.count(b"{") + written.count(b"[")
    if found > MAX_DEPTH:
        rest = written.replace(b"\\\\", b"").replace(b'\\"', b"").translate(None, _NO_BRACKETS)
        for taken in range(2, 2 * _ROUNDS + 1, 2):
            rest = rest.replace(b'""', b"").replace(b"{}", b"").replace(b"[]", b"")
            found = min(found, taken + rest.count(b"{") + rest.count(b"["))
    return found


def _outlines(containers: Any) -> list[tuple[Any, ...]]:
    """Return what decides the ports of a list of containers; ``TypeError`` where one has a number that is none."""
    found = []
    for each in _typed(containers, list) or ():
        found.append((tuple(each), each.get("restartPolicy")))
        for port in _typed(each.get("ports"), list) or ():
            _typed(port["containerPort"], int)  # true and 1.0 are equal to 1
            found.append(tuple(port.items()))
    return found


def _typed(value: Any, wanted: type) -> Any:
    """Return a value that has a type or is null; ``TypeError`` for any other."""
    if value is not None and type(value) is not wanted:
        message = f"expected {wanted}, found {type(value)}"
        raise TypeError(message)
    return value


def _addresses(status: dict[str, Any], listed: str, first: str) -> list[Any]:
    """Return the addresses of a list, or the first alone where there is no list; ``ValueError`` where they differ."""
    found = [each["ip"] for each in _typed(status.get(listed), list) or ()]
    alone = _typed(status.get(first), str)
    if found and alone and alone != found[0]:
        message = f"expected {found[0]}, found {alone}"
        raise ValueError(message)
    return found or [alone]


def _scratch(value: dict[str, Any], namespace: str = "") -> Manifest:
    """Return a pod to try out whether anything is wrong with it; where does not matter."""
    return Manifest("", value, _NOWHERE, Span(_NOWHERE), "Pod", "v1", namespace)


def _remember(known: dict[Any, _Known], key: Any, found: _Known) -> _Known:
    """Keep what was found; what was kept before is forgotten when it is too much."""
    if len(known) >= _REMEMBERED:
        known.clear()
    known[key] = found
    return found
