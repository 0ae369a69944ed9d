"""Work that waits for somebody else, several pieces of it at once."""

from __future__ import annotations

from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def at_once(work: Callable[[_Item], _Result], items: Sequence[_Item], threads: int) -> list[_Result]:
    """Return what is made of each item, in order.

    Nobody waits for the threads when the program ends, so Ctrl-C ends it though a server
    does not answer.

    Args:
        work: What is done with an item, in a thread of its own.
        items: The items; they are begun in order.
        threads: How many items are worked on at once, at most.

    Raises:
        Exception: whatever the first piece of work that fails raises; the others are left to themselves.
    """
    waiting: SimpleQueue[tuple[int, _Item]] = SimpleQueue()
    done: SimpleQueue[tuple[int, _Result] | Exception] = SimpleQueue()
    for entry in enumerate(items):
        waiting.put(entry)

    def run() -> None:
        while True:
            try:
                index, item = waiting.get_nowait()
            except Empty:
                return
            try:
                done.put((index, work(item)))
            except Exception as error:  # noqa: BLE001 - it is raised where somebody waits
                done.put(error)

    for _ in range(min(threads, len(items))):
        Thread(target=run, daemon=True).start()
    results: dict[int, _Result] = {}
    while len(results) < len(items):
        result = done.get()
        if isinstance(result, Exception):
            raise result
        results[result[0]] = result[1]
    return [results[index] for index in range(len(items))]
