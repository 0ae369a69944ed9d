"""Time the reading of a live list of pods of full size, and the memory that it takes.

``python -m bench.live`` starts a small server on loopback in another process, which serves
pages made beforehand; CPU seconds and memory are those of the reading process alone, after
imports. Nothing is asserted.
"""

from __future__ import annotations

import argparse
import gzip
import json
import ssl
import subprocess
import sys
import tempfile
import time
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import ringfence.readers.live  # noqa: F401 - reading would import it
from bench.figures import Figure, peak_memory, reset_peak, resident, table
from ringfence.edges.cluster import read_cluster
from ringfence.edges.kubeconfig import Wanted, find_access
from ringfence.readers import read_listing

if TYPE_CHECKING:
    from collections.abc import Iterator

TLS = Path(__file__).parent.parent / "tests" / "edges" / "tls"
PAGE = 500
Object = dict[str, Any]


def pod(number: int) -> Object:
    """One of the replicas of a Deployment, with all that a server and a kubelet add: 5.8 KB."""
    app, address = f"app-{number // 20}", f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
    name = f"{app}-5d9f7c6b8d-{number:05x}"
    labels = {"app": app, "tier": "api", "team": f"team-{number % 7}", "pod-template-hash": "5d9f7c6b8d"}
    mounts = [{"name": "kube-api-access-x7v2p", "readOnly": True, "mountPath": "/var/run/secrets/kubernetes.io"}]
    probe = {
        "httpGet": {"path": "/healthz", "port": "http", "scheme": "HTTP"},
        "timeoutSeconds": 1,
        "periodSeconds": 10,
    }
    container = {
        "name": "main",
        "image": f"registry.example/{app}:1.0.7",
        "ports": [
            {"name": "http", "containerPort": 8080, "protocol": "TCP"},
            {"name": "metrics", "containerPort": 9090, "protocol": "TCP"},
        ],
        "env": [{"name": f"SETTING_{index}", "value": f"value of setting {index}"} for index in range(13)],
        "resources": {"limits": {"cpu": "1", "memory": "512Mi"}, "requests": {"cpu": "100m", "memory": "256Mi"}},
        "volumeMounts": mounts,
        "readinessProbe": probe,
        "livenessProbe": probe,
        "terminationMessagePath": "/dev/termination-log",
        "imagePullPolicy": "IfNotPresent",
    }
    spec_fields = {
        f"f:{key}": {".": {}, "f:value": {}, "f:name": {}} for key in [*container, *labels, "affinity", "x", "y"]
    }
    status_fields = {f'k:{{"type":"{kind}"}}': {".": {}, "f:status": {}, "f:type": {}} for kind in "ABCDE"}
    return {
        "metadata": {
            "name": name,
            "generateName": f"{app}-5d9f7c6b8d-",
            "namespace": f"ns-{number % 50}",
            "uid": f"7d1c5a0e-2f0b-4a44-9f0e-{number:012x}",
            "resourceVersion": str(1_000_000 + number),
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "labels": labels,
            "annotations": {"prometheus.io/scrape": "true", "checksum/config": "0123456789abcdef" * 4},
            "ownerReferences": [
                {
                    "apiVersion": "apps/v1",
                    "kind": "ReplicaSet",
                    "name": f"{app}-5d9f7c6b8d",
                    "uid": "u",
                    "controller": True,
                    "blockOwnerDeletion": True,
                }
            ],
            "managedFields": [
                {
                    "manager": "kube-controller-manager",
                    "operation": "Update",
                    "apiVersion": "v1",
                    "time": "2026-01-01T00:00:00Z",
                    "fieldsType": "FieldsV1",
                    "fieldsV1": {"f:metadata": spec_fields, "f:spec": spec_fields},
                },
                {
                    "manager": "kubelet",
                    "operation": "Update",
                    "apiVersion": "v1",
                    "time": "2026-01-01T00:00:09Z",
                    "fieldsType": "FieldsV1",
                    "fieldsV1": {"f:status": {"f:conditions": status_fields, "f:phase": {}, "f:podIP": {}}},
                    "subresource": "status",
                },
            ],
        },
        "spec": {
            "volumes": [
                {"name": mounts[0]["name"], "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}
            ],
            "containers": [container],
            "restartPolicy": "Always",
            "dnsPolicy": "ClusterFirst",
            "serviceAccountName": app,
            "nodeName": f"worker-{number % 200}",
            "schedulerName": "default-scheduler",
            "tolerations": [{"key": f"node.kubernetes.io/{why}", "operator": "Exists"} for why in ("a", "b")],
        },
        "status": {
            "phase": "Running",
            "conditions": [
                {"type": kind, "status": "True", "lastTransitionTime": "2026-01-01T00:00:09Z"}
                for kind in ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
            ],
            "hostIP": "192.168.0.1",
            "podIP": address,
            "podIPs": [{"ip": address}],
            "startTime": "2026-01-01T00:00:00Z",
            "containerStatuses": [
                {
                    "name": "main",
                    "state": {"running": {"startedAt": "2026-01-01T00:00:08Z"}},
                    "ready": True,
                    "restartCount": 0,
                    "image": container["image"],
                    "imageID": f"registry.example/{app}@sha256:{'0123456789abcdef' * 4}",
                    "containerID": f"containerd://{'0123456789abcdef' * 4}",
                }
            ],
            "qosClass": "Burstable",
        },
    }


def pages(count: int, *, compressed: bool) -> dict[str, bytes]:
    """The pages of the list of so many pods, by the token that asks for each."""
    found = {}
    for first in range(0, count, PAGE):
        items = [pod(number) for number in range(first, min(first + PAGE, count))]
        metadata = {"resourceVersion": "1"} | ({"continue": str(first + PAGE)} if first + PAGE < count else {})
        text = json.dumps(
            {"kind": "PodList", "apiVersion": "v1", "metadata": metadata, "items": items}, separators=(",", ":")
        )
        found[str(first or "")] = gzip.compress(text.encode(), 1) if compressed else text.encode()
    return found


class Handler(BaseHTTPRequestHandler):
    """Serves pages of pods, and of every other kind nothing."""

    protocol_version = "HTTP/1.1"

    def __init__(self, found: dict[str, bytes], compressed: bool, *args: Any) -> None:  # noqa: FBT001
        self.found, self.compressed = found, compressed
        super().__init__(*args)

    def do_GET(self) -> None:
        """Answer."""
        parts = urlsplit(self.path)
        body = b'{"kind":"APIGroupDiscoveryList","metadata":{},"items":[]}'
        is_pods = parts.path == "/api/v1/pods"
        if is_pods:
            body = self.found[parse_qs(parts.query).get("continue", [""])[0]]
        self.send_response(200)
        if is_pods and self.compressed:
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def serve(count: int, *, tls: bool, compressed: bool) -> None:
    """Serve on a free port until standard input ends; print the port."""
    found = pages(count, compressed=compressed)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, found, compressed)) as server:
        if tls:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(TLS / "server.pem", TLS / "server.key")
            server.socket = context.wrap_socket(server.socket, server_side=True)
        print(server.server_port, flush=True)
        server.serve_forever()


def measure(url: str) -> dict[str, float]:
    """Read the list once; return CPU seconds and bytes over the start."""
    cluster: Object = {"server": url}
    if url.startswith("https:"):
        cluster["certificate-authority"] = str(TLS / "ca.pem")
    content = {
        "current-context": "bench",
        "clusters": [{"name": "c", "cluster": cluster}],
        "contexts": [{"name": "bench", "context": {"cluster": "c"}}],
    }
    with tempfile.NamedTemporaryFile("w", suffix=".json") as config:
        json.dump(content, config)
        config.flush()
        access = find_access(Wanted(kubeconfig=config.name), {})
    reset_peak()  # a process inherits that of whoever starts it
    before, wall, start = resident(), time.perf_counter(), time.process_time()
    listing = read_cluster(access)
    listed = time.process_time()
    reading = read_listing(listing)
    done = time.process_time()
    return {
        "pods": len(reading.snapshot.pods),
        "list": listed - start,
        "read": done - listed,
        "cpu": done - start,
        "wall": time.perf_counter() - wall,
        "peak": peak_memory() - before,
        "after": resident() - before,
    }


def figures(pods: int = 10_000, runs: int = 3) -> Iterator[Figure]:
    """Read the list over plain HTTP, TLS and compressed, each several times in a process of its own."""
    program = [sys.executable, "-m", "bench.live", "--pods", str(pods)]
    size = len(json.dumps(pod(1), separators=(",", ":")))
    for way in ("http", "https", "gzip"):
        with subprocess.Popen([*program, "--serve", way], stdout=subprocess.PIPE, text=True) as server:  # noqa: S603
            port = (server.stdout or sys.stdin).readline().strip()
            url = f"{'https' if way == 'https' else 'http'}://127.0.0.1:{port}"
            measured = [
                json.loads(subprocess.run([*program, "--measure", url], capture_output=True, check=True).stdout)  # noqa: S603
                for _ in range(runs)
            ]
            server.terminate()
        name = f"live list of {pods:,} pods of {size:,} bytes, {way}"
        yield Figure(name, min(each["cpu"] for each in measured), "s", "<= 1.0")
        yield Figure(f"{name}, over the start", min(each["peak"] for each in measured) / 1e6, "MB", "<= 60")


def main() -> None:
    """Print the figures, or play one of the two parts."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pods", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--serve", choices=["http", "https", "gzip"], help=argparse.SUPPRESS)
    parser.add_argument("--measure", metavar="URL", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.pods, tls=options.serve == "https", compressed=options.serve == "gzip")
    elif options.measure:
        print(json.dumps(measure(options.measure)))
    else:
        print(table(figures(options.pods, options.runs)))


if __name__ == "__main__":
    main()
