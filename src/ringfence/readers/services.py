"""Services, and what is said to be behind them: EndpointSlices and Endpoints.

Sources: k8s.io/api ``core/v1`` (Service, Endpoints) and ``discovery/v1`` (EndpointSlice).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.algebra.addresses import Family
from ringfence.algebra.intervals import Intervals
from ringfence.model.service import Balancer, EndpointPort, EndpointSlice, KnownEndpoint, Service, ServicePort
from ringfence.readers.addresses import by_family, read_ip, read_ips, read_range
from ringfence.readers.fields import Field
from ringfence.readers.ports import read_port, read_protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.readers.manifest import Manifest

_SPEC = (
    "clusterIP",
    "clusterIPs",
    "externalIPs",
    "externalName",
    "externalTrafficPolicy",
    "internalTrafficPolicy",
    "ipFamilies",
    "loadBalancerSourceRanges",
    "ports",
    "selector",
    "type",
)
"""The members of a Service's ``spec`` that decide something."""

_KINDS = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_ADDRESS_TYPES = ("FQDN", "IPv4", "IPv6")
_REACHES = ("Cluster", "Local")
_FAMILIES = {"IPv4": Family.IPV4, "IPv6": Family.IPV6}

_SERVICE_NAME = "kubernetes.io/service-name"
"""The label by which a slice belongs to a Service."""


def read_service(manifest: Manifest) -> Service:
    """Read a Service."""
    root = Field(manifest)
    spec, status = root["spec"], root["status"]
    spec.near(_SPEC)
    written = spec["clusterIPs"].items() or [spec["clusterIP"]]
    given = status["loadBalancer"]["ingress"].items()
    return Service(
        namespace=manifest.namespace,
        name=manifest.name,
        kind=_one_of(spec["type"], _KINDS, "ClusterIP"),
        selector=spec["selector"].strings() or None,
        ports=tuple(port for each in spec["ports"].items() if (port := _service_port(each))),
        origin=manifest.origin(),
        addresses=by_family(read_ip(each) for each in written if each.value and each.value != "None"),
        families=tuple(dict.fromkeys(found for each in spec["ipFamilies"].items() if (found := _family(each)))),
        headless=spec["clusterIP"].value == "None",
        external_name=spec["externalName"].string().rstrip("."),
        external_addresses=read_ips(spec["externalIPs"]),
        balancers=tuple(_balancer(each) for each in given),
        local_from_outside=_one_of(spec["externalTrafficPolicy"], _REACHES, "Cluster") == "Local",
        local_from_inside=_one_of(spec["internalTrafficPolicy"], _REACHES, "Cluster") == "Local",
        source_ranges=Intervals.union(map(read_range, spec["loadBalancerSourceRanges"].items())),
    )


def read_endpoint_slice(manifest: Manifest) -> EndpointSlice | None:
    """Read an EndpointSlice; None when it belongs to no Service, or holds no addresses but names."""
    root = Field(manifest)
    service = root["metadata"]["labels"].strings().get(_SERVICE_NAME)
    if not service or _one_of(root["addressType"], _ADDRESS_TYPES, "") == "FQDN":
        return None
    return EndpointSlice(
        namespace=manifest.namespace,
        service=service,
        name=manifest.name,
        ports=tuple(port for each in root["ports"].items() if (port := _endpoint_port(each))),
        endpoints=tuple(found for each in root["endpoints"].items() for found in _endpoint(each)),
        origin=manifest.origin(),
    )


def read_endpoints(manifest: Manifest) -> list[EndpointSlice]:
    """Read Endpoints as one slice for each of its subsets, all under the name of its Service."""
    found = []
    for subset in Field(manifest)["subsets"].items():
        subset.known(("addresses", "notReadyAddresses", "ports"))
        ready, unready = subset["addresses"].items(), subset["notReadyAddresses"].items()
        endpoints = [*_old_endpoints(ready, ready=True), *_old_endpoints(unready, ready=False)]
        ports = tuple(port for each in subset["ports"].items() if (port := _endpoint_port(each)))
        found.append(
            EndpointSlice(
                manifest.namespace, manifest.name, manifest.name, ports, tuple(endpoints), manifest.origin(subset.path)
            )
        )
    return found


def _endpoint(endpoint: Field) -> Iterator[KnownEndpoint]:
    """Yield an endpoint of a slice; conditions that are not given speak for it."""
    endpoint.near(("addresses", "conditions", "nodeName", "targetRef"))
    conditions, address = endpoint["conditions"], read_ip(_first(endpoint["addresses"]))
    serves = conditions["serving"].value is not False
    if address is not None:
        yield KnownEndpoint(
            address=address,
            ready=conditions["ready"].value is not False,
            draining=serves and conditions["terminating"].boolean(),
            node=endpoint["nodeName"].string() or None,
            pod=_pod_name(endpoint["targetRef"]),
        )


def _old_endpoints(addresses: list[Field], *, ready: bool) -> Iterator[KnownEndpoint]:
    for each in addresses:
        address = read_ip(each["ip"])
        if address is not None:
            node, pod = each["nodeName"].string() or None, _pod_name(each["targetRef"])
            yield KnownEndpoint(address, ready=ready, node=node, pod=pod)


def _first(items: Field) -> Field:
    """Return the first of some addresses; others have no meaning. Source: ``discovery/v1`` types.go."""
    return next(iter(items.items()), Field(items.manifest, (*items.path, 0)))


def _pod_name(reference: Field) -> str:
    return reference["name"].string() if reference["kind"].string() == "Pod" else ""


def _endpoint_port(port: Field) -> EndpointPort | None:
    protocol = read_protocol(port["protocol"])
    return EndpointPort(port["name"].string(), protocol, read_port(port["port"])) if protocol else None


def _balancer(given: Field) -> Balancer:
    given.near(("hostname", "ip", "ipMode"))
    return Balancer(read_ip(given["ip"]), given["hostname"].string(), proxies=given["ipMode"].string() == "Proxy")


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


def _one_of(word: Field, known: tuple[str, ...], default: str) -> str:
    """Read one of a few words; the default when it is not given or in error."""
    text = word.string()
    if text and text not in known:
        listed = ", ".join(f'"{each}"' for each in known)
        word.error(f'Unsupported value: "{text}": supported values: {listed}', f"write {' or '.join(known)}")
    return text if text in known else default


def _family(family: Field) -> Family | None:
    found = _FAMILIES.get(family.string())
    if not found:
        family.error(f'Unsupported value: "{family.value}": supported values: "IPv4", "IPv6"', "write IPv4 or IPv6")
    return found
