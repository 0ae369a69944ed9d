"""What an API server lists, cut down to what readers need, and the same as lines of a file.

A pod of a live cluster has some six thousand bytes, of which two hundred decide something.
Pods, nodes and workloads are decoded by types that name those and pass over the rest;
objects of other kinds are taken whole, but for metadata and status.

Never kept: annotations but those that are read, managed fields but who wrote the spec,
environments, images, volumes, and commands but those of NodeLocal DNS, which say where it
listens. Secrets are never asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Generic, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType, field

from ringfence.algebra.traffic import PORTS
from ringfence.readers import audit, nodes, routes
from ringfence.readers.core import CACHE
from ringfence.readers.kinds import is_read
from ringfence.readers.places import TOO_DEEP

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

API_VERSION: Literal["ringfence.io/v1alpha1"] = "ringfence.io/v1alpha1"
"""Of the first line of a snapshot."""

KEPT_ANNOTATIONS = frozenset((*audit.ANNOTATIONS, *nodes.ANNOTATIONS, *routes.ANNOTATIONS))
"""Annotations that are kept: what is in audit, addresses of a node's tunnels, and the class of an Ingress."""

_WITH_STATUS = frozenset({"Gateway", "Ingress", "Service"})
"""Kinds taken whole whose status says something: the addresses that they were given."""


class _Owned(Struct, gc=False):
    """Fields that somebody owns; which of them is never asked."""


class _Fields(Struct, gc=False, omit_defaults=True):
    spec: _Owned | None = field(name="f:spec", default=None)


class _Entry(Struct, gc=False, omit_defaults=True, rename="camel"):
    """One entry of ``metadata.managedFields``."""

    manager: str = ""
    time: str = ""
    subresource: str = ""
    fields: _Fields | None = field(name="fieldsV1", default=None)


class Owner(Struct, gc=False, omit_defaults=True):
    """One entry of ``metadata.ownerReferences``."""

    kind: str = ""
    name: str = ""
    controller: bool = False
    version: str = field(name="apiVersion", default="")


class Metadata(Struct, gc=False, omit_defaults=True, rename="camel"):
    """What is kept of an object's metadata; of its managed fields the entry that wrote the spec."""

    name: str = ""
    namespace: str = ""
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    owner_references: list[Owner] | None = None
    resource_version: str = ""
    managed_fields: list[_Entry] | None = None

    def __post_init__(self) -> None:
        """Drop what is not kept."""
        if self.annotations:
            kept = {name: self.annotations[name] for name in self.annotations if name in KEPT_ANNOTATIONS}
            self.annotations = kept or None
        if self.managed_fields is not None:
            entry = _writer(self.managed_fields)
            self.managed_fields = [_Entry(manager=entry.manager, fields=entry.fields)] if entry else None

    @property
    def field_manager(self) -> str:
        """Who last wrote the spec; empty when not known."""
        return self.managed_fields[0].manager if self.managed_fields else ""


def _writer(entries: list[_Entry]) -> _Entry | None:
    """Return the newest entry that owns the spec; of objects that have none, the newest but for status."""
    ours = [entry for entry in entries if entry.subresource != "status"]
    of_spec = [entry for entry in ours if entry.fields and entry.fields.spec]
    return max(of_spec or ours, key=lambda entry: entry.time, default=None)


class PortShape(Struct, gc=False, omit_defaults=True, rename="camel"):
    """A port of a container."""

    container_port: Annotated[int, Meta(ge=1, le=PORTS - 1)]
    name: str = ""
    protocol: str = ""


class ContainerShape(Struct, gc=False, omit_defaults=True, rename="camel"):
    """A container."""

    ports: list[PortShape] | None = None
    restart_policy: str = ""
    command: list[str] | None = None
    args: list[str] | None = None


class PodSpecShape(Struct, gc=False, omit_defaults=True, rename="camel"):
    """The members of a pod's spec that decide something."""

    containers: list[ContainerShape] | None = None
    host_network: bool = False
    init_containers: list[ContainerShape] | None = None
    node_name: str = ""

    def forget_commands(self) -> None:
        """Drop the command lines of all containers."""
        for each in (*(self.containers or ()), *(self.init_containers or ())):
            each.command = each.args = None


class _PodAddress(Struct, gc=False):
    ip: str = ""


class _PodStatus(Struct, gc=False, omit_defaults=True):
    phase: str = ""
    pod_address: str = field(name="podIP", default="")
    pod_addresses: list[_PodAddress] | None = field(name="podIPs", default=None)
    host_address: str = field(name="hostIP", default="")
    host_addresses: list[_PodAddress] | None = field(name="hostIPs", default=None)


class LivePod(Struct, gc=False, omit_defaults=True):
    """A Pod, cut down."""

    metadata: Metadata
    spec: PodSpecShape
    status: _PodStatus = field(default_factory=_PodStatus)

    def __post_init__(self) -> None:
        """Drop what is not kept; ``ValueError`` for what no server lists."""
        if not (self.metadata.name and self.metadata.namespace):
            message = "a pod without name or namespace"
            raise ValueError(message)
        if not self.is_cache:
            self.spec.forget_commands()

    @property
    def is_cache(self) -> bool:
        """Whether it is a pod of NodeLocal DNS, whose command line says where it listens."""
        return (self.metadata.labels or {}).get("k8s-app") == CACHE


class _NodeStatus(Struct, gc=False, omit_defaults=True):
    addresses: list[dict[str, str]] | None = None


class _Node(Struct, gc=False, omit_defaults=True):
    metadata: Metadata
    spec: dict[str, Any] | None = None
    status: _NodeStatus | UnsetType = UNSET


class _Template(Struct, gc=False, omit_defaults=True):
    metadata: Metadata | UnsetType = UNSET
    spec: PodSpecShape | UnsetType = UNSET

    def __post_init__(self) -> None:
        """Drop what is not kept."""
        labels = (self.metadata and self.metadata.labels) or {}
        if self.spec and labels.get("k8s-app") != CACHE:
            self.spec.forget_commands()


class _JobSpec(Struct, gc=False, omit_defaults=True):
    template: _Template | UnsetType = UNSET


class _JobTemplate(Struct, gc=False, omit_defaults=True):
    spec: _JobSpec | UnsetType = UNSET


class _WorkloadSpec(Struct, gc=False, omit_defaults=True, rename="camel"):
    replicas: int | UnsetType = UNSET
    ordinals: dict[str, Any] | UnsetType = UNSET
    template: _Template | UnsetType = UNSET
    job_template: _JobTemplate | UnsetType = UNSET


class _Workload(Struct, gc=False, omit_defaults=True):
    metadata: Metadata
    spec: _WorkloadSpec


_WORKLOADS = ("CronJob", "DaemonSet", "Deployment", "Job", "ReplicaSet", "ReplicationController", "StatefulSet")
_SHAPES: dict[str, type[Struct]] = {"Node": _Node, "Pod": LivePod, **dict.fromkeys(_WORKLOADS, _Workload)}
"""The kinds that are cut down while they are decoded."""

_WHOLE = dict[str, Any]

_Item = TypeVar("_Item")

Record = LivePod | dict[str, Any]
"""One object, cut down: a pod as its type, any other as an object of its API."""


class _ListMeta(Struct, gc=False):
    continuation: str = field(name="continue", default="")


class _List(Struct, Generic[_Item], gc=False):
    kind: str
    metadata: _ListMeta
    items: list[_Item] | None = None


class _Kind(Struct, gc=False):
    kind: str = ""
    version: str = field(name="apiVersion", default="")


_KIND = msgspec.json.Decoder(_Kind)
_ENCODER = msgspec.json.Encoder()


class Missing(Struct, frozen=True):
    """A kind that could not be listed, so that answers may lack what its objects decide.

    Or a path that did not say which kinds there are, so that policies may be among them.

    Attributes:
        resource: Its plural name with its group, ``networkpolicies.networking.k8s.io``; of the core without.
            The path of discovery, ``/apis`` or ``/apis/projectcalico.org/v3``.
        namespace: Where it was listed all the same; empty for nowhere.
        reason: Why, in a few words.
    """

    resource: str
    namespace: str = ""
    reason: str = ""

    @property
    def is_path(self) -> bool:
        """Whether it is a path of discovery."""
        return self.resource.startswith("/")


class Header(Struct, frozen=True, kw_only=True, rename="camel"):
    """What is known of a listing as a whole: the first line of a snapshot.

    Attributes:
        context: The kubeconfig context that was read.
        namespace: The namespace of that context.
        time: When it was read, in UTC as RFC 3339 writes it.
        ringfence: The version of the program that read it.
        missing: The kinds that could not be listed, or in one namespace alone, and what could not be discovered.
    """

    api_version: Literal["ringfence.io/v1alpha1"] = API_VERSION
    kind: Literal["Snapshot"] = "Snapshot"
    context: str
    namespace: str = "default"
    time: str
    ringfence: str
    missing: tuple[Missing, ...] = ()

    @property
    def source(self) -> str:
        """The source of the origins of its objects."""
        return f"cluster:{self.context}"


class SnapshotEnd(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """The last line of a snapshot, without which it is not a whole one.

    Attributes:
        objects: How many lines there are between the first and this one.
    """

    api_version: Literal["ringfence.io/v1alpha1"] = API_VERSION
    kind: Literal["SnapshotEnd"] = "SnapshotEnd"
    objects: int


@dataclass(frozen=True, slots=True)
class Group:
    """The objects of one kind.

    Attributes:
        kind: Their kind.
        version: Its ``apiVersion``.
        records: Sorted by namespace and name.
    """

    kind: str
    version: str
    records: tuple[Record, ...]

    @classmethod
    def of(cls, kind: str, version: str, records: Iterable[Record]) -> Group:
        """Return the group with its objects in order."""
        return cls(kind, version, tuple(sorted(records, key=_place)))


@dataclass(frozen=True, slots=True)
class Listing:
    """Everything that was read of a cluster.

    Attributes:
        header: What is known of it as a whole.
        groups: The objects, by kind.
    """

    header: Header
    groups: tuple[Group, ...]


def decode_page(kind: str, version: str, body: bytes) -> tuple[list[Record], str]:
    """Return the objects of one page of a list, and the token of the next page; empty for none.

    Raises:
        msgspec.DecodeError: it is no such list.
        UnicodeDecodeError: it is no text.
    """
    try:
        page = _LISTS[_shape(kind, version)].decode(body)
    except RecursionError as error:
        raise msgspec.DecodeError(TOO_DEEP) from error
    if not page.kind.endswith("List"):
        message = f"expected a list, found {page.kind}"
        raise msgspec.ValidationError(message)
    return [_record(kind, version, item) for item in page.items or ()], page.metadata.continuation


def _shape(kind: str, version: str) -> Any:
    """Return the type that objects are decoded by."""
    return _SHAPES.get(kind, _WHOLE) if is_read(kind, version) else _WHOLE


def _list_decoder(shape: Any) -> msgspec.json.Decoder[_List[Any]]:
    return msgspec.json.Decoder(_List[shape])


# Built before any thread can ask for them, and with them all that msgspec must know of the types
# above: while one thread builds it, another takes it half built, and the interpreter crashes.
_DECODERS: dict[Any, msgspec.json.Decoder[Any]] = {
    shape: msgspec.json.Decoder(shape) for shape in (*_SHAPES.values(), _WHOLE)
}
_LISTS = {shape: _list_decoder(shape) for shape in _DECODERS}
_HEADER = msgspec.json.Decoder(Header)
_END = msgspec.json.Decoder(SnapshotEnd)


def _record(kind: str, version: str, value: Struct | dict[str, Any]) -> Record:
    """Return an object as it is kept; one that was decoded whole is cut down."""
    if isinstance(value, LivePod):
        return value
    if isinstance(value, Struct):
        return {"apiVersion": version, "kind": kind, **msgspec.to_builtins(value)}
    metadata = msgspec.to_builtins(msgspec.convert(value.get("metadata"), Metadata))
    said = {"apiVersion": version, "kind": kind, "metadata": metadata}
    if not is_read(kind, version):
        return said | _foreign_spec(value.get("spec"))
    rest = {name: part for name, part in value.items() if name not in {*said, "status"}}
    status = {"status": value["status"]} if kind in _WITH_STATUS and value.get("status") else {}
    return {**said, **rest, **status}


def _foreign_spec(spec: Any) -> dict[str, Any]:
    """Return what is kept of the spec of an object that is not read: the template of its pods, if it has one."""
    if not isinstance(spec, dict):
        return {}
    try:
        template = msgspec.convert(spec.get("template"), _Template)
    except msgspec.ValidationError:  # what it calls so is another thing
        return {}
    if not (template.spec and template.spec.containers):
        return {}
    replicas = {"replicas": spec["replicas"]} if type(spec.get("replicas")) is int else {}
    return {"spec": {**replicas, "template": msgspec.to_builtins(template)}}


def _place(record: Record) -> tuple[str, str]:
    """Return namespace and name of an object."""
    if isinstance(record, LivePod):
        return record.metadata.namespace, record.metadata.name
    metadata = record["metadata"]
    return metadata.get("namespace", ""), metadata.get("name", "")


def owners_of(record: Record) -> list[Owner]:
    """Return the owners of an object."""
    if isinstance(record, LivePod):
        return record.metadata.owner_references or []
    return msgspec.convert(record["metadata"].get("ownerReferences") or [], list[Owner])


def write_lines(listing: Listing) -> Iterator[bytes]:
    """Yield a listing as JSON lines: its header, one object a line, its end; the same bytes for the same listing."""
    yield _ENCODER.encode(listing.header) + b"\n"
    for group in listing.groups:
        start = b'{"apiVersion":%b,"kind":%b,' % (_ENCODER.encode(group.version), _ENCODER.encode(group.kind))
        for record in group.records:
            text = _ENCODER.encode(record)
            yield (start + text[1:] if isinstance(record, LivePod) else text) + b"\n"
    yield _ENCODER.encode(SnapshotEnd(objects=sum(len(group.records) for group in listing.groups))) + b"\n"


class SnapshotObject(Struct, rename="camel"):
    """Every other line: one object of its API, cut down; its other members are those of its kind."""

    api_version: str
    kind: str
    metadata: Metadata


def snapshot_schema() -> bytes:
    """Return the JSON Schema of the lines of a snapshot, indented."""
    found, shared = msgspec.json.schema_components((Header, SnapshotObject, SnapshotEnd), ref_template="#/$defs/{name}")
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "anyOf": [*found], "$defs": shared}
    return msgspec.json.format(_ENCODER.encode(schema), indent=2) + b"\n"


def read_lines(lines: Iterable[bytes]) -> Listing:
    """Read a listing from the lines that :func:`write_lines` wrote.

    Raises:
        msgspec.DecodeError: the text is no such listing, or not all of it.
        UnicodeDecodeError: it is no text.
    """
    rest = iter(lines)
    header = _HEADER.decode(next(rest, b""))
    groups: dict[_Key, list[Record]] = {}
    line, count = next(rest, b""), 0
    for following in rest:
        try:
            said = _KIND.decode(line)
            record = _record(said.kind, said.version, _DECODERS[_shape(said.kind, said.version)].decode(line))
        except RecursionError as error:
            raise msgspec.DecodeError(TOO_DEEP) from error
        groups.setdefault((said.kind, said.version), []).append(record)
        line, count = following, count + 1
    if (end := _END.decode(line)).objects != count:
        message = f"expected {end.objects} objects, found {count}"
        raise msgspec.ValidationError(message)
    return Listing(header, tuple(Group(*key, tuple(records)) for key, records in groups.items()))


_Key = tuple[str, str]
