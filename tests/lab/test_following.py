"""Drops are told to whoever reads slowly, and what is left out is counted."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from ringfence.edges.nflog import Logged
from ringfence.lab.control import Channel
from ringfence.lab.drops import Drop, DropLog
from ringfence.lab.following import Follower
from ringfence.lab.journal import Missed
from ringfence.lab.telling import DropTeller
from ringfence.semantics.dialects import RINGFENCE
from ringfence.semantics.judging import Judge
from tests.dataplane.small import small_snapshot

DROP = Drop(0.0, "n1", Logged("rf1 i 10.0.0.5 ", 2, b""))
MANY = 900


@pytest.fixture
def ends() -> tuple[Channel, Channel]:
    """The lab's end of a conversation that holds little, and the command's."""
    ours, theirs = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    theirs.settimeout(10)
    return Channel(ours), Channel(theirs)


def log_of(*entries: Drop | Missed) -> DropLog:
    """A log of no node, that remembers something."""
    log = DropLog(Judge.of(small_snapshot(), RINGFENCE), {}, {})
    log.remembered.extend(entries)
    return log


def documents(follower: Follower, command: Channel) -> list[dict[str, Any]]:
    """What a command reads, which takes its time, up to the answer."""
    found = []
    while "told" in (message := command.receive() or {}):
        found.append(message["told"]["document"])
        follower.flush()
    assert message == {"answer": None}
    return found


def test_nobody_waits_for_a_reader_and_nothing_is_lost_on_it(ends: tuple[Channel, Channel]):
    """What the socket does not hold waits, in order."""
    lab, command = ends
    follower = Follower(lab, DropTeller(log_of(*[DROP] * MANY, Missed(0.0, "n2", 7))))
    follower.end()
    assert follower.waits

    told = documents(follower, command)

    assert [each["node"] for each in told] == ["n1"] * MANY + ["n2"]
    assert told[-1]["missed"] == 7
    assert not follower.waits


def test_a_reader_who_is_too_slow_hears_how_many_were_left_out(ends: tuple[Channel, Channel]):
    """At the place where they are missing, and all of them."""
    lab, command = ends
    follower = Follower(lab, DropTeller(log_of()), room=10)
    for _ in range(MANY):
        follower.tell(DROP)
    follower.end()

    told = documents(follower, command)

    assert "unread" in told[-1]
    assert sum(each.get("unread", 1) for each in told) == MANY
    assert len(told) > 10


def test_who_has_gone_is_told_no_more(ends: tuple[Channel, Channel]):
    """Neither of what waits nor of what comes, and it is no error."""
    lab, command = ends
    log = log_of(*[DROP] * MANY)
    follower = Follower(lab, DropTeller(log))
    follower.follow()
    command.close()
    follower.flush()

    assert not follower.waits
    assert log._followers == []
