"""Intents against the definition, asked of every pair, on random worlds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import assume, given
from hypothesis import strategies as st

from ringfence.algebra.addresses import Address, Family, read_cidr
from ringfence.algebra.traffic import point
from ringfence.analysis.intents import Aim, Intent, Term, aim
from ringfence.analysis.proving import Proof, Standing
from ringfence.analysis.whom import Names
from ringfence.model.cluster import Pod
from ringfence.model.connection import Connection
from ringfence.model.policy import Direction
from ringfence.semantics.dialects import KUBERNETES
from ringfence.semantics.engine import Engine
from ringfence.semantics.question import Question
from ringfence.semantics.spec import verdict
from ringfence.semantics.verdict import Outcome
from tests.parts import place
from tests.worlds import boundary_traffic, ends, snapshots

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.model.connection import End
    from ringfence.model.snapshot import Snapshot

BLOCKS = {Family.IPV4: ("10.0.0.0/24", "192.168.0.0/31", "172.16.0.1"), Family.IPV6: ("fd00::/31", "fd01::/127")}
POINTS = [(protocol, port) for protocol, port in boundary_traffic() if port in {0, 53, 80, 81, 82}]
PORTS = ("53/UDP", "80", "80-81", "")


def term(text: str) -> Term:
    """A name at some place."""
    return Term(text, place(text))


@st.composite
def questions(draw: st.DrawFn) -> tuple[Snapshot, Intent]:
    """A world and an intent over names that it has."""
    world = draw(snapshots())
    pods = [pod for pod in world.pods if not pod.terminal]
    assume(pods)
    kind = draw(st.sampled_from(Aim))
    if kind is Aim.ISOLATED:
        members = draw(
            st.permutations([*map(str, pods), BLOCKS[world.families[0]][2 if Family.IPV4 in world.families else 1]])
        )
        cut = draw(st.integers(1, len(members) - 1))
        return world, Intent(kind, place(), (tuple(map(term, members[:cut])), tuple(map(term, members[cut:]))))
    names = [*map(str, pods), *{f"{pod.namespace}/" for pod in pods}]
    blocks = [block for family in world.families for block in BLOCKS[family]]
    some = st.lists(st.sampled_from([*names, *blocks]).map(term), min_size=1, max_size=2).map(tuple)
    text = draw(st.sampled_from(PORTS))
    number, _, protocol = text.partition("/")
    ports = ((term(text), Question.of("", "", number, protocol)),) if text else ()
    towards = draw(st.sampled_from(Direction))
    return world, Intent(kind, place(), (draw(some),), draw(some), towards, ports)


def is_meant(group: tuple[Term, ...], end: End) -> bool:
    """Whether an end has one of some names."""
    for name in (each.text for each in group):
        if name[0] in "xy":
            if isinstance(end, Pod) and name in {f"{end.namespace}/", str(end)}:
                return True
            continue
        block = read_cidr(name if "/" in name else f"{name}/32")
        known = end.addresses.values() if isinstance(end, Pod) else [end]
        if any(address in block for address in known) and not (isinstance(end, Pod) and end.host_network):
            return True
    return False


def is_asked(intent: Intent, client: End, server: End) -> bool:
    """Whether an intent is about a pair."""
    if intent.aim is Aim.ISOLATED:
        return any(
            is_meant(one, client) and is_meant(other, server)
            for one in intent.groups
            for other in intent.groups
            if one is not other
        )
    (group,) = intent.groups
    chosen, other = (client, server) if intent.towards is Direction.INGRESS else (server, client)
    return is_meant(intent.others, other) and is_meant(group, chosen) is not (intent.aim is Aim.ONLY)


def named(snapshot: Snapshot) -> Iterator[tuple[End, Family]]:
    """The first and last address of each block that an intent may name, which no policy need know of."""
    for family in snapshot.families:
        for text in BLOCKS[family]:
            for first, last in read_cidr(text if "/" in text else f"{text}/32"):
                yield from ((Address(each), family) for each in dict.fromkeys((first, last)))


def told(snapshot: Snapshot, engine: Engine, intent: Intent) -> Iterator[Outcome]:
    """What the definition says of each connection that an intent is about."""
    traffic = [question.traffic_to(None) for _, question in intent.ports]
    every = [*ends(snapshot), *named(snapshot)]
    pairs = ((client, server, family) for client, family in every for server, other in every if family is other)
    for client, server, family in pairs:
        if client == server or not (isinstance(client, Pod) or isinstance(server, Pod)):
            continue
        if not is_asked(intent, client, server):
            continue
        if any(not isinstance(end, Pod) and snapshot.pod_at(end) for end in (client, server)):
            continue
        if isinstance(client, Pod) and isinstance(server, Pod) and str(client) == str(server):
            continue
        if intent.aim is Aim.ONLY and engine.share_node(client, server):
            continue
        for protocol, port in POINTS:
            if not traffic or any(point(protocol, port) in each for each in traffic):
                yield verdict(snapshot, Connection(client, server, protocol, port, family)).outcome


def standing(intent: Intent, outcomes: set[Outcome]) -> Standing:
    """How an intent stands, from what is said of all its connections."""
    bad = Outcome.DENIED if intent.aim is Aim.ALLOW else Outcome.ALLOWED
    if bad in outcomes:
        return Standing.BROKEN
    return Standing.UNDECIDED if Outcome.UNDECIDED in outcomes else Standing.HELD


@given(questions())
def test_an_intent_stands_as_the_definition_says_of_every_pair(question: tuple[Snapshot, Intent]):
    """It is broken by any pair that is not as it says; the counterexample is one, judged alike."""
    snapshot, intent = question
    found, errors = aim([intent], Names(snapshot, "x"))
    if errors:  # such as two sides without pods
        return
    engine = Engine(snapshot)
    finding = Proof(engine, KUBERNETES).find(found[0], grounds=True)

    assert finding.standing is standing(intent, set(told(snapshot, engine, intent)))
    if finding.counterexample:
        asked, judged = finding.counterexample.connection, finding.counterexample.verdict
        assert verdict(snapshot, asked).outcome is judged.outcome
        assert standing(intent, {judged.outcome}) is finding.standing
        assert is_asked(intent, asked.client, asked.server)
