"""Ways in through a proxy: Ingresses, and the routes of the Gateway API.

They decide no connection between pods; they tell whose pods open those that come from outside.

Sources: k8s.io/api ``networking/v1`` (Ingress, IngressClass) and sigs.k8s.io/gateway-api
``apis/v1`` and ``apis/v1alpha2`` (HTTPRoute, GRPCRoute, TLSRoute, TCPRoute, UDPRoute).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.model.service import Backend, Route
from ringfence.readers.fields import Field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.readers.manifest import Manifest

_CLASS = "kubernetes.io/ingress.class"
"""The annotation that named an Ingress's class before it had a field."""

_DEFAULT = "ingressclass.kubernetes.io/is-default-class"

ANNOTATIONS = (_CLASS, _DEFAULT)
"""The annotations that are read."""

_BY_PARENT = "Gateway"
"""The kind of a route's parent, when it does not say another."""


def read_ingress(manifest: Manifest) -> Route:
    """Read an Ingress."""
    root = Field(manifest)
    spec, annotations = root["spec"], root["metadata"]["annotations"]
    spec.near(("defaultBackend", "ingressClassName", "rules"))
    rules = spec["rules"].items()
    paths = [path for rule in rules for path in rule["http"]["paths"].items()]
    backends = [spec["defaultBackend"], *(path["backend"] for path in paths)]
    hosts = {rule["host"].string() for rule in rules}
    return Route(
        kind=manifest.kind,
        namespace=manifest.namespace,
        name=manifest.name,
        hosts=() if "" in hosts else tuple(sorted(hosts)),
        backends=tuple(dict.fromkeys(found for each in backends for found in _behind_ingress(each["service"]))),
        origin=manifest.origin(),
        entry=spec["ingressClassName"].string() or annotations[_CLASS].string(),
    )


def read_ingress_class(manifest: Manifest) -> dict[str, str]:
    """Return the controller of an ingress class, under the empty name too when it is the default class."""
    root = Field(manifest)
    controller = root["spec"]["controller"].string()
    is_default = root["metadata"]["annotations"][_DEFAULT].value == "true"
    return dict.fromkeys((manifest.name, "") if is_default else (manifest.name,), controller)


def read_route(manifest: Manifest) -> Route:
    """Read a route of the Gateway API, of whatever protocol."""
    spec = Field(manifest)["spec"]
    spec.near(("hostnames", "parentRefs", "rules"))
    references = [each for rule in spec["rules"].items() for each in _backend_references(rule)]
    parents = [each for each in spec["parentRefs"].items() if (each["kind"].string() or _BY_PARENT) == _BY_PARENT]
    names = {f"{each['namespace'].string() or manifest.namespace}/{each['name'].string()}" for each in parents}
    return Route(
        kind=manifest.kind,
        namespace=manifest.namespace,
        name=manifest.name,
        hosts=tuple(sorted({each.string() for each in spec["hostnames"].items()})),
        backends=tuple(dict.fromkeys(found for each in references for found in _behind_route(each))),
        origin=manifest.origin(),
        gateways=tuple(sorted(names)),
    )


def _behind_ingress(service: Field) -> Iterator[Backend]:
    """Yield the Service of an Ingress's backend; a backend that is a resource has none."""
    if service.given:
        port = service["port"]["name"].string() or service["port"]["number"].integer()
        yield Backend(service.manifest.namespace, service["name"].string(), port)


def _backend_references(rule: Field) -> Iterator[Field]:
    """Yield where a rule sends requests, and where it sends copies of them."""
    yield from rule["backendRefs"].items()
    for each in rule["filters"].items():
        if each["requestMirror"].given:
            yield each["requestMirror"]["backendRef"]


def _behind_route(reference: Field) -> Iterator[Backend]:
    """Yield the Service that is referred to; references to other kinds lead to none."""
    if (reference["kind"].string() or "Service") == "Service" and not reference["group"].string():
        namespace = reference["namespace"].string() or reference.manifest.namespace
        yield Backend(namespace, reference["name"].string(), reference["port"].integer())
