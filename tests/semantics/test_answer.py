"""Answers agree with the definition, whoever asks about however many."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

from hypothesis import assume, given
from hypothesis import strategies as st

from ringfence.algebra.addresses import Family, read_address, read_cidr
from ringfence.algebra.intervals import Intervals
from ringfence.algebra.traffic import Protocol, point, render_traffic
from ringfence.model.cluster import Pod
from ringfence.model.connection import Connection
from ringfence.semantics.answer import Respondent
from ringfence.semantics.question import Question
from ringfence.semantics.spec import verdict
from ringfence.semantics.verdict import Verdict, settle
from tests.parts import block, named, network_policy, pod, port, rule, snapshot
from tests.parts import pods as pod_peer
from tests.worlds import ends, snapshots

if TYPE_CHECKING:
    from ringfence.model.connection import End
    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics.engine import Ends
    from ringfence.semantics.verdict import Half


Predicate = Callable[["End", "Family"], bool]
TRAFFIC = [(Protocol.TCP, 53), (Protocol.TCP, 80), (Protocol.TCP, 81), (Protocol.TCP, 82), (Protocol.TCP, 1)]
TRAFFIC += [(Protocol.UDP, 80), (Protocol.UDP, 81), (Protocol.SCTP, 53), (Protocol.ICMP, 0)]


def at(text: str) -> Predicate:
    """Whether an end is a pod with an address of its own there, or another address there."""
    block = read_cidr(text) if "/" in text else Intervals.point(read_address(text))
    return lambda end, family: (own_address(end, family) if isinstance(end, Pod) else end) in block


def own_address(pod: Pod, family: Family) -> int:
    """A pod's address, or -1."""
    return pod.addresses.get(family, -1) if pod.selectable else -1


def pods(predicate: Callable[[Pod], bool]) -> Predicate:
    """Whether an end is such a pod."""
    return lambda end, _: isinstance(end, Pod) and predicate(end)


CIDRS = ("0.0.0.0/0", "10.0.0.0/24", "192.168.0.0/30", "::/0", "fd00::/31")
PARTIES: dict[str, Predicate] = {
    "x/": pods(lambda pod: pod.namespace == "x"),
    "y/": pods(lambda pod: pod.namespace == "y"),
    "x/pod0": pods(lambda pod: (pod.namespace, pod.name) == ("x", "pod0")),
    "x:app=a": pods(lambda pod: pod.namespace == "x" and pod.labels.get("app") == "a"),
    "y:app!=a": pods(lambda pod: pod.namespace == "y" and pod.labels.get("app") != "a"),
    **{text: at(text) for text in ("10.0.0.1", *CIDRS)},
}
PORTS = ((None, None), (None, "UDP"), (80, None), ("53-81", "tcp"), ("web", "UDP"), (None, "ICMP"))


def pairs(snapshot: Snapshot, client: str, server: str) -> list[tuple[End, End, Family]]:
    """Every two ends that a question is about, found the slow way; a CIDR never means a pod alone."""
    own = {own_address(pod, family) for pod in snapshot.pods for family in snapshot.families}
    every = [(end, family) for end, family in ends(snapshot) if isinstance(end, Pod) or end not in own]
    found = [
        (a, b, f) for a, f in every for b, g in every if f is g and PARTIES[client](a, f) and PARTIES[server](b, f)
    ]
    others = [(a, b, f) for a, b, f in found if not isinstance(a, Pod) or a != b]
    return found if not others and not {client, server} & set(CIDRS) else others


def holds(ends: Ends, end: End) -> bool:
    """Whether an end is among some."""
    return end in ends.pods if isinstance(end, Pod) else end in ends.addresses


def whoever_has_them(snapshot: Snapshot, asked: Connection) -> Verdict:
    """The verdict on a connection, where an address in the ranges of pods may be that of any that has none yet."""
    taken = {address for pod in snapshot.pods if not pod.terminal for address in pod.addresses.values()}
    pods = [pod for pod in snapshot.pods if pod.selectable and not pod.addresses and not pod.terminal]
    either: list[list[End]] = []
    for end in (asked.client, asked.server):
        free = not isinstance(end, Pod) and end in snapshot.pod_ranges and snapshot.node_at(end) is None
        others = pods if free and end not in taken else []
        either.append([end, *(replace(pod, addresses={asked.family: end}) for pod in others)])
    found = [
        verdict(snapshot, replace(asked, client=one, server=other))
        for one, other in product(*either)
        if (str(one), str(other)) == (str(asked.client), str(asked.server)) or str(one) != str(other)
    ]
    return Verdict(*map(settle, zip(*(each.halves for each in found), strict=True)))


def speaks_for(told: Half, defined: Half) -> bool:
    """Whether a half of a part says who decided one of its connections, and leaves no remark of it out."""
    same = (told.outcome, told.tier, told.origins) == (defined.outcome, defined.tier, defined.origins)
    assumed = [{(each.topic, each.origins) for each in half.assumptions} for half in (told, defined)]
    remarks = {*defined.nearest} <= {*told.nearest} and {*defined.undefined} <= {*told.undefined}
    return same and remarks and assumed[1] <= assumed[0]


@given(snapshots())
def test_one_connection_gets_the_definition_s_own_words(snapshot: Snapshot):
    """Nothing is lost or added between the definition and the answer."""
    respondent = Respondent(snapshot)
    living = [pod for pod in snapshot.pods if not pod.terminal]
    for client in living:
        for server in living:
            for family in set(snapshot.families_of(client)) & set(snapshot.families_of(server)):
                question = Question.of(str(client), str(server), 80, "TCP", family)
                (part,) = respondent.answer(question).parts

                assert part.verdict == verdict(snapshot, Connection(client, server, Protocol.TCP, 80, family))


@given(snapshots(), st.sampled_from(sorted(PARTIES)), st.sampled_from(sorted(PARTIES)), st.sampled_from(PORTS))
def test_a_set_is_answered_as_if_every_connection_were_asked_alone(
    snapshot: Snapshot, client: str, server: str, port: tuple[str | int | None, str | None]
):
    """Every connection is in one part, and both its halves speak for it."""
    question = Question.of(client, server, *port)
    asked = pairs(snapshot, client, server)
    assume(any(question.traffic_to(b if isinstance(b, Pod) else None) for _, b, _ in asked))
    answer = Respondent(snapshot).answer(question)
    for one, other, family in asked:
        traffic = question.traffic_to(other if isinstance(other, Pod) else None)
        for protocol, number in TRAFFIC:
            if point(protocol, number) in traffic:
                (part,) = (
                    part
                    for part in answer.parts
                    if holds(part.clients, one) and holds(part.servers, other) and family in part.families
                    if point(protocol, number) in part.traffic
                )
                defined = whoever_has_them(snapshot, Connection(one, other, protocol, number, family))
                assert all(map(speaks_for, part.verdict.halves, defined.halves)), (one, other, protocol, number)


def said(respondent: Respondent, *question: str | int | None) -> list[tuple[str, str, tuple[int, ...]]]:
    """The parts of an answer: outcome, traffic and families."""
    return [
        (part.verdict.outcome.value, render_traffic(part.traffic), part.families)
        for part in respondent.answer(Question.of(*question)).parts
    ]


def test_families_are_never_taken_for_each_other():
    """A dual-stack pair is asked about twice, whatever was asked before."""
    cut = network_policy("x/b", "app=b", ingress=(rule(block("10.0.0.0/8")),))
    world = snapshot(pod("x/a", "", "10.0.0.1", "fd00::1"), pod("x/b", "app=b"), cut, families=tuple(Family))
    respondent = Respondent(world)

    assert said(respondent, "x/a", "x/b", 80) == [("allowed", "TCP 80", (4,)), ("denied", "TCP 80", (6,))]
    assert said(respondent, "x/a", "x/b", 80, None, 4) == [("allowed", "TCP 80", (4,))]
    assert said(respondent, "x/a", "x/b", 80, None, 6) == [("denied", "TCP 80", (6,))]


def test_traffic_is_cut_at_what_a_port_s_name_means_on_the_server():
    """The number behind the name is found even where no rule says it."""
    policy = network_policy("x/b", "app=b", ingress=(rule(**named("web")),))
    respondent = Respondent(snapshot(pod("x/a"), pod("x/b", "app=b", ports=(port("web", 8080),)), policy))

    assert said(respondent, "x/a", "x/b", "8079-8081") == [
        ("allowed", "TCP 8080", (4,)),
        ("denied", "TCP 8079,8081", (4,)),
    ]


def test_whoever_is_alike_is_judged_once_but_told_by_name():
    """What is remembered of one pod is told of another as its own."""
    twins = [pod(f"x/{name}", "app=a", node="n") for name in ("one", "two")]
    respondent = Respondent(snapshot(*twins, pod("x/b")))
    reasons = [
        respondent.answer(Question.of(client, "x/b", 80)).parts[0].verdict.egress.reason
        for client in ("x/one", "x/two", "x/one")
    ]

    assert reasons == [f"no policy isolates x/{name} for egress" for name in ("one", "two", "one")]


def test_where_pods_may_have_an_address_each_reason_is_named():
    """Both end alike: the block accepts nobody's address, and the selector as well where it is the pod's."""
    rules = (rule(block("10.0.0.0/8"), at="0"), rule(pod_peer("app=b"), at="1"))
    out = network_policy("x/out", "app=a", egress=rules)
    world = snapshot(pod("x/a", "app=a"), pod("x/b", "app=b"), out, pod_ranges=read_cidr("10.0.0.0/16"))
    (part,) = Respondent(world).answer(Question.of("x/a", "10.0.0.5", 80)).parts

    either = "either accepted by x/out rule None or accepted by x/out rule None, x/out rule None"
    assert part.verdict.egress.reason == f"the reason depends on whether a pod has the address: {either}"
    assert [origin.pointer for origin in part.verdict.egress.origins] == ["0", "1"]
    assert part.verdict.ingress.reason == "the address is on no pod network, so no policy applies to it"
