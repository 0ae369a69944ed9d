"""Connections tried by hand, one packet each, and explained."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from ringfence.algebra.addresses import Address, render_address
from ringfence.algebra.traffic import Protocol, at
from ringfence.errors import InputError
from ringfence.lab.addresses import UNUSABLE
from ringfence.lab.ends import render_end
from ringfence.lab.probes import Trial, Trials
from ringfence.lab.services import frontends
from ringfence.lab.words import Words, connection_document, document_of
from ringfence.model.cluster import Pod
from ringfence.model.connection import Connection
from ringfence.report.text import render_answer
from ringfence.semantics.answer import Respondent
from ringfence.semantics.question import Question
from ringfence.semantics.scene import Scenes
from ringfence.semantics.sides import Sides

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.algebra.addresses import Family
    from ringfence.lab.cluster import Cluster
    from ringfence.lab.judge import Comparison
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
        trials = tuple(self._trials(cluster))
        if not trials:
            message = f"{self.question.client} and {self.question.server} have no family or port in common"
            raise InputError(message, "see `ringfence lab up` for the addresses that were given out")
        results = cluster.prober.run([trial.probe(cluster.ends) for trial in trials])
        found = [cluster.judge.compare(*each) for each in zip(trials, results, strict=True)]
        respondent = Respondent(cluster.topology.snapshot, self.namespace)
        return Words(
            "".join(_explain(respondent, each, color=color) for each in found),
            document_of("LabProbe", connections=[_document(each) for each in found]),
            good=all(each.kernel is True and each.agrees for each in found),
        )

    def _trials(self, cluster: Cluster) -> Iterator[Trial]:
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
            matching = [
                each
                for each in found
                if self.question.protocol in (None, each.port.protocol)
                and self.question.port in (None, (each.port.port,) * 2, each.port.name)
                and each.endpoints
            ]
            yield from (trials.through(client, frontend) for frontend in matching)
            return
        anything = self.question.protocol is None
        values = sorted(trials.traffic(client, server)) if anything else self._points(server)
        yield from (Trial(Connection(client, server, *at(value), family)) for value in values)

    def _points(self, server: End) -> list[int]:
        traffic = self.question.traffic_to(server if isinstance(server, Pod) else None)
        if traffic.count() > len(traffic.ranges):
            message = "a probe goes to one port"
            raise InputError(message, "give one port, or none for all that are worth trying")
        return [first for first, _ in traffic]


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

    Raises:
        InputError: it means nobody, or many addresses.
    """
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


def _explain(respondent: Respondent, comparison: Comparison, *, color: bool) -> str:
    """Return the verdict with its reasons, and what the kernel did."""
    text = render_answer(respondent.answer(question_of(comparison.connection)), color=color)
    fate = {True: "allowed", False: "denied"}.get(comparison.kernel) if comparison.kernel is not None else None
    return f"{text}  {'kernel':7}  {fate or comparison.result.fate.value:7}  {_seen(comparison)}\n"


def _seen(comparison: Comparison) -> str:
    result = comparison.result
    through = f" through {comparison.through}" if comparison.through else ""
    if result.logged:
        return f"dropped{through}, logged as {result.logged.prefix.strip()!r}"
    if result.arrived is not None:
        return f"arrived at {render_address(result.arrived)}{through}"
    return "answered" if comparison.kernel else "neither arrived nor dropped, twice"


def _document(comparison: Comparison) -> dict[str, Any]:
    return connection_document(comparison.connection) | {
        "through": comparison.through,
        "engine": comparison.engine,
        "program": comparison.program,
        "kernel": comparison.result.fate.value,
    }
