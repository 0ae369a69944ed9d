"""An API server on loopback that lists the objects it was given, and misbehaves as it is told."""

from __future__ import annotations

import gzip
import json
import ssl
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TLS = Path(__file__).parent / "edges" / "tls"
"""Certificates: of an authority, of a server at ``127.0.0.1`` or ``ringfence.test``, of a client; long lived."""

Object = dict[str, Any]
Answer = tuple[int, bytes]

CLUSTER_SCOPED = {"ClusterNetworkPolicy", "GlobalNetworkPolicy", "IngressClass", "Namespace", "Node"}
BUILT_IN = {
    "v1": ("Namespace", "Node", "Pod", "ReplicationController", "Service"),
    "apps/v1": ("DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"),
    "batch/v1": ("CronJob", "Job"),
    "networking.k8s.io/v1": ("Ingress", "IngressClass", "NetworkPolicy"),
    "discovery.k8s.io/v1": ("EndpointSlice",),
}


def plural(kind: str) -> str:
    """The name of a kind in paths."""
    word = kind.lower()
    return f"{word[:-1]}ies" if word.endswith("cy") else f"{word}es" if word.endswith("s") else f"{word}s"


def status(code: int, message: str) -> Answer:
    """A refusal, in the server's shape."""
    return code, json.dumps({"kind": "Status", "apiVersion": "v1", "code": code, "message": message}).encode()


@dataclass
class ApiServer:
    """What the server holds, and how it behaves.

    Attributes:
        objects: What it lists, whole as a server has them.
        served: Versions beside those of every cluster, each with its kinds.
        forbidden: Paths that are refused.
        answers: What is answered at a path, in place of what there is; called with the query.
        aggregated: Whether discovery tells all at once, as servers from 1.27 on do.
        compressed: Whether answers are compressed.
        requests: Path with query, and headers, of everything that was asked.
    """

    objects: list[Object] = field(default_factory=list)
    served: dict[str, tuple[str, ...]] = field(default_factory=dict)
    forbidden: set[str] = field(default_factory=set)
    answers: dict[str, Callable[[dict[str, str]], Answer]] = field(default_factory=dict)
    aggregated: bool = True
    compressed: bool = False
    requests: list[tuple[str, list[tuple[str, str]]]] = field(default_factory=list)
    url: str = ""

    def answer(self, target: str) -> Answer:
        """What is answered to a request."""
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path in self.answers:
            return self.answers[parts.path](query)
        if parts.path in self.forbidden:
            return status(403, f'{parts.path} is forbidden: User "jane" cannot list')
        if parts.path == "/apis":
            return 200, json.dumps(self._discovery()).encode()
        return self.listed(parts.path, query)

    def listed(self, path: str, query: dict[str, str]) -> Answer:
        """A page of a list, of one namespace or of all; the token is where the next page begins."""
        for version, kinds in {**BUILT_IN, **self.served}.items():
            start = f"/apis/{version}" if "/" in version else f"/api/{version}"
            if path == start:
                return 200, json.dumps({"kind": "APIResourceList", "resources": _plain(kinds)}).encode()
            for kind in kinds:
                if path.startswith(f"{start}/") and path.rpartition("/")[2] == plural(kind):
                    steps = path.removeprefix(f"{start}/").split("/")
                    namespace = steps[1] if len(steps) == 3 else ""
                    return self._page(version, kind, namespace, query)
        return status(404, "the server could not find the requested resource")

    def _page(self, version: str, kind: str, namespace: str, query: dict[str, str]) -> Answer:
        there = [each for each in self.objects if (each["apiVersion"], each["kind"]) == (version, kind)]
        there = [each for each in there if namespace in {"", each["metadata"].get("namespace")}]
        limit, first = int(query.get("limit") or len(there) or 1), int(query.get("continue") or 0)
        metadata: Object = {"resourceVersion": "1"}
        if first + limit < len(there):
            metadata["continue"] = str(first + limit)
        # Servers leave these two out of the items of a list, but for custom resources.
        items = [{k: v for k, v in each.items() if k not in {"apiVersion", "kind"}} for each in there]
        listed = {
            "kind": f"{kind}List",
            "apiVersion": version,
            "metadata": metadata,
            "items": items[first : first + limit],
        }
        return 200, json.dumps(listed).encode()

    def _discovery(self) -> Object:
        versions = {version: kinds for version, kinds in {**BUILT_IN, **self.served}.items() if "/" in version}
        if not self.aggregated:
            groups = [
                {"name": v.split("/")[0], "versions": [{"groupVersion": v, "version": v.split("/")[1]}]}
                for v in versions
            ]
            return {"kind": "APIGroupList", "groups": groups}
        items = [
            {
                "metadata": {"name": version.split("/")[0]},
                "versions": [{"version": version.split("/")[1], "resources": [_aggregated(kind) for kind in kinds]}],
            }
            for version, kinds in versions.items()
        ]
        return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "items": items}


def _aggregated(kind: str) -> Object:
    scope = "Cluster" if kind in CLUSTER_SCOPED else "Namespaced"
    return {"resource": plural(kind), "responseKind": {"kind": kind}, "scope": scope, "verbs": ["get", "list"]}


def _plain(kinds: tuple[str, ...]) -> list[Object]:
    found = [{"name": plural(k), "kind": k, "namespaced": k not in CLUSTER_SCOPED, "verbs": ["list"]} for k in kinds]
    return [*found, {"name": "pods/log", "kind": "Pod", "namespaced": True, "verbs": ["get"]}]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, server: ApiServer, *args: Any) -> None:
        self.api = server
        super().__init__(*args)

    def do_GET(self) -> None:
        """Answer."""
        self.api.requests.append((self.path, self.headers.items()))
        code, body = self.api.answer(self.path)
        self.send_response(code)
        if self.api.compressed:
            body = gzip.compress(body)
            self.send_header("Content-Encoding", "gzip")
        if code in {429, 503}:
            self.send_header("Retry-After", "0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def serving(server: ApiServer, *, tls: bool = False) -> Iterator[ApiServer]:
    """Run a server on a free port of loopback, and give it its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, server)) as listener:
        listener.daemon_threads = True
        if tls:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(TLS / "ca.pem"))
            context.load_cert_chain(TLS / "server.pem", TLS / "server.key")
            context.verify_mode = ssl.CERT_OPTIONAL
            listener.socket = context.wrap_socket(listener.socket, server_side=True)
        server.url = f"{'https' if tls else 'http'}://127.0.0.1:{listener.server_port}"
        thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            listener.shutdown()
            thread.join()
