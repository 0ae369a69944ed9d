"""The verdict path: one connection between two known ends, without rows.

Every half is the definition's own. It is judged once for all connections that the
definition cannot tell apart, and remembered with stand-ins for the names of its ends.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import LOOPBACK, family_of
from ringfence.algebra.traffic import at, point
from ringfence.model.cluster import Pod
from ringfence.model.connection import Connection
from ringfence.model.policy import Direction, Tier
from ringfence.semantics.dialects import Choices, Topic
from ringfence.semantics.docket import Declared, Docket, Face, Say
from ringfence.semantics.inquiry import Inquiry
from ringfence.semantics.spec import half_of
from ringfence.semantics.telling import CLIENT, SERVER, stand_in, told, told_half
from ringfence.semantics.universe import Universe
from ringfence.semantics.verdict import Verdict, combine

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from ringfence.algebra.addresses import Address, Family
    from ringfence.algebra.selectors import Selector
    from ringfence.algebra.traffic import Protocol
    from ringfence.model.connection import End
    from ringfence.model.origin import Origin
    from ringfence.model.policy import Policy
    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics.classes import Ports
    from ringfence.semantics.dialects import Dialect
    from ringfence.semantics.verdict import Half, Outcome

_HALVES = 262_144
"""So many halves are remembered: a bound on memory while questions keep coming."""

_OUTCOMES = 65_536
"""So many outcomes are remembered: who asks about flows asks about the same ones again and again."""

_ADDRESSES = 65_536
"""So many addresses are remembered; pods are as many as the snapshot has."""

Sources = dict["Family", tuple[frozenset[int], ...]]
"""The blocks that hold each address that a pod speaks from, in the families in which it has several."""

_NONE_DECLARED = Declared(())


@dataclass(eq=False, slots=True)
class Standing:
    """An end as it is judged, both as a subject and as a peer.

    Attributes:
        end: The end.
        node: The node that it runs on; None for an address, and where that is not known.
        on_network: The node on whose own network it is.
        egress: What judges it as a client.
        ingress: What judges it as a server.
        faces: What others' policies can tell of it, by family.
        policies: The policies that select it, or would if its node's network were its own.
        blocks: Where these name addresses, by direction, as far as that was asked for.
    """

    end: End
    node: str | None
    on_network: str | None
    egress: Docket
    ingress: Docket
    faces: dict[Family, Face]
    policies: tuple[Policy, ...] = ()
    blocks: dict[Direction, tuple[Origin, ...]] = field(default_factory=dict)

    def of(self, pod: Pod, on_network: str | None) -> Standing:
        """Return the standing of a pod that differs in nothing but its name and its node."""
        return Standing(pod, pod.node, on_network, self.egress, self.ingress, self.faces, self.policies, self.blocks)


class Judge:
    """Judges the connections of one snapshot one by one, in one dialect; what it has judged once it keeps.

    Ends are those of the snapshot: a pod that is terminal, unknown or without the family in
    question raises ``KeyError``. An address that is a live pod's own is that pod.

    Attributes:
        snapshot: The snapshot.
    """

    def __init__(self, universe: Universe, dialect: Dialect) -> None:
        """Prepare for questions.

        Args:
            universe: Every end of the snapshot; it tells host-network pods apart as if they could be selected.
            dialect: Who decides what the APIs leave open.
        """
        self._universe, self.snapshot, self._dialect = universe, universe.snapshot, dialect
        self._judging: dict[int, list[int]] = defaultdict(list)
        for number, policy in enumerate(self.snapshot.policies):
            self._judging[universe.number_of(policy.subject)].append(number)
        self._dockets: dict[Hashable, Docket] = {}
        self._standings: dict[int, Standing] = {}
        self._outcomes: dict[tuple[Standing, Standing, Family, int], Outcome] = {}
        self._tellings: dict[tuple[int, str, str], tuple[Half, Half]] = {}
        self._twins: dict[Hashable, Standing] = {}
        self._addresses: dict[Address, Standing] = {}
        self._traits: dict[Hashable, int] = {}
        self._declared: dict[Ports, Declared] = {}
        self._says: dict[Direction, dict[int, Say]] = {direction: {} for direction in Direction}
        self._remembered = 0

    @classmethod
    def of(cls, snapshot: Snapshot, dialect: Dialect) -> Judge:
        """Return a judge who can be asked about all ends of a snapshot."""
        return cls(Universe(snapshot, [Choices({Topic.HOST_NETWORK})]), dialect)

    def outcome(self, client: End, server: End, protocol: Protocol, port: int, family: Family) -> Outcome:
        """Return whether a connection may open."""
        asked = (self.standing(client), self.standing(server), family, point(protocol, port))
        found = self._outcomes.get(asked)
        if found is None:
            if len(self._outcomes) >= _OUTCOMES:
                self._outcomes.clear()
            egress, ingress = self.halves(*asked)
            found = self._outcomes[asked] = combine(egress.outcome, ingress.outcome)
        return found

    def verdict(self, client: End, server: End, protocol: Protocol, port: int, family: Family) -> Verdict:
        """Return the definition's verdict on a connection to a server's own address."""
        standings = self.standing(client), self.standing(server)
        names = {
            name: str(standing.end)
            for name, standing in zip((CLIENT, SERVER), standings, strict=True)
            if isinstance(standing.end, Pod)
        }
        return told(Verdict(*self.halves(*standings, family, point(protocol, port))), names)

    def half(self, direction: Direction, connection: Connection) -> Half:
        """Return one half of the definition's verdict; a pod that meets itself through a Service is asked as ever."""
        client, server = self.standing(connection.client), self.standing(connection.server)
        if connection.via is not None and client is server:
            return half_of(Inquiry.of(self.snapshot, connection, self._dialect, direction))
        traffic = point(connection.protocol, connection.port)
        if direction is Direction.EGRESS:
            half = self._half(client.egress, client, server, connection.family, traffic)
        else:
            half = self._half(server.ingress, server, client, connection.family, traffic)
        return self._told(half, *(str(each.end) if isinstance(each.end, Pod) else "" for each in (client, server)))

    def _told(self, half: Half, client: str, server: str) -> Half:
        """Return a half told of pods, empty for an end that is none; who is scanned hears the same again and again."""
        key = (id(half), client, server)
        found = self._tellings.get(key)
        if found is None or found[0] is not half:
            if len(self._tellings) >= _OUTCOMES:
                self._tellings.clear()
            names = {name: pod for name, pod in ((CLIENT, client), (SERVER, server)) if pod}
            found = self._tellings[key] = half, told_half(half, names)
        return found[1]

    def standing(self, end: End) -> Standing:
        """Return an end as it is judged."""
        found = self._standings.get(id(end))  # whatever is found keeps its end, so nothing else has its identity
        if found is not None:
            return found
        if not isinstance(end, Pod):
            pod = self.snapshot.pod_at(end)
            return self.standing(pod) if pod else self._standing_of_address(end)
        own = self.snapshot.pod_named(end.namespace, end.name)
        if own is not end:
            if own != end:
                raise KeyError(str(end))
            return self.standing(own)
        found = self._standings[id(end)] = self._standing_of_pod(end)
        return found

    def halves(self, client: Standing, server: Standing, family: Family, traffic: int) -> tuple[Half, Half]:
        """Return both halves, told of stand-ins: :data:`~ringfence.semantics.telling.CLIENT` and its like.

        Args:
            client: Who opens the connection.
            server: Who is meant to take it.
            family: The family of the connection.
            traffic: The point of the line of traffic.
        """
        return (
            self._half(client.egress, client, server, family, traffic),
            self._half(server.ingress, server, client, family, traffic),
        )

    def _half(self, docket: Docket, subject: Standing, peer: Standing, family: Family, traffic: int) -> Half:
        key: Hashable = None  # nothing more is asked where a pod meets itself
        if subject is not peer:
            own_node = peer.on_network is not None and peer.on_network == subject.node
            key = docket.key(peer.faces[family], own_node, traffic)
        half = docket.halves.get(key)
        if half is None:
            if self._remembered >= _HALVES:
                self._forget()
            self._remembered += 1
            half = docket.halves[key] = self._judge(docket, subject, peer, family, traffic)
        return half

    def _forget(self) -> None:
        for docket in self._dockets.values():
            docket.halves.clear()
        self._remembered = 0

    def _judge(self, docket: Docket, subject: Standing, peer: Standing, family: Family, traffic: int) -> Half:
        """Ask the definition."""
        ends = (subject, peer) if docket.direction is Direction.EGRESS else (peer, subject)
        names = (CLIENT, CLIENT if subject is peer else SERVER)
        client, server = (stand_in(each.end, name) for each, name in zip(ends, names, strict=True))
        asked = Connection(client, server, *at(traffic), family)
        half = half_of(Inquiry.of(docket.scene, asked, self._dialect, docket.direction))
        return told_half(half, {str(end): end.name for end in (client, server) if isinstance(end, Pod)})

    def _standing_of_address(self, address: Address) -> Standing:
        found = self._addresses.get(address)
        if found is None:
            if len(self._addresses) >= _ADDRESSES:
                self._addresses.clear()
            family, node = family_of(address), self.snapshot.node_at(address)
            nodes = tuple(self.snapshot.is_on_node(address, each) for each in self._node_selectors)
            traits = (False, False, None, node is not None, address in LOOPBACK)
            number = self._traits.setdefault(traits, len(self._traits))
            face = Face(frozenset(), frozenset(self._universe.signature_of(address)), (), number, nodes, _NONE_DECLARED)
            found = self._addresses[address] = Standing(address, None, node, *self._nobody, {family: face})
        return found

    def _standing_of_pod(self, pod: Pod) -> Standing:
        """Return a pod as it is judged; pods of one class that differ in nothing else share all but their names."""
        number, known = self._universe.class_of(pod), tuple(self.snapshot.addresses_of(pod))
        sources = self._sources(pod) if pod.host_network else {}
        key = (number, known, pod.node is None, pod.ports, tuple(sources.items()))
        twin = self._twins.get(key)
        if twin is None:
            numbers = self._policies_on(number)
            egress, ingress = (self._docket(each, pod, numbers) for each in (Direction.EGRESS, Direction.INGRESS))
            policies = tuple(self.snapshot.policies[each] for each in numbers)
            twin = Standing(pod, None, None, egress, ingress, dict(self._faces(pod, number, sources)), policies)
            self._twins[key] = twin
        return twin.of(pod, self.snapshot.node_of(pod))

    def _policies_on(self, number: int) -> tuple[int, ...]:
        """Return the policies that select the pods of a class, in order."""
        found = (self._judging.get(selector, ()) for selector in self._universe.classes[number].selectors)
        return tuple(sorted(chain.from_iterable(found)))

    def _sources(self, pod: Pod) -> Sources:
        """Return the blocks that hold each address that a pod speaks from, in the families in which it has several."""
        families = self.snapshot.families_of(pod)
        sources = {family: self.snapshot.sources_of(pod, family) for family in families}
        return {
            family: tuple(frozenset(self._universe.signature_of(address)) for address in each)
            for family, each in sources.items()
            if len(each) > 1
        }

    def _faces(self, pod: Pod, number: int, sources: Sources) -> Iterator[tuple[Family, Face]]:
        """Yield the face of a pod in each family that it uses."""
        pod_class, known = self._universe.classes[number], self.snapshot.addresses_of(pod)
        selectors, declared = frozenset(pod_class.selectors), self._declared.setdefault(pod.ports, Declared(pod.ports))
        nodes = tuple(self.snapshot.is_on_node(pod, each) for each in self._node_selectors)
        for family, signatures in pod_class.places:
            unknown = None if family in known else family
            traits = (True, pod.host_network, unknown, pod.host_network, pod.node is not None)
            trait = self._traits.setdefault(traits, len(self._traits))
            blocks = frozenset(() if unknown else signatures[0])
            yield family, Face(selectors, blocks, sources.get(family, ()), trait, nodes, declared)

    @cached_property
    def _node_selectors(self) -> tuple[Selector, ...]:
        return self._universe.node_selectors

    @cached_property
    def _nobody(self) -> tuple[Docket, Docket]:
        """What judges an address that is no pod's: nothing."""
        for direction in Direction:
            self._dockets[direction] = Docket(direction, self.snapshot, (), ())
        return self._dockets[Direction.EGRESS], self._dockets[Direction.INGRESS]

    def _docket(self, direction: Direction, pod: Pod, numbers: tuple[int, ...]) -> Docket:
        """Return what judges a pod in one direction; pods that share it differ in nothing that a half tells of them."""
        says = tuple(self._having_a_say(numbers, direction))
        named = direction is Direction.INGRESS and any(say.names_ports for say in says)
        key = (direction, numbers, pod.host_network, pod.node is None, pod.ports if named else ())
        found = self._dockets.get(key)
        if found is None:
            found = self._dockets[key] = Docket(direction, self.snapshot, says, pod.ports)
        return found

    def _having_a_say(self, numbers: tuple[int, ...], direction: Direction) -> list[Say]:
        """Return what policies say of those that can decide a half.

        Where a subject is isolated nobody asks the Baseline tier. Where it is not, that a
        NetworkPolicy selects it may matter to that tier.
        """
        isolated, baseline, deciding = False, False, list[int]()
        for number in numbers:
            policy = self.snapshot.policies[number]
            isolated |= (isolates := direction in policy.isolates)
            baseline |= policy.tier is Tier.BASELINE
            if isolates or policy.tier is Tier.ADMIN:
                deciding.append(number)
        says = self._says[direction]
        return [says.get(n) or self._say(n, direction) for n in (numbers if baseline and not isolated else deciding)]

    def _say(self, number: int, direction: Direction) -> Say:
        found = self._says[direction][number] = Say.of(self.snapshot.policies[number], direction, self._universe)
        return found
