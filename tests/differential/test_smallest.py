"""The smallest change against every edit of its kinds, tried one by one in random worlds."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING

from hypothesis import given

from ringfence.algebra.intervals import Intervals
from ringfence.algebra.selectors import Operator, Requirement, Selector
from ringfence.algebra.traffic import PORTS, Protocol, ports
from ringfence.analysis.difference import difference
from ringfence.analysis.edits import applied
from ringfence.analysis.smallest import smallest_change
from ringfence.analysis.weighing import count
from ringfence.errors import InputError
from ringfence.model.cluster import NAME_LABEL, Pod
from ringfence.model.connection import Connection
from ringfence.model.policy import Action, Anyone, Direction, PodPeer, PodSelector, Policy, Rule, Tier
from ringfence.semantics.answer import Respondent
from ringfence.semantics.dialects import KUBERNETES
from ringfence.semantics.engine import Engine
from ringfence.semantics.question import Question
from ringfence.semantics.spec import verdict
from ringfence.semantics.verdict import Outcome
from tests.differential.test_difference import by_outcome, holds_pair
from tests.parts import place
from tests.worlds import Limits, pairs, snapshots

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.analysis.weighing import Change
    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics.answer import Answer
    from ringfence.semantics.verdict import Half

PORT = 80
ASKED = ports(Protocol.TCP, PORT, PORT)
WRITTEN = Intervals.union(ports(each, 1, PORTS - 1) for each in Protocol if each is not Protocol.ICMP)
"""What a rule says that does not speak of everything: a port 0 cannot be written, nor ICMP."""
NAMESPACED = Limits(tiers=False, host_network=False)


def denied(world: Snapshot) -> Iterator[tuple[Answer, Change]]:
    """Every question of one pod about another that is denied, with its change."""
    respondent = Respondent(world)
    for client in world.pods:
        for server in world.pods:
            try:
                answer = respondent.answer(Question.of(str(client), str(server), PORT))
            except InputError:
                continue
            if change := smallest_change(answer, world, KUBERNETES):
                yield answer, change


def changed(world: Snapshot, change: Change) -> Snapshot:
    """The world with the edits in it."""
    policies = applied(change.edits, world.policies)
    return replace(world, policies=tuple(sorted(policies, key=lambda policy: (policy.kind, policy.name))))


@given(snapshots())
def test_a_change_allows_what_was_asked_and_exactly_what_it_says_besides(world: Snapshot):
    """Every pair is answered as before, but for those asked about and those that are told, row by row."""
    before = Engine(world)
    for answer, change in denied(world):
        if not change.edits:
            assert change.reason
            continue
        after = changed(world, change)
        now = Engine(after)
        asked = [part for part in answer.parts if part.verdict.outcome is Outcome.DENIED]
        for part in asked:
            (client,), (server,) = part.clients.pods, part.servers.pods
            for family in part.families:
                connection = Connection(client, server, Protocol.TCP, PORT, family)
                assert verdict(after, connection).outcome is Outcome.ALLOWED
        for client, server, family, via in pairs(world):
            ends = (client, server)
            if client == server or via or any(not isinstance(end, Pod) and world.pod_at(end) for end in ends):
                continue
            near = before.share_node(client, server)
            rows = [row for row in change.others if holds_pair(row, ends, family, near=near)]
            one, other = by_outcome(before.allowed(*ends, family)), by_outcome(now.allowed(*ends, family))
            meant = any(ends == (p.clients.pods[0], p.servers.pods[0]) and family in p.families for p in asked)
            for was in Outcome:
                for is_now in Outcome:
                    told = Intervals.union(r.traffic for r in rows if (r.before, r.after) == (was, is_now))
                    differs = one[was] & other[is_now] if was is not is_now else Intervals()
                    assert told == (differs - ASKED if meant else differs)


@given(snapshots(NAMESPACED))
def test_no_edit_of_the_same_kinds_changes_less(world: Snapshot):
    """Whatever peers by labels, ports, rules and policies one may add, fewer other connections do not change."""
    before = Engine(world)
    for answer, change in denied(world):
        halves = [h for part in answer.parts for h in part.verdict.halves if h.outcome is Outcome.DENIED]
        if len(answer.parts) > 1 or len(halves) > 1 or change.reason == "one direction is undecided":
            continue
        (part,), (half,) = answer.parts, halves
        (client,), (server,) = part.clients.pods, part.servers.pods
        subject, peer = (client, server) if half.direction is Direction.EGRESS else (server, client)
        weights = []
        for policies in every_edit(world, half.direction, subject, peer):
            after = replace(world, policies=policies)
            asked = [Connection(client, server, Protocol.TCP, PORT, family) for family in part.families]
            if all(verdict(after, each).outcome is Outcome.ALLOWED for each in asked):
                weights.append(count(difference(before, Engine(after)).shifts))
        if not weights:
            assert not change.edits
        else:
            assert count(difference(before, Engine(changed(world, change))).shifts) == min(weights)


@given(snapshots(Limits(addressed=True, host_network=False)))
def test_no_edit_of_the_tier_that_denies_changes_less(world: Snapshot):
    """Neither a policy that is asked before, nor the rule that denies with fewer peers, fewer ports or neither."""
    before = Engine(world)
    for answer, change in denied(world):
        halves = [h for part in answer.parts for h in part.verdict.halves if h.outcome is Outcome.DENIED]
        if len(answer.parts) > 1 or len(halves) > 1 or change.reason == "one direction is undecided":
            continue
        (part,), (half,) = answer.parts, halves
        if half.tier not in (Tier.ADMIN, Tier.BASELINE):
            continue
        (client,), (server,) = part.clients.pods, part.servers.pods
        subject, peer = (client, server) if half.direction is Direction.EGRESS else (server, client)
        for policies in every_edit_above(world, half, subject, peer):
            after = replace(world, policies=policies)
            asked = [Connection(client, server, Protocol.TCP, PORT, family) for family in part.families]
            if all(verdict(after, each).outcome is Outcome.ALLOWED for each in asked):
                assert change.edits
                weight = count(difference(before, Engine(after)).shifts)
                assert count(difference(before, Engine(changed(world, change))).shifts) <= weight


def every_edit_above(world: Snapshot, half: Half, subject: Pod, peer: Pod) -> Iterator[tuple[Policy, ...]]:
    """All policies of a world after each edit of the tier that denies in one direction."""
    direction, deciding = half.direction, []
    for policy in world.policies:
        others = tuple(each for each in world.policies if each is not policy)
        rules = policy.rules(direction)
        for index, rule in enumerate(rules):
            if rule.origin in half.places and policy.tier is half.tier:
                deciding.append(policy)
                for less in lessened(rule, peer):
                    yield (*others, with_rules(policy, direction, (*rules[:index], *less, *rules[index + 1 :])))
    if not deciding:
        return
    origin = replace(place("/spec/new"), rule=9)
    first = min(policy.priority for policy in deciding)
    for own in some_labels(subject):
        for chosen in some_labels(peer):
            there, here = (
                PodSelector(Selector.labels({NAME_LABEL: pod.namespace}), labels)
                for pod, labels in ((peer, chosen), (subject, own))
            )
            rule = Rule(Action.ACCEPT, (PodPeer(there, origin),), ASKED, origin)
            for priority in set(range(first)) - {each.priority for each in world.policies if each.tier is half.tier}:
                made = Policy("ClusterNetworkPolicy", "new", half.tier, here, origin, priority=priority)
                yield (*world.policies, with_rules(made, direction, (rule,)))


def lessened(rule: Rule, peer: Pod) -> Iterator[tuple[Rule, ...]]:
    """Ways to say less than a rule about a pod: not about its port, not about pods with one of its labels, nothing."""
    yield ()
    rest = replace(rule, traffic=(rule.traffic - ASKED) & WRITTEN)
    yield (rest,)
    for key, value in peer.labels.items():
        apart = Requirement(key, Operator.NOT_IN, (value,))
        peers = tuple(
            replace(each, pods=replace(each.pods, pods=Selector.of([*each.pods.pods.requirements, apart])))
            for each in rule.peers
            if isinstance(each, PodPeer)
        )
        if peers:
            kept = tuple(each for each in rule.peers if not isinstance(each, PodPeer))
            yield (replace(rule, peers=(*kept, *peers)),)
            yield (rest, replace(rule, peers=(*kept, *peers), traffic=rule.traffic & ASKED))


def every_edit(world: Snapshot, direction: Direction, subject: Pod, peer: Pod) -> Iterator[tuple[Policy, ...]]:
    """All policies of a world after each edit of the kinds there are, by any of the labels of both ends."""
    scope = Selector.labels({NAME_LABEL: peer.namespace})
    origin = replace(place("/spec/new"), rule=9)
    for chosen in some_labels(peer):
        by_labels = PodPeer(PodSelector(scope, chosen), origin, by_pods=bool(chosen.requirements))
        new = Rule(Action.ACCEPT, (by_labels,), ASKED, origin)
        for policy in world.policies:
            if direction not in policy.isolates or policy.tier is not Tier.NETWORK_POLICY:
                continue
            others = tuple(each for each in world.policies if each is not policy)
            rules = policy.rules(direction)
            yield (*others, with_rules(policy, direction, (*rules, new)))
            for index, rule in enumerate(rules):
                wider = [replace(rule, traffic=rule.traffic | ASKED)]
                wider += [replace(rule, peers=(*rule.peers, by_labels))] if Anyone() not in rule.peers else []
                for each in wider:
                    changed_rules = (*rules[:index], each, *rules[index + 1 :])
                    yield (*others, with_rules(policy, direction, changed_rules))
        for own in some_labels(subject):
            made = Policy(
                "NetworkPolicy",
                f"{subject.namespace}/new",
                Tier.NETWORK_POLICY,
                PodSelector(subject.namespace, own),
                origin,
                frozenset({direction}),
            )
            yield (*world.policies, with_rules(made, direction, (new,)))


def some_labels(pod: Pod) -> Iterator[Selector]:
    """Every selector that asks for some of a pod's labels."""
    for size in range(len(pod.labels) + 1):
        for keys in combinations(pod.labels, size):
            yield Selector.labels({key: pod.labels[key] for key in keys})


def with_rules(policy: Policy, direction: Direction, rules: tuple[Rule, ...]) -> Policy:
    """A policy with other rules in one direction."""
    return replace(policy, egress=rules) if direction is Direction.EGRESS else replace(policy, ingress=rules)
