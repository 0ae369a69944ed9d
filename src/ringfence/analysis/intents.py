"""Intents: what policies are meant to achieve, held against what they do."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import EVERY
from ringfence.algebra.intervals import EMPTY, Intervals
from ringfence.algebra.traffic import ALL
from ringfence.analysis.whom import CLIENT, SERVER
from ringfence.errors import InputError, ManifestError
from ringfence.model.policy import Direction
from ringfence.semantics.ends import Ends
from ringfence.semantics.summary import Meant

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ringfence.algebra.addresses import Family
    from ringfence.analysis.whom import Names, Whom
    from ringfence.model.cluster import Pod
    from ringfence.model.origin import Origin
    from ringfence.semantics.question import Question


class Aim(Enum):
    """What an intent says of its ends."""

    ALLOW = "allow"
    """Every client reaches every server on all of the traffic."""

    DENY = "deny"
    """No client reaches any server on any of the traffic."""

    ONLY = "only"
    """Nobody else is at the other end. Pairs of which one end is on the network of the other's node are left out: no
    policy of the NetworkPolicy tier keeps them apart."""

    ISOLATED = "isolated"
    """No pod or address of one group reaches one of another, on any traffic."""


@dataclass(frozen=True, slots=True)
class Term:
    """A name or a port in an intent.

    Attributes:
        text: As written.
        origin: Where.
    """

    text: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class Intent:
    """One intent.

    Attributes:
        aim: What it says.
        origin: Where it is written.
        groups: Names; of ``isolated`` two groups or more, of others those that the aim itself names.
        others: Names of the other side; empty for ``isolated``.
        towards: Of ``only`` and others: INGRESS where ``others`` are the servers.
        ports: What of the traffic is meant, as questions without ends; all of it when empty.
        name: What its author calls it; may be empty.
    """

    aim: Aim
    origin: Origin
    groups: tuple[tuple[Term, ...], ...]
    others: tuple[Term, ...] = ()
    towards: Direction = Direction.INGRESS
    ports: tuple[tuple[Term, Question], ...] = ()
    name: str = ""

    def __str__(self) -> str:
        """Return what it says: ``only shop/api to shop/db 5432``."""
        groups = [_joined(group) for group in self.groups]
        if self.aim is Aim.ISOLATED:
            return f"isolated {'; '.join(groups)}"
        word = "to" if self.towards is Direction.INGRESS else "from"
        ports = "".join(f" {term.text}" for term, _ in self.ports)
        return f"{self.aim.value} {groups[0]} {word} {_joined(self.others)}{ports}"


@dataclass(frozen=True, slots=True)
class Aimed:
    """An intent whose names are known.

    Attributes:
        intent: The intent.
        clients: Who opens connections; of ``only`` those who must not. Empty for ``isolated``.
        servers: Who takes them, and on what.
        groups: The groups of ``isolated``.
    """

    intent: Intent
    clients: tuple[Meant, ...] = ()
    servers: tuple[Meant, ...] = ()
    groups: tuple[tuple[Meant, ...], ...] = ()


def aim(intents: Iterable[Intent], names: Names) -> tuple[tuple[Aimed, ...], tuple[ManifestError, ...]]:
    """Find whom intents mean.

    Returns:
        The intents of which everything is known, and what is wrong with the others, in order.
    """
    found, errors = [], []
    for intent in intents:
        try:
            found.append(_aimed(intent, names))
        except ManifestError as error:
            errors.append(error)
    return tuple(found), tuple(errors)


def _aimed(intent: Intent, names: Names) -> Aimed:
    """Find whom an intent means.

    Raises:
        ManifestError: a name means nobody or several, or a port is none of the servers'.
    """
    if intent.aim is Aim.ISOLATED:
        groups = tuple(_united(_found(names, CLIENT, group)) for group in intent.groups)
        _refuse_overlap(intent, groups)
        return Aimed(intent, groups=groups)
    aimed_role, other_role = (CLIENT, SERVER) if intent.towards is Direction.INGRESS else (SERVER, CLIENT)
    chosen = _united(_found(names, aimed_role, intent.groups[0]))
    others = _united(_found(names, other_role, intent.others))
    if intent.aim is Aim.ONLY:
        chosen = _all_but(chosen, names)
    clients, servers = (chosen, others) if aimed_role == CLIENT else (others, chosen)
    if not {each.family for each in clients} & {each.family for each in servers}:
        message = "the sides have no address family in common"
        raise ManifestError(message, intent.origin)
    if not any(each.ends.pods for each in (*clients, *servers)):
        message = "neither side has pods, so no policy decides"
        raise ManifestError(message, intent.origin, "name a pod on one side")
    return Aimed(intent, clients, _on_ports(intent, servers))


def _found(names: Names, role: str, terms: tuple[Term, ...]) -> list[Whom]:
    found = []
    for term in terms:
        try:
            found.append(names.find(role, term.text))
        except InputError as error:
            message = error.message.removeprefix(f"{role}: ")
            raise ManifestError(message, term.origin, error.hint) from None
    return found


def _united(whoms: list[Whom]) -> tuple[Meant, ...]:
    """Return several as one: each pod and each address once in a family, on all traffic that any of them means."""
    pods: dict[tuple[Family, str, str], tuple[Pod, list[Intervals]]] = {}
    addresses: dict[Family, list[tuple[Intervals, Intervals]]] = defaultdict(list)
    for meant in (each for whom in whoms for each in whom.meant):
        for pod in meant.ends.pods:
            _, traffic = pods.setdefault((meant.family, pod.namespace, pod.name), (pod, []))
            traffic.append(meant.traffic)
        if meant.ends.addresses:
            addresses[meant.family] = [*_added(addresses[meant.family], meant.ends.addresses, meant.traffic)]
    together: dict[tuple[Family, Intervals], list[Pod]] = defaultdict(list)
    for (family, _, _), (pod, several) in pods.items():
        together[family, Intervals.union(several)].append(pod)
    found = [Meant(Ends(tuple(members)), *key) for key, members in together.items()]
    found += (Meant(Ends((), part), family, on) for family, parts in addresses.items() for part, on in parts)
    return tuple(found)


def _added(
    parts: list[tuple[Intervals, Intervals]], addresses: Intervals, traffic: Intervals
) -> Iterator[tuple[Intervals, Intervals]]:
    """Yield disjoint addresses, each with its traffic, when more traffic is meant of some."""
    for part, on in parts:
        both = (part - addresses, on), (part & addresses, on | traffic)
        yield from (each for each in both if each[0])
        addresses -= part
    if addresses:
        yield addresses, traffic


def _all_but(meant: tuple[Meant, ...], names: Names) -> tuple[Meant, ...]:
    """Return everyone else: of who is meant on some traffic alone, on all other traffic too."""
    found = []
    for family in names.snapshot.families:
        theirs = [each for each in meant if each.family is family]
        inside = {(pod.namespace, pod.name) for each in theirs for pod in each.ends.pods}
        pods = [pod for pod in names.directory.pods if family in names.snapshot.families_of(pod)]
        rest = tuple(pod for pod in pods if (pod.namespace, pod.name) not in inside)
        addresses = EVERY[family] - Intervals.union(each.ends.addresses for each in theirs)
        found.append(Meant(Ends(rest, addresses), family))
        found += (Meant(each.ends, family, ALL - each.traffic) for each in theirs if each.traffic != ALL)
    return tuple(found)


def _on_ports(intent: Intent, servers: tuple[Meant, ...]) -> tuple[Meant, ...]:
    """Cut servers down to the traffic that an intent means; a port's name is a number of each pod's own."""
    if not intent.ports:
        return servers
    found = []
    for meant in servers:
        alike: dict[Intervals, list[Pod]] = defaultdict(list)
        for pod in meant.ends.pods:
            alike[_traffic(intent, pod)].append(pod)
        found += [Meant(Ends(tuple(pods)), meant.family, meant.traffic & traffic) for traffic, pods in alike.items()]
        found.append(Meant(Ends((), meant.ends.addresses), meant.family, meant.traffic & _traffic(intent, None)))
    pods = [pod for meant in servers for pod in meant.ends.pods]
    ends: list[Pod | None] = [*pods, None] if any(meant.ends.addresses for meant in servers) else [*pods]
    for term, question in intent.ports:
        if not any(question.traffic_to(end) for end in ends):
            message = f"no server has a port named {term.text}"
            raise ManifestError(message, term.origin, "give the port's number")
    return tuple(each for each in found if each.traffic and (each.ends.pods or each.ends.addresses))


def _traffic(intent: Intent, server: Pod | None) -> Intervals:
    return Intervals.union(question.traffic_to(server) for _, question in intent.ports)


def _refuse_overlap(intent: Intent, groups: tuple[tuple[Meant, ...], ...]) -> None:
    """Refuse groups that share somebody, who would have to be isolated from himself.

    Raises:
        ManifestError: they do.
    """
    owner: dict[tuple[str, str], int] = {}
    taken: list[Intervals] = []
    for number, group in enumerate(groups):
        pods = {(pod.namespace, pod.name) for meant in group for pod in meant.ends.pods}
        addresses = Intervals.union(meant.ends.addresses for meant in group)
        shared = next((key for key in sorted(pods) if key in owner), None)
        if shared or any(addresses & other for other in taken):
            who = f"pod {'/'.join(shared)}" if shared else "an address"
            message = f"{who} is in two groups"
            raise ManifestError(message, intent.groups[number][0].origin, "name each pod in one group alone")
        owner |= dict.fromkeys(pods, number)
        taken += [addresses] if addresses != EMPTY else []


def _joined(terms: tuple[Term, ...]) -> str:
    return ", ".join(term.text for term in terms)
