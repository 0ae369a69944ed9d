"""Write a realistic cluster as manifests: ``python -m bench.clusters --workloads 1000 --policies 1080``.

Namespaces have a heavy tail and belong to tenants. Most of them deny by default, let DNS
through, open themselves to their own pods and to monitoring; the rest of the policies
open single workloads to others by label, namespace, named port, port range or address.
The same seed writes the same bytes.
"""

from __future__ import annotations

import argparse
import random
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

Manifest = dict[str, Any]

TIERS = ("web", "api", "worker", "db", "cache")
PORTS = {
    "web": ("http", 8080),
    "api": ("grpc", 9000),
    "worker": ("http", 8081),
    "db": ("sql", 5432),
    "cache": ("kv", 6379),
}
OUTSIDE = (("203.0.113.0/24", ["203.0.113.128/25"]), ("198.51.100.0/24", []), ("2001:db8::/32", ["2001:db8:1::/48"]))
SHARED = {"kube-system": "dns", "monitoring": "prometheus", "edge": "gateway"}


@dataclass(frozen=True)
class Workload:
    """What the policies of the cluster need to know of a workload."""

    namespace: str
    name: str
    tier: str

    @property
    def labels(self) -> dict[str, str]:
        """The labels of its pods."""
        return {"app": self.name, "tier": self.tier, "team": f"team-{len(self.name) % 5}", "version": "v1"}


def cluster(seed: int, workloads: int, policies: int) -> Iterator[Manifest]:
    """Yield the manifests of a cluster with exactly these numbers of workloads and policies."""
    rng = random.Random(seed)
    names = [*SHARED, *(f"ns-{number}" for number in range(max(1, workloads // 25)))]
    for name in names:
        labels = {"tenant": f"tenant-{rng.randrange(8)}", "env": rng.choice(("prod", "prod", "dev"))}
        yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
    made = [Workload(namespace, app, "web") for namespace, app in SHARED.items()][:workloads]
    weights = [1 / (1 + rank) ** 0.7 for rank in range(len(names))]
    for number in range(len(made), workloads):
        (namespace,) = rng.choices(names, weights)
        made.append(Workload(namespace, f"app-{number}", rng.choice(TIERS)))
    for workload in made:
        yield _workload(rng, workload)
    wanted = [*_of_namespaces(rng, names), *_of_workloads(rng, made, policies)]
    yield from wanted[:policies]


def _workload(rng: random.Random, workload: Workload) -> Manifest:
    name, number = PORTS[workload.tier]
    kind = "StatefulSet" if workload.tier == "db" else rng.choices(("Deployment", "DaemonSet"), (24, 1))[0]
    container = {
        "name": "main",
        "image": f"registry.example/{workload.name}:1.0.{rng.randrange(50)}",
        "ports": [{"name": name, "containerPort": number}, {"name": "metrics", "containerPort": 9090}],
        "env": [{"name": "LOG_LEVEL", "value": "info"}, {"name": "REGION", "value": "eu-1"}],
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
        "readinessProbe": {"tcpSocket": {"port": name}, "periodSeconds": 10},
    }
    pod: Manifest = {"containers": [container]}
    if kind == "DaemonSet":
        pod["hostNetwork"] = True
    spec: Manifest = {
        "selector": {"matchLabels": {"app": workload.name}},
        "template": {"metadata": {"labels": workload.labels}, "spec": pod},
    }
    if kind != "DaemonSet":
        spec["replicas"] = rng.choice((1, 2, 2, 3, 5))
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": workload.name, "namespace": workload.namespace, "labels": workload.labels},
        "spec": spec,
    }


def _policy(namespace: str, name: str, spec: Manifest) -> Manifest:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec,
    }


def _of_namespaces(rng: random.Random, names: list[str]) -> Iterator[Manifest]:
    """Yield the policies that most namespaces have."""
    everyone: Manifest = {"podSelector": {}}
    dns = {"namespaceSelector": _namespace("kube-system"), "podSelector": {"matchLabels": {"app": "dns"}}}
    monitoring = {"namespaceSelector": _namespace("monitoring")}
    for namespace in names:
        if rng.random() < 0.15:
            continue
        yield _policy(namespace, "default-deny", everyone | {"policyTypes": ["Ingress", "Egress"]})
        ports = [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]
        yield _policy(
            namespace, "dns", everyone | {"policyTypes": ["Egress"], "egress": [{"to": [dns], "ports": ports}]}
        )
        yield _policy(
            namespace, "monitoring", everyone | {"ingress": [{"from": [monitoring], "ports": [{"port": "metrics"}]}]}
        )
        if rng.random() < 0.5:
            yield _policy(namespace, "same-namespace", everyone | {"ingress": [{"from": [everyone]}]})


def _of_workloads(rng: random.Random, workloads: list[Workload], count: int) -> Iterator[Manifest]:
    """Yield policies that open single workloads."""
    by_namespace: dict[str, list[Workload]] = {}
    for workload in workloads:
        by_namespace.setdefault(workload.namespace, []).append(workload)
    for number in range(count):
        workload = rng.choice(workloads)
        spec: Manifest = {"podSelector": {"matchLabels": {"app": workload.name}}}
        neighbors = by_namespace[workload.namespace]
        if rng.random() < 0.6:
            spec |= {"policyTypes": ["Ingress"], "ingress": [_ingress_rule(rng, workload, neighbors)]}
        else:
            spec |= {"policyTypes": ["Egress"], "egress": [_egress_rule(rng, neighbors, rng.choice(workloads))]}
        yield _policy(workload.namespace, f"{workload.name}-{number}", spec)


def _ingress_rule(rng: random.Random, server: Workload, neighbors: list[Workload]) -> Manifest:
    name, number = PORTS[server.tier]
    apps = sorted({workload.name for workload in rng.choices(neighbors, k=rng.randint(1, 3))})
    by_name = {"podSelector": {"matchExpressions": [{"key": "app", "operator": "In", "values": apps}]}}
    by_tier = {"podSelector": {"matchLabels": {"tier": rng.choice(TIERS)}}}
    by_tenant = {
        "namespaceSelector": {"matchLabels": {"tenant": f"tenant-{rng.randrange(8)}"}},
        "podSelector": {"matchLabels": {"tier": rng.choice(TIERS)}},
    }
    edge = {"namespaceSelector": _namespace("edge")}
    peers = rng.choices((by_name, by_tier, by_tenant, edge), (6, 2, 1, 2), k=rng.randint(1, 2))
    ports = rng.choices(({"port": name}, {"port": number}, {"port": number, "endPort": number + 9}), (5, 5, 1))
    return {"from": peers, "ports": ports}


def _egress_rule(rng: random.Random, neighbors: list[Workload], elsewhere: Workload) -> Manifest:
    neighbor = rng.choice(neighbors)
    cidr, excepts = rng.choice(OUTSIDE)
    near = {"podSelector": {"matchLabels": {"app": neighbor.name}}}
    far = {
        "namespaceSelector": _namespace(elsewhere.namespace),
        "podSelector": {"matchLabels": {"app": elsewhere.name}},
    }
    outside = {"ipBlock": {"cidr": cidr} | ({"except": excepts} if excepts else {})}
    tier, peer = rng.choices(((neighbor.tier, near), (elsewhere.tier, far), ("web", outside)), (5, 3, 2))[0]
    name, number = PORTS[tier]
    return {
        "to": [peer],
        "ports": [rng.choice(({"port": number}, {"port": name}, {"port": number, "protocol": "TCP"}))],
    }


def _namespace(name: str) -> Manifest:
    return {"matchLabels": {"kubernetes.io/metadata.name": name}}


class Dumper(yaml.CSafeDumper):
    """Spells repeated parts out, as people do."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - the base class's signature
        """Never write an anchor."""
        return True


def main() -> None:
    """Write one cluster to standard output."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--workloads", type=int, default=1_000)
    parser.add_argument("--policies", type=int, default=1_080)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    manifests = cluster(options.seed, options.workloads, options.policies)
    yaml.dump_all(manifests, sys.stdout, Dumper=Dumper, sort_keys=False)


if __name__ == "__main__":
    main()
