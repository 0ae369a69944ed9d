"""A small cluster, read from manifests, for the tests of the lab."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.readers import Source, read

if TYPE_CHECKING:
    from ringfence.model.cluster import Pod
    from ringfence.model.snapshot import Snapshot

MANIFESTS = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: main, ports: [{name: http, containerPort: 8080}]}]
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: shop, labels: {app: db}}
spec:
  containers: [{name: main, ports: [{containerPort: 5432}, {name: stat, containerPort: 8125, protocol: UDP}]}]
---
apiVersion: v1
kind: Pod
metadata: {name: agent, namespace: shop, labels: {app: agent}}
spec:
  hostNetwork: true
  nodeName: node-1
  containers: [{name: main, ports: [{containerPort: 9100}]}]
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec:
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: http}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  policyTypes: [Ingress, Egress]
  ingress:
    - from: [{podSelector: {matchLabels: {app: web}}}]
      ports: [{port: 5432}]
  egress:
    - to: [{ipBlock: {cidr: 192.0.2.0/24, except: [192.0.2.128/25]}}]
      ports: [{port: 8000, endPort: 8010}]
"""


def snapshot_of(text: str) -> Snapshot:
    """Read manifests that must be readable."""
    reading = read([Source("small.yaml", [text.encode()])])
    assert not reading.errors, reading.errors
    return reading.snapshot


def small(more: str = "") -> Snapshot:
    """The small cluster, with more manifests if there are any."""
    return snapshot_of(f"{MANIFESTS}\n---\n{more}" if more else MANIFESTS)


def pod_of(snapshot: Snapshot, name: str) -> Pod:
    """A pod by its name within the namespace shop."""
    return next(pod for pod in snapshot.pods if pod.name == name)
