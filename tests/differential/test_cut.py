"""The least cut in random worlds: what it says is what happens, and no narrower rule does better."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given, settings

from ringfence.algebra.traffic import Protocol, ports
from ringfence.analysis.cut import least_cut
from ringfence.analysis.difference import difference
from ringfence.analysis.edits import applied
from ringfence.analysis.selecting import nameable_below
from ringfence.analysis.weighing import count
from ringfence.errors import InputError
from ringfence.model.connection import Connection
from ringfence.model.policy import Action, Direction, Tier
from ringfence.semantics.answer import Respondent
from ringfence.semantics.dialects import KUBERNETES
from ringfence.semantics.engine import Engine
from ringfence.semantics.question import Question
from ringfence.semantics.spec import verdict
from ringfence.semantics.verdict import Outcome
from tests.worlds import Limits, snapshots

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.analysis.weighing import Change
    from ringfence.model.policy import Policy
    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics.answer import Answer

PORT = 80
ASKED = ports(Protocol.TCP, PORT, PORT)


def allowed(world: Snapshot) -> Iterator[tuple[Answer, Change]]:
    """Every question of one pod about another that is allowed throughout, with its cut."""
    respondent = Respondent(world)
    for client in world.pods:
        for server in world.pods:
            try:
                answer = respondent.answer(Question.of(str(client), str(server), PORT))
            except InputError:
                continue
            if client != server and answer.verdict == Outcome.ALLOWED.value:
                cut = least_cut(answer, world, KUBERNETES)
                assert cut
                yield answer, cut


def ordered(world: Snapshot, policies: tuple[Policy, ...]) -> Snapshot:
    """The world with other policies."""
    return replace(world, policies=tuple(sorted(policies, key=lambda policy: (policy.kind, policy.name))))


def is_denied(world: Snapshot, answer: Answer) -> bool:
    """Whether the definition denies all that an answer is about."""
    return all(
        verdict(world, Connection(client, server, Protocol.TCP, PORT, family)).outcome is Outcome.DENIED
        for part in answer.parts
        for client in part.clients.pods
        for server in part.servers.pods
        for family in part.families
    )


@settings(max_examples=25)
@given(snapshots(Limits(pods=3)))
def test_a_cut_denies_what_was_asked_and_changes_what_it_says_besides(world: Snapshot):
    """The definition denies it in the world with the edits, and what differs there is what was told."""
    for answer, cut in allowed(world):
        if not cut.edits:
            assert cut.reason
            continue
        after = ordered(world, applied(cut.edits, world.policies))
        assert is_denied(after, answer)
        asked = sum(len(part.families) for part in answer.parts)
        assert count(difference(Engine(world), Engine(after)).shifts) == count(cut.others) + asked


@settings(max_examples=25)
@given(snapshots(Limits(pods=3)))
def test_no_rule_with_fewer_ports_or_without_a_peer_does_better(world: Snapshot):
    """Whichever one rule is removed, loses the port, or loses a peer, at least as many other connections change."""
    before = Engine(world)
    for answer, cut in allowed(world):
        weights = []
        for policies in every_narrowing(world):
            after = ordered(world, policies)
            if is_denied(after, answer):
                weights.append(count(difference(before, Engine(after)).shifts))
        if weights:
            asked = sum(len(part.families) for part in answer.parts)
            assert cut.edits
            assert count(cut.others) + asked <= min(weights)


def every_narrowing(world: Snapshot) -> Iterator[tuple[Policy, ...]]:
    """All policies of a world after each edit of one rule that accepts in a NetworkPolicy."""
    for policy in world.policies:
        for direction in Direction if policy.tier is Tier.NETWORK_POLICY else ():
            rules = policy.rules(direction)
            for index, rule in enumerate(rules):
                less = nameable_below(rule.traffic - ASKED)
                narrowed = [()]
                narrowed += [(replace(rule, traffic=less),)] if rule.action is Action.ACCEPT and less else []
                for number in range(len(rule.peers)):
                    if rest := (*rule.peers[:number], *rule.peers[number + 1 :]):
                        narrowed.append((replace(rule, peers=rest),))
                for instead in narrowed:
                    changed = (*rules[:index], *instead, *rules[index + 1 :])
                    side = "ingress" if direction is Direction.INGRESS else "egress"
                    new = replace(policy, **{side: changed})
                    yield (*(each for each in world.policies if each is not policy), new)
