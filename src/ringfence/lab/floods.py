"""Floods in a lab: what of each should arrive while policies change, and what went the wrong way."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ringfence.edges.flood import Flood, Stream
from ringfence.errors import InputError
from ringfence.lab.services import frontends
from ringfence.model.cluster import Pod

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ringfence.edges.flood import Count
    from ringfence.lab.cluster import Cluster
    from ringfence.lab.judge import Judge
    from ringfence.lab.probes import Trial
    from ringfence.model.connection import Connection

_PAUSE_MS = 10
"""Between a few packets and the next: a flood shares two cores with everything else, and its drops are read."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of the packets of a flood.

    Attributes:
        sent: All of them.
        arrived: Those that arrived.
        leaked: Those that arrived though policies denied them.
        lost: Those that did not though policies allowed them.
    """

    sent: int = 0
    arrived: int = 0
    leaked: int = 0
    lost: int = 0

    def __add__(self, other: Tally) -> Tally:
        """Return the packets of both."""
        return Tally(
            self.sent + other.sent,
            self.arrived + other.arrived,
            self.leaked + other.leaked,
            self.lost + other.lost,
        )


class Watched:
    """A flood between two ends of a lab in every family that they share.

    While policies change a packet may go to the old endpoints of a Service or the new ones, and
    meet the old policies or the new ones; where these do not all agree it is counted neither way.
    """

    def __init__(self, cluster: Cluster, trials: Sequence[Trial]) -> None:
        """Begin to send.

        Args:
            cluster: The lab.
            trials: One for each family.

        Raises:
            InputError: there are several senders, or several servers without a Service.
        """
        if len(trials) > len({trial.connection.family for trial in trials}):
            message = "a flood has one sender, and one pod or Service that it goes to"
            raise InputError(message, "name one pod, such as shop/web-0")
        self._cluster, self._trials = cluster, trials
        self._expected = [[_agreed([cluster.judge], _meant(each, cluster.judge))] for each in trials]
        self._before = cluster.judge
        self._floods: list[Flood] = []
        for trial in trials:
            probe = trial.probe(cluster.ends)
            stream = Stream(probe.source, probe.destination, probe.protocol, probe.port)
            # Any pod may come to stand behind a Service.
            receivers = [*cluster.pods.values()] if trial.frontend else [cluster.network(trial.connection.server)]
            sender = cluster.network(trial.connection.client)
            self._floods.append(Flood(stream, sender, receivers, pause_ms=_PAUSE_MS))

    def before_change(self) -> None:
        """Count apart what is sent while policies change."""
        self._before = self._cluster.judge
        for flood in self._floods:
            flood.turn()

    def after_change(self) -> None:
        """Count by the policies of now."""
        for flood, trial, expected in zip(self._floods, self._trials, self._expected, strict=True):
            flood.turn()
            old, now = self._before, self._cluster.judge
            meant = _meant(trial, now)
            expected += [_agreed([old, now], [*_meant(trial, old), *meant]), _agreed([now], meant)]

    def tally(self) -> Tally:
        """Return what became of all packets so far."""
        return sum(
            (
                _judged(count, allowed)
                for flood, expected in zip(self._floods, self._expected, strict=True)
                for count, allowed in zip(flood.counts(), expected, strict=True)
            ),
            Tally(),
        )

    def close(self) -> None:
        """End it."""
        for flood in self._floods:
            flood.close()


def _agreed(judges: Sequence[Judge], meant: Sequence[Connection]) -> bool | None:
    """Tell whether policies allow all connections that a packet may become; None where some deny some."""
    said = {judge.allows(_now(each, judge)) for judge in judges for each in meant}
    return said.pop() if len(said) == 1 else None


def _meant(trial: Trial, judge: Judge) -> list[Connection]:
    """Return the connections that a packet may become: one, or one for each endpoint."""
    through = trial.frontend
    if through is None:
        return [trial.connection]
    found = frontends(judge.engine.snapshot)
    behind = [
        end for each in found if (each.address, each.port) == (through.address, through.port) for end in each.endpoints
    ]
    return [trial.towards(end) for end in behind]


def _now(connection: Connection, judge: Judge) -> Connection:
    """Return a connection between the same ends with the labels that a judge knows."""
    snapshot = judge.engine.snapshot
    ends = (connection.client, connection.server)
    client, server = (snapshot.pod_named(e.namespace, e.name) or e if isinstance(e, Pod) else e for e in ends)
    return replace(connection, client=client, server=server)


def _judged(count: Count, allowed: bool | None) -> Tally:  # noqa: FBT001 - what policies say
    leaked = count.arrived if allowed is False else 0
    lost = count.sent - count.arrived if allowed else 0
    return Tally(count.sent, count.arrived, leaked, lost)
