"""Edits of NetworkPolicies that allow one thing more, each the narrowest of its kind."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ringfence.algebra.intervals import Intervals
from ringfence.algebra.traffic import ALL
from ringfence.analysis.edits import Does, Edit
from ringfence.analysis.selecting import nameable, narrowest, peers_of
from ringfence.model.origin import Origin
from ringfence.model.policy import Action, Anyone, Direction, PodSelector, Policy, Rule, Tier

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.analysis.edits import Wanted
    from ringfence.model.cluster import Pod
    from ringfence.model.policy import Peer
    from ringfence.model.snapshot import Snapshot

_LONGEST_NAME = 253  # a DNS subdomain, which names of policies must be


class Additions:
    """The edits of one snapshot's NetworkPolicies that may open something."""

    def __init__(self, snapshot: Snapshot) -> None:
        """Take the snapshot whose policies are edited."""
        self._snapshot = snapshot

    def find(self, wanted: Wanted) -> tuple[Edit, ...]:
        """Return each way in which NetworkPolicies may say it; empty when none can name the other end.

        A peer or a port more for a rule, then a rule more for a policy that isolates all
        subjects, and last a policy for them alone; of each kind first those of the policy that
        is for fewest pods. Whether one opens what it is meant to is for the caller to see.
        """
        peers = peers_of(self._snapshot, wanted.others, wanted.subjects[0].namespace)
        if not peers:
            return ()
        direction, traffic = wanted.direction, nameable(wanted.traffic)
        found: list[Edit] = []
        for policy in sorted(self._isolating(wanted), key=self._breadth):
            for index in range(len(policy.rules(direction))):
                found += _wider(policy, direction, index, peers, traffic)
            found.append(_with_rule(policy, direction, peers, traffic))
        order = list(Does)
        found.sort(key=lambda edit: order.index(edit.does))
        rule = Rule(Action.ACCEPT, peers, traffic, Origin("", 0, 0, "", ""))
        return (*found, new_policy(self._snapshot, wanted, (rule,)))

    def in_error(self, wanted: Wanted) -> Policy | None:
        """Return a policy that isolates a subject and means less than is written; None if there is none."""
        labels = self._snapshot.namespace_labels(wanted.subjects[0].namespace)
        isolating = (policy for policy in self._snapshot.policies if wanted.direction in policy.isolates)
        faulty = (policy for policy in isolating if policy.faulty)
        return next((p for p in faulty if any(p.subject.selects(pod, labels) for pod in wanted.subjects)), None)

    def _isolating(self, wanted: Wanted) -> Iterator[Policy]:
        """Yield the policies that isolate every subject."""
        labels = self._snapshot.namespace_labels(wanted.subjects[0].namespace)
        for policy in self._snapshot.policies:
            isolates = policy.tier is Tier.NETWORK_POLICY and wanted.direction in policy.isolates
            if isolates and all(policy.subject.selects(pod, labels) for pod in wanted.subjects):
                yield policy

    def _breadth(self, policy: Policy) -> int:
        """Return how many pods a policy is for."""
        labels = self._snapshot.namespace_labels
        return sum(policy.subject.selects(pod, labels(pod.namespace)) for pod in self._snapshot.pods)


def new_policy(snapshot: Snapshot, wanted: Wanted, rules: tuple[Rule, ...]) -> Edit:
    """Return a NetworkPolicy more, which is for the subjects alone and has these rules."""
    direction, namespace = wanted.direction, wanted.subjects[0].namespace
    name = free_name(snapshot, "NetworkPolicy", f"{namespace}/{_name(wanted)}")
    section = direction.value.lower()
    numbered = tuple(
        replace(rule, origin=Origin("", 0, 0, f"/spec/{section}/{n}", f"NetworkPolicy/{name}", n))
        for n, rule in enumerate(rules)
    )
    policy = Policy(
        kind="NetworkPolicy",
        name=name,
        tier=Tier.NETWORK_POLICY,
        subject=PodSelector(namespace, narrowest(snapshot, wanted.subjects)),
        origin=Origin("", 0, 0, "", f"NetworkPolicy/{name}"),
        isolates=frozenset({direction}),
        ingress=numbered if direction is Direction.INGRESS else (),
        egress=numbered if direction is Direction.EGRESS else (),
    )
    return Edit(Does.ADDS_POLICY, direction, policy, numbered)


def free_name(snapshot: Snapshot, kind: str, name: str) -> str:
    """Return a name that no policy of a kind has: this one, if need be with a number behind it."""
    taken = {policy.name for policy in snapshot.policies if policy.kind == kind}
    found, number = name, 2
    while found in taken:
        found, number = f"{name}-{number}", number + 1
    return found


def _wider(
    policy: Policy, direction: Direction, index: int, peers: tuple[Peer, ...], traffic: Intervals
) -> Iterator[Edit]:
    """Yield a rule with more peers, and one with more ports; one that has neither list cannot gain in it."""
    rule = policy.rules(direction)[index]
    if Anyone() not in rule.peers:
        gained = replace(rule, peers=peers, traffic=Intervals(), named=())
        wider = replace(rule, peers=(*rule.peers, *peers))
        yield Edit(Does.ADDS_PEERS, direction, policy, (gained,), index, (wider,))
    if ALL not in (rule.traffic, traffic):  # all traffic is no port more, but a list less
        gained = replace(rule, peers=(), traffic=traffic, named=())
        wider = replace(rule, traffic=rule.traffic | traffic)
        yield Edit(Does.ADDS_PORTS, direction, policy, (gained,), index, (wider,))


def _with_rule(policy: Policy, direction: Direction, peers: tuple[Peer, ...], traffic: Intervals) -> Edit:
    """Return a policy with a rule more, after all others."""
    index = len(policy.rules(direction))
    pointer = f"/spec/{direction.value.lower()}/{index}"
    origin = replace(policy.origin, pointer=pointer, rule=index, rule_name=None)
    rule = Rule(Action.ACCEPT, peers, traffic, origin)
    return Edit(Does.ADDS_RULE, direction, policy, (rule,), index, (rule,))


def _name(wanted: Wanted) -> str:
    """Return what to call a new policy, after both its ends."""
    word = "from" if wanted.direction is Direction.INGRESS else "to"
    pods = wanted.others.pods
    there = called(pods) if pods else "outside"
    return f"{called(wanted.subjects)}-{word}-{there}"[: _LONGEST_NAME - 4].rstrip("-.")


def called(pods: tuple[Pod, ...]) -> str:
    """Return the name of the one workload or pod, else of the namespace of the first."""
    names = {pod.workload.rpartition("/")[2] or pod.name for pod in pods}
    return names.pop() if len(names) == 1 else pods[0].namespace
