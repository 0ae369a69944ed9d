"""What ``make bench`` runs: every figure as a table, and in ``bench/figures.json``."""

from __future__ import annotations

from pathlib import Path

from bench import dataplane, extremes, history, list_cluster, live, policies, queries, scale, verdicts, yaml
from bench.figures import keep, table

MEASURED = (yaml, policies, list_cluster, live, scale, extremes, queries, history, dataplane, verdicts)
"""Modules with figures of their own, in the order printed."""


def main() -> None:
    """Measure everything, print it and keep it."""
    found = [figure for module in MEASURED for figure in module.figures()]
    print(table(found))
    keep(found, Path(__file__).with_name("figures.json"))


if __name__ == "__main__":
    main()
