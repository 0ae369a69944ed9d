"""Connections tried by hand, one packet each, and explained."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import Address, render_address
from ringfence.algebra.traffic import Protocol, at
from ringfence.errors import InputError
from ringfence.lab.addresses import UNUSABLE
from ringfence.lab.documents import LabProbe, Probed, answers, plain
from ringfence.lab.ends import render_end
from ringfence.lab.judge import render_connection
from ringfence.lab.probes import Trial, Trials
from ringfence.lab.services import frontends
from ringfence.lab.words import Words
from ringfence.model.cluster import Pod
from ringfence.model.connection import Connection
from ringfence.model.naming import ServiceName
from ringfence.report.json_parts import API_VERSION
from ringfence.report.text import render_answer
from ringfence.semantics.answer import Respondent
from ringfence.semantics.dialects import RINGFENCE
from ringfence.semantics.question import Question
from ringfence.semantics.scene import Scenes
from ringfence.semantics.sides import Sides
from ringfence.semantics.spec import verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.algebra.addresses import Family
    from ringfence.lab.cluster import Cluster
    from ringfence.lab.judge import Comparison
    from ringfence.lab.services import Frontend
    from ringfence.model.connection import End


@dataclass(frozen=True, slots=True)
class Attempt:
    """What somebody wants to see tried.

    Attributes:
        question: Client, server, and the port; without a port everything that would be tried.
        namespace: The namespace of names that have none.
    """

    question: Question
    namespace: str

    def carry_out(self, cluster: Cluster, *, color: bool = False) -> Words:
        """Send the packets and say what happened and why.

        Raises:
            InputError: a name means nobody, or there is nothing to send.
        """
        trials = tuple(self.trials(cluster))
        if not trials:
            message = f"{self.question.client} and {self.question.server} have no port or family in common"
            raise InputError(message, "see `ringfence lab exec POD -- ip address` for the addresses given out")
        results = cluster.prober.run([trial.probe(cluster.ends) for trial in trials])
        found = [cluster.judge.compare(*each) for each in zip(trials, results, strict=True)]
        connections = [_document(cluster, each) for each in found]
        return Words(
            "".join(self._explain(cluster, found, color=color)),
            plain(LabProbe(api_version=API_VERSION, kind="LabProbe", connections=connections)),
            good=all(each.kernel is True and each.agrees for each in found),
        )

    def _explain(self, cluster: Cluster, found: list[Comparison], *, color: bool) -> Iterator[str]:
        """Yield what the policies say, and below it what the kernel did with each packet.

        Policies never see a Service: where one was asked for, they are asked about the server
        that the kernel chose.
        """
        respondent = Respondent(cluster.topology.snapshot, self.namespace, RINGFENCE)

        @cache
        def answer(question: Question) -> str:
            return render_answer(respondent.answer(question), color=color)

        asked: dict[str, list[Comparison]] = defaultdict(list)
        for each in found:
            question = question_of(each.connection) if each.through else self.question
            asked[_explain_itself(cluster, each.connection) or answer(question)].append(each)
        for text, answered in asked.items():
            yield text
            for each in answered:
                differs = "" if each.agrees else "; that is not what the policies say"
                yield f"  {'kernel':7}  {each.word:7}  {_seen(cluster, each)}{differs}\n"

    def trials(self, cluster: Cluster) -> Iterator[Trial]:
        """Yield the connections that are meant, by client and server.

        Raises:
            InputError: a name means nobody, or has no such port.
        """
        sides = Sides(cluster.topology.snapshot, self.namespace, Scenes(cluster.topology.snapshot))
        clients = _members(cluster, sides, "client", self.question.client)
        servers = _members(cluster, sides, "server", self.question.server)
        for client, server in product(clients, servers):
            for family in cluster.families_of(client):
                if family in cluster.families_of(server) and self.question.family in (None, family):
                    yield from self._between(cluster, client, server, family)

    def _between(self, cluster: Cluster, client: End, server: End, family: Family) -> Iterator[Trial]:
        trials = Trials(cluster.engine, cluster.ends)
        found = [each for each in frontends(cluster.topology.snapshot) if each.address == server]
        if found:
            if cluster.ends.place(client).node is None:
                message = f"nobody outside has a route to the Service {found[0].service}"
                raise InputError(message, "probe it from a pod or a node, or probe its pods")
            yield from (trials.through(client, frontend) for frontend in self._ports_of_service(found))
            return
        _refuse_node_port(cluster, server, self.question)
        anything = self.question.protocol is None
        values = sorted(trials.traffic(client, server)) if anything else self._points(server)
        yield from (Trial(Connection(client, server, *at(value), family)) for value in values)

    def _ports_of_service(self, found: list[Frontend]) -> Iterator[Frontend]:
        """Yield the ports of one Service that are meant.

        Raises:
            InputError: it has none of them, or nobody behind it.
        """
        protocol, port = self.question.protocol, self.question.port
        meant = [
            each
            for each in found
            if protocol in (None, each.port.protocol) and port in (None, (each.port.port,) * 2, each.port.name)
        ]
        if not meant:
            has = ", ".join(f"{each.port.port}/{each.port.protocol.value}" for each in found)
            message = f"the Service {found[0].service} has no such port"
            raise InputError(message, f"it has {has}")
        if not any(each.endpoints for each in meant):
            message = f"the Service {found[0].service} leads to no pod on that port"
            raise InputError(message, "compare its selector and target port with the pods")
        return (each for each in meant if each.endpoints)

    def _points(self, server: End) -> list[int]:
        traffic = self.question.traffic_to(server if isinstance(server, Pod) else None)
        if traffic.count() > len(traffic.ranges):
            message = "a probe goes to one port"
            raise InputError(message, "give one port, or none for all that are worth trying")
        return [first for first, _ in traffic]


def _refuse_node_port(cluster: Cluster, server: End, question: Question) -> None:
    """Refuse a NodePort: the node that takes it may speak in its own name to a pod on another node.

    Raises:
        InputError: the question is about one.
    """
    if isinstance(server, Pod) or cluster.topology.snapshot.node_at(server) is None:
        return
    for service in cluster.topology.snapshot.services:
        for port in service.ports:
            if question.port == (port.node_port,) * 2 and question.protocol is port.protocol:
                message = f"{render_address(server)} port {port.node_port} is the NodePort of {service}"
                raise InputError(message, "probe the Service's own address, or its pods")


def question_of(connection: Connection) -> Question:
    """Return the question whose only answer is about one connection."""
    return Question.of(
        render_end(connection.client),
        render_end(connection.server),
        port=None if connection.protocol is Protocol.ICMP else connection.port,
        protocol=connection.protocol.value,
        family=connection.family.value,
    )


def _members(cluster: Cluster, sides: Sides, role: str, text: str) -> list[End]:
    """Return whom a name means; an address that nobody has becomes one of the outside.

    A Service that has addresses stands for them: packets take the way through it.

    Raises:
        InputError: it means nobody, or many addresses.
    """
    name = sides.read(role, text)
    if role == "server" and isinstance(name, ServiceName):
        services = cluster.topology.snapshot.services
        if addresses := [a for each in services if f"svc:{each}" == str(name) for a in each.addresses.values()]:
            return [*addresses]
    party = sides.find(role, text)
    if party.addresses.count() > 1:
        message = f"{role}: a probe needs one address, {text} is many"
        raise InputError(message, "give one of them")
    ends: list[End] = [pod for pod, _ in party.pods]
    for first, _ in party.addresses:
        address = Address(first)
        service = [each for each in cluster.topology.snapshot.services if address in each.addresses.values()]
        if address in UNUSABLE or (service and role == "client"):
            message = f"{role}: nobody in a lab can have the address {render_address(address)}"
            raise InputError(message, "give that of a pod, a node or somebody outside")
        if not service:
            cluster.admit(address)
        ends.append(address)
    return ends


def _explain_itself(cluster: Cluster, connection: Connection) -> str:
    """Say what policies have to say of a pod that meets itself through a Service; else nothing."""
    if connection.via is None or connection.client != connection.server:
        return ""
    told = verdict(cluster.topology.snapshot, connection, RINGFENCE)
    lines = [f"{told.outcome.value}  {connection.client} -> itself through {connection.via}"]
    lines += [f"  {half.direction.value.lower():7}  {half.outcome.value:7}  {half.reason}" for half in told.halves]
    return "".join(f"{line}\n" for line in lines)


def _seen(cluster: Cluster, comparison: Comparison) -> str:
    """Return which packet it was and what became of it."""
    result = comparison.result
    packet = f"{render_connection(comparison)}: "
    if result.logged:
        return f"{packet}dropped at {cluster.drops.node_of(result.logged)}"
    if result.arrived is not None:
        return f"{packet}arrived at {render_address(result.arrived)}"
    return f"{packet}answered" if comparison.kernel else f"{packet}neither arrived nor dropped, twice"


def _document(cluster: Cluster, comparison: Comparison) -> Probed:
    logged = comparison.result.logged
    node = cluster.drops.node_of(logged) if logged else ""
    return Probed(**answers(comparison), agrees=comparison.agrees, node=node)
