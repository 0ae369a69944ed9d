"""The definition: what a set of policies means, as plainly as we can write it.

This module is the reference for every other decider and never the fast one. It answers
one connection at a time by walking the text of the APIs in order: no caching, no
indexes, no early exit that the text does not have. It stays below 200 lines.

Sources:
    - NetworkPolicy: kubernetes.io/docs/concepts/services-networking/network-policies, networking/v1 types.go.
    - Tiers: network-policy-api ``apis/v1alpha2/clusternetworkpolicy_types.go``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import EVERY, Address
from ringfence.algebra.intervals import EMPTY, atoms
from ringfence.algebra.traffic import Protocol, point
from ringfence.model.cluster import Pod
from ringfence.model.policy import Action, Anyone, BlockPeer, Direction, DomainPeer, NodePeer, PodPeer, Tier
from ringfence.semantics.verdict import Assumption, Half, Outcome, Undefined, Verdict, origins_of

if TYPE_CHECKING:
    from ringfence.model.connection import Connection, End
    from ringfence.model.policy import Peer, Policy, Rule
    from ringfence.model.snapshot import Snapshot


def verdict(snapshot: Snapshot, connection: Connection) -> Verdict:
    """Answer one new connection; its replies follow it."""
    client, server = _pod(snapshot, connection.client), _pod(snapshot, connection.server)
    if client and client == server and connection.via is None:
        reason = f"{client} always reaches its own address"
        return Verdict(*(Half(d, Outcome.ALLOWED, None, reason) for d in (Direction.EGRESS, Direction.INGRESS)))
    return Verdict(
        egress=_half(_Question(snapshot, connection, Direction.EGRESS, client, connection.server, server)),
        ingress=_half(_Question(snapshot, connection, Direction.INGRESS, server, connection.client, client)),
    )


@dataclass(frozen=True, slots=True)
class _Question:
    """One half of a connection: the subject is judged, the peer is at the other end."""

    snapshot: Snapshot
    connection: Connection
    direction: Direction
    subject: Pod | None
    peer: End
    peer_pod: Pod | None

    @property
    def itself(self) -> bool:
        return self.subject is not None and self.subject == self.peer_pod

    @property
    def own_node(self) -> bool:
        """Whether the peer is the subject's own node; a pod without a node has none."""
        node = self.snapshot.node_of(self.peer)
        return node is not None and self.subject is not None and node == self.subject.node


def _pod(snapshot: Snapshot, end: End) -> Pod | None:
    """Return the pod at an end; a terminal pod is none any more."""
    pod = end if isinstance(end, Pod) else snapshot.pod_at(end)
    return pod if pod and not pod.terminal else None


def _half(question: _Question) -> Half:
    """Judge one half for every address that the peer may have."""
    subject, direction = question.subject, question.direction
    if subject is None or subject.host_network:
        reason = f"{subject or 'the address'} is on no pod network, so no policy applies to it"
        return _with_undefined(question, Half(direction, Outcome.ALLOWED, None, reason))
    possible, unlikely = _addresses(question)
    half, *others = [_decide(question, subject, address) for address in possible]
    if any(other.outcome is not half.outcome for other in others):
        reason = f"the answer depends on the address that {question.peer} will get"
        half = Half(direction, Outcome.UNDECIDED, half.tier, reason, origins_of([half, *others]))
    assumptions: list[Assumption] = []
    unlike = [_decide(question, subject, address) for address in unlikely]
    if differing := [other for other in unlike if other.outcome is not half.outcome]:
        text = f"the address of {question.peer} is not known and taken to lie outside every block"
        assumptions += [Assumption("pod-address", text, origins_of(differing))]
    elsewhere = direction is Direction.INGRESS and question.snapshot.may_share_node(subject, question.peer)
    if elsewhere and half.outcome is not Outcome.ALLOWED and half.tier is not Tier.ADMIN:
        assumptions += [Assumption("pod-node", f"{subject} is taken to be on another node than its client")]
    return _with_undefined(question, replace(half, assumptions=tuple(assumptions)))


def _addresses(question: _Question) -> tuple[list[Address | None], list[Address]]:
    """Return the addresses to judge the peer by, and those it is assumed not to have.

    One that is not known yet lies in the pod ranges, when they are given. Otherwise it is None,
    outside every block that does not cover its family. One stands for all in the same blocks.
    """
    snapshot, family, peer = question.snapshot, question.connection.family, question.peer
    if not isinstance(peer, Pod):
        return [peer], []
    if family in snapshot.addresses_of(peer):
        return [snapshot.addresses_of(peer)[family]], []
    ranges = EMPTY if peer.host_network else snapshot.pod_ranges & EVERY[family]
    representatives = [Address(first) for first, _ in atoms(ranges or EVERY[family], snapshot.blocks)]
    return (list(representatives), []) if ranges else ([None], representatives)


def _decide(question: _Question, subject: Pod, address: Address | None) -> Half:
    """Walk the tiers in order: Admin, NetworkPolicy, Baseline; then allow."""
    undefined: tuple[Undefined, ...] = ()
    labels = question.snapshot.namespace_labels(subject.namespace)
    for tier in Tier:
        policies = [policy for policy in question.snapshot.policies if policy.tier is tier]
        selecting = [policy for policy in policies if policy.subject.selects(subject, labels)]
        if tier is Tier.NETWORK_POLICY:
            half = _network_policy_tier(question, address, selecting)
        else:
            half, ties = _ordered_tier(question, address, selecting)
            undefined += ties
        if half:
            return replace(half, undefined=undefined)
    reason = f"no policy isolates {subject} for {question.direction.value.lower()}"
    return Half(question.direction, Outcome.ALLOWED, None, reason, undefined=undefined)


def _network_policy_tier(question: _Question, address: Address | None, selecting: list[Policy]) -> Half | None:
    """Unite the rules of every isolating policy; what none of them accepts is denied."""
    direction, tier = question.direction, Tier.NETWORK_POLICY
    if direction is Direction.INGRESS and question.own_node:
        # "traffic from the pod's node is always allowed": types.go, NetworkPolicySpec.Ingress.
        return Half(direction, Outcome.ALLOWED, tier, f"{question.subject} is always reached from its own node")
    isolating = [policy for policy in selecting if direction in policy.isolates]
    if not isolating:
        return None
    names, origins = ", ".join(p.name for p in isolating), tuple(policy.origin for policy in isolating)
    if question.itself:
        return Half(direction, Outcome.ALLOWED, tier, f"{names} cannot block a pod's access to itself", origins)
    rules = [(policy, rule) for policy in isolating for rule in policy.rules(direction)]
    by_peer = [each for each in rules if any(_is_peer(question, address, peer) for peer in each[1].peers)]
    by_traffic = [each for each in rules if _matches_traffic(question, each[1])]
    matching = [each for each in by_peer if each in by_traffic]
    if matching:
        reason = "accepted by " + ", ".join(f"{policy.name} rule {rule.origin.rule}" for policy, rule in matching)
        return Half(direction, Outcome.ALLOWED, tier, reason, tuple(rule.origin for _, rule in matching))
    nearest = tuple(each[1].origin for each in rules if each in by_peer or each in by_traffic)
    return Half(direction, Outcome.DENIED, tier, f"isolated by {names} and no rule matched", origins, nearest)


def _ordered_tier(
    question: _Question, address: Address | None, selecting: list[Policy]
) -> tuple[Half | None, tuple[Undefined, ...]]:
    """Apply the first rule that matches, by priority; None when none does or it passes.

    Where policies of equal priority disagree, the dialect takes the first by name and says so.
    """
    firsts: list[tuple[Policy, Rule]] = []
    for policy in sorted(selecting, key=lambda policy: (policy.priority, policy.name)):
        rules = [rule for rule in policy.rules(question.direction) if _matches_traffic(question, rule)]
        matching = [rule for rule in rules if any(_is_peer(question, address, peer) for peer in rule.peers)]
        firsts += [(policy, rule) for rule in matching[:1]]
    if not firsts:
        return None, ()
    policy, rule = firsts[0]
    actions = {other.action for each, other in firsts if each.priority == policy.priority}
    ties = (Undefined("equal-priority"),) if len(actions) > 1 else ()
    if rule.action is Action.PASS:
        return None, ties
    accepts = rule.action is Action.ACCEPT
    reason = f"{'accepted' if accepts else 'denied'} by {policy.name} {rule.origin.rule_words}"
    outcome = Outcome.ALLOWED if accepts else Outcome.DENIED
    return Half(question.direction, outcome, policy.tier, reason, (rule.origin,)), ties


def _matches_traffic(question: _Question, rule: Rule) -> bool:
    server = question.peer_pod if question.direction is Direction.EGRESS else question.subject
    return point(question.connection.protocol, question.connection.port) in rule.traffic_to(server)


def _is_peer(question: _Question, address: Address | None, peer: Peer) -> bool:
    pod, everything = question.peer_pod, EVERY[question.connection.family]
    match peer:
        case Anyone():
            return True
        case PodPeer(pods=pods):
            return pod is not None and pods.selects(pod, question.snapshot.namespace_labels(pod.namespace))
        case BlockPeer(addresses=block):
            return everything <= block if address is None else address in block
        case NodePeer(nodes=nodes):
            node = question.snapshot.nodes.get(question.snapshot.node_of(question.peer) or "")
            return node is not None and nodes.matches(node.labels)
        case DomainPeer():
            return False


def _with_undefined(question: _Question, half: Half) -> Half:
    """Add what the API leaves open about this half."""
    isolated = half.tier is Tier.NETWORK_POLICY and half.origins
    topics = {
        "icmp": isolated and question.connection.protocol is Protocol.ICMP,
        "hairpin": isolated and question.itself,
        "host-network": any(pod and pod.host_network for pod in (question.subject, question.peer_pod)),
        "pod-to-own-node": isolated and question.direction is Direction.EGRESS and question.own_node,
    }
    return replace(half, undefined=half.undefined + tuple(Undefined(topic) for topic in topics if topics[topic]))
