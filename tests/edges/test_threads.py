"""Several pieces of work wait at once, and come back in order."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading

import pytest

from ringfence.edges.threads import at_once

SECONDS = 20.0


def test_results_come_in_order():
    """Whichever is done first."""
    second_is_done = threading.Event()

    def work(item: int) -> int:
        if item == 0:
            assert second_is_done.wait(SECONDS)
        else:
            second_is_done.set()
        return item * 10

    assert at_once(work, range(5), 2) == [0, 10, 20, 30, 40]
    assert at_once(work, [], 2) == []


def test_no_more_than_asked_are_at_work():
    """So that a server is not flooded."""
    busy, most, lock = 0, 0, threading.Lock()
    pair = threading.Barrier(2)

    def work(_: int) -> None:
        nonlocal busy, most
        with lock:
            busy += 1
            most = max(most, busy)
        pair.wait(SECONDS)
        with lock:
            busy -= 1

    at_once(work, range(6), 2)
    assert most == 2


def test_the_first_failure_is_raised():
    """The others are not waited for."""
    never = threading.Event()

    def work(item: int) -> None:
        if item:
            message = "refused"
            raise ValueError(message)
        never.wait()

    with pytest.raises(ValueError, match="refused"):
        at_once(work, [0, 1], 2)
    never.set()


def test_ctrl_c_does_not_wait_for_threads():
    """A server that never answers holds nobody up."""
    lines = (
        "import threading",
        "from ringfence.edges.threads import at_once",
        "def work(item):",
        "    print(flush=True)",
        "    threading.Event().wait()",
        "at_once(work, [1], 1)",
    )
    with subprocess.Popen(  # noqa: S603 - ours
        [sys.executable, "-c", "\n".join(lines)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS)
