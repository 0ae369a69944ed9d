"""Break inputs until their number or the time is spent, on all cores.

    make fuzz                            a million inputs
    make fuzz SECONDS=60                 as many as fit
    python -m tests.fuzz --only NUMBER   one again, with its traceback

The numbers of the inputs begin at 0 or at ``--first``; with ``--seed`` they are others.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import traceback
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.fuzz.inputs import Corpus, make
from tests.fuzz.properties import check

if TYPE_CHECKING:
    from concurrent.futures import Future

BATCH = 1_000
ASKED = 20
"""Of so many inputs, questions are asked of two: one of bytes and one of objects."""

TOO_LONG = 5.0
"""CPU seconds that no input may take."""

SHOWN = 10


@dataclass
class Batch:
    """What came of some inputs.

    Attributes:
        count: How many there were.
        failures: The number of each input of which something does not hold, and what.
        spent: CPU seconds.
    """

    count: int = 0
    failures: list[tuple[int, str]] = field(default_factory=list)
    spent: float = 0.0


def one(seed: int, number: int, corpus: Corpus) -> None:
    """Check one input."""
    check(make(seed, number, corpus), asking=number % ASKED < 2)


def batch(seed: int, first: int, count: int) -> Batch:
    """Check inputs one after the other."""
    corpus, found, started = Corpus(), Batch(count), time.process_time()
    before = started
    for number in range(first, first + count):
        try:
            one(seed, number, corpus)
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            at = traceback.extract_tb(error.__traceback__)[-1]
            found.failures.append((number, f"{type(error).__name__} at {at.filename}:{at.lineno}: {error}"))
        now = time.process_time()
        if now - before > TOO_LONG:
            found.failures.append((number, f"took {now - before:.0f} s"))
        before = now
    found.spent = before - started
    return found


def run(seed: int, first: int, count: int, seconds: float) -> tuple[Batch, float]:
    """Check inputs on all cores; return what came of all, and how long it took."""
    total, started, cores = Batch(), time.monotonic(), os.cpu_count() or 1
    starts = iter(range(first, first + count, BATCH))
    with ProcessPoolExecutor(cores) as pool:
        running: set[Future[Batch]] = set()
        while True:
            while len(running) < cores and time.monotonic() - started < seconds:
                if (start := next(starts, None)) is None:
                    break
                running.add(pool.submit(batch, seed, start, min(BATCH, first + count - start)))
            if not running:
                break
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for each in done:
                found = each.result()
                total.count += found.count
                total.spent += found.spent
                total.failures += found.failures
    return total, time.monotonic() - started


def main() -> int:
    """Print what came of it; 1 when something does not hold."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--only", type=int)
    options = parser.parse_args()
    if options.only is not None:
        given = make(options.seed, options.only, Corpus())
        print(given.name, given.content, sep="\n", flush=True)
        one(options.seed, options.only, Corpus())
        return 0
    total, elapsed = run(options.seed, options.first, options.count, options.seconds)
    print(f"{total.count:,} inputs in {elapsed:.0f} s, {total.count / total.spent:,.0f} a second of CPU time")
    kinds = Counter(text for _, text in total.failures)
    examples = {text: number for number, text in reversed(total.failures)}
    for text, times in kinds.most_common(SHOWN):
        print(f"{times} times, python -m tests.fuzz --seed {options.seed} --only {examples[text]}: {text[:500]}")
    print(f"{len(total.failures)} of them broke what must hold")
    return 1 if total.failures else 0


if __name__ == "__main__":
    sys.exit(main())
