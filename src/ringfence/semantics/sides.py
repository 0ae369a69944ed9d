"""Both sides of a question: names become ends, and ends that no policy tells apart become groups."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass, replace
from functools import cached_property
from operator import itemgetter
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import EVERY, LOOPBACK, Address, Family, family_of, render_address
from ringfence.algebra.intervals import EMPTY, Intervals
from ringfence.errors import InputError
from ringfence.model.cluster import Pod
from ringfence.model.naming import (
    KINDS,
    AddressName,
    Directory,
    InternetName,
    NodeName,
    ObjectName,
    PodsName,
    ServiceName,
    kinds,
    read_name,
)
from ringfence.model.policy import NodePeer
from ringfence.semantics.assumptions import rules_of
from ringfence.semantics.dialects import Choices, Topic
from ringfence.semantics.engine import Ends
from ringfence.semantics.places import Places, addresses_of, not_listed
from ringfence.semantics.space import AddressSpace
from ringfence.semantics.universe import Universe
from ringfence.semantics.verdict import Assumption

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator

    from ringfence.algebra.selectors import Selector
    from ringfence.model.cluster import Node
    from ringfence.model.connection import End
    from ringfence.model.naming import Name
    from ringfence.model.service import Service
    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics.scene import Scenes

_NAMES = (
    "name a pod or workload (ns/name), a namespace (ns/), labels (ns:app=web), a Service (svc:ns/name), "
    "a node (node:name), an address, a CIDR or internet"
)

_NO_PODS = "give manifests of pods too, or read a cluster whose pods you may list"

_SPOKEN = 3
"""A reason names so many pods; more are counted."""


INTERNET = "internet"
"""What somebody outside is called; nobody means a loopback by that."""


@dataclass(frozen=True, slots=True)
class Party:
    """Whom a name means.

    Attributes:
        name: The name in full, as it can be asked again.
        pods: Pods, each with the families to ask about.
        addresses: Addresses that are no pod's own.
        by_address: The name stands for addresses or a Service, so reasons name its pods.
    """

    name: str
    pods: tuple[tuple[Pod, tuple[Family, ...]], ...] = ()
    addresses: Intervals = EMPTY
    by_address: bool = False

    @property
    def nodes(self) -> set[str | None]:
        """The nodes on which its pods run."""
        return {pod.node for pod, _ in self.pods}


@dataclass(frozen=True, slots=True)
class Group:
    """Ends that get one answer, whatever group is at the other side.

    Attributes:
        members: Pods alone, or addresses alone that are no pod's own.
        families: The families to ask about, in order.
        likeness: Equal for groups that get equal answers, in this question and any other.
    """

    members: Ends
    families: tuple[Family, ...]
    likeness: Hashable

    @property
    def spokesmen(self) -> tuple[End, ...]:
        """Who may stand for all: two pods, should one of them be the other end; else one address."""
        return self.members.pods[:2] or (Address(self.members.addresses.ranges[0][0]),)


@dataclass(frozen=True, slots=True)
class Side:
    """A party as groups: disjoint, at least one, together the whole party."""

    party: Party
    groups: tuple[Group, ...]

    def members(self, chosen: Iterable[int]) -> Ends:
        """Return the ends of some groups, given by number."""
        groups = [self.groups[number].members for number in sorted(chosen)]
        pods = tuple(pod for members in groups for pod in members.pods)
        return Ends(pods, Intervals.union(members.addresses for members in groups))


class Sides:
    """Finds the parties of questions about one snapshot.

    Attributes:
        directory: Who is who in the snapshot.
        places: Its Services, nodes and what is outside.
    """

    def __init__(self, snapshot: Snapshot, namespace: str, scenes: Scenes) -> None:
        self.directory = Directory(snapshot)
        self.places = Places(snapshot)
        self._snapshot = snapshot
        self._namespace = namespace
        self._scenes = scenes

    def find(self, role: str, text: str) -> Party:
        """Return whom a name means.

        Args:
            role: ``client`` or ``server``, for messages.
            text: The name.

        Raises:
            InputError: it is no name, nobody has it, or several workloads have it.
        """
        return self.party(role, self.read(role, text))

    def party(self, role: str, name: Name) -> Party:
        """Return whom a name means that was read; ``InputError`` where nobody has it, or several workloads have it."""
        match name:
            case AddressName(addresses):
                return self._party_at(str(name), addresses)
            case InternetName():
                return Party(INTERNET, addresses=self.places.internet, by_address=True)
            case NodeName():
                return replace(self._party_at(str(name), self.places.node(role, name)), by_address=True)
            case ServiceName():
                return Party(str(name), *self.places.behind(role, name), by_address=True)
        found = self.directory.find(name)
        if len(found) > 1:
            message = f"{role}: {name} is the name of several workloads"
            raise InputError(message, f"write {' or '.join(found)}")
        if not found:
            raise self._nobody(role, name)
        (pods,) = found.values()
        return Party(str(name), tuple((pod, self._snapshot.families_of(pod)) for pod in pods))

    def read(self, role: str, text: str) -> Name:
        """Read a name without looking for who has it.

        Raises:
            InputError: it is no name.
        """
        try:
            return read_name(text, self._namespace)
        except ValueError as error:
            message = f"{role}: {error}"
            raise InputError(message, _NAMES) from None

    def meet(self, client: Party, server: Party) -> tuple[Side, Side]:
        """Group each party by what policies can tell of its ends when they meet the other.

        Raises:
            InputError: the client is the address of a Service, from which nobody speaks.
        """
        self._refuse_service(client)
        near = self._near(client, server) | self._near(server, client)
        return (
            Side(client, (*self._pod_groups(client, near), *self._address_groups(client, server, near))),
            Side(server, (*self._pod_groups(server, near), *self._address_groups(server, client, near))),
        )

    def alike(self, party: Party) -> Group | None:
        """Return a party of pods as one group, where no policy tells them apart wherever its other end is.

        On what node they are is not looked at: that may matter where either end is on a node's network.
        """
        groups = () if party.addresses else tuple(self._pod_groups(party, set()))
        return groups[0] if len(groups) == 1 else None

    def premises_of(self, party: Party, *, tried: bool = False) -> Iterator[Assumption]:
        """Yield that a party's addresses of Services, and those that a pod may have, are judged like any others.

        Args:
            party: The party.
            tried: Whether they were judged as those of pods without an address too.
        """
        found = next(((a, self._services[a]) for a in self._services if a in party.addresses), None)
        if found:
            shown = f"{render_address(found[0])} of {found[1]}"
            text = f"addresses of Services, such as {shown}, are judged like any others"
            yield Assumption("service-address", text)
        strangers = party.addresses & self.places.strangers if self._snapshot.policies else EMPTY
        if strangers:
            shown = render_address(strangers.ranges[0][0])
            text = f"addresses of the pod ranges that no pod in the input has, such as {shown}, are taken for nobody's"
            if tried and self.homeless:
                text += f", or for those of pods without one: {self.spoken(self.homeless)}"
            yield Assumption("pod-range", text)

    def label(self, ends: Ends) -> str:
        """Return how to call some ends."""
        pods = [self.directory.render(ends.pods)] if ends.pods else []
        return ", ".join([*pods, self.directory.render_addresses(ends.addresses)] if ends.addresses else pods)

    def spoken(self, pods: tuple[Pod, ...]) -> str:
        """Return how a reason calls some pods, which is always short."""
        terms = self.directory.terms(pods)
        return ", ".join(terms) if len(terms) <= _SPOKEN else f"{len(pods)} pods"

    @cached_property
    def homeless(self) -> tuple[Pod, ...]:
        """Every pod with its own network whose address is not known, where ranges of pods are: it is one of these."""
        pods = self.directory.pods if self.places.strangers else ()
        return tuple(pod for pod in pods if pod.selectable and not pod.addresses)

    def may_be(self, group: Group) -> tuple[Pod, ...]:
        """Return pods that may have the addresses of a group, each for all that no policy tells from it."""
        if not self.homeless or not group.members.addresses & self.places.strangers:
            return ()
        party = Party("", tuple((pod, group.families) for pod in self.homeless))
        nodes = {pod.node for pod in self.homeless}
        return tuple(pod for each in self._pod_groups(party, nodes) for pod in each.members.pods[:2])

    @cached_property
    def universe(self) -> Universe:
        """Knows the classes of pods, whatever a dialect says of host-network pods."""
        return Universe(self._snapshot, [Choices({Topic.HOST_NETWORK})])

    @cached_property
    def _node_selectors(self) -> tuple[Selector, ...]:
        """The selectors by which rules name nodes."""
        peers = (peer for rule in rules_of(self._snapshot.policies) for peer in rule.peers)
        return tuple(dict.fromkeys(peer.nodes for peer in peers if isinstance(peer, NodePeer)))

    def _node_of(self, end: End, near: set[str | None]) -> Hashable:
        """Return what can be told of the node on whose network an end is: which one, or which rules name it."""
        node = self._snapshot.node_of(end)
        if node is None and not isinstance(end, Pod):
            return None
        return node if node in near else tuple(self._snapshot.is_on_node(end, each) for each in self._node_selectors)

    @cached_property
    def _services(self) -> dict[Address, Service]:
        """Whose each address of a Service is, in order."""
        found = [(address, service) for service in self._snapshot.services for address in addresses_of(service)]
        return dict(sorted(found, key=itemgetter(0)))

    def _refuse_service(self, client: Party) -> None:
        """Refuse one address that is a Service's: nobody speaks from there."""
        address = Address(client.addresses.ranges[0][0]) if client.addresses.count() == 1 else None
        service = self._services.get(address) if address is not None else None
        if address is not None and service is not None:
            message = f"client: {render_address(address)} is the address of Service {service}; nobody speaks from it"
            raise InputError(message, f"ask about the pods behind it: svc:{service}")

    def _party_at(self, name: str, addresses: Intervals) -> Party:
        """Tell the pods at some addresses from the rest."""
        own = [(address, owner) for address, owner in self._owners(addresses) if isinstance(owner, Pod)]
        rest = addresses - Intervals.of((address, address) for address, _ in own)
        return Party(name, tuple((pod, (family_of(address),)) for address, pod in own), rest, by_address=True)

    def _owners(self, addresses: Intervals) -> Iterator[tuple[Address, Pod | Node]]:
        """Yield the known addresses among these in order, with the pod or node that has each."""
        for first, last in addresses:
            index = bisect_left(self._known, first, key=itemgetter(0))
            while index < len(self._known) and self._known[index][0] <= last:
                yield self._known[index]
                index += 1

    @cached_property
    def _known(self) -> list[tuple[Address, Pod | Node]]:
        """Every address that a live pod has for its own, or a node has, sorted."""
        pods = [(a, pod) for pod in self.directory.pods if pod.selectable for a in pod.addresses.values()]
        nodes = [(a, node) for node in self._snapshot.nodes.values() for a in node.speaks_from]
        return sorted([*pods, *nodes], key=itemgetter(0))

    def _nobody(self, role: str, name: ObjectName | PodsName) -> InputError:
        """Say that nobody has a name, and whose come near."""
        if any(pod.terminal and str(pod) == str(name) for pod in self._snapshot.pods):
            return InputError(f"{role}: {name} has finished and can no longer connect")
        if isinstance(name, ObjectName) and name.kind and name.kind not in KINDS and not self._is_kind(name.kind):
            return InputError(f"{role}: {name.kind!r} is no kind of workload here: one of {kinds()}")
        if self._snapshot.may_lack("pods", name.namespace):
            return not_listed(role, name, "pods", name.namespace)
        if not self.directory.pods:
            return InputError(f"{role}: nothing is named {name}, for there are no pods", _NO_PODS)
        near = self.directory.nearest(name)
        return InputError(f"{role}: nothing is named {name}", f"try {' or '.join(near)}" if near else _NAMES)

    def _is_kind(self, kind: str) -> bool:
        """Tell whether any workload is of a kind of somebody else."""
        return any(each.kind.partition(".")[0].lower() == kind.lower() for each in self._snapshot.workloads)

    def _near(self, party: Party, other: Party) -> set[str | None]:
        """Return the nodes of a party's ends on nodes' own networks that are, or may be, nodes of the other's pods."""
        hosts, nodes = self._hosts(party), other.nodes
        if self.homeless and other.addresses & self.places.strangers:
            nodes |= {pod.node for pod in self.homeless}
        return hosts if None in nodes else hosts & nodes

    def _hosts(self, party: Party) -> set[str | None]:
        """Return the nodes on whose own network a party has ends."""
        pods = {self._snapshot.node_of(pod) for pod, _ in party.pods}
        return (pods | {owner.name for _, owner in self._owners(party.addresses)}) - {None}

    def _pod_groups(self, party: Party, near: set[str | None]) -> Iterator[Group]:
        """Group pods: by class, by node where that matters, and by what reasons tell beyond that."""
        groups: dict[tuple[tuple[Family, ...], Hashable], list[Pod]] = defaultdict(list)
        for pod, families in party.pods:
            node = pod.node if pod.node in near else None
            told = self._node_of(pod, near) if pod.host_network else None
            known = bool(self._snapshot.addresses_of(pod)), pod.node is not None
            groups[families, (self.universe.class_of(pod), node, told, known, pod.ports)].append(pod)
        for (families, likeness), pods in groups.items():
            yield Group(Ends(tuple(pods)), families, likeness)

    def _address_groups(self, party: Party, other: Party, near: set[str | None]) -> Iterator[Group]:
        """Group addresses: by the blocks that hold them, and by node where that matters."""
        if not party.addresses:
            return
        judged = [pod for pod, _ in other.pods]
        if self.homeless and other.addresses & self.places.strangers:
            judged += self.homeless
        space = AddressSpace.of(self._scenes.around(judged).blocks)
        nodes: dict[Hashable, list[Address]] = defaultdict(list)
        for address, _ in self._owners(party.addresses):
            nodes[self._node_of(address, near)].append(address)
        parts = [Intervals.of((address, address) for address in own) for own in nodes.values()]
        loopback = party.addresses & LOOPBACK
        rest = party.addresses - Intervals.union(parts) - loopback
        strangers = rest & self.places.strangers if self.homeless else EMPTY
        parts += [EMPTY if party.name == INTERNET else loopback, strangers, rest - strangers]
        for family, everything in EVERY.items():
            for part in parts:
                for region in space.regions(part & everything).values():
                    yield Group(Ends((), region), (family,), region.ranges[0][0])
