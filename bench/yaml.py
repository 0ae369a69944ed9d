"""Time the YAML reader on a file of policies: values and places, nothing looked at.

``python -m bench.yaml`` prints it alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from bench.clusters import Dumper, cluster
from bench.figures import Figure, cpu_seconds, table
from ringfence.readers.yaml_spans import read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

RUNS = 5


def policy_file(policies: int, seed: int = 1) -> str:
    """Return a text with this number of policies, the same for the same seed."""
    chosen = (each for each in cluster(seed, policies, policies) if each["kind"] == "NetworkPolicy")
    return yaml.dump_all(chosen, Dumper=Dumper, sort_keys=False)


def figures() -> Iterator[Figure]:
    """Measure the reader."""
    text = policy_file(4_000)
    size = len(text.encode()) / 1e6
    seconds = cpu_seconds(lambda: sum(1 for _ in read_yaml(text, "policies.yaml", [])), RUNS)
    yield Figure(f"YAML with places, {size:.1f} MB of policies", size / seconds, "MB/s", ">= 3.5")


if __name__ == "__main__":
    print(table(figures()))
