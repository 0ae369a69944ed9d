"""Answers with their reasons: a question is cut up, judged by the definition, and put together.

A question about several pods, addresses, families or ports is cut into cells that no
policy can tell apart, the definition judges one connection of each, and cells that are
decided alike are put together again. So every reason is the
definition's own, and nobody is picked silently.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import EVERY, Address, render_address
from ringfence.algebra.intervals import Intervals, atoms
from ringfence.algebra.traffic import Protocol, at, ports
from ringfence.errors import InputError
from ringfence.model.cluster import Pod
from ringfence.model.connection import Connection
from ringfence.model.policy import Direction
from ringfence.semantics.assumptions import assume_families, rules_of
from ringfence.semantics.cells import Cell, gather, unite_halves
from ringfence.semantics.dialects import KUBERNETES
from ringfence.semantics.entries import Entrances
from ringfence.semantics.judging import Judge
from ringfence.semantics.passage import Passage
from ringfence.semantics.plain import ShortWay
from ringfence.semantics.remark import Remark
from ringfence.semantics.scene import Scenes
from ringfence.semantics.sides import Sides
from ringfence.semantics.spec import verdict
from ringfence.semantics.surroundings import Surroundings
from ringfence.semantics.telling import CLIENT, NODE, SERVER, stand_in, tell, told
from ringfence.semantics.verdict import Assumption, Half, Outcome, Verdict, settle, unite_undefined
from ringfence.semantics.ways import Door, told_hop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.algebra.addresses import Family
    from ringfence.model.connection import End
    from ringfence.model.naming import Directory
    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics.dialects import Dialect
    from ringfence.semantics.engine import Ends
    from ringfence.semantics.entries import Opening
    from ringfence.semantics.question import Question
    from ringfence.semantics.sides import Group, Party, Side
    from ringfence.semantics.sight import Sight
    from ringfence.semantics.verdict import Undefined
    from ringfence.semantics.ways import Hop

MIXED = "mixed"
"""The verdict of an answer whose parts have different ones."""

_ORDER = (Outcome.ALLOWED, Outcome.UNDECIDED, Outcome.DENIED)

_WHOSE = "whether a pod has the address"

_NAMED = 3
"""So many nodes are named; more are counted."""


@dataclass(frozen=True, slots=True)
class Part:
    """Connections that get one verdict for one reason.

    Attributes:
        client: What to call the clients.
        server: What to call the servers.
        clients: Who they are.
        servers: Who they are; a pod against itself is not meant, unless both are that pod alone.
        traffic: On what.
        families: In which families, in order.
        verdict: The definition's, told of these clients and servers.
        hops: The way to a server behind a Service, from the client on; empty for no Service.
        remarks: What else is worth knowing.
        sight: What policies see on that way; None for no Service, and where no packet comes so far.
    """

    client: str
    server: str
    clients: Ends
    servers: Ends
    traffic: Intervals
    families: tuple[Family, ...]
    verdict: Verdict
    hops: tuple[Hop, ...] = ()
    remarks: tuple[Remark, ...] = ()
    sight: Sight | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one question.

    Attributes:
        question: The question, its names in full.
        traffic: What it asks about, port names resolved.
        families: The families in which it was judged, in order.
        parts: Disjoint, at least one, together everything that was asked; allowed ones first.
        directory: Names the ends of parts one by one.
        premises: What is taken for granted of the question itself.
        notes: What is worth knowing beside the question.
    """

    question: Question
    traffic: Intervals
    families: tuple[Family, ...]
    parts: tuple[Part, ...]
    directory: Directory = field(compare=False, repr=False)
    premises: tuple[Assumption, ...] = ()
    notes: tuple[Remark, ...] = ()

    @property
    def verdict(self) -> str:
        """The outcome of all parts, or ``mixed`` when they have several."""
        outcomes = {part.verdict.outcome.value for part in self.parts}
        return outcomes.pop() if len(outcomes) == 1 else MIXED

    @property
    def divided(self) -> bool:
        """Whether its parts must be told one by one: verdicts, ways to a Service or families differ."""
        families = {(part.client, part.server, part.families) for part in self.parts}
        by_family = len(families) > len({(client, server) for client, server, _ in families})
        return self.verdict == MIXED or len({part.hops for part in self.parts}) > 1 or by_family

    @property
    def hops(self) -> tuple[Hop, ...]:
        """The one way of all parts to a Service; empty where they have several."""
        return () if self.divided else self.parts[0].hops

    @property
    def remarks(self) -> tuple[Remark, ...]:
        """What all parts remark, each once."""
        return tuple(dict.fromkeys((*self.notes, *(each for part in self.parts for each in part.remarks))))

    @property
    def egress(self) -> tuple[Half, ...]:
        """What the clients' policies say, each reason once."""
        return unite_halves(part.verdict.egress for part in self.parts)

    @property
    def ingress(self) -> tuple[Half, ...]:
        """What the servers' policies say, each reason once."""
        return unite_halves(part.verdict.ingress for part in self.parts)

    @property
    def assumptions(self) -> tuple[Assumption, ...]:
        """What all parts rest on, each once."""
        return tuple(dict.fromkeys((*self.premises, *(a for part in self.parts for a in part.verdict.assumptions))))

    @property
    def undefined(self) -> tuple[Undefined, ...]:
        """What the API leaves open, each once, sorted."""
        return unite_undefined(each for part in self.parts for each in part.verdict.undefined)


class Respondent:
    """Answers questions about one snapshot, and remembers what it has looked up."""

    def __init__(self, snapshot: Snapshot, namespace: str = "default", dialect: Dialect = KUBERNETES) -> None:
        """Prepare for questions.

        Args:
            snapshot: Whom and what is asked about.
            namespace: The namespace of names that have none.
            dialect: Who decides what the APIs leave open.
        """
        self._snapshot = snapshot
        self._dialect = dialect
        self._scenes = Scenes(snapshot)
        self._sides = Sides(snapshot, namespace, self._scenes)
        self._entrances = Entrances(snapshot, self._sides.places)
        self._passage = Passage(snapshot, self._scenes, self._sides, dialect)
        self._surroundings = Surroundings(snapshot, self._sides.directory)

    @cached_property
    def _judge(self) -> Judge:
        """Judges single connections."""
        return Judge(self._sides.universe, self._dialect)

    def answer(self, question: Question) -> Answer:
        """Answer one question.

        Raises:
            InputError: a name means nobody or several, or there is nothing to judge.
        """
        name = self._sides.read("server", question.server)
        if openings := self._entrances.find(name, question):
            return self._through_service(question, str(name), openings)
        client, server = self._sides.find("client", question.client), self._sides.find("server", question.server)
        clients, servers = self._sides.meet(client, server)
        pairs = _pairs(clients.groups, servers.groups)
        cells, nameless = [], set()
        for i, j, ends in pairs:
            traffic = question.traffic_to(ends[1] if isinstance(ends[1], Pod) else None)
            if not traffic:
                nameless.add(j)
                continue
            for family in _common(question, clients.groups[i], servers.groups[j]):
                homeless = self._sides.may_be(clients.groups[i]), self._sides.may_be(servers.groups[j])
                for some, judged in self._judged(ends, family, traffic, homeless):
                    cells.append(Cell(frozenset({i}), frozenset({j}), frozenset({family}), some, judged))
        if not cells:
            raise self._nothing(question, client, server, nameless=bool(nameless))
        everybody = frozenset(i for i, _, _ in pairs), frozenset(j for _, j, _ in pairs)
        parts = self._parts(cells, (clients, servers), everybody)
        traffic = Intervals.union(part.traffic for part in parts)
        return Answer(
            question=replace(question, client=client.name, server=server.name),
            traffic=traffic,
            families=tuple(sorted({family for part in parts for family in part.families})),
            parts=parts,
            directory=self._sides.directory,
            premises=tuple(dict.fromkeys(self._premises(question, client, server, servers.members(nameless)))),
            notes=tuple(self._notes(client, server, traffic, _single(server.addresses))),
        )

    @cached_property
    def short_way(self) -> ShortWay:
        """Answers plain questions, with what :meth:`answer` says of them."""
        return ShortWay(self._snapshot, self._sides, self._surroundings, self._judge)

    def _through_service(self, question: Question, name: str, openings: tuple[Opening, ...]) -> Answer:
        """Answer a question whose server is a Service, or a door of one."""
        client = self._sides.find("client", question.client)
        cells, clients, servers = self._passage.cells(client, name, openings)
        if not cells:
            raise self._nothing(question, client, servers.party, nameless=False)
        everybody = frozenset(i for c in cells for i in c.clients), frozenset(j for c in cells for j in c.servers)
        parts = self._parts(cells, (clients, servers), everybody)
        traffic = Intervals.union(part.traffic for part in parts)
        asked = next((each.entry.address for each in openings if each.entry.door is Door.CACHE), None)
        return Answer(
            question=replace(question, client=client.name, server=name),
            traffic=traffic,
            families=tuple(sorted({family for part in parts for family in part.families})),
            parts=parts,
            directory=self._sides.directory,
            premises=tuple(self._sides.premises_of(client)),
            notes=(*self._notes(client, servers.party, traffic, asked), *self._ways_in(client, openings)),
        )

    def _parts(
        self, cells: list[Cell], sides: tuple[Side, Side], everybody: tuple[frozenset[int], frozenset[int]]
    ) -> tuple[Part, ...]:
        """Put cells together that are decided alike, allowed ones first."""
        together = sorted(gather(cells), key=lambda cell: _ORDER.index(cell.verdict.outcome))
        return tuple(self._part(cell, sides, everybody) for cell in together)

    def _notes(self, client: Party, server: Party, traffic: Intervals, asked: Address | None) -> Iterator[Remark]:
        """Yield what is worth knowing of a question itself."""
        if client.name.startswith("svc:"):
            yield Remark("service-client", f"{client.name} as a client is the pods behind it")
        yield from self._surroundings.cache(client, (pod for pod, _ in server.pods), asked, traffic)

    def _ways_in(self, client: Party, openings: tuple[Opening, ...]) -> Iterator[Remark]:
        """Yield what else leads to a Service from where its clients are, if that is outside."""
        if client.addresses:
            yield from self._surroundings.ways_in((each.entry.service, each.entry.port) for each in openings)

    def _judged(
        self, ends: tuple[End, End], family: Family, traffic: Intervals, homeless: tuple[tuple[Pod, ...], ...]
    ) -> Iterator[tuple[Intervals, Verdict]]:
        """Yield disjoint traffic, each with the definition's verdict, told of stand-ins.

        Where pods may have the address at an end, theirs too may be right.
        """
        client, server = map(self._judge.standing, ends)
        sets = [ports(Protocol.ICMP)]
        if traffic.count() > 1:
            pods = [end if isinstance(end, Pod) else None for end in (ends[1], *homeless[1])]
            policies = self._scenes.around((*ends, *homeless[0], *homeless[1])).policies
            sets += {rule.traffic_to(pod) for rule in rules_of(policies) for pod in pods}
        for first, last in atoms(traffic, sets):
            found = Verdict(*self._judge.halves(client, server, family, first))
            others = list(self._as_pods(ends, family, first, homeless))
            if others:
                found = _settled([found, *others])
            yield Intervals(((first, last),)), found

    def _as_pods(
        self, ends: tuple[End, End], family: Family, traffic: int, homeless: tuple[tuple[Pod, ...], ...]
    ) -> Iterator[Verdict]:
        """Yield the definition's verdicts on pods that may have the addresses at either end."""
        options = [[end, *pods] for end, pods in zip(ends, homeless, strict=True)]
        for pair in list(product(*options))[1:]:
            if pair[0] == pair[1]:
                continue  # what a pod meets there is itself
            met: list[End] = []
            for each, end, name in zip(pair, ends, (CLIENT, SERVER), strict=True):
                if isinstance(each, Pod) and not isinstance(end, Pod):
                    met.append(replace(each, addresses={family: end}))
                else:
                    met.append(stand_in(each, name))
            names = {str(end): end.name for end in met if isinstance(end, Pod) and end.name in {CLIENT, SERVER}}
            asked = Connection(met[0], met[1], *at(traffic), family)
            yield told(verdict(self._scenes.around(pair), asked, self._dialect), names)

    def _part(self, cell: Cell, sides: tuple[Side, Side], everybody: tuple[frozenset[int], frozenset[int]]) -> Part:
        """Tell a cell's verdict of everybody that it is about."""
        members = sides[0].members(cell.clients), sides[1].members(cell.servers)
        client, who = self._names(sides[0].party, members[0], whole=cell.clients == everybody[0])
        whole = cell.servers in (everybody[1], frozenset())
        server, whom = self._names(sides[1].party, members[1], whole=whole)
        outside = members[1].addresses
        shown = _spoken(outside) if cell.hops or (outside.count() == 1 and not whom) else ""
        there = ", ".join(filter(None, (whom, shown)))
        names = {CLIENT: who or client, SERVER: there or server, NODE: self._nodes(cell.nodes)}
        return Part(
            client,
            server,
            *members,
            cell.traffic,
            tuple(sorted(cell.families)),
            told(cell.verdict, names),
            tuple(told_hop(hop, names) for hop in cell.hops),
            tuple(replace(each, text=tell(each.text, names)) for each in cell.remarks),
            cell.sight,
        )

    def _nodes(self, names: frozenset[str]) -> str:
        """Return how hops call some nodes; nothing is said of none."""
        if not names:
            return ""
        if len(names) > 1:
            return f"nodes {', '.join(sorted(names))}" if len(names) <= _NAMED else f"{len(names)} nodes"
        (name,) = names
        node = self._snapshot.nodes.get(name)
        return f"node {name} ({', '.join(map(render_address, node.addresses))})" if node else f"node {name}"

    def _names(self, party: Party, members: Ends, *, whole: bool) -> tuple[str, str]:
        """Return how to call members of a party, and how a reason speaks of those that are pods."""
        if whole and not party.by_address:
            return party.name, party.name
        return party.name if whole else self._sides.label(members), self._sides.spoken(members.pods)

    def _premises(self, question: Question, client: Party, server: Party, nameless: Ends) -> Iterator[Assumption]:
        """Yield what is taken for granted of a question itself."""
        yield from self._left_out(question, nameless)
        yield from self._families(question, client, server)
        yield from self._sides.premises_of(client, tried=True)
        yield from self._sides.premises_of(server, tried=True)

    def _left_out(self, question: Question, servers: Ends) -> tuple[Assumption, ...]:
        """Say which servers have no port of the name that was asked."""
        label = self._sides.label(servers)
        return (Assumption("port-name", f"{label}: no {_port(question)}, so left out"),) if label else ()

    def _families(self, question: Question, client: Party, server: Party) -> tuple[Assumption, ...]:
        """Say which family was taken, unless the question or an address in it says it."""
        if question.family or client.by_address or server.by_address:
            return ()
        at_client, at_server = (self._scenes.around(pod for pod, _ in party.pods) for party in (client, server))
        egress = rules_of(at_client.policies, Direction.EGRESS)
        return assume_families(self._snapshot, (*egress, *rules_of(at_server.policies, Direction.INGRESS)))

    def _nothing(self, question: Question, client: Party, server: Party, *, nameless: bool) -> InputError:
        """Say why there is nothing to judge."""
        if nameless:
            return InputError(f"server: {server.name} has no {_port(question)}", "give the port's number")
        family = f"IPv{question.family.value} address" if question.family else "address family"
        message = f"{client.name} and {server.name} have no {family} in common"
        if all(self._snapshot.addresses_of(pod) for party in (client, server) for pod, _ in party.pods):
            return InputError(message)
        meant = client.addresses | server.addresses
        asked = {f for f, every in EVERY.items() if f is question.family or meant & every}
        for missing in sorted(asked - {*self._snapshot.families}):
            name = f"IPv{missing.value}"
            return InputError(message, f"no {name} is seen in the input; give --pod-cidr with an {name} range")
        return InputError(message)


def _pairs(clients: tuple[Group, ...], servers: tuple[Group, ...]) -> list[tuple[int, int, tuple[End, End]]]:
    """Return the numbers of every two groups and who stands for them.

    A pod against itself is left out, unless nothing else was asked.
    """
    found = []
    for i, one in enumerate(clients):
        for j, other in enumerate(servers):
            ends = [(a, b) for a in one.spokesmen for b in other.spokesmen if not (isinstance(a, Pod) and a == b)]
            found += [(i, j, ends[0])] if ends else []
    return found or [(0, 0, (clients[0].spokesmen[0], servers[0].spokesmen[0]))]


def _settled(verdicts: list[Verdict]) -> Verdict:
    """Return one verdict for several of which each may be right."""
    return Verdict(*(settle(halves, _WHOSE) for halves in zip(*(each.halves for each in verdicts), strict=True)))


def _single(addresses: Intervals) -> Address | None:
    return Address(addresses.ranges[0][0]) if addresses.count() == 1 else None


def _spoken(addresses: Intervals) -> str:
    """Return how a reason calls some addresses, which is always short; empty for none."""
    if addresses.count() > _NAMED:
        return f"{addresses.count()} addresses"
    return ", ".join(render_address(Address(each)) for first, last in addresses for each in range(first, last + 1))


def _common(question: Question, one: Group, other: Group) -> list[Family]:
    return [f for f in one.families if f in other.families and question.family in (None, f)]


def _port(question: Question) -> str:
    protocol = question.protocol.value if question.protocol else ""
    return f"{protocol} port named {question.port}"
