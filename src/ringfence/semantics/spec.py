"""The definition: what a set of policies means, as plainly as we can write it.

This module is the reference for every other decider and never the fast one. It answers
one connection at a time by walking the text of the APIs in order: no caching, no
indexes, no early exit that the text does not have. It stays below 200 lines.

Where something is not known, every half that may be right is worked out, and the answer
is undecided when they differ. Where the API leaves something open, the dialect decides,
and the answer names the points of which another choice would change it.

Sources:
    - NetworkPolicy: kubernetes.io/docs/concepts/services-networking/network-policies, networking/v1 types.go.
    - Tiers: network-policy-api ``apis/v1alpha2/clusternetworkpolicy_types.go``.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

from ringfence.algebra.traffic import Protocol
from ringfence.model.policy import Action, BlockPeer, Direction, Tier
from ringfence.semantics.dialects import KUBERNETES, Topic
from ringfence.semantics.inquiry import Inquiry
from ringfence.semantics.verdict import (
    Assumption,
    Half,
    Outcome,
    Passed,
    Verdict,
    depend,
    settle,
    undecide,
    unite_undefined,
)

if TYPE_CHECKING:
    from ringfence.model.cluster import Pod
    from ringfence.model.connection import Connection
    from ringfence.model.policy import Policy, Rule
    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics.dialects import Dialect


def verdict(snapshot: Snapshot, connection: Connection, dialect: Dialect = KUBERNETES) -> Verdict:
    """Answer one new connection; its replies follow it."""
    directions = (Direction.EGRESS, Direction.INGRESS)
    return Verdict(*(half_of(Inquiry.of(snapshot, connection, dialect, direction)) for direction in directions))


def half_of(inquiry: Inquiry) -> Half:
    """Judge one half, and every other reading of what the API leaves open."""
    if inquiry.itself and inquiry.connection.via is None:
        return Half(inquiry.direction, Outcome.ALLOWED, None, "a pod always reaches its own address")
    if inquiry.loopback:
        return Half(inquiry.direction, Outcome.ALLOWED, None, "a pod always reaches its own loopback")
    half, dialect = _judge(inquiry), inquiry.dialect
    others = {topic: _judge(replace(inquiry, dialect=dialect.flipped(topic))) for topic in inquiry.touched()}
    rests_on = [topic for topic, other in others.items() if other.outcome is not half.outcome]
    half = replace(half, undefined=unite_undefined(map(dialect.undefined, rests_on))) if rests_on else half
    if half.outcome is Outcome.UNDECIDED:
        known = {each: [_judge(told).outcome for told in inquiry.knowing(each)] for each in inquiry.unknown(half)}
        return depend(half, [each for each, outcomes in known.items() if {*outcomes} != {Outcome.UNDECIDED}])
    return undecide(half) if dialect.strict and rests_on else half


def _judge(inquiry: Inquiry) -> Half:
    """Judge one half for every address that the peer may have."""
    subject, direction = inquiry.seen(inquiry.subject), inquiry.direction
    if subject is None:
        host = inquiry.subject and f"no policy applies to {inquiry.subject} on the network of a node"
        reason = host or "the address is on no pod network, so no policy applies to it"
        return Half(direction, Outcome.ALLOWED, None, reason)
    possible, unlikely = inquiry.addresses()
    tiers = inquiry.tiers(subject)
    by_address = [_decide(inquiry.at(address), subject, tiers) for address in possible]
    halves, at_each = [half for each in by_address for half in each], list(map(settle, by_address))
    unlike_another = any(half != at_each[0] for half in at_each)
    matters = unlike_another and any(half.outcome is not Outcome.UNDECIDED for half in at_each)
    half = settle(halves, inquiry.which_address() if matters else "")
    unlike = [half for address in unlikely for half in _decide(inquiry.at(address), subject, tiers)]
    assumptions: list[Assumption] = []
    if differing := [other for other in unlike if other.outcome not in {half.outcome for half in halves}]:
        assumptions += [Assumption.of_address(inquiry.peer, differing)]
    there = {half.outcome if half.tier is Tier.ADMIN else Outcome.ALLOWED for half in halves}  # on the subject's node
    elsewhere = direction is Direction.INGRESS and inquiry.snapshot.may_share_node(subject, inquiry.peer)
    if elsewhere and there != {half.outcome for half in halves}:
        assumptions += [Assumption("pod-node", f"the client is taken to be on another node than {subject}")]
    return replace(half, assumptions=tuple(assumptions)) if assumptions else half


def _decide(inquiry: Inquiry, subject: Pod, tiers: dict[Tier, list[Policy]]) -> list[Half]:
    """Walk the tiers in order: Admin, NetworkPolicy, Baseline; then allow. Return every half that may be right."""
    found, passed = list[Half](), Passed()
    for tier, selecting in tiers.items():
        if tier is Tier.NETWORK_POLICY:
            half = _network_policy_tier(inquiry, selecting)
            said, through = ([half], None) if half else ([], Passed())
        else:
            said, through = _ordered_tier(inquiry, selecting)
        found += map(passed.before, said)
        if through is None:
            return found
        passed = passed.then(through)
    reason = f"no policy isolates {subject} for {inquiry.direction.value.lower()}"
    return [*found, passed.before(Half(inquiry.direction, Outcome.ALLOWED, None, reason))]


def _network_policy_tier(inquiry: Inquiry, selecting: list[Policy]) -> Half | None:
    """Unite the rules of every isolating policy; what none of them accepts is denied."""
    direction, tier = inquiry.direction, Tier.NETWORK_POLICY
    if inquiry.own_node and (direction is Direction.INGRESS or inquiry.takes(Topic.POD_TO_OWN_NODE)):
        # "traffic from the pod's node is always allowed": types.go, NetworkPolicySpec.Ingress.
        way = "is always reached from" if direction is Direction.INGRESS else "always reaches"
        return Half(direction, Outcome.ALLOWED, tier, f"a pod {way} its own node")
    isolating = [policy for policy in selecting if direction in policy.isolates]
    if not isolating:
        return None
    names, origins = ", ".join(p.name for p in isolating), tuple(policy.origin for policy in isolating)
    hairpin = Topic.HAIRPIN_EGRESS if direction is Direction.EGRESS else Topic.HAIRPIN_INGRESS
    if inquiry.itself and not inquiry.takes(hairpin):
        return Half(direction, Outcome.ALLOWED, tier, f"{names} cannot block a pod's access to itself", origins)
    if inquiry.connection.protocol is Protocol.ICMP and inquiry.takes(Topic.ICMP):
        return Half(direction, Outcome.ALLOWED, tier, f"{names} cannot block ICMP", origins)
    rules = [(p, rule, inquiry.views(_less_blocks(inquiry, rule))) for p in isolating for rule in p.rules(direction)]
    by_peer = [each for each in rules if any(view.matches_peer(part) for view, part in each[2])]
    by_traffic = [each for each in rules if any(view.matches_traffic(part) for view, part in each[2])]
    matching = [each for each in by_peer if any(view.matches(part) for view, part in each[2])]
    if matching:
        reason = "accepted by " + ", ".join(f"{policy.name} rule {rule.origin.rule}" for policy, rule, _ in matching)
        return Half(direction, Outcome.ALLOWED, tier, reason, tuple(rule.origin for _, rule, _ in matching))
    nearest = tuple(each[1].origin for each in rules if each in by_peer or each in by_traffic)
    words = ", ".join(policy.words(direction) for policy in isolating)
    return Half(direction, Outcome.DENIED, tier, f"isolated by {words} and no rule matched", origins, nearest)


def _less_blocks(inquiry: Inquiry, rule: Rule) -> Rule:
    """Return a rule without the blocks that cannot mean the peer in this dialect."""
    if not inquiry.in_cluster():
        return rule
    return replace(rule, peers=tuple(peer for peer in rule.peers if not isinstance(peer, BlockPeer)))


def _ordered_tier(inquiry: Inquiry, selecting: list[Policy]) -> tuple[list[Half], Passed | None]:
    """Apply the first rule that matches, lower priorities first.

    Of policies with equal priority any may be applied first, so each of them may be right.

    Returns:
        Every half that may be right, and how the next tier may be reached; None when it is not.
    """
    found: list[Half] = []
    passing: list[tuple[Policy, Rule]] = []
    for equals in _in_turn(inquiry, selecting):
        firsts = [(policy, _first_matches(inquiry, policy)) for policy in equals]
        chosen = [(policy, rule) for policy, rules in firsts for rule in rules if rule]
        passing += [(policy, rule) for policy, rule in chosen if rule.action is Action.PASS]
        found += [_applied(inquiry, *each) for each in chosen if each[1].action is not Action.PASS]
        if any(None not in rules for _, rules in firsts):
            return found, Passed.by(passing, perhaps=False) if passing else None
    return found, Passed.by(passing, perhaps=True)


def _in_turn(inquiry: Inquiry, policies: list[Policy]) -> list[list[Policy]]:
    """Return policies as a tier consults them, those of equal priority together unless their names decide."""
    in_order = sorted(policies, key=lambda policy: (policy.priority, policy.name))
    groups = [list(equals) for _, equals in groupby(in_order, key=lambda policy: policy.priority)]
    if inquiry.takes(Topic.LAST_NAME):
        return [[policy] for equals in groups for policy in reversed(equals)]
    return [[policy] for policy in in_order] if inquiry.takes(Topic.FIRST_NAME) else groups


def _first_matches(inquiry: Inquiry, policy: Policy) -> list[Rule | None]:
    """Return the rules of a policy of which each may be the first to match; None where perhaps none does."""
    found: list[Rule | None] = []
    for rule in policy.rules(inquiry.direction):
        matches = inquiry.matches_peer(rule) if inquiry.matches_traffic(rule) else False
        if matches:
            return [*found, rule]
        if matches is None:
            found.append(rule)
    return [*found, None]


def _applied(inquiry: Inquiry, policy: Policy, rule: Rule) -> Half:
    """Return what a rule of an ordered tier says that does not pass."""
    accepts = rule.action is Action.ACCEPT
    return Half(
        inquiry.direction,
        Outcome.ALLOWED if accepts else Outcome.DENIED,
        policy.tier,
        f"{'accepted' if accepts else 'denied'} by {policy.name} {rule.words}",
        (rule.origin,),
    )
