"""What is measured, and how it is printed and kept."""

from __future__ import annotations

import gc
import json
import resource
import subprocess
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """One number, and what it is hoped to be.

    Attributes:
        name: What was measured, with the size of the input.
        value: How much, in units.
        unit: ``s`` of CPU time unless the name says otherwise, ``MB/s``, ``MB`` or a count.
        goal: What the project aims at, such as ``<= 4``; empty where it has no aim.
    """

    name: str
    value: float
    unit: str
    goal: str = ""


def cpu_seconds(work: Callable[[], object], runs: int) -> float:
    """Return the least CPU time of several runs, what was there before hidden from the collector."""
    gc.collect()
    gc.freeze()
    times = []
    for _ in range(runs):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    gc.unfreeze()
    return min(times)


def process_seconds(command: Sequence[str | Path], runs: int) -> tuple[float, float, str]:
    """Return the least CPU and elapsed seconds of a whole process, and what it printed."""
    spent, elapsed, output = [], [], ""
    for _ in range(runs):
        before, started = _children(), time.perf_counter()
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603
        elapsed.append(time.perf_counter() - started)
        spent.append(_children() - before)
    return min(spent), min(elapsed), output


def _children() -> float:
    """Return the CPU seconds of all processes that were waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def table(figures: Iterable[Figure]) -> str:
    """Return the figures as lines."""
    rows = [(each.name, f"{each.value:,.2f}", each.unit, each.goal) for each in figures]
    width = max((len(name) for name, *_ in rows), default=0)
    return "\n".join(f"{name:{width}}  {value:>9} {unit:5} {goal}".rstrip() for name, value, unit, goal in rows)


def keep(figures: Iterable[Figure], path: Path) -> None:
    """Write the figures to a file as JSON."""
    path.write_text(json.dumps([asdict(each) for each in figures], indent=2) + "\n")
