"""What nodes tell of without end: the last of it is remembered, and whoever follows hears of the rest."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

REMEMBERED = 1_000
"""Entries that are kept; older ones are forgotten."""


@dataclass(frozen=True, slots=True)
class Missed:
    """What nobody can tell of: the kernel threw it away, because it was not read in time.

    Attributes:
        time: When that was noticed, in seconds since the epoch.
        node: The node where it happened.
        count: How many things.
    """

    time: float
    node: str
    count: int


Entry = TypeVar("Entry")


class Journal(Generic[Entry]):
    """Entries in the order in which they came.

    Attributes:
        remembered: The last of them, oldest first.
    """

    def __init__(self) -> None:
        self.remembered: deque[Entry] = deque(maxlen=REMEMBERED)
        self._followers: list[Callable[[Entry], None]] = []

    def note(self, entries: Iterable[Entry]) -> None:
        """Remember entries, and tell whoever follows."""
        for entry in entries:
            self.remembered.append(entry)
            for follower in tuple(self._followers):  # one that has gone takes itself out
                follower(entry)

    def follow(self, follower: Callable[[Entry], None]) -> None:
        """Call somebody with every entry from now on."""
        self._followers.append(follower)

    def unfollow(self, follower: Callable[[Entry], None]) -> None:
        """Stop calling somebody, who may not have been called at all."""
        self._followers = [each for each in self._followers if each != follower]
