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
from ringfence.dataplane.recall import Recall
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


def plan_node(
    engine: Engine,
    node: str,
    wiring: Wiring | None = None,
    strange: Intervals = EMPTY,
    recall: Recall | None = None,
) -> NodePlan:
    """Plan a node from what the engine allows its pods; pods without addresses need nothing yet.

    Args:
        engine: Knows the policies.
        node: The node's name.
        wiring: How its pods hang on it, where that is known.
        strange: Addresses that may be a pod's of which nothing is known yet, see
            :mod:`ringfence.dataplane.strangers`; without any, all pods are known.
        recall: What plans of this node have been made of before: what an engine that
            follows leaves alone is taken over.
    """
    recall = recall or Recall()
    recall.begin()
    classes: list[LocalClass] = []
    hairpins: list[Hairpin] = []
    for family in Family:
        local = local_pods(engine, node, family)
        heard = {d: [_heard(engine, pod, d, family, strange, recall) for pod in local.values()] for d in Direction}
        found = [each for d in Direction for each in _classes(d, family, local, heard[d], recall)]
        classes += found
        judged = {address for each in found for address in each.addresses}
        halves = zip(*([each.itself for each in heard[direction]] for direction in _HALVES), strict=True)
        hairpins += _hairpins(family, dict(zip(local, halves, strict=True)), local, judged, recall)
    return NodePlan(node, tuple(classes), tuple(hairpins), _guard(engine, node, wiring, recall) if wiring else None)


def closed_node(node: str, prefix: str) -> NodePlan:
    """Plan a node of which nothing is known yet, as when it has just started: pods neither send nor receive.

    The node itself reaches its pods, as ever, and is reached by whoever is no pod.

    Args:
        node: The node's name.
        prefix: What the name of every link begins with that leads to a pod, and of no other.
    """
    return NodePlan(node, (), (), Guard(prefix, (), ()))


@dataclass(frozen=True, slots=True)
class _Heard:
    """What the engine says of one pod.

    Attributes:
        rows: What it may exchange with every address, one object for pods of equal policies.
        apart: The addresses of its node, with what it may exchange with these instead.
        itself: What it may send itself through a Service, as far as this direction goes.
    """

    rows: tuple[Row, ...]
    apart: tuple[tuple[Address, Intervals], ...]
    itself: Intervals

    def at(self, address: int) -> Intervals:
        """Return the traffic that is allowed with one address; none beyond the ends of the family."""
        apart = (traffic for at, traffic in self.apart if at == address)
        found = next(apart, None)
        return _traffic_at(self.rows, address) if found is None else found


def _heard(
    engine: Engine, pod: Pod, direction: Direction, family: Family, strange: Intervals, recall: Recall
) -> _Heard:
    """Return what the engine permits, less what a pod could be denied where nobody knows who is there."""
    permitted = engine.permitted_apart(pod, direction, family)
    denied = denied_to_pods(engine.snapshot, pod, direction) if strange & EVERY[family] else EMPTY
    return recall(_heard_of, permitted, pod.addresses[family], strange, recall.same(denied), recall)


def _heard_of(
    permitted: tuple[tuple[Row, ...], Mapping[Address, Intervals]],
    own: Address,
    strange: Intervals,
    denied: Intervals,
    recall: Recall,
) -> _Heard:
    rows, alone = permitted
    if denied:
        rows = recall(_closed, rows, strange, denied)
        alone = {address: traffic - denied if address in strange else traffic for address, traffic in alone.items()}
    return _Heard(rows, tuple(each for each in alone.items() if each[0] != own), alone[own])


def _closed(rows: tuple[Row, ...], strange: Intervals, denied: Intervals) -> tuple[Row, ...]:
    found: dict[Intervals, Intervals] = {}
    for addresses, traffic in rows:
        for part, allowed in ((addresses - strange, traffic), (addresses & strange, traffic - denied)):
            if part:
                found[allowed] = found.get(allowed, EMPTY) | part
    return tuple((addresses, traffic) for traffic, addresses in found.items())


def _guard(engine: Engine, node: str, wiring: Wiring, recall: Recall) -> Guard:
    local = ((address, pod) for family in Family for address, pod in local_pods(engine, node, family).items())
    bound = tuple((wiring.links[str(pod)], address) for address, pod in local if str(pod) in wiring.links)
    nodes = {address for each in engine.snapshot.nodes.values() for address in each.speaks_from}
    return recall.same(Guard(wiring.prefix, bound, tuple(sorted(nodes)), wiring.bridged))


def local_pods(engine: Engine, node: str, family: Family) -> dict[Address, Pod]:
    """Return the pods of a node by address, sorted; of two with one address, the one that policies see."""
    snapshot = engine.snapshot
    pods = [pod for pod in snapshot.pods if pod.node == node and pod.selectable and family in pod.addresses]
    found = {pod.addresses[family]: pod for pod in pods}
    return {address: pod for address, pod in sorted(found.items()) if snapshot.pod_at(address) is pod}


@dataclass(frozen=True, slots=True)
class _View:
    """What a pod may exchange with others, as seen from its node.

    Attributes:
        outside: Addresses that are no local pod's, by what is allowed with them.
        inside: What is allowed with each local pod, in the order of their addresses.
    """

    outside: frozenset[Row]
    inside: tuple[Intervals, ...]


def _view(rows: tuple[Row, ...], apart: tuple[tuple[Address, Intervals], ...], addresses: tuple[Address, ...]) -> _View:
    alone = dict(apart)
    rest = Intervals.of((address, address) for address in (*addresses, *alone))
    outside = {traffic: found for held, traffic in rows if (found := held - rest)}
    for address, traffic in apart:
        if address not in addresses:
            outside[traffic] = outside.get(traffic, EMPTY) | Intervals.point(address)
    inside = (alone[each] if each in alone else _traffic_at(rows, each) for each in addresses)
    return _View(frozenset((held, traffic) for traffic, held in outside.items()), tuple(inside))


@dataclass(slots=True)
class _Group:
    """Pods that are allowed the same with everybody but themselves.

    Attributes:
        view: That of the first.
        members: Their places among local pods.
        known: What is allowed with each local pod, as those say that are not that pod; None where nobody does, as
            at the only member there is.
    """

    view: _View
    members: list[int]
    known: list[Intervals | None]

    def takes(self, place: int, view: _View) -> bool:
        """Take a pod in, if it agrees with everything that is known."""
        inside, outside = view.inside, view.outside
        if outside is not self.view.outside and outside != self.view.outside:
            return False
        known = self.known.copy()
        said: list[Intervals | None] = [*inside]
        if len(self.members) == 1:
            known[self.members[0]] = inside[self.members[0]]
        said[place] = known[place]
        if said != known:
            return False
        self.members.append(place)
        self.known = known
        return True


def _classes(
    direction: Direction, family: Family, local: Mapping[Address, Pod], heard: list[_Heard], recall: Recall
) -> list[LocalClass]:
    """Unite pods that are allowed the same with everybody but themselves.

    What a class says about an address comes from the members that are not at it.
    """
    addresses, pods = recall.same(tuple(local)), tuple(local.values())
    groups: list[_Group] = []
    for place, each in enumerate(heard):
        view = recall(_view, each.rows, recall.same(each.apart), addresses)
        if not any(group.takes(place, view) for group in groups):
            groups.append(_Group(view, [place], [*view.inside[:place], None, *view.inside[place + 1 :]]))
    found = []
    for group in groups:
        inside = group.known
        if len(group.members) == 1:
            # Nobody else is in the class: any answer will do, that of both neighbors costs least.
            (place,) = group.members
            own, pod = addresses[place], heard[place]
            inside[place] = recall.same(pod.at(own - 1) & pod.at(own + 1))
        rows = recall(_rows, group.view.outside, addresses, *inside)
        if rows != ((EVERY[family], ALL),):
            found.append(recall(_local_class, direction, family, rows, *(pods[place] for place in group.members)))
    return found


def _local_class(direction: Direction, family: Family, rows: tuple[Row, ...], *pods: Pod) -> LocalClass:
    return LocalClass(direction, family, pods, rows)


def _hairpins(
    family: Family,
    halves: Mapping[Address, tuple[Intervals, ...]],
    local: Mapping[Address, Pod],
    judged: set[Address],
    recall: Recall,
) -> list[Hairpin]:
    """Unite pods that may send themselves the same; those that no chain meets are left out.

    Args:
        family: The family.
        halves: What each pod may send itself, egress first.
        local: The pods.
        judged: The addresses of those that are in a class.
        recall: What there was before.
    """
    groups: dict[tuple[Intervals, ...], list[Pod]] = {}
    for own, pod in local.items():
        if own in judged or halves[own] != (ALL, ALL):
            groups.setdefault(halves[own], []).append(pod)
    return [recall(_hairpin, family, recall.same(both), *pods) for both, pods in groups.items()]


def _hairpin(family: Family, halves: tuple[Intervals, ...], *pods: Pod) -> Hairpin:
    everyone = EVERY[family]
    judged = (
        LocalClass(direction, family, pods, ((everyone, traffic),), hairpin=True)
        for direction, traffic in zip(_HALVES, halves, strict=True)
        if traffic != ALL
    )
    return Hairpin(family, pods, tuple(judged))


_HALVES = (Direction.EGRESS, Direction.INGRESS)
"""Both directions, in the order a packet meets them."""


def _traffic_at(rows: Iterable[Row], address: int) -> Intervals:
    """Return the traffic that is allowed with one address; none beyond the ends of the family."""
    return next((traffic for addresses, traffic in rows if address in addresses), EMPTY)


def _rows(outside: Iterable[Row], addresses: Iterable[Address], *inside: Intervals) -> tuple[Row, ...]:
    """Unite rows and single addresses by traffic, sorted by their first address."""
    ranges: dict[Intervals, list[tuple[int, int]]] = {}
    for held, traffic in outside:
        ranges.setdefault(traffic, []).extend(held)
    for address, traffic in zip(addresses, inside, strict=True):
        ranges.setdefault(traffic, []).append((address, address))
    united = [(Intervals.of(pairs), traffic) for traffic, pairs in ranges.items()]
    return tuple(sorted(united, key=lambda row: row[0].ranges))
