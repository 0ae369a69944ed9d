"""A cluster small enough to compile by hand: two pods on one node, one on another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.dataplane.plan import NodePlan, Wiring, plan_node
from ringfence.readers import Source, read
from ringfence.semantics.engine import Engine

if TYPE_CHECKING:
    from ringfence.model.cluster import Pod
    from ringfence.model.snapshot import Snapshot

MANIFESTS = """\
apiVersion: v1
kind: Node
metadata: {name: n1}
status: {addresses: [{type: InternalIP, address: 192.168.0.1}]}
---
apiVersion: v1
kind: Node
metadata: {name: n2}
status: {addresses: [{type: InternalIP, address: 192.168.0.2}]}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: shop, labels: {app: db}}
spec: {nodeName: n1, containers: [{name: main}]}
status: {podIP: 10.0.0.5}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {nodeName: n1, containers: [{name: main}]}
status: {podIP: 10.0.0.9}
---
apiVersion: v1
kind: Pod
metadata: {name: web-2, namespace: shop, labels: {app: web}}
spec: {nodeName: n2, containers: [{name: main}]}
status: {podIP: 10.0.1.9}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db-from-web, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  policyTypes: [Ingress]
  ingress:
  - from: [{podSelector: {matchLabels: {app: web}}}]
    ports: [{port: 5432}]
  - from: [{ipBlock: {cidr: 172.16.0.0/12, except: [172.16.0.0/24]}}]
    ports: [{port: 9000, endPort: 9100}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web-out, namespace: shop}
spec:
  podSelector: {matchLabels: {app: web}}
  policyTypes: [Egress]
  egress:
  - ports: [{port: 53, protocol: UDP}]
  - to: [{podSelector: {matchLabels: {app: db}}}]
  - to: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8]}}]
    ports: [{port: 443}]
"""


WIRING = Wiring("pod", {"shop/db": "pod0", "shop/web": "pod1"})
"""The links of its node n1."""


def small_snapshot(more: str = "", manifests: str = MANIFESTS) -> Snapshot:
    """The cluster, with more manifests beside it."""
    reading = read([Source("small.yaml", [manifests.encode()]), Source("more.yaml", [more.encode()])])
    assert not [error for error in reading.errors if error.origin.source == "small.yaml"]
    return reading.snapshot


def small_plan(node: str = "n1", more: str = "", manifests: str = MANIFESTS, wiring: Wiring | None = None) -> NodePlan:
    """The plan of one of its nodes."""
    return plan_node(Engine(small_snapshot(more, manifests)), node, wiring)


def pod(snapshot: Snapshot, name: str) -> Pod:
    """One of its pods."""
    return next(pod for pod in snapshot.pods if str(pod) == f"shop/{name}")
