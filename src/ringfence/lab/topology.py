"""What the manifests become in the lab: nodes, addresses, and who is outside.

The lab judges its own snapshot: that of the manifests, plus what it gave out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count, cycle, islice
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import Address, family_of
from ringfence.lab.addresses import Allotment, Claim, Use, outside_addresses
from ringfence.model.cluster import Node, Pod

if TYPE_CHECKING:
    from ringfence.algebra.addresses import Family
    from ringfence.model.service import Service
    from ringfence.model.snapshot import Snapshot

NODES = 2
"""Nodes of a lab, unless the manifests name more or the user asks for more."""


@dataclass(frozen=True, slots=True)
class Topology:
    """A lab before it is built.

    Attributes:
        snapshot: The manifests' snapshot, in which every pod that can connect has a node and
            addresses, every node has addresses, and so has every Service that has a selector
            and is not headless.
        outside: The addresses of the outside, sorted.
        notes: What the lab had to decide against its own rules, for people.
        bridged: Whether the pods of a node are ports of a bridge.
    """

    snapshot: Snapshot
    outside: tuple[Address, ...]
    notes: tuple[str, ...] = ()
    bridged: bool = False

    @property
    def pods(self) -> tuple[Pod, ...]:
        """The pods with a network of their own, in the snapshot's order."""
        return tuple(pod for pod in self.snapshot.pods if pod.selectable)


def lay_out(snapshot: Snapshot, nodes: int = NODES, *, bridged: bool = False) -> Topology:
    """Give nodes, addresses and an outside to a snapshot of manifests.

    Args:
        snapshot: What was read.
        nodes: The least number of nodes.
        bridged: Whether the pods of a node are to be ports of a bridge.

    Raises:
        InputError: a family has no room for the cluster.
    """
    names = _node_names(snapshot, nodes)
    turns = cycle(names)
    pods = [replace(pod, node=pod.node or next(turns)) for pod in snapshot.pods]
    known = {name: snapshot.nodes.get(name) or Node(name, {}) for name in names}
    translated = [service for service in snapshot.services if _is_translated(service)]
    claims = [
        *(Claim(Use.NODES, name, node.addresses, snapshot.families) for name, node in known.items()),
        *(_pod_claim(pod, snapshot.families) for pod in pods if pod.selectable),
        *(_service_claim(service, snapshot.families) for service in translated),
    ]
    allotment = Allotment.of(claims, snapshot.blocks, snapshot.pod_ranges)
    on_nodes = {
        name: replace(node, addresses=allotment.addresses(Use.NODES, name), tunnels=()) for name, node in known.items()
    }
    made = replace(
        snapshot,
        pods=tuple(_addressed(pod, allotment, on_nodes[pod.node or ""]) for pod in pods),
        nodes=on_nodes,
        services=tuple(
            replace(each, addresses=allotment.by_family(Use.SERVICES, str(each))) if each in translated else each
            for each in snapshot.services
        ),
    )
    outside = [a for f in snapshot.families for a in outside_addresses(f, snapshot.blocks, allotment.taken)]
    return Topology(made, tuple(sorted(outside)), allotment.notes, bridged)


def _node_names(snapshot: Snapshot, nodes: int) -> list[str]:
    """Return the nodes that the manifests name, and as many more as are asked for."""
    names = sorted({*snapshot.nodes, *(pod.node for pod in snapshot.pods if pod.node)})
    fresh = (name for number in count(1) if (name := f"node-{number}") not in names)
    return [*names, *islice(fresh, max(0, nodes - len(names)))]


def _is_translated(service: Service) -> bool:
    """Tell whether a Service has an address of its own that leads to pods."""
    return service.selector is not None and not service.headless and service.kind != "ExternalName"


def _pod_claim(pod: Pod, families: tuple[Family, ...]) -> Claim:
    return Claim(Use.PODS, str(pod), tuple(pod.addresses.values()), tuple(pod.addresses) or families)


def _service_claim(service: Service, families: tuple[Family, ...]) -> Claim:
    """Claim one family unless more are asked for, as a cluster does by default."""
    wanted = tuple(service.addresses) or service.families or families[:1]
    return Claim(Use.SERVICES, str(service), tuple(service.addresses.values()), wanted)


def _addressed(pod: Pod, allotment: Allotment, node: Node) -> Pod:
    """Return a pod with its addresses; a host-network pod has its node's, a terminal pod none."""
    if pod.terminal:
        return replace(pod, addresses={})
    if pod.host_network:
        return replace(pod, addresses={family_of(address): address for address in reversed(node.addresses)})
    return replace(pod, addresses=allotment.by_family(Use.PODS, str(pod)))
