"""What happened to a cluster between two snapshots of it, as far as policies and those whom they judge go."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import compress, count
from operator import is_not
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ringfence.model.cluster import Pod
    from ringfence.model.policy import Policy
    from ringfence.model.snapshot import Snapshot

Part = TypeVar("Part", "Pod", "Policy")


@dataclass(frozen=True, slots=True)
class Events:
    """What is another object in a later snapshot; who changes one part of a cluster keeps the objects of all others.

    Attributes:
        pods: Pods as they were and as they are, in order; None where there was, or is, none of that name.
        gone: Policies that are no more, or are others now.
        come: Policies that are new, or were others.
        namespaces: The names of namespaces whose labels are others.
        cluster: Whether nodes, families or the ranges of pods are others.
    """

    pods: tuple[tuple[Pod | None, Pod | None], ...]
    gone: tuple[Policy, ...]
    come: tuple[Policy, ...]
    namespaces: frozenset[str]
    cluster: bool

    @classmethod
    def between(cls, before: Snapshot, after: Snapshot) -> Events:
        """Find what happened."""
        old, new = ({(pod.namespace, pod.name): pod for pod in each} for each in unlike(before.pods, after.pods))
        both = ((old.get(name), new.get(name)) for name in sorted(old.keys() | new.keys()))
        gone, come = ({id(policy): policy for policy in each} for each in unlike(before.policies, after.policies))
        names = () if before.namespaces is after.namespaces else before.namespaces.keys() | after.namespaces.keys()
        return cls(
            tuple((one, other) for one, other in both if one is not other),
            tuple(policy for key, policy in gone.items() if key not in come),
            tuple(policy for key, policy in come.items() if key not in gone),
            frozenset(name for name in names if before.namespace_labels(name) != after.namespace_labels(name)),
            (before.nodes, before.families, before.pod_ranges) != (after.nodes, after.families, after.pod_ranges),
        )


def unlike(before: Sequence[Part], after: Sequence[Part]) -> tuple[Sequence[Part], Sequence[Part]]:
    """Return two sequences without the objects with which both begin, and those with which both end."""
    if before is after:
        return (), ()
    shorter = min(len(before), len(after))
    first = next(compress(count(), map(is_not, before, after)), shorter)
    last = next(compress(count(), map(is_not, reversed(before), reversed(after))), shorter)
    last = min(last, shorter - first)
    return before[first : len(before) - last], after[first : len(after) - last]
