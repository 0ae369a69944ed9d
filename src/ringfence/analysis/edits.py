"""Edits of policies that allow one thing more, each the narrowest of its kind."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from itertools import combinations
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import cidrs, read_cidr
from ringfence.algebra.intervals import Intervals
from ringfence.algebra.selectors import EVERYTHING, Selector
from ringfence.algebra.traffic import ALL, PORTLESS, WITH_PORTS, point, ports
from ringfence.model.cluster import NAME_LABEL
from ringfence.model.origin import Origin
from ringfence.model.policy import (
    Action,
    Anyone,
    BlockPeer,
    Direction,
    PodPeer,
    PodSelector,
    Policy,
    Rule,
    Tier,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ringfence.model.cluster import Pod
    from ringfence.model.policy import Peer
    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics.ends import Ends

_OF_ONE_POD = frozenset({
    "pod-template-hash",
    "rollouts-pod-template-hash",
    "controller-revision-hash",
    "pod-template-generation",
    "controller-uid",
    "batch.kubernetes.io/controller-uid",
    "job-name",
    "batch.kubernetes.io/job-name",
    "batch.kubernetes.io/job-completion-index",
    "statefulset.kubernetes.io/pod-name",
    "apps.kubernetes.io/pod-index",
})  # fmt: skip
"""Labels that controllers add, and that are others on the next pod or after the next rollout."""

_LONGEST_NAME = 253  # a DNS subdomain, which names of policies must be


class Adds(Enum):
    """What an edit adds, first what leaves most as it is."""

    PEERS = "peers"
    PORTS = "ports"
    RULE = "rule"
    POLICY = "policy"


@dataclass(frozen=True, slots=True)
class Edit:
    """One policy with something more in it, or a policy more.

    Attributes:
        adds: What it adds.
        direction: The direction of the rule that it is about.
        before: The policy as it is; None where the policy is what is added.
        after: The policy as it would be.
        rule: Of a rule that is there, what it gains: its other part is empty. Else the new rule.
        place: Where it goes: the rule that gains something, else the policy; None for a new policy.
    """

    adds: Adds
    direction: Direction
    before: Policy | None
    after: Policy
    rule: Rule
    place: Origin | None

    def of(self, policies: Iterable[Policy]) -> tuple[Policy, ...]:
        """Return all policies after the edit, given all before it; those that stay are the same objects."""
        kept = tuple(policy for policy in policies if policy is not self.before)
        return (*kept, self.after)


@dataclass(frozen=True, slots=True)
class Opening:
    """What the policies of one end must allow besides.

    Attributes:
        direction: Egress at clients, ingress at servers.
        subjects: The pods at that end; at least one, all of one namespace and selectable.
        others: Who is at the other end.
        traffic: What is to pass.
    """

    direction: Direction
    subjects: tuple[Pod, ...]
    others: Ends
    traffic: Intervals


class Edits:
    """The edits of one snapshot that may open something."""

    def __init__(self, snapshot: Snapshot) -> None:
        """Take the snapshot whose policies are edited."""
        self._snapshot = snapshot

    def network_policies(self, opening: Opening) -> tuple[Edit, ...]:
        """Return each way in which NetworkPolicies may say it; empty when none can name the other end.

        A peer or a port more for a rule, then a rule more for a policy that isolates all
        subjects, and last a policy for them alone; of each kind first those of the policy that
        is for fewest pods. Whether one opens what it is meant to is for the caller to see.
        """
        peers = self.peers(opening)
        if not peers:
            return ()
        direction, traffic = opening.direction, nameable(opening.traffic)
        found: list[Edit] = []
        for policy in sorted(self._isolating(opening), key=self._breadth):
            for index in range(len(policy.rules(direction))):
                found += _wider(policy, direction, index, peers, traffic)
            found.append(_with_rule(policy, direction, peers, traffic))
        order = list(Adds)
        found.sort(key=lambda edit: order.index(edit.adds))
        return (*found, self._new_policy(opening, peers, traffic))

    def in_error(self, opening: Opening) -> Policy | None:
        """Return a policy that isolates a subject and means less than is written; None if there is none."""
        labels = self._snapshot.namespace_labels(opening.subjects[0].namespace)
        isolating = (policy for policy in self._snapshot.policies if opening.direction in policy.isolates)
        faulty = (policy for policy in isolating if policy.faulty)
        return next((p for p in faulty if any(p.subject.selects(pod, labels) for pod in opening.subjects)), None)

    def peers(self, opening: Opening) -> tuple[Peer, ...]:
        """Return who is at the other end, as a rule of a NetworkPolicy names them; empty when it cannot.

        Pods are named by labels, and by namespace in another than that of the subjects; those on
        the network of a node, whom no selector sees, by the addresses that they speak from.
        """
        home, snapshot = opening.subjects[0].namespace, self._snapshot
        nowhere = Origin("", 0, 0, "", "")
        spaces: dict[str, list[Pod]] = {}
        addresses = opening.others.addresses
        for pod in opening.others.pods:
            if pod.selectable:
                spaces.setdefault(pod.namespace, []).append(pod)
                continue
            own = [a for family in snapshot.families_of(pod) for a in snapshot.sources_of(pod, family)]
            if not own:
                return ()
            addresses |= Intervals.of((address, address) for address in own)
        found: list[Peer] = []
        for name, pods in spaces.items():
            selector = narrowest(snapshot, pods)
            scope = name if name == home else Selector.labels({NAME_LABEL: name})
            by_pods = name == home or selector != EVERYTHING
            found.append(PodPeer(PodSelector(scope, selector), nowhere, by_pods))
        found += (BlockPeer(read_cidr(text), text, nowhere) for text in cidrs(addresses))
        return tuple(found)

    def _isolating(self, opening: Opening) -> Iterator[Policy]:
        """Yield the policies that isolate every subject."""
        labels = self._snapshot.namespace_labels(opening.subjects[0].namespace)
        for policy in self._snapshot.policies:
            isolates = policy.tier is Tier.NETWORK_POLICY and opening.direction in policy.isolates
            if isolates and all(policy.subject.selects(pod, labels) for pod in opening.subjects):
                yield policy

    def _breadth(self, policy: Policy) -> int:
        """Return how many pods a policy is for."""
        labels = self._snapshot.namespace_labels
        return sum(policy.subject.selects(pod, labels(pod.namespace)) for pod in self._snapshot.pods)

    def _new_policy(self, opening: Opening, peers: tuple[Peer, ...], traffic: Intervals) -> Edit:
        direction, namespace = opening.direction, opening.subjects[0].namespace
        name = self._free_name(namespace, _name(opening))
        origin = Origin("", 0, 0, "", f"NetworkPolicy/{name}")
        empty = Policy(
            kind="NetworkPolicy",
            name=name,
            tier=Tier.NETWORK_POLICY,
            subject=PodSelector(namespace, narrowest(self._snapshot, opening.subjects)),
            origin=origin,
            isolates=frozenset({direction}),
        )
        made = _with_rule(empty, direction, peers, traffic)
        return replace(made, adds=Adds.POLICY, before=None, place=None)

    def _free_name(self, namespace: str, name: str) -> str:
        taken = {policy.name for policy in self._snapshot.policies if policy.kind == "NetworkPolicy"}
        found, number = f"{namespace}/{name}", 2
        while found in taken:
            found, number = f"{namespace}/{name}-{number}", number + 1
        return found


def narrowest(snapshot: Snapshot, pods: Iterable[Pod]) -> Selector:
    """Return the labels that tell some pods of one namespace best from the others there.

    Of the labels that all these pods and those of their workloads share, the fewest that mean
    as few pods as all of them do; labels that the next pod will not have are left out. It
    means other pods as well where such labels do not tell them apart, and every pod of the
    namespace where there is no such label.

    Args:
        snapshot: The snapshot that they are in.
        pods: At least one, all of one namespace.
    """
    meant = tuple(pods)
    workloads, names = {pod.workload for pod in meant} - {""}, {pod.name for pod in meant}
    alike = [pod for pod in snapshot.pods if pod.namespace == meant[0].namespace and pod.selectable]
    kin = [pod.labels.items() for pod in alike if pod.workload in workloads or pod.name in names]
    shared = set(kin[0]).intersection(*kin[1:])
    common = {key: value for key, value in sorted(shared) if key not in _OF_ONE_POD}
    differing = {frozenset(key for key, value in common.items() if pod.labels.get(key) != value) for pod in alike}
    differing.discard(frozenset())
    for size in range(1, len(common) + 1):
        for keys in combinations(common, size):
            if not any(differs.isdisjoint(keys) for differs in differing):
                return Selector.labels({key: common[key] for key in keys})
    return EVERYTHING


def nameable(traffic: Intervals) -> Intervals:
    """Return the least traffic that a rule can name and that holds all of this.

    No rule names protocols without ports but by naming no port at all, nor port 0 but by
    naming the protocol alone.
    """
    if PORTLESS in traffic:
        return ALL
    return traffic | Intervals.union(ports(each) for each in WITH_PORTS if point(each, 0) in traffic)


def _wider(
    policy: Policy, direction: Direction, index: int, peers: tuple[Peer, ...], traffic: Intervals
) -> Iterator[Edit]:
    """Yield a rule with more peers, and one with more ports; one that has neither list cannot gain in it."""
    rule = policy.rules(direction)[index]
    if Anyone() not in rule.peers:
        wider = replace(rule, peers=(*rule.peers, *peers))
        gained = replace(rule, peers=peers, traffic=Intervals(), named=())
        yield Edit(Adds.PEERS, direction, policy, _edited(policy, direction, index, wider), gained, rule.origin)
    if ALL not in (rule.traffic, traffic):  # all traffic is no port more, but a list less
        wider = replace(rule, traffic=rule.traffic | traffic)
        gained = replace(rule, peers=(), traffic=traffic, named=())
        yield Edit(Adds.PORTS, direction, policy, _edited(policy, direction, index, wider), gained, rule.origin)


def _with_rule(policy: Policy, direction: Direction, peers: tuple[Peer, ...], traffic: Intervals) -> Edit:
    """Return a policy with a rule more, after all others."""
    index = len(policy.rules(direction))
    pointer = f"/spec/{direction.value.lower()}/{index}"
    origin = replace(policy.origin, pointer=pointer, rule=index, rule_name=None)
    rule = Rule(Action.ACCEPT, peers, traffic, origin)
    return Edit(Adds.RULE, direction, policy, _edited(policy, direction, index, rule), rule, policy.origin)


def _edited(policy: Policy, direction: Direction, index: int, rule: Rule) -> Policy:
    """Return a policy with another rule at a place, or one more at its end."""
    rules = policy.rules(direction)
    changed = (*rules[:index], rule, *rules[index + 1 :])
    return replace(policy, ingress=changed) if direction is Direction.INGRESS else replace(policy, egress=changed)


def _name(opening: Opening) -> str:
    """Return what to call a new policy, after both its ends."""
    word = "from" if opening.direction is Direction.INGRESS else "to"
    pods = opening.others.pods
    there = _called(pods) if pods else "outside"
    return f"{_called(opening.subjects)}-{word}-{there}"[: _LONGEST_NAME - 4].rstrip("-.")


def _called(pods: tuple[Pod, ...]) -> str:
    """Return the name of the one workload or pod, else of the namespace of the first."""
    names = {pod.workload.rpartition("/")[2] or pod.name for pod in pods}
    return names.pop() if len(names) == 1 else pods[0].namespace
