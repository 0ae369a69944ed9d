"""How edits name whom and what they are about: pods by labels, addresses by blocks, traffic by ports."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import cidrs, read_cidr
from ringfence.algebra.intervals import Intervals
from ringfence.algebra.selectors import EVERYTHING, Selector
from ringfence.algebra.traffic import ALL, PORTLESS, WITH_PORTS, point, ports
from ringfence.model.cluster import NAME_LABEL
from ringfence.model.origin import Origin
from ringfence.model.policy import BlockPeer, PodPeer, PodSelector

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ringfence.model.cluster import Pod
    from ringfence.model.policy import Peer
    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics.ends import Ends

NOWHERE = Origin("", 0, 0, "", "")
"""Where a peer stands that is not written yet."""

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


def own_addresses(snapshot: Snapshot, pods: Iterable[Pod]) -> Intervals | None:
    """Return the addresses that pods speak from, those of their nodes' tunnels too; None where one is not known."""
    found = [(pod, [a for f in snapshot.families_of(pod) for a in snapshot.sources_of(pod, f)]) for pod in pods]
    if not all(addresses for _, addresses in found):
        return None
    return Intervals.of((address, address) for _, addresses in found for address in addresses)


def by_namespace(pods: Iterable[Pod]) -> dict[str, list[Pod]]:
    """Return the pods that a selector can see, by the names of their namespaces."""
    found: dict[str, list[Pod]] = {}
    for pod in pods:
        if pod.selectable:
            found.setdefault(pod.namespace, []).append(pod)
    return found


def peers_of(snapshot: Snapshot, others: Ends, home: str | None) -> tuple[Peer, ...]:
    """Return some ends as the peers of a rule; empty when no rule can name them.

    Pods are named by labels, and by namespace in another than that of the subjects; those on
    the network of a node, whom no selector sees, by the addresses that they speak from.

    Args:
        snapshot: The snapshot that they are in.
        others: Who they are.
        home: The namespace of a NetworkPolicy; None for a rule of a cluster-wide policy.
    """
    hosts = own_addresses(snapshot, (pod for pod in others.pods if not pod.selectable))
    if hosts is None:
        return ()
    found: list[Peer] = []
    for name, pods in by_namespace(others.pods).items():
        selector = narrowest(snapshot, pods)
        scope = name if name == home else Selector.labels({NAME_LABEL: name})
        found.append(PodPeer(PodSelector(scope, selector), NOWHERE, name == home or selector != EVERYTHING))
    found += blocks_of(others.addresses | hosts)
    return tuple(found)


def blocks_of(addresses: Intervals) -> list[BlockPeer]:
    """Return the fewest blocks that make up some addresses."""
    return [BlockPeer(read_cidr(text), text, NOWHERE) for text in cidrs(addresses)]


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
    """Return the least traffic that a rule of a NetworkPolicy can name and that holds all of this.

    No rule names protocols without ports but by naming no port at all, nor port 0 but by
    naming the protocol alone.
    """
    if PORTLESS in traffic:
        return ALL
    return traffic | Intervals.union(ports(each) for each in WITH_PORTS if point(each, 0) in traffic)


def nameable_below(traffic: Intervals) -> Intervals:
    """Return the most traffic that a rule of a NetworkPolicy can name and that is all in this; may be none.

    It leaves out protocols without ports where others do not all pass, and port 0 where its
    protocol does not pass as a whole.
    """
    if traffic == ALL:
        return ALL
    rest = traffic - Intervals.point(PORTLESS)
    partial = [point(each, 0) for each in WITH_PORTS if rest & ports(each) != ports(each)]
    return rest - Intervals.of((each, each) for each in partial)


def numbered(traffic: Intervals) -> Intervals:
    """Return the ports of traffic that a rule of a cluster-wide policy can name one by one: all but port 0."""
    return traffic - Intervals.of((each, each) for each in (PORTLESS, *(point(each, 0) for each in WITH_PORTS)))
