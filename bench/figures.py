"""What is measured, and how it is printed and kept."""

from __future__ import annotations

import gc
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


@dataclass(frozen=True)
class Figure:
    """One number, and what it is hoped to be.

    Attributes:
        name: What was measured, with the size of the input.
        value: How much, in units.
        unit: ``s`` or ``us`` of CPU time unless the name says otherwise, ``MB/s``, ``MB``, ``MiB``; none for a count.
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


@dataclass(frozen=True)
class Spent:
    """What a whole process took.

    Attributes:
        cpu: Seconds of CPU time.
        elapsed: Seconds on the clock.
        memory: MB that it held at most.
        output: What it printed.
    """

    cpu: float
    elapsed: float
    memory: float
    output: str


def spend(command: Sequence[str | Path], runs: int) -> Spent:
    """Run a process several times, and return what the cheapest run took; ``CalledProcessError`` for one that fails."""
    return min((_run(command) for _ in range(runs)), key=lambda each: each.cpu)


_ALONE = """
import os, sys, time
started = time.perf_counter()
_, status, usage = os.wait4(os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ), 0)
found = status, usage.ru_utime + usage.ru_stime, time.perf_counter() - started, usage.ru_maxrss
os.write(int(sys.argv[1]), " ".join(map(str, found)).encode())
"""
"""Runs a command for us, because the most memory that we ever held would count as that of our own child."""


def _run(command: Sequence[str | Path]) -> Spent:
    ours, theirs = os.pipe()
    with tempfile.TemporaryFile("w+") as stream, os.fdopen(ours, "rb") as said:
        program = [sys.executable, "-I", "-S", "-c", _ALONE, str(theirs), *map(str, command)]
        with subprocess.Popen(program, stdout=stream, pass_fds=[theirs]):  # noqa: S603
            os.close(theirs)
            status, cpu, elapsed, kibi = map(float, said.read().split())
        if code := os.waitstatus_to_exitcode(int(status)):
            raise subprocess.CalledProcessError(code, list(map(str, command)))
        stream.seek(0)
        return Spent(cpu, elapsed, kibi * 1024 / 1e6, stream.read())


def resident() -> int:
    """Return the bytes of memory that this process holds now."""
    return _memory("VmRSS")


def peak_memory() -> int:
    """Return the most bytes of memory that this process has held since :func:`reset_peak`."""
    return _memory("VmHWM")


def reset_peak() -> None:
    """Forget how much memory this process has held."""
    Path("/proc/self/clear_refs").write_text("5")


def _memory(name: str) -> int:
    found = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) * 1024 if found else 0


_SECONDS = {"s": 1.0, "us": 1e-6}
"""The units of time."""


@cache
def reference() -> float:
    """Return the CPU seconds of a fixed loop: by them, figures of several machines compare."""
    return cpu_seconds(lambda: sum(_loop(number) for number in range(200_000)), runs=3)


def _loop(number: int) -> int:
    """Do what the program does most: make a tuple, look it up, take sets of bits together."""
    known = {(number & 7, "x"): 1 << (number & 63)}
    return (known.get((number & 3, "x"), 0) | number) & 0xFFFF


def table(figures: Iterable[Figure]) -> str:
    """Return the figures as lines."""
    rows = [(each.name, f"{each.value:,.2f}", each.unit, each.goal) for each in figures]
    width = max((len(name) for name, *_ in rows), default=0)
    return "\n".join(f"{name:{width}}  {value:>9} {unit:5} {goal}".rstrip() for name, value, unit, goal in rows)


def keep(figures: Iterable[Figure], path: Path) -> None:
    """Write the figures to a file as JSON; times as multiples of :func:`reference`, too."""
    kept = [
        asdict(each) | ({"ratio": each.value * _SECONDS[each.unit] / reference()} if each.unit in _SECONDS else {})
        for each in figures
    ]
    path.write_text(json.dumps({"reference": reference(), "figures": kept}, indent=2) + "\n")
