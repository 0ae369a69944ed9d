"""The part of a snapshot that matters for a few pods, so that the definition has little to walk."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from ringfence.model.cluster import Pod

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ringfence.model.connection import End
    from ringfence.model.snapshot import Snapshot

_REMEMBERED = 4096
"""So many scenes are kept: a bound on memory while questions keep coming."""


class Scenes:
    """Cuts scenes out of one snapshot and remembers them."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._anywhere: list[int] = []
        self._by_namespace: dict[str, list[int]] = defaultdict(list)
        for number, policy in enumerate(snapshot.policies):
            scope = policy.subject.scope
            (self._by_namespace[scope] if isinstance(scope, str) else self._anywhere).append(number)
        self._selecting: dict[tuple[str, str], frozenset[int]] = {}
        self._cut_out = lru_cache(_REMEMBERED)(self._with_policies)

    def around(self, ends: Iterable[End]) -> Snapshot:
        """Return the snapshot with the policies alone that select one of these ends.

        No other policy has a say about connections between them. The scene holds no pods:
        an end that is a pod is to be asked about as that pod, never by its address.
        """
        return self._cut_out(frozenset().union(*(self._policies_on(end) for end in ends if isinstance(end, Pod))))

    def _policies_on(self, pod: Pod) -> frozenset[int]:
        """Return the numbers of the policies that select a pod, or would if its node's network were its own."""
        key = (pod.namespace, pod.name)
        if key not in self._selecting:
            labels = self._snapshot.namespace_labels(pod.namespace)
            candidates = (*self._anywhere, *self._by_namespace.get(pod.namespace, ()))
            policies = self._snapshot.policies
            seen = replace(pod, host_network=False)
            self._selecting[key] = frozenset(n for n in candidates if policies[n].subject.selects(seen, labels))
        return self._selecting[key]

    def _with_policies(self, numbers: frozenset[int]) -> Snapshot:
        return self._snapshot.scene(tuple(self._snapshot.policies[n] for n in sorted(numbers)))
