"""Who can be at the ends of a connection in the lab, and where their packets meet a node's rules."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from ringfence.algebra.addresses import Address, Family, family_of, render_address
from ringfence.dataplane.nft import Hook
from ringfence.lab.wiring import UPLINK, wiring_of
from ringfence.model.cluster import Pod

if TYPE_CHECKING:
    from ringfence.lab.topology import Topology
    from ringfence.model.connection import End


@dataclass(frozen=True, slots=True)
class Place:
    """Where an end is.

    Attributes:
        node: Its node; None outside the cluster.
        on_host: Whether it is on the node's own network.
    """

    node: str | None
    on_host: bool = False


class Crossing(NamedTuple):
    """Where a packet is judged.

    Attributes:
        node: The node.
        hook: The hook there.
        link: The link by which it comes.
        out_link: The link by which it goes on; empty when it is for the node itself.
    """

    node: str
    hook: Hook
    link: str
    out_link: str


@dataclass(frozen=True)
class Ends:
    """Everybody who can open or take a connection in a lab."""

    topology: Topology

    @cached_property
    def by_family(self) -> dict[Family, tuple[End, ...]]:
        """Pods, then the nodes that no pod stands for, then the outside; no address twice.

        Host-network pods of one node cannot be told apart on the wire: the first stands for all.
        """
        found: dict[Family, dict[Address, End]] = {family: {} for family in self.topology.snapshot.families}
        for pod in self.topology.snapshot.pods:
            for family, address in self.topology.snapshot.addresses_of(pod).items():
                found.setdefault(family, {}).setdefault(address, pod)
        nodes = [address for node in self.topology.snapshot.nodes.values() for address in node.addresses]
        for address in (*nodes, *self.topology.outside):
            found.setdefault(family_of(address), {}).setdefault(address, address)
        return {family: tuple(each.values()) for family, each in found.items()}

    def address(self, end: End, family: Family) -> Address:
        """Return the address that an end has in a family."""
        return self.topology.snapshot.addresses_of(end)[family] if isinstance(end, Pod) else end

    def place(self, end: End) -> Place:
        """Return where an end is."""
        if isinstance(end, Pod):
            return Place(end.node, end.host_network)
        pod = self.topology.snapshot.pod_at(end)
        node = self.topology.snapshot.node_at(end)
        return self.place(pod) if pod else Place(node, on_host=node is not None)

    def crossings(self, client: End, server: End) -> tuple[Crossing, ...]:
        """Return where a packet is judged on its way, in order.

        What a node itself sends to its own pods meets no hook at all.
        """
        here, there = self.place(client), self.place(server)
        sends, takes = self._link(client), self._link(server)
        arrives = Hook.INPUT if there.on_host else Hook.FORWARD
        if here.node is not None and here.node == there.node:
            return () if here.on_host else (Crossing(here.node, arrives, sends, takes),)
        found = []
        if here.node is not None and not here.on_host:
            found.append(Crossing(here.node, Hook.FORWARD, sends, UPLINK))
        if there.node is not None:
            found.append(Crossing(there.node, arrives, UPLINK, takes))
        return tuple(found)

    def _link(self, end: End) -> str:
        """Return the link by which a node reaches a pod of its own; empty for who has none."""
        pod = end if isinstance(end, Pod) else self.topology.snapshot.pod_at(end)
        return self._links.get(str(pod), "")

    @cached_property
    def _links(self) -> dict[str, str]:
        return dict(wiring_of(self.topology).links)


def render_end(end: End) -> str:
    """Return a pod's name or an address."""
    return str(end) if isinstance(end, Pod) else render_address(end)
