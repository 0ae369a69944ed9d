"""Objects of a live cluster become what an assembly takes.

A server has defaulted and validated what it lists, so pods are built without the walk that
finds mistakes in manifests; every other object goes through the reader of its kind. Either
way, what is read equals what is read from the same objects in a file, origins apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import to_builtins

from ringfence.algebra.addresses import read_address
from ringfence.algebra.traffic import WITH_PORTS, Protocol
from ringfence.errors import ManifestError
from ringfence.model.cluster import ContainerPort, Pod
from ringfence.model.origin import Origin
from ringfence.readers.addresses import by_family, hosts_of
from ringfence.readers.listing import LivePod
from ringfence.readers.manifest import Manifest
from ringfence.readers.places import Place, Span
from ringfence.readers.workloads import OwnedPod, rank_owners

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.algebra.addresses import Address
    from ringfence.readers.assembly import Assembly
    from ringfence.readers.listing import Header, Listing, PodSpecShape, Record
    from ringfence.readers.workloads import Owners

_NOWHERE = Place(0, 0)
"""The place of everything that stands in no file."""

_PROTOCOLS = {"": Protocol.TCP} | {protocol.value: protocol for protocol in WITH_PORTS}

_Ports = tuple[ContainerPort, ...]

_Hosts = dict[tuple[str, ...], tuple["Address", ...]]
"""Addresses of nodes, by their texts."""


def add_listing(assembly: Assembly, listing: Listing) -> None:
    """Give every object of a listing to an assembly."""
    source = listing.header.source
    hosts: _Hosts = {}
    for group in listing.groups:
        shared: dict[_Ports, _Ports] = {}
        for record in group.records:
            pod = read_live_pod(record, source, shared, hosts) if isinstance(record, LivePod) else None
            if pod:
                assembly.add_pod(pod)
            else:
                assembly.add(as_manifest(record, source))


def missing_errors(header: Header) -> Iterator[ManifestError]:
    """Yield what is to be said of kinds that could not be discovered or listed: one line for each reason."""
    origin = Origin(header.source, 0, 0, "", "")
    paths: dict[str, list[str]] = {}
    for each in filter(lambda each: each.is_path, header.missing):
        paths.setdefault(each.reason, []).append(each.resource)
    for reason, resources in paths.items():
        message = f"{_joined(resources)} cannot be discovered ({reason}), so answers lack policies of kinds known there"
        hint = f"ask for the verb get on the path{'s' * (len(resources) > 1)} {_joined(resources)}"
        if reason != "forbidden":
            hint = "look with kubectl get apiservices for the extension that is down"
        yield ManifestError(message, origin, hint)
    grouped: dict[tuple[str, str], list[str]] = {}
    for each in filter(lambda each: not each.is_path, header.missing):
        grouped.setdefault((each.namespace, each.reason), []).append(each.resource)
    for (namespace, reason), resources in grouped.items():
        alone = f" but in namespace {namespace}" if namespace else ""
        message = f"{_joined(resources)} cannot be listed{alone} ({reason}), so answers lack what they decide"
        verb = f"ask for the verb list on {_joined(resources)} in all namespaces"
        if "pods" in resources and not namespace:
            verb += ", or name with -n a namespace where you have it"
        yield ManifestError(message, origin, verb)


def as_manifest(record: Record, source: str) -> Manifest:
    """Return an object of a listing as readers take it: all its parts stand nowhere."""
    value: dict[str, Any] = (
        {"apiVersion": "v1", "kind": "Pod", **to_builtins(record)} if isinstance(record, LivePod) else record
    )
    metadata = value["metadata"]
    managed: list[dict[str, Any]] = metadata.get("managedFields") or [{}]
    return Manifest(
        source=source,
        value=value,
        place=_NOWHERE,
        span=Span(_NOWHERE),
        kind=value["kind"],
        version=value["apiVersion"],
        namespace=metadata.get("namespace", ""),
        name=metadata.get("name", ""),
        resource_version=metadata.get("resourceVersion", ""),
        field_manager=managed[0].get("manager", ""),
    )


def read_live_pod(record: LivePod, source: str, shared: dict[_Ports, _Ports], hosts: _Hosts) -> OwnedPod | None:
    """Read a pod; None for one that the reader of manifests must look at.

    Args:
        record: The pod.
        source: The source of its origin.
        shared: Ports that pods read before it declare, for pods that declare the same.
        hosts: Addresses that pods read before it say of their nodes.
    """
    if record.is_cache:
        return None
    metadata, spec, status = record.metadata, record.spec, record.status
    written = [each.ip for each in status.pod_addresses or ()] or [status.pod_address]
    on = [each.ip for each in status.host_addresses or ()] or [status.host_address]
    try:
        addresses, host = by_family(read_address(text) for text in written if text), hosts_of(on, hosts)
        ports = _ports(spec)
    except (KeyError, ValueError):  # no server lists this, and whoever does is told what is wrong
        return None
    origin = Origin(
        source=source,
        line=0,
        column=0,
        pointer="",
        object=f"Pod/{metadata.namespace}/{metadata.name}",
        resource_version=metadata.resource_version,
        field_manager=metadata.field_manager,
    )
    pod = Pod(
        namespace=metadata.namespace,
        name=metadata.name,
        labels=metadata.labels or {},
        origin=origin,
        addresses=addresses,
        node=spec.node_name or None,
        host_network=spec.host_network,
        terminal=status.phase in {"Succeeded", "Failed"},
        ports=shared.setdefault(ports, ports),
    )
    return OwnedPod(pod, _owners(record), host)


def _owners(record: LivePod) -> Owners:
    metadata = record.metadata
    written = [(owner.kind, owner.name, owner.controller) for owner in metadata.owner_references or ()]
    return rank_owners(written, metadata.labels or {})


def _ports(spec: PodSpecShape) -> _Ports:
    """Return the ports of containers and native sidecars, each once, sorted."""
    sidecars = [each for each in spec.init_containers or () if each.restart_policy == "Always"]
    declared = [port for each in (*(spec.containers or ()), *sidecars) for port in each.ports or ()]
    found = {ContainerPort(each.name, _PROTOCOLS[each.protocol], each.container_port) for each in declared}
    return tuple(sorted(found, key=lambda port: (port.number, port.protocol.value, port.name)))


def _joined(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
