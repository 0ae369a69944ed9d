"""Drops for somebody who may read them slowly: nobody waits, and what is left out is said."""

from __future__ import annotations

import json
import time
from collections import deque
from dataclasses import asdict
from typing import TYPE_CHECKING

from ringfence.lab.drops import REMEMBERED
from ringfence.lab.words import tell_entry, tell_unread

if TYPE_CHECKING:
    from ringfence.lab.control import Channel, Message
    from ringfence.lab.drops import DropLog, Entry
    from ringfence.lab.words import Words

ROOM = 4 * REMEMBERED
"""Entries that wait for a reader at most."""


class Follower:
    """Tells a command what is in a drop log, and what comes to it.

    Attributes:
        waits: Whether something waits until the command reads.
    """

    def __init__(self, channel: Channel, log: DropLog, room: int = ROOM) -> None:
        """Begin with what the log remembers.

        Args:
            channel: The command.
            log: The drops.
            room: How many entries wait for the command at most; later ones are counted and left out.
        """
        self._channel, self._log, self._room = channel, log, room
        self._waiting: deque[bytes] = deque()
        self._unread = 0
        for entry in tuple(log.remembered):
            self.tell(entry)

    @property
    def waits(self) -> bool:
        """Whether something waits until the command reads."""
        return bool(self._waiting)

    def follow(self) -> None:
        """Tell whatever comes from now on."""
        self._log.follow(self.tell)

    def end(self) -> None:
        """Say that this was all."""
        self._tell_unread()
        self._put({"answer": None})

    def tell(self, entry: Entry) -> None:
        """Tell an entry, or count it where too many wait already."""
        if len(self._waiting) >= self._room:
            self._unread += 1
            self.flush()
        else:
            self._put_words(tell_entry(self._log, entry))

    def flush(self) -> None:
        """Send as much as is taken; whoever has gone is told no more."""
        try:
            while self._waiting:
                sent = self._channel.send_now(self._waiting[0])
                if sent < len(self._waiting[0]):
                    self._waiting[0] = self._waiting[0][sent:]
                    return
                self._waiting.popleft()
        except OSError:
            self.leave()
        if not self._waiting:
            self._tell_unread()

    def leave(self) -> None:
        """Tell no more."""
        self._waiting.clear()
        self._unread = 0
        self._log.unfollow(self.tell)

    def _tell_unread(self) -> None:
        if unread := self._unread:
            self._unread = 0
            self._put_words(tell_unread(time.time(), unread))

    def _put_words(self, words: Words) -> None:
        self._put({"drop": asdict(words)})

    def _put(self, message: Message) -> None:
        self._waiting.append(json.dumps(message).encode() + b"\n")
        self.flush()
