"""Drops and flows for somebody who may read them slowly: nobody waits, and what is left out is said."""

from __future__ import annotations

import json
import time
from collections import deque
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ringfence.lab.journal import REMEMBERED

if TYPE_CHECKING:
    from ringfence.lab.control import Channel, Message
    from ringfence.lab.telling import DropTeller, FlowTeller
    from ringfence.lab.words import Words

ROOM = 4 * REMEMBERED
"""Entries that wait for a reader at most."""


class Follower:
    """Tells a command what is known already, and what comes.

    Attributes:
        waits: Whether something waits until the command reads.
    """

    def __init__(self, channel: Channel, teller: DropTeller | FlowTeller, room: int = ROOM) -> None:
        """Begin with what is remembered.

        Args:
            channel: The command.
            teller: Knows what there is to tell, and says it.
            room: How many entries wait for the command at most; later ones are counted and left out.
        """
        self._channel, self._teller, self._room = channel, teller, room
        self._waiting: deque[bytes] = deque()
        self._unread = 0
        for entry in teller.remembered():
            self.tell(entry)

    @property
    def waits(self) -> bool:
        """Whether something waits until the command reads."""
        return bool(self._waiting)

    def follow(self) -> None:
        """Tell whatever comes from now on."""
        self._teller.follow(self.tell)

    def end(self) -> None:
        """Say that this was all."""
        self._tell_unread()
        self._put({"answer": None})

    def tell(self, entry: Any) -> None:
        """Tell an entry, or count it where too many wait already."""
        if len(self._waiting) >= self._room:
            self._unread += 1
            self.flush()
        else:
            self._put_words(self._teller.tell(entry))

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
        self._teller.unfollow(self.tell)

    def _tell_unread(self) -> None:
        if unread := self._unread:
            self._unread = 0
            self._put_words(self._teller.unread(time.time(), unread))

    def _put_words(self, words: Words) -> None:
        self._put({"told": asdict(words)})

    def _put(self, message: Message) -> None:
        self._waiting.append(json.dumps(message).encode() + b"\n")
        self.flush()
