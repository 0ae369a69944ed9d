"""Drops: what the nodes' rules took, remembered and explained."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.dataplane.attribution import Attributor
from ringfence.dataplane.names import LOG_GROUP
from ringfence.dataplane.simulate import Packet
from ringfence.edges.nflog import NflogReader
from ringfence.edges.packets import read_five_tuple
from ringfence.lab.journal import Journal, Missed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ringfence.dataplane.attribution import Attribution
    from ringfence.dataplane.plan import NodePlan
    from ringfence.edges.netns import Network
    from ringfence.edges.nflog import Logged
    from ringfence.semantics.judging import Judge


@dataclass(frozen=True, slots=True)
class Drop:
    """One packet that a node dropped.

    Attributes:
        time: When it was read, in seconds since the epoch.
        node: The node that dropped it.
        logged: The packet and the prefix of the rule.
        attributors: Who knows the rules that it may have met, two while these change; none for those of now.
    """

    time: float
    node: str
    logged: Logged
    attributors: tuple[Attributor, ...] = ()


Entry = Drop | Missed
"""What a drop log holds."""


class DropLog(Journal[Entry]):
    """The drops of all nodes, from one place.

    Attributes:
        missed: How many drops nobody can tell of, so far.
    """

    def __init__(
        self,
        judge: Judge,
        plans: Mapping[str, NodePlan],
        networks: Mapping[str, Network],
        audit: Judge | None = None,
    ) -> None:
        super().__init__()
        self.missed = self._revision = 0
        self._readers: dict[str, NflogReader] = {}
        self._attributors: dict[str, Attributor] = {}
        self.explain_by(judge, plans, audit)
        self._readers = {node: NflogReader(networks[node], LOG_GROUP) for node in plans}
        self._missed_at = dict.fromkeys(plans, 0)

    def explain_by(self, judge: Judge, plans: Mapping[str, NodePlan], audit: Judge | None = None) -> None:
        """Explain what comes from now on by these policies; what waits to be read met these, or those before."""
        self._revision += 1
        before = self._attributors
        self._attributors = {node: Attributor(judge, plan, audit, self._revision) for node, plan in plans.items()}
        self.note([entry for node in self._readers for entry in self._read_node(node, before[node])])

    def filenos(self) -> Sequence[int]:
        """Return the descriptors to poll."""
        return [reader.fileno() for reader in self._readers.values()]

    def read(self) -> Iterable[Logged]:
        """Take what has been logged since the last time; never waits."""
        fresh = [entry for node in self._readers for entry in self._read_node(node)]
        self.note(fresh)
        return [entry.logged for entry in fresh if isinstance(entry, Drop)]

    def _read_node(self, node: str, *before: Attributor) -> Iterator[Entry]:
        reader, attributors = self._readers[node], (*before, self._attributors[node])
        yield from (Drop(time.time(), node, each, attributors) for each in reader.read())
        if more := reader.missed - self._missed_at[node]:
            self._missed_at[node] += more
            self.missed += more
            yield Missed(time.time(), node, more)

    def node_of(self, logged: Logged) -> str:
        """Return the node that dropped a packet; empty when that is no longer remembered."""
        entries = reversed(self.remembered)
        return next((each.node for each in entries if isinstance(each, Drop) and each.logged is logged), "")

    def explain(self, drop: Drop) -> Attribution | None:
        """Say which policies and rules a packet was dropped by; None when it is not one of ours."""
        found = read_five_tuple(drop.logged.packet)
        if found is None:
            return None
        packet = Packet(
            found.source,
            found.destination,
            found.protocol,
            source_port=found.source_port,
            destination_port=found.destination_port,
        )
        attributors = drop.attributors or (self._attributors[drop.node],)
        told = [each.attribute(drop.logged.prefix, packet) for each in attributors]
        return next((each for each in told if each and each.agrees), told[-1])

    def close(self) -> None:
        """End all subscriptions."""
        for reader in self._readers.values():
            reader.close()
