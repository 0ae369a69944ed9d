"""Write a large cluster as JSON: ``python -m bench.fleet --pods 100000 --policies 10000``.

Namespaces have a heavy tail, of about sixty pods each, and belong to tenants. Pods come in
workloads with replicas, some of them StatefulSets with a label for each pod, all with a
hash label that no policy names; one in twenty-five is on its node's network. Most
namespaces deny by default and open themselves to DNS, monitoring and their own pods; the
rest of the policies open workloads by label, expression, namespace, named port, port
range and address. Twenty cluster policies stand in both tiers. Workloads of all namespaces
share a few hundred components, by which a wide rule names pods everywhere. The same seed
writes the same bytes.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

from bench.live import pod as full_pod

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
COMPONENTS = 200
PODS_OF_A_NODE = 100
SETTINGS = 35
"""Environment variables of a container of full size, with which a pod has five thousand bytes."""


@dataclass(frozen=True)
class Size:
    """How large a cluster is.

    Attributes:
        pods: Pods, those on their node's network included.
        policies: NetworkPolicies; cluster policies come on top.
        wide: The share of the NetworkPolicies' rules that name pods in every namespace.
    """

    pods: int
    policies: int
    wide: float = 0.0


@dataclass(frozen=True)
class App:
    """A workload, as far as policies need to know it."""

    namespace: str
    name: str
    tier: str
    stateful: bool
    host_network: bool

    @property
    def component(self) -> str:
        """What it is made of, as workloads of other namespaces are."""
        return f"component-{hash_of(self.name) % COMPONENTS}"

    def labels(self, number: int) -> dict[str, str]:
        """Return the labels of one of its pods."""
        found = {"app": self.name, "tier": self.tier, "component": self.component, "version": "v1"}
        own = "statefulset.kubernetes.io/pod-name" if self.stateful else "pod-template-hash"
        return found | {own: f"{self.name}-{number}" if self.stateful else f"{hash_of(self.name):010x}"}


def hash_of(text: str) -> int:
    """Return a number that the text alone decides."""
    found = 17
    for letter in text:
        found = (found * 131 + ord(letter)) % 0xFFFFFFFFFF
    return found


def fleet(seed: int, size: Size, *, slim: bool = False) -> Iterator[Manifest]:
    """Yield a cluster's Namespaces, Nodes, policies and pods, in this order.

    Args:
        seed: Decides everything.
        size: How many of each.
        slim: Pods hold only what decides a verdict, and not all that an API server says.
    """
    rng = random.Random(seed)
    names = [*SHARED, *(f"ns-{number}" for number in range(max(1, size.pods // 60)))]
    tenants = max(4, len(names) // 5)
    for name in names:
        labels = {"tenant": f"tenant-{rng.randrange(tenants)}", "env": rng.choice(("prod", "prod", "dev"))}
        labels["kubernetes.io/metadata.name"] = name
        yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
    for number in range(1 + size.pods // PODS_OF_A_NODE):
        yield _node(number)
    apps = list(_apps(rng, size, names))
    yield from _cluster_policies(rng, tenants)
    yield from _policies(rng, size, names, [app for app, _ in apps])
    for number, (app, replica) in enumerate((app, n) for app, replicas in apps for n in range(replicas)):
        pod = _pod(app, replica, number)
        yield pod if slim else _full(pod, number)


def _full(pod: Manifest, number: int) -> Manifest:
    """Return a pod with all that a server and a kubelet add, but for managed fields, which kubectl leaves out."""
    found = full_pod(number)
    spec = found["spec"] | pod["spec"]
    spec["containers"] = [found["spec"]["containers"][0] | pod["spec"]["containers"][0]]
    spec["containers"][0]["env"] = [
        {"name": f"SETTING_{index}", "value": f"value of setting {index}"} for index in range(SETTINGS)
    ]
    metadata, status = found["metadata"] | pod["metadata"], found["status"] | pod["status"]
    del metadata["managedFields"]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": status}


def _node(number: int) -> Manifest:
    addresses = [{"type": "InternalIP", "address": f"172.16.{number // 250}.{number % 250 + 1}"}]
    labels = {"kubernetes.io/hostname": f"node-{number}", "pool": f"pool-{number % 3}"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": f"node-{number}", "labels": labels},
        "status": {"addresses": addresses},
    }


def _apps(rng: random.Random, size: Size, names: list[str]) -> Iterator[tuple[App, int]]:
    """Yield workloads with their numbers of pods, which together are as many as wanted."""
    left = size.pods
    weights = [1 / (1 + rank) ** 0.7 for rank in range(len(names))]
    total, cumulative = 0.0, []
    for weight in weights:
        total += weight
        cumulative.append(total)
    for namespace, name in SHARED.items():
        yield App(namespace, name, "web", stateful=False, host_network=False), 2
        left -= 2
    number = 0
    while left > 0:
        tier = rng.choice(TIERS)
        replicas = min(left, rng.choice((1, 2, 3, 3, 5, 10)))
        (namespace,) = rng.choices(names, cum_weights=cumulative)
        yield App(namespace, f"app-{number}", tier, tier == "db", rng.random() < 0.04), replicas
        left, number = left - replicas, number + 1


def _pod(app: App, replica: int, number: int) -> Manifest:
    name, port = PORTS[app.tier]
    node = number // PODS_OF_A_NODE
    ports = [{"name": name, "containerPort": port}, {"name": "metrics", "containerPort": 9090}]
    spec: Manifest = {"nodeName": f"node-{node}", "containers": [{"name": "main", "ports": ports}]}
    address = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
    if app.host_network:
        spec["hostNetwork"] = True
        address = f"172.16.{node // 250}.{node % 250 + 1}"
    metadata = {"name": f"{app.name}-{replica}", "namespace": app.namespace, "labels": app.labels(replica)}
    status = {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": status}


def _cluster_policies(rng: random.Random, tenants: int) -> Iterator[Manifest]:
    """Yield twenty policies of both tiers."""
    for number in range(20):
        admin = number % 4 != 0
        tenant = {"matchLabels": {"tenant": f"tenant-{rng.randrange(tenants)}"}}
        subject = tenant if admin else {"matchLabels": {"env": rng.choice(("prod", "dev"))}}
        dns = {"pods": {"namespaceSelector": _namespace("kube-system"), "podSelector": {"matchLabels": {"app": "dns"}}}}
        other = {"namespaces": {"matchLabels": {"tenant": f"tenant-{rng.randrange(tenants)}"}}}
        port = {"tcp": {"destinationPort": {"range": {"start": 9000, "end": 9100}}}}
        ingress = [
            {"action": "Accept", "from": [{"namespaces": _namespace("monitoring")}], "protocols": [port]},
            {"action": rng.choice(("Deny", "Pass")), "from": [other]},
        ]
        egress = [
            {"action": "Accept", "to": [dns], "protocols": [{"udp": {"destinationPort": {"number": 53}}}]},
            {"action": "Deny", "to": [{"networks": ["169.254.169.254/32"]}]},
        ]
        spec = {
            "tier": "Admin" if admin else "Baseline",
            "priority": number,
            "subject": {"namespaces": subject},
            "ingress": ingress,
            "egress": egress,
        }
        api = "policy.networking.k8s.io/v1alpha2"
        yield {"apiVersion": api, "kind": "ClusterNetworkPolicy", "metadata": {"name": f"cnp-{number}"}, "spec": spec}


def _policies(rng: random.Random, size: Size, names: list[str], apps: list[App]) -> Iterator[Manifest]:
    """Yield as many NetworkPolicies as wanted: first what most namespaces have, then what opens single workloads."""
    made = 0
    for manifest in _of_namespaces(rng, names):
        if made >= size.policies // 2:
            break
        yield manifest
        made += 1
    by_namespace: dict[str, list[App]] = {}
    for app in apps:
        by_namespace.setdefault(app.namespace, []).append(app)
    for number in range(made, size.policies):
        app = rng.choice(apps)
        spec: Manifest = {"podSelector": {"matchLabels": {"app": app.name}}}
        peers = [_peer(rng, size, by_namespace[app.namespace], rng.choice(apps)) for _ in range(rng.randint(1, 2))]
        name, port = PORTS[app.tier]
        if rng.random() < 0.6:
            ports = rng.choices(({"port": name}, {"port": port}, {"port": port, "endPort": port + 9}), (5, 5, 1))
            spec |= {"policyTypes": ["Ingress"], "ingress": [{"from": peers, "ports": ports}]}
        else:
            name, port = PORTS[rng.choice(TIERS)]
            ports = [rng.choice(({"port": port}, {"port": name}, {"port": port, "protocol": "TCP"}))]
            spec |= {"policyTypes": ["Egress"], "egress": [{"to": peers, "ports": ports}]}
        yield _policy(app.namespace, f"{app.name}-{number}", spec)


def _peer(rng: random.Random, size: Size, neighbors: list[App], elsewhere: App) -> Manifest:
    if rng.random() < size.wide:
        by_component = {"matchLabels": {"component": elsewhere.component}}
        by_tier = {"matchLabels": {"tier": elsewhere.tier}}
        values = sorted({elsewhere.component, *(app.component for app in rng.choices(neighbors, k=4))})
        by_five = {"matchExpressions": [{"key": "component", "operator": "In", "values": values}]}
        return {"namespaceSelector": {}, "podSelector": rng.choices((by_component, by_tier, by_five), (6, 1, 3))[0]}
    cidr, excepts = rng.choice(OUTSIDE)
    apps = sorted({app.name for app in rng.choices(neighbors, k=rng.randint(1, 3))})
    near = {"podSelector": {"matchExpressions": [{"key": "app", "operator": "In", "values": apps}]}}
    tier = {"podSelector": {"matchLabels": {"tier": rng.choice(TIERS)}}}
    not_tier = {"podSelector": {"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["db", "cache"]}]}}
    far = {
        "namespaceSelector": _namespace(elsewhere.namespace),
        "podSelector": {"matchLabels": {"app": elsewhere.name}},
    }
    edge = {"namespaceSelector": _namespace("edge")}
    outside = {"ipBlock": {"cidr": cidr} | ({"except": excepts} if excepts else {})}
    return rng.choices((near, tier, not_tier, far, edge, outside), (6, 2, 1, 3, 2, 2))[0]


def _policy(namespace: str, name: str, spec: Manifest) -> Manifest:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}


def _of_namespaces(rng: random.Random, names: list[str]) -> Iterator[Manifest]:
    """Yield the policies that most namespaces have."""
    everyone: Manifest = {"podSelector": {}}
    dns = {"namespaceSelector": _namespace("kube-system"), "podSelector": {"matchLabels": {"app": "dns"}}}
    monitoring = {"namespaceSelector": _namespace("monitoring")}
    ports = [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]
    for namespace in names:
        if rng.random() < 0.15:
            continue
        yield _policy(namespace, "default-deny", everyone | {"policyTypes": ["Ingress", "Egress"]})
        egress = [{"to": [dns], "ports": ports}]
        yield _policy(namespace, "dns", everyone | {"policyTypes": ["Egress"], "egress": egress})
        ingress = [{"from": [monitoring], "ports": [{"port": "metrics"}]}]
        yield _policy(namespace, "monitoring", everyone | {"policyTypes": ["Ingress"], "ingress": ingress})
        if rng.random() < 0.5:
            ingress = [{"from": [everyone]}]
            yield _policy(namespace, "same-namespace", everyone | {"policyTypes": ["Ingress"], "ingress": ingress})


def _namespace(name: str) -> Manifest:
    return {"matchLabels": {"kubernetes.io/metadata.name": name}}


def write(stream: TextIO, seed: int, size: Size, *, slim: bool = False) -> None:
    """Write a cluster as ``kubectl get -o json`` would print it, one object a line."""
    lead = '{"apiVersion": "v1", "kind": "List", "items": [\n'
    for manifest in fleet(seed, size, slim=slim):
        stream.write(lead + json.dumps(manifest))
        lead = ",\n"
    stream.write("\n]}\n")


def main() -> None:
    """Write one cluster to standard output, as ``kubectl get -o json`` would print it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pods", type=int, default=10_000)
    parser.add_argument("--policies", type=int, default=1_000)
    parser.add_argument("--wide", type=float, default=0.0, help="share of rules that name pods in every namespace")
    parser.add_argument("--slim", action="store_true", help="leave out what decides no verdict")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    write(sys.stdout, options.seed, Size(options.pods, options.policies, options.wide), slim=options.slim)


if __name__ == "__main__":
    main()
