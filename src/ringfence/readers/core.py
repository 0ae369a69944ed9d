"""Pods, Namespaces, Nodes and Services: ``v1`` objects that are not workloads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.algebra.addresses import Family, family_of, read_address
from ringfence.model.cluster import NAME_LABEL, ContainerPort, Namespace, Node, Pod, Service, ServicePort
from ringfence.readers.fields import Field
from ringfence.readers.ports import read_port, read_protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ringfence.algebra.addresses import Address
    from ringfence.readers.manifest import Manifest

POD_SPEC = ("containers", "hostNetwork", "initContainers", "nodeName")
"""The members of a pod's ``spec`` that decide something."""

_SERVICE_SPEC = ("clusterIP", "clusterIPs", "ipFamilies", "ports", "selector", "type")
"""Those of a Service's."""

_FAMILIES = {"IPv4": Family.IPV4, "IPv6": Family.IPV6}


def read_namespace(manifest: Manifest) -> Namespace:
    """Read a Namespace and give it the label that the control plane gives it."""
    labels = Field(manifest)["metadata"]["labels"].strings()
    return Namespace(manifest.name, {**labels, NAME_LABEL: manifest.name}, manifest.origin())


def read_node(manifest: Manifest) -> Node:
    """Read a Node; of its addresses those that are IP addresses."""
    root = Field(manifest)
    written = root["status"]["addresses"].items()
    addresses = [_address(each["address"]) for each in written if each["type"].string().endswith("IP")]
    found = tuple(sorted({address for address in addresses if address is not None}))
    return Node(manifest.name, root["metadata"]["labels"].strings(), found, manifest.origin())


def read_pod(manifest: Manifest) -> Pod:
    """Read a Pod, without the workload that it belongs to."""
    root = Field(manifest)
    spec, status = root["spec"], root["status"]
    spec.near(POD_SPEC)
    status.near(("phase", "podIP", "podIPs"))
    written = [each["ip"] for each in status["podIPs"].items()] or [status["podIP"]]
    return Pod(
        namespace=manifest.namespace,
        name=manifest.name,
        labels=root["metadata"]["labels"].strings(),
        origin=manifest.origin(),
        addresses=_by_family(_address(each) for each in written if each.value),
        node=spec["nodeName"].string() or None,
        host_network=spec["hostNetwork"].boolean(),
        terminal=status["phase"].string() in {"Succeeded", "Failed"},
        ports=container_ports(spec),
    )


def container_ports(spec: Field) -> tuple[ContainerPort, ...]:
    """Return the ports of a pod's containers and native sidecars, each once, sorted.

    Other init containers have ended before the pod serves, so theirs do not count.
    """
    containers, initial = spec["containers"].items(), spec["initContainers"].items()
    for each in (*containers, *initial):
        each.near(("ports", "restartPolicy"))
    sidecars = [each for each in initial if each["restartPolicy"].string() == "Always"]
    declared = [port for each in (*containers, *sidecars) for port in each["ports"].items()]
    found = {port for each in declared if (port := _container_port(each))}
    return tuple(sorted(found, key=lambda port: (port.number, port.protocol.value, port.name)))


def read_service(manifest: Manifest) -> Service:
    """Read a Service."""
    spec = Field(manifest)["spec"]
    spec.near(_SERVICE_SPEC)
    written = spec["clusterIPs"].items() or [spec["clusterIP"]]
    addresses = [_address(each) for each in written if each.value and each.value != "None"]
    return Service(
        namespace=manifest.namespace,
        name=manifest.name,
        kind=spec["type"].string() or "ClusterIP",
        selector=spec["selector"].strings() or None,
        ports=tuple(port for each in spec["ports"].items() if (port := _service_port(each))),
        origin=manifest.origin(),
        addresses=_by_family(addresses),
        families=tuple(dict.fromkeys(found for each in spec["ipFamilies"].items() if (found := _family(each)))),
        headless=spec["clusterIP"].value == "None",
    )


def _container_port(port: Field) -> ContainerPort | None:
    port.known(("name", "hostPort", "containerPort", "protocol", "hostIP"))
    number, protocol = read_port(port["containerPort"]), read_protocol(port["protocol"])
    if not port["containerPort"].given:
        port["containerPort"].error("Required value", "write the port's number")
    return ContainerPort(port["name"].string(), protocol, number) if number and protocol else None


def _service_port(port: Field) -> ServicePort | None:
    port.known(("name", "protocol", "appProtocol", "port", "targetPort", "nodePort"))
    number, protocol, target = read_port(port["port"]), read_protocol(port["protocol"]), port["targetPort"]
    if not port["port"].given:
        port["port"].error("Required value", "write the port's number")
    if not number or not protocol:
        return None
    name = target.value if isinstance(target.value, str) else None
    return ServicePort(
        name=port["name"].string(),
        protocol=protocol,
        port=number,
        target=name or (target.value and read_port(target)) or number,
        node_port=read_port(port["nodePort"]) if port["nodePort"].value else None,
    )


def _family(family: Field) -> Family | None:
    found = _FAMILIES.get(family.string())
    if not found:
        family.error(f'Unsupported value: "{family.value}": supported values: "IPv4", "IPv6"', "write IPv4 or IPv6")
    return found


def _address(address: Field) -> Address | None:
    """Read an address; None when it is not given or in error."""
    text = address.string()
    try:
        return read_address(text) if text else None
    except ValueError:
        address.error(f'Invalid value: "{text}": must be a valid IP address', "correct the address")
        return None


def _by_family(addresses: Iterable[Address | None]) -> dict[Family, Address]:
    """Return the first address of each family, in order of the families."""
    found: dict[Family, Address] = {}
    for address in addresses:
        if address is not None:
            found.setdefault(family_of(address), address)
    return dict(sorted(found.items()))
