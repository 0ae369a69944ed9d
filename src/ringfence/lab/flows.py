"""Flows: the connections that the nodes of a lab let through, as they come and as they end."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.dataplane.connections import PORTED
from ringfence.dataplane.flows import FlowJudge
from ringfence.edges.conntrack import WAITING, FlowReader
from ringfence.lab.journal import Journal, Missed
from ringfence.lab.services import frontends

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ringfence.dataplane.flows import Flow
    from ringfence.edges.netns import Network
    from ringfence.semantics.engine import Engine
    from ringfence.semantics.judging import Judge


@dataclass(frozen=True, slots=True)
class Seen:
    """A flow that a node began or ceased to track.

    Attributes:
        time: When that was read, in seconds since the epoch.
        node: The node.
        flow: The flow; what it was when it ended, where it has.
        judges: Who judges it by the policies that it may have met: two where these were being changed.
    """

    time: float
    node: str
    flow: Flow
    judges: tuple[FlowJudge, ...]


class FlowLog(Journal[Seen | Missed]):
    """The flows of all nodes that one of the node's own pods is at an end of, from one place."""

    def __init__(
        self, engine: Engine, judge: Judge, networks: Mapping[str, Network], audit: Judge | None = None
    ) -> None:
        super().__init__()
        self._revision = 0
        self._readers: dict[str, FlowReader] = {}
        self._judges: dict[str, FlowJudge] = {}
        self.judge_by(engine, judge, networks, audit)
        self._readers = {node: FlowReader(network) for node, network in networks.items()}
        self._missed_at = dict.fromkeys(networks, 0)

    def judge_by(self, engine: Engine, judge: Judge, nodes: Iterable[str], audit: Judge | None = None) -> None:
        """Judge what comes from now on by these policies; what waits to be read met these, or those before."""
        self._revision += 1
        before = self._judges
        self._judges = {node: FlowJudge(engine, judge, node, audit, self._revision) for node in nodes}
        self.note([entry for node in self._readers for entry in self._read_node(node, WAITING, before[node])])
        self._services = {
            (each.address, each.port.protocol, each.port.port): str(each.service) for each in frontends(engine.snapshot)
        }

    def filenos(self) -> Sequence[int]:
        """Return the descriptors to poll."""
        return [reader.fileno() for reader in self._readers.values()]

    def read(self, at_most: int | None = None) -> None:
        """Take what has come or ended since the last time; never waits.

        Args:
            at_most: How many events of each node; else as many as leave time for others.
        """
        self.note([entry for node in self._readers for entry in self._read_node(node, at_most)])

    def _read_node(self, node: str, at_most: int | None, *before: FlowJudge) -> Iterator[Seen | Missed]:
        reader, judges = self._readers[node], (*before, self._judges[node])
        found = reader.read() if at_most is None else reader.read(at_most)
        yield from (Seen(time.time(), node, flow, judges) for flow in found if judges[-1].enforced(flow))
        if more := reader.missed - self._missed_at[node]:
            self._missed_at[node] += more
            yield Missed(time.time(), node, more)

    def service(self, flow: Flow) -> str:
        """Return the Service that a flow was sent to, by namespace/name; empty for none."""
        protocol = PORTED.get(flow.number)
        return self._services.get((flow.dialed, protocol, flow.dialed_port), "") if protocol else ""

    def close(self) -> None:
        """End all subscriptions."""
        for reader in self._readers.values():
            reader.close()
