"""Answers about Services: every way is judged where policies meet it, each side by what it sees.

A connection through a Service may be two: client and server need not see each other. So the
definition is asked twice, and each time only one half counts: egress for what the client's
policies see as the server, ingress for what the server's policies see as the client. The two
halves together are the verdict on the way. Where both see each other, the two questions are
one, and the verdict is the definition's own.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import EVERY, Address
from ringfence.algebra.intervals import Intervals, atoms
from ringfence.algebra.traffic import point
from ringfence.model.cluster import Pod
from ringfence.model.connection import Connection, Dialed
from ringfence.model.policy import Direction
from ringfence.semantics.cells import Cell
from ringfence.semantics.endpoints import key_of, slices_of
from ringfence.semantics.engine import Ends
from ringfence.semantics.places import members
from ringfence.semantics.remark import Remark
from ringfence.semantics.sides import Group, Party, Side
from ringfence.semantics.sight import Sight
from ringfence.semantics.spec import verdict
from ringfence.semantics.telling import CLIENT, SERVER, stand_in, told
from ringfence.semantics.verdict import Assumption, Half, Outcome, Verdict, settle, undecide
from ringfence.semantics.ways import A_NODE, Door, Happening, Hop, Way, Ways

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator

    from ringfence.algebra.addresses import Family
    from ringfence.model.connection import End
    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics.dialects import Dialect
    from ringfence.semantics.endpoints import Endpoint
    from ringfence.semantics.entries import Opening
    from ringfence.semantics.scene import Scenes
    from ringfence.semantics.sides import Sides


@dataclass(frozen=True)
class Passage:
    """Judges the ways through Services of one snapshot."""

    snapshot: Snapshot
    scenes: Scenes
    sides: Sides
    dialect: Dialect

    def cells(self, client: Party, name: str, openings: tuple[Opening, ...]) -> tuple[list[Cell], Side, Side]:
        """Return the verdict of every way, with both sides of the question.

        Args:
            client: Who asks for the Service.
            name: What the question calls the Service.
            openings: The doors that are meant, with those behind each.
        """
        clients, servers = self._meet(client, self._party(name, openings), openings)
        found: list[Cell] = []
        for opening in openings:
            for i, group in enumerate(clients.groups):
                if opening.entry.family in group.families:
                    found += self._through(opening, (i, group), self._behind(opening, servers))
        return found + list(self._shut_out(found, openings, clients)), clients, servers

    @staticmethod
    def _party(name: str, openings: tuple[Opening, ...]) -> Party:
        pods, addresses = members((e.end, opening.entry.family) for opening in openings for e in opening.endpoints)
        return Party(name, pods, addresses, by_address=True)

    def _meet(self, client: Party, server: Party, openings: tuple[Opening, ...]) -> tuple[Side, Side]:
        """Group both sides as far as policies, doors and the places of ends tell their members apart."""
        clients, servers = self.sides.meet(client, server)
        placed = any(o.entry.door is not Door.CLUSTER or o.entry.service.local_from_inside for o in openings)
        ranges = [opening.entry.service.source_ranges for opening in openings]
        behind: dict[str | Address, list[Hashable]] = defaultdict(list)
        for number, opening in enumerate(openings):
            for endpoint in opening.endpoints:
                behind[key_of(endpoint.end)].append((number, endpoint.port, endpoint.node if placed else None))

        def place(end: End) -> Hashable:
            own = self.snapshot.addresses_of(end).values() if isinstance(end, Pod) else [end]
            inside = tuple(address in block for block in ranges for address in own)
            return inside, (end.node if isinstance(end, Pod) else self.snapshot.node_at(end)) if placed else None

        cuts = [*ranges, *(Intervals.point(a) for n in self.snapshot.nodes.values() for a in n.speaks_from if placed)]
        told_apart = [each for group in clients.groups for each in _split(group, place, cuts)]
        cuts = [Intervals.point(end) for end in behind if not isinstance(end, str)]
        served = [each for group in servers.groups for each in _split(group, lambda e: tuple(behind[key_of(e)]), cuts)]
        return Side(client, tuple(told_apart)), Side(server, tuple(served))

    @staticmethod
    def _behind(opening: Opening, servers: Side) -> list[tuple[int, Group, Endpoint | None]]:
        """Return the groups behind a door, each with what it is to the door; one for nobody of the cluster."""
        if not opening.endpoints:
            return [(-1, Group(Ends(), (), None), None)]
        by_end = {key_of(endpoint.end): endpoint for endpoint in opening.endpoints}
        found: list[tuple[int, Group, Endpoint | None]] = []
        for j, group in enumerate(servers.groups):
            if (endpoint := by_end.get(key_of(group.spokesmen[0]))) is not None:
                found.append((j, group, endpoint))
        return found

    def _through(
        self, opening: Opening, client: tuple[int, Group], behind: list[tuple[int, Group, Endpoint | None]]
    ) -> Iterator[Cell]:
        """Yield a cell for every way of a group of clients through a door."""
        entry, (i, group), ways = opening.entry, client, Ways(self.snapshot)
        asked = Intervals.point(point(entry.protocol, opening.asked))
        for j, served, endpoint in behind:
            for one, other in _pairs(group, served):
                there = replace(endpoint, end=other) if endpoint and other is not None else None
                for way in ways.to(entry, one, there):
                    judged, remarks = self._judged(opening, one, way)
                    yield Cell(
                        clients=frozenset({i}),
                        servers=frozenset({j} if j >= 0 else ()),
                        families=frozenset({entry.family}),
                        traffic=asked,
                        verdict=judged,
                        nodes=way.nodes,
                        hops=way.hops,
                        remarks=remarks,
                        sight=Sight.of(way, entry.protocol, one),
                    )

    def _judged(self, opening: Opening, client: End, way: Way) -> tuple[Verdict, tuple[Remark, ...]]:
        """Judge each side of a way by what it sees there, told of stand-ins, and say what else is worth knowing."""
        judged = self._at_ports(opening, client, way, way.peer_port, way.port)
        assumptions = judged.ingress.assumptions
        if way.source != client:  # the way itself says on which node it is not
            assumptions = tuple(each for each in assumptions if each.topic != "pod-node")
        judged = Verdict(judged.egress, replace(judged.ingress, assumptions=(*assumptions, *way.assumptions)))
        return judged, tuple(self._remarks(opening, client, way, judged))

    def _at_ports(self, opening: Opening, client: End, way: Way, peer_port: int, port: int) -> Verdict:
        """Judge both sides of a way at these ports, each by the connection that its policies see.

        Each side is judged by a connection of its own, and only its own half of it counts.
        """
        entry = opening.entry
        scene = self.scenes.around([client, *([] if way.server is None else [way.server])])
        translated = entry.door is not Door.HEADLESS
        via = str(entry.service) if translated and client == way.server else None
        dialed = None
        if way.server is not None and way.peer != entry.address and entry.address is not None and entry.number:
            dialed = Dialed(entry.address, entry.number, entry.service)

        def half(direction: Direction, one: End | None, other: End | None, number: int) -> Half:
            found = []
            for first in _possible(scene, one, entry.family):
                for second in _possible(scene, other, entry.family):
                    ends = (_renamed(first, client, way.server), _renamed(second, client, way.server))
                    asked = Connection(*ends, entry.protocol, number, entry.family, via, dialed)
                    judged = verdict(scene, asked, replace(self.dialect, strict=False))
                    own = judged.egress if direction is Direction.EGRESS else judged.ingress
                    if any(str(end) == str(A_NODE) for end in ends):
                        own = _of_a_node(own)
                    found.append(undecide(own) if self.dialect.strict and own.undefined else own)
            return settle(found, "an address that is not known")

        egress = half(Direction.EGRESS, client, way.peer, peer_port)
        if way.barred:
            ingress = Half(Direction.INGRESS, Outcome.DENIED, None, way.barred, (entry.service.origin,))
        else:
            ingress = half(Direction.INGRESS, way.source, way.server, port)
        pods = [_renamed(end, client, way.server) for end in (client, way.server) if isinstance(end, Pod)]
        names = {str(pod): pod.name for pod in pods if isinstance(pod, Pod)}
        return told(Verdict(egress, ingress), names | {str(A_NODE): "a node"})

    def _remarks(self, opening: Opening, client: End, way: Way, judged: Verdict) -> Iterator[Remark]:
        """Yield what rules say of the Service itself, which policies never see."""
        if opening.entry.port is not None and not way.barred:
            yield from self._at_its_port(opening, client, way, judged)

    def _at_its_port(self, opening: Opening, client: End, way: Way, judged: Verdict) -> Iterator[Remark]:
        """Yield that a rule names the port of the Service, where policies are judged on that of the pod."""
        entry, number = opening.entry, opening.entry.number
        if number is None or number in {way.peer_port, way.port}:
            return
        as_written = self._at_ports(opening, client, way, number, number)
        for half, other in zip(judged.halves, as_written.halves, strict=True):
            if half.outcome is Outcome.DENIED and other.outcome is Outcome.ALLOWED and other.origins:
                port, own = f"{entry.protocol.value} {number}", f"{entry.protocol.value} {way.port}"
                text = f"{other.reason} on {port}, the port of the Service; policies are judged on the pod's own, {own}"
                yield Remark("service-port", text, other.origins)

    def _shut_out(self, found: list[Cell], openings: tuple[Opening, ...], clients: Side) -> Iterator[Cell]:
        """Yield a cell for clients from which no way leads through any door that was asked about."""
        reached = {(i, f, asked) for c in found for i in c.clients for f in c.families for asked in c.traffic}
        doors: dict[tuple[Family, int], Opening] = {}
        for opening in openings:
            doors.setdefault((opening.entry.family, point(opening.entry.protocol, opening.asked)), opening)
        for (family, asked), opening in doors.items():
            for i, group in enumerate(clients.groups):
                if family in group.families and (i, family, (asked, asked)) not in reached:
                    yield self._nowhere(opening, i, group.spokesmen[0], asked)

    def _nowhere(self, opening: Opening, number: int, client: End, asked: int) -> Cell:
        """Return the cell of clients whose packets end without having met a policy."""
        entry = opening.entry
        if not opening.endpoints:
            text = f"nobody is behind {entry.service} on that port"
        elif entry.node is not None:
            text = f"no endpoint of {entry.service} is on node {entry.node}, and externalTrafficPolicy is Local"
        elif Ways(self.snapshot).is_inside(client):
            text = f"no endpoint of {entry.service} is on the node of {CLIENT}, and internalTrafficPolicy is Local"
        else:
            text = f"no way leads to {entry.service} from outside: it has no address there"
        reason = f"{CLIENT} sends nothing that policies are asked about"
        origins = (entry.service.origin,)
        assumptions: tuple[Assumption, ...] = ()
        if entry.service.selector is None and not slices_of(self.snapshot, entry.service):
            unsaid = f"nobody is taken to be behind {entry.service}, which has no selector and no EndpointSlices here"
            assumptions = (Assumption("endpoints", unsaid, origins),)
        elif opening.endpoints and entry.node is not None and isinstance(client, Pod) and not client.host_network:
            unsaid = (
                f"node {entry.node} is taken to count {CLIENT} among clients from outside; kube-proxy counts it among "
                "the node's own pods where its address gets there and detect-local-mode is ClusterCIDR"
            )
            assumptions = (Assumption("node-port", unsaid, origins),)
        halves = (
            Half(Direction.EGRESS, Outcome.ALLOWED, None, reason),
            Half(Direction.INGRESS, Outcome.DENIED, None, text, origins, assumptions=assumptions),
        )
        hop = Hop(entry.name, entry.protocol, entry.number, Happening.FILTERED, text)
        sets = (frozenset({number}), frozenset[int](), frozenset({entry.family}))
        return Cell(*sets, Intervals.point(asked), Verdict(*halves), hops=(hop,))


def _possible(scene: Snapshot, end: End | None, family: Family) -> list[End]:
    """Return an end, or one address of each that policies can tell apart when it is not known."""
    if end is not None:
        return [end]
    return [Address(first) for first, _ in atoms(EVERY[family], scene.blocks)]


def _renamed(end: End, client: End, server: End | None) -> End:
    """Return a pod at an end of a way under the name of its stand-in."""
    if end == client:
        return stand_in(end, CLIENT)
    return stand_in(end, SERVER) if end == server else end


def _of_a_node(half: Half) -> Half:
    """Return a half about the stand-in of a node, which is no pod of whom the API leaves something open."""
    return replace(half, undefined=tuple(point for point in half.undefined if point.topic != "host-network"))


def _pairs(client: Group, served: Group) -> Iterator[tuple[End, End | None]]:
    """Yield who stands for two groups: a pair of two, and a pod with itself where it is in both."""
    if not (served.members.pods or served.members.addresses):
        yield client.spokesmen[0], None
        return
    pairs = [(one, other) for one in client.spokesmen for other in served.spokesmen]
    others = [(one, other) for one, other in pairs if not (isinstance(one, Pod) and one == other)]
    yield from others[:1]
    both = {*map(str, client.members.pods)} & {*map(str, served.members.pods)}
    yield from ((pod, pod) for pod in client.members.pods[:1] if str(pod) in both)


def _split(group: Group, mark: Callable[[End], Hashable], cuts: Iterable[Intervals]) -> Iterator[Group]:
    """Yield the parts of a group whose members have one mark; addresses are cut first."""
    pods: dict[Hashable, list[Pod]] = defaultdict(list)
    for pod in group.members.pods:
        pods[mark(pod)].append(pod)
    for key, some in pods.items():
        yield Group(Ends(tuple(some)), group.families, (group.likeness, key))
    addresses: dict[Hashable, list[Intervals]] = defaultdict(list)
    for run in group.members.addresses:
        for part in atoms(Intervals((run,)), cuts):
            addresses[mark(Address(part[0]))].append(Intervals((part,)))
    for key, parts in addresses.items():
        yield Group(Ends((), Intervals.union(parts)), group.families, (group.likeness, key))
