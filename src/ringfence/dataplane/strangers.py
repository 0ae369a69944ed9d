"""Pods that have an address already and that nobody here has heard of.

A node hears of another node's new pod a moment later than the pod has its address. Until
then the address belongs to no pod, so a rule that denies pods does not match it, and what a
later rule or the default accepts would pass. Where it matters such addresses are closed: to
whatever a rule could deny that chooses pods, if the rule can be reached at all.

Rules that accept pods do not match either, but that only denies, and mends itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.algebra.intervals import EMPTY, Intervals
from ringfence.algebra.traffic import ALL, PORTLESS
from ringfence.model.policy import Action, PodPeer, Tier

if TYPE_CHECKING:
    from ringfence.model.cluster import Pod
    from ringfence.model.policy import Direction, Policy
    from ringfence.model.snapshot import Snapshot

_PORTED = ALL - Intervals.point(PORTLESS)


def strange_addresses(snapshot: Snapshot) -> Intervals:
    """Return the addresses that pods of a cluster can have, less those of pods, nodes and tunnels that are known."""
    ranges = Intervals.union([snapshot.pod_ranges, *(node.pod_ranges for node in snapshot.nodes.values())])
    known = {address for pod in snapshot.pods for address in pod.addresses.values()}
    known |= {address for node in snapshot.nodes.values() for address in node.speaks_from}
    return ranges - Intervals.of((address, address) for address in known)


def denied_to_pods(snapshot: Snapshot, pod: Pod, direction: Direction) -> Intervals:
    """Return the traffic that some pod could be denied with this one by a rule that chooses pods.

    A port by name may be any port of the pod that is not known.
    """
    labels = snapshot.namespace_labels(pod.namespace)
    policies = [policy for policy in snapshot.policies if policy.subject.selects(pod, labels)]
    # NetworkPolicies of an isolated pod leave nothing to the Baseline tier.
    isolated = any(direction in policy.isolates for policy in policies)
    tiers = {Tier.ADMIN} if isolated else {Tier.ADMIN, Tier.BASELINE}
    return Intervals.union(_denied(policy, direction) for policy in policies if policy.tier in tiers)


def _denied(policy: Policy, direction: Direction) -> Intervals:
    rules = (rule for rule in policy.rules(direction) if rule.action is Action.DENY)
    of_pods = [rule for rule in rules if any(isinstance(peer, PodPeer) for peer in rule.peers)]
    return Intervals.union((rule.traffic | (_PORTED if rule.named else EMPTY)) for rule in of_pods)
