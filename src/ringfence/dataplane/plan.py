"""What one node must enforce: its own pods, by class, and what each may exchange with whom.

A **local class** is the pods of a node that need the same chain in one direction and
family. What a pod exchanges with itself is kept apart: its own address is the one place
where pods that policies cannot tell apart differ, and packets that a pod sends to itself
never reach the chains of a class.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import EVERY, Family
from ringfence.algebra.intervals import EMPTY, Intervals
from ringfence.algebra.traffic import ALL
from ringfence.dataplane.names import class_name
from ringfence.dataplane.strangers import denied_to_pods
from ringfence.model.policy import Direction

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ringfence.algebra.addresses import Address
    from ringfence.model.cluster import Pod
    from ringfence.semantics.engine import Engine

Row = tuple[Intervals, Intervals]
"""Peer addresses, and the traffic that is allowed with each of them."""


@dataclass(frozen=True, slots=True)
class LocalClass:
    """Local pods with the same allowed traffic in one direction and family.

    Attributes:
        direction: The direction, seen from the pods.
        family: The address family.
        pods: Sorted by address in that family; at least one.
        rows: Disjoint peer addresses that cover the family, with the traffic that is
            allowed with each; no two rows with the same traffic.
        hairpin: Whether it judges what the pods send to themselves instead.
    """

    direction: Direction
    family: Family
    pods: tuple[Pod, ...]
    rows: tuple[Row, ...]
    hairpin: bool = False

    @property
    def name(self) -> str:
        """Its name, unique in its direction."""
        return class_name(self.addresses[0], hairpin=self.hairpin)

    @property
    def addresses(self) -> tuple[Address, ...]:
        """The addresses of its pods, in order."""
        return tuple(pod.addresses[self.family] for pod in self.pods)


@dataclass(frozen=True, slots=True)
class Hairpin:
    """Local pods that may send the same to themselves through a Service.

    Attributes:
        family: The address family.
        pods: Sorted by address in that family; at least one.
        classes: The classes that judge it, egress first; empty when nothing is denied.
    """

    family: Family
    pods: tuple[Pod, ...]
    classes: tuple[LocalClass, ...]

    @property
    def name(self) -> str:
        """Its name, unique among hairpins."""
        return class_name(self.addresses[0])

    @property
    def addresses(self) -> tuple[Address, ...]:
        """The addresses of its pods, in order."""
        return tuple(pod.addresses[self.family] for pod in self.pods)


@dataclass(frozen=True, slots=True)
class Wiring:
    """How the pods of a node hang on it.

    Attributes:
        prefix: What the name of every link begins with that leads to a pod, and of no other.
        links: The node's end of the link of each pod, by the pod's name with its namespace;
            a pod that is not in it is not known yet. The bridge, where links are its ports.
        bridged: Whether the link is a bridge, on which pods meet: each port is held to its
            address by a table of its own, see :mod:`ringfence.dataplane.bridged`.
    """

    prefix: str
    links: Mapping[str, str]
    bridged: bool = False


@dataclass(frozen=True, slots=True)
class Guard:
    """Which addresses belong to which links of a node.

    Attributes:
        prefix: As in :class:`Wiring`.
        bound: The link and the address of each pod that is known, in order of addresses.
        nodes: The addresses of all nodes, where tunnels end, in order.
        bridged: As in :class:`Wiring`.
    """

    prefix: str
    bound: tuple[tuple[str, Address], ...]
    nodes: tuple[Address, ...]
    bridged: bool = False


@dataclass(frozen=True, slots=True)
class NodePlan:
    """Everything that one node must enforce.

    Attributes:
        node: The node's name.
        classes: Local classes that are denied something. A pod that is denied nothing in a
            direction is in none of that direction.
        hairpins: Every pod of those classes, and every pod that is denied something with
            itself, in each family.
        guard: None where it is not known how pods hang on the node: then nobody is held to
            an address.
    """

    node: str
    classes: tuple[LocalClass, ...]
    hairpins: tuple[Hairpin, ...]
    guard: Guard | None = None

    @property
    def judged(self) -> tuple[LocalClass, ...]:
        """Every class that has chains: those of peers, then those of hairpins."""
        return (*self.classes, *(each for hairpin in self.hairpins for each in hairpin.classes))


def plan_node(engine: Engine, node: str, wiring: Wiring | None = None, strange: Intervals = EMPTY) -> NodePlan:
    """Plan a node from what the engine allows its pods; pods without addresses need nothing yet.

    Args:
        engine: Knows the policies.
        node: The node's name.
        wiring: How its pods hang on it, where that is known.
        strange: Addresses that may be a pod's of which nothing is known yet, see
            :mod:`ringfence.dataplane.strangers`; without any, all pods are known.
    """
    classes: list[LocalClass] = []
    hairpins: list[Hairpin] = []
    for family in Family:
        local = local_pods(engine, node, family)
        permitted = {
            direction: {address: _permitted(engine, pod, direction, family, strange) for address, pod in local.items()}
            for direction in Direction
        }
        found = [each for direction in Direction for each in _classes(direction, family, local, permitted[direction])]
        classes += found
        judged = {address for each in found for address in each.addresses}
        hairpins += _hairpins(family, local, judged, permitted)
    return NodePlan(node, tuple(classes), tuple(hairpins), _guard(engine, node, wiring) if wiring else None)


def closed_node(node: str, prefix: str) -> NodePlan:
    """Plan a node of which nothing is known yet, as when it has just started: pods neither send nor receive.

    The node itself reaches its pods, as ever, and is reached by whoever is no pod.

    Args:
        node: The node's name.
        prefix: What the name of every link begins with that leads to a pod, and of no other.
    """
    return NodePlan(node, (), (), Guard(prefix, (), ()))


def _permitted(engine: Engine, pod: Pod, direction: Direction, family: Family, strange: Intervals) -> tuple[Row, ...]:
    """Return what the engine permits, less what a pod could be denied where nobody knows who is there."""
    rows = engine.permitted(pod, direction, family)
    denied = denied_to_pods(engine.snapshot, pod, direction) if strange & EVERY[family] else EMPTY
    if not denied:
        return rows
    found: dict[Intervals, Intervals] = {}
    for addresses, traffic in rows:
        for part, allowed in ((addresses - strange, traffic), (addresses & strange, traffic - denied)):
            if part:
                found[allowed] = found.get(allowed, EMPTY) | part
    return tuple((addresses, traffic) for traffic, addresses in found.items())


def _guard(engine: Engine, node: str, wiring: Wiring) -> Guard:
    local = ((address, pod) for family in Family for address, pod in local_pods(engine, node, family).items())
    bound = tuple((wiring.links[str(pod)], address) for address, pod in local if str(pod) in wiring.links)
    nodes = {address for each in engine.snapshot.nodes.values() for address in each.speaks_from}
    return Guard(wiring.prefix, bound, tuple(sorted(nodes)), wiring.bridged)


def local_pods(engine: Engine, node: str, family: Family) -> dict[Address, Pod]:
    """Return the pods of a node by address, sorted; of two with one address, the one that policies see."""
    snapshot = engine.snapshot
    pods = [pod for pod in snapshot.pods if pod.node == node and pod.selectable and family in pod.addresses]
    found = {pod.addresses[family]: pod for pod in pods}
    return {address: pod for address, pod in sorted(found.items()) if snapshot.pod_at(address) is pod}


def _classes(
    direction: Direction, family: Family, local: Mapping[Address, Pod], permitted: Mapping[Address, Iterable[Row]]
) -> list[LocalClass]:
    """Unite pods that are allowed the same with everybody but themselves.

    What a class says about an address comes from the members that are not at it.
    """
    everyone = Intervals.of((address, address) for address in local)
    groups: list[tuple[list[Address], frozenset[Row], dict[Address, Intervals]]] = []
    for own, rows in permitted.items():
        outside = frozenset((rest, traffic) for addresses, traffic in rows if (rest := addresses - everyone))
        inside = {address: _traffic_at(rows, address) for address in local if address != own}
        for members, other, known in groups:
            if other == outside and all(known.get(a, t) == t for a, t in inside.items()):
                members.append(own)
                known.update(inside)
                break
        else:
            groups.append(([own], outside, inside))
    found = []
    for members, outside, inside in groups:
        for own in members:
            # Nobody else is in the class: any answer will do, that of both neighbors costs least.
            inside.setdefault(own, _traffic_at(permitted[own], own - 1) & _traffic_at(permitted[own], own + 1))
        rows = _rows(outside, inside)
        if rows != ((EVERY[family], ALL),):
            found.append(LocalClass(direction, family, tuple(local[address] for address in members), rows))
    return found


def _hairpins(
    family: Family,
    local: Mapping[Address, Pod],
    judged: set[Address],
    permitted: Mapping[Direction, Mapping[Address, Iterable[Row]]],
) -> list[Hairpin]:
    """Unite pods that may send themselves the same; those that no chain meets are left out."""
    groups: dict[tuple[Intervals, Intervals], list[Pod]] = {}
    for own, pod in local.items():
        egress, ingress = (_traffic_at(permitted[direction][own], own) for direction in _HALVES)
        if own in judged or egress != ALL or ingress != ALL:
            groups.setdefault((egress, ingress), []).append(pod)
    return [
        Hairpin(
            family,
            tuple(pods),
            tuple(
                LocalClass(direction, family, tuple(pods), ((EVERY[family], traffic),), hairpin=True)
                for direction, traffic in zip(_HALVES, halves, strict=True)
                if traffic != ALL
            ),
        )
        for halves, pods in groups.items()
    ]


_HALVES = (Direction.EGRESS, Direction.INGRESS)
"""Both directions, in the order a packet meets them."""


def _traffic_at(rows: Iterable[Row], address: int) -> Intervals:
    """Return the traffic that is allowed with one address; none beyond the ends of the family."""
    return next((traffic for addresses, traffic in rows if address in addresses), EMPTY)


def _rows(outside: Iterable[Row], inside: Mapping[Address, Intervals]) -> tuple[Row, ...]:
    """Unite rows and single addresses by traffic, sorted by their first address."""
    ranges: dict[Intervals, list[tuple[int, int]]] = {}
    for addresses, traffic in outside:
        ranges.setdefault(traffic, []).extend(addresses)
    for address, traffic in inside.items():
        ranges.setdefault(traffic, []).append((address, address))
    united = [(Intervals.of(pairs), traffic) for traffic, pairs in ranges.items()]
    return tuple(sorted(united, key=lambda row: row[0].ranges))
