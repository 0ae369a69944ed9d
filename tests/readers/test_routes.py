"""Ingresses and routes in, model out."""

from __future__ import annotations

import pytest

from ringfence.model.service import Backend, Route
from ringfence.readers.routes import read_ingress, read_ingress_class, read_route

from .texts import manifest

INGRESS = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec:
  ingressClassName: nginx
  defaultBackend: {service: {name: fallback, port: {number: 80}}}
  rules:
  - host: b.example.com
    http: {paths: [{path: /, backend: {service: {name: web, port: {name: http}}}}]}
  - host: a.example.com
    http:
      paths:
      - {path: /, backend: {service: {name: web, port: {name: http}}}}
      - {path: /files, backend: {resource: {kind: Bucket, name: files}}}
"""


def ingress(text: str) -> Route:
    """The sound Ingress of a text, in the namespace shop."""
    found = manifest(text)
    found.namespace, found.kind, found.name = "shop", "Ingress", "web"
    route = read_ingress(found)
    assert found.errors == []
    return route


def test_an_ingress_leads_to_services_of_its_namespace():
    """Each once, the default first; a resource is no Service."""
    found = ingress(INGRESS)

    assert str(found) == "Ingress shop/web"
    assert found.hosts == ("a.example.com", "b.example.com")
    assert found.backends == (Backend("shop", "fallback", 80), Backend("shop", "web", "http"))
    assert found.entry == "nginx"


def test_one_rule_without_a_host_answers_to_every_host():
    """So no list of hosts would be true."""
    assert ingress(INGRESS.replace("host: a.example.com\n    ", "")).hosts == ()


def test_the_class_may_be_an_annotation():
    """The field counts where both are there; neither means the default class."""
    old = INGRESS.replace("{name: web}\n", "{name: web, annotations: {kubernetes.io/ingress.class: old}}\n", 1)

    assert ingress(old).entry == "nginx"
    assert ingress(old.replace("ingressClassName: nginx\n  ", "")).entry == "old"
    assert ingress(INGRESS.replace("ingressClassName: nginx\n  ", "")).entry == ""


@pytest.mark.parametrize(("value", "names"), [("'true'", {"nginx", ""}), ("'false'", {"nginx"})])
def test_a_class_names_its_controller(value: str, names: set[str]):
    """The default one stands for an Ingress without a class too."""
    text = f"""
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {{name: nginx, annotations: {{ingressclass.kubernetes.io/is-default-class: {value}}}}}
spec: {{controller: k8s.io/ingress-nginx}}
"""
    found = manifest(text)
    found.name = "nginx"

    assert read_ingress_class(found) == dict.fromkeys(names, "k8s.io/ingress-nginx")


ROUTE = """
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web}
spec:
  hostnames: [b.example.com, a.example.com]
  parentRefs:
  - {name: public, namespace: edge}
  - {name: inner}
  - {kind: Service, group: "", name: web}
  rules:
  - backendRefs: [{name: web, port: 80}, {name: web, port: 80, weight: 0}]
    filters:
    - {type: RequestMirror, requestMirror: {backendRef: {name: shadow, namespace: other, port: 81}}}
    - {type: RequestHeaderModifier, requestHeaderModifier: {}}
  - backendRefs: [{kind: ServiceImport, group: multicluster.x-k8s.io, name: far, port: 80}]
"""


def test_a_route_leads_to_services_from_gateways():
    """Copies of requests go somewhere too; other kinds of backends and parents are none of ours."""
    found = manifest(ROUTE)
    found.namespace, found.kind, found.name = "shop", "HTTPRoute", "web"
    route = read_route(found)

    assert found.errors == []
    assert route.hosts == ("a.example.com", "b.example.com")
    assert route.gateways == ("edge/public", "shop/inner")
    assert route.backends == (Backend("shop", "web", 80), Backend("other", "shadow", 81))


@pytest.mark.parametrize(("old", "new"), [("rules:", "rule:"), ("parentRefs:", "parentRef:")])
def test_what_is_nearly_a_member_of_a_route_is_an_error(old: str, new: str):
    """It would hide a way in."""
    found = manifest(ROUTE.replace(old, new))
    read_route(found)

    assert [error.message for error in found.errors] == [f'strict decoding error: unknown field "spec.{new[:-1]}"']
