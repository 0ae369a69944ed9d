"""What ``make bench`` runs: every figure as a table, and in ``bench/figures.json``; or some parts, which are named."""

from __future__ import annotations

import argparse
from pathlib import Path

from bench import dataplane, extremes, history, list_cluster, live, node, policies, queries, scale, verdicts, yaml
from bench.figures import keep, table

MEASURED = {
    module.__name__.removeprefix("bench."): module
    for module in (yaml, policies, list_cluster, live, scale, extremes, queries, history, dataplane, node, verdicts)
}
"""Modules with figures of their own by name, in the order printed."""


def main() -> None:
    """Measure everything, print it and keep it; of some parts, only print it."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Time ringfence; all parts take minutes.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"all, and kept, or some of {', '.join(MEASURED)}")
    parts = parser.parse_args().parts
    for name in parts:
        if name not in MEASURED:
            parser.error(f"no part {name}; there are {', '.join(MEASURED)}")
    found = [figure for name in parts or MEASURED for figure in MEASURED[name].figures()]
    print(table(found))
    if not parts:
        keep(found, Path(__file__).with_name("figures.json"))


if __name__ == "__main__":
    main()
