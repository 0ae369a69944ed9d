"""Time clusters that are large in one respect alone, each in a process of its own.

``python -m bench.extremes`` prints it alone. Nothing in them is wrong: a policy may name
every pod by a label of its own, have thousands of rules, or list the addresses of a whole
internet.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.figures import Figure, table
from bench.scale import Measured, measure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Manifest = dict[str, Any]


def pod(number: int, namespace: str = "shop", ports: int = 1) -> Manifest:
    """Return a pod with a label of its own."""
    labels = {"app": f"app-{number % 50}", "statefulset.kubernetes.io/pod-name": f"p-{number}"}
    address = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
    declared = [{"name": f"p-{port}", "containerPort": 1024 + port} for port in range(ports)]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"p-{number}", "namespace": namespace, "labels": labels},
        "spec": {"containers": [{"name": "main", "ports": declared}]},
        "status": {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}]},
    }


def policy(name: str, ingress: list[Manifest], namespace: str = "shop") -> Manifest:
    """Return a policy for every pod of a namespace."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"podSelector": {}, "ingress": ingress},
    }


def by_pod_name(number: int) -> Manifest:
    """Return a peer that is one pod."""
    return {"podSelector": {"matchLabels": {"statefulset.kubernetes.io/pod-name": f"p-{number}"}}}


def a_class_of_each_pod(size: int) -> Iterator[Manifest]:
    """One policy names every pod by a label that no other pod has."""
    yield policy("by-name", [{"from": [by_pod_name(number) for number in range(size)]}])
    yield from map(pod, range(size))


def many_namespaces(size: int) -> Iterator[Manifest]:
    """Every pod is in a namespace of its own, which has labels and a policy."""
    for number in range(size):
        labels = {"kubernetes.io/metadata.name": f"ns-{number}", "tenant": f"t-{number % 100}"}
        yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"ns-{number}", "labels": labels}}
        tenant = {"namespaceSelector": {"matchLabels": {"tenant": labels["tenant"]}}}
        if number % 10 == 0:
            yield policy("tenant", [{"from": [tenant]}], f"ns-{number}")
        yield pod(number, f"ns-{number}")


def many_rules(size: int) -> Iterator[Manifest]:
    """One policy has a rule for each port."""
    rules = [
        {"from": [{"podSelector": {"matchLabels": {"app": f"app-{n % 50}"}}}], "ports": [{"port": n + 1}]}
        for n in range(size)
    ]
    yield policy("rules", rules)
    yield from map(pod, range(1000))


def many_blocks(size: int) -> Iterator[Manifest]:
    """Policies name addresses block by block, a hundred each, no two blocks of one length side by side."""
    for first in range(0, size, 100):
        numbers = range(first, first + 100)
        cidrs = [f"{n >> 12 & 127 | 64}.{n >> 4 & 255}.{(n & 15) << 4}.0/{24 + n % 8}" for n in numbers]
        yield policy(f"blocks-{first}", [{"from": [{"ipBlock": {"cidr": cidr}} for cidr in cidrs]}])
    yield from map(pod, range(1000))


def many_ports(size: int) -> Iterator[Manifest]:
    """Each of a thousand pods declares so many ports, and policies ask for all of them by name."""
    for n in range(size):
        yield policy(f"port-{n}", [{"ports": [{"port": f"p-{n}"}]}])
    for number in range(1000):
        yield pod(number, ports=size)


EXTREMES: dict[str, tuple[Callable[[int], Iterator[Manifest]], int, str, str]] = {
    "pods in a class of their own": (a_class_of_each_pod, 100_000, "<= 30", "<= 2000"),
    "namespaces": (many_namespaces, 100_000, "<= 30", "<= 500"),
    "rules in one policy": (many_rules, 10_000, "<= 30", "<= 500"),
    "blocks of addresses": (many_blocks, 50_000, "<= 30", "<= 500"),
    "ports of each pod": (many_ports, 500, "<= 30", "<= 500"),
}
"""What there is much of: who makes it, how many, and the goals of CPU seconds and of MiB."""


def write(path: Path, made: Iterator[Manifest]) -> None:
    """Write a cluster as a list in JSON."""
    with path.open("w") as stream:
        lead = '{"apiVersion": "v1", "kind": "List", "items": [\n'
        for manifest in made:
            stream.write(lead + json.dumps(manifest))
            lead = ",\n"
        stream.write("\n]}\n")


def figures(share: int = 1) -> Iterator[Figure]:
    """Measure each once, at its size divided by ``share``."""
    for what, (make, size, seconds, memory) in EXTREMES.items():
        count = size // share
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "cluster.json")
            write(path, make(count))
            program = [sys.executable, "-m", "bench.extremes", "--measure", str(path)]
            found: Measured = json.loads(subprocess.run(program, capture_output=True, check=True).stdout)  # noqa: S603
        name = f"{count:,} {what}"
        yield Figure(f"{name}, decoded to all pairs", found["engine"], "s", seconds)
        yield Figure(f"{name}, over input", found["over"], "MiB", memory)
        yield Figure(f"{name}, whole process", found["whole"], "s")
        yield Figure(f"{name}, resident", found["resident"], "MiB")
        for counted in ("classes", "rows", "blocks"):
            yield Figure(f"{name}, {counted}", found[counted], "")


def main() -> None:
    """Print the figures, or measure one file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--share", type=int, default=1, help="divide all sizes by this")
    parser.add_argument("--measure", metavar="FILE", help=argparse.SUPPRESS)
    options = parser.parse_args()
    print(json.dumps(measure(options.measure)) if options.measure else table(figures(options.share)))


if __name__ == "__main__":
    main()
