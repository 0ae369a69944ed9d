"""Finds the scoped selectors that a pod is in, without asking all of them.

Namespaces in the same scopes are of one *kind*, and a kind fixes the label keys that its
selectors ask for. Two pods of one kind with the same values of those keys are in the same
selectors, so each combination is worked out once.
"""

from __future__ import annotations

from collections import defaultdict
from copy import copy
from typing import TYPE_CHECKING

from ringfence.algebra.selectors import Operator, Requirement, Selector
from ringfence.model.policy import Direction, PodPeer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ringfence.model.cluster import ContainerPort, Pod
    from ringfence.model.policy import PodSelector, Policy
    from ringfence.model.snapshot import Snapshot

View = tuple["Kind", tuple[str | None, ...]]
"""What the selectors can tell of a pod: the kind of its namespace, and the values of the kind's keys."""


class Matcher:
    """Answers which selectors match a pod; what it has worked out once it keeps."""

    def __init__(self, snapshot: Snapshot, selectors: Mapping[PodSelector, int]) -> None:
        """File the numbered selectors by scope, the scopes by the labels they need."""
        self._snapshot = snapshot
        self._by_name: dict[str, _Filed] = defaultdict(_Filed)
        by_labels: dict[Selector, _Filed] = defaultdict(_Filed)
        for selector, number in selectors.items():
            scope = selector.scope
            (self._by_name if isinstance(scope, str) else by_labels)[scope].add(selector.pods, number)  # type: ignore[index]
        self._scoped = tuple(by_labels.values())
        self._scopes = _Filed()
        for number, scope in enumerate(by_labels):
            self._scopes.add(scope, number)
        self._kinds: dict[tuple[_Filed, ...], Kind] = {}
        self._kind_of: dict[str, Kind] = {}
        self._matching: dict[View, tuple[int, ...]] = {}

    def over(self, snapshot: Snapshot, relabelled: Iterable[str]) -> Matcher:
        """Return the same of another snapshot, in which some namespaces have other labels."""
        found = copy(self)
        found._snapshot, found._kind_of = snapshot, {**self._kind_of}  # noqa: SLF001 - one of its own
        for name in relabelled:
            found._kind_of.pop(name, None)  # noqa: SLF001
        return found

    def view(self, pod: Pod) -> View:
        """Return what the selectors can tell of a pod; pods with equal views are in the same selectors."""
        kind = self._kind_of.get(pod.namespace)
        if kind is None:
            kind = self._kind_of[pod.namespace] = self._kind(pod.namespace)
        return kind, tuple(map(pod.labels.get, kind.keys))

    def matching(self, view: View) -> tuple[int, ...]:
        """Return the numbers of the selectors that match a selectable pod, sorted."""
        found = self._matching.get(view)
        if found is None:
            kind, values = view
            labels = {key: value for key, value in zip(kind.keys, values, strict=True) if value is not None}
            numbers: list[int] = []
            for filed in kind.filed:
                numbers += filed.matching(labels)
            found = self._matching[view] = tuple(sorted(numbers))
        return found

    def _kind(self, namespace: str) -> Kind:
        labels = self._snapshot.namespace_labels(namespace)
        named = (self._by_name[namespace],) if namespace in self._by_name else ()
        scopes = (*named, *(self._scoped[number] for number in sorted(self._scopes.matching(labels))))
        return self._kinds.setdefault(scopes, Kind(scopes))


class Kind:
    """Namespaces that are in the same scopes.

    Attributes:
        filed: The selectors of each of these scopes.
        keys: The label keys that they ask for, sorted.
    """

    __slots__ = ("filed", "keys")

    def __init__(self, filed: tuple[_Filed, ...]) -> None:
        """Gather the keys of the scopes."""
        self.filed = filed
        self.keys = tuple(sorted(set[str]().union(*(each.keys for each in filed))))


_Entry = tuple[tuple[Requirement, ...], int]
"""What is left to be asked of the labels, and the number of the selector."""


def _hold(requirements: tuple[Requirement, ...], labels: Mapping[str, str]) -> bool:
    return all(each.matches(labels) for each in requirements)


class _Filed:
    """Selectors, each filed under a label or a key without which it cannot match.

    Attributes:
        keys: Every label key that one of them asks for.
    """

    def __init__(self) -> None:
        self.keys: set[str] = set()
        self._by_label: dict[tuple[str, str], list[_Entry]] = defaultdict(list)
        self._by_key: dict[str, list[_Entry]] = defaultdict(list)
        self._others: list[_Entry] = []

    def add(self, selector: Selector, number: int) -> None:
        """File a selector under each value of its shortest In, else under a key it needs, else with those to be asked.

        What it is filed under need not be asked again.
        """
        self.keys.update(requirement.key for requirement in selector.requirements)
        positive = [each for each in selector.requirements if each.operator in {Operator.IN, Operator.EXISTS}]
        if not positive:
            self._others.append((selector.requirements, number))
            return
        needed = min(positive, key=lambda each: (each.operator is not Operator.IN, len(each.values)))
        entry = (tuple([each for each in selector.requirements if each is not needed]), number)
        if needed.operator is Operator.EXISTS:
            self._by_key[needed.key].append(entry)
        for value in needed.values:
            self._by_label[needed.key, value].append(entry)

    def matching(self, labels: Mapping[str, str]) -> list[int]:
        """Return the numbers of the selectors that match, in no particular order."""
        by_label, by_key = self._by_label, self._by_key
        found = [number for rest, number in self._others if not rest or _hold(rest, labels)]
        for label in labels.items():
            for rest, number in by_label.get(label, ()):
                if not rest or _hold(rest, labels):
                    found.append(number)
        for key in labels if by_key else ():
            found += [number for rest, number in by_key.get(key, ()) if not rest or _hold(rest, labels)]
        return found


class PortNames:
    """The port names that some policy may ask of the pods of each selector.

    Ingress rules ask them of their subject, egress rules of their peers.
    """

    def __init__(self, policies: Iterable[Policy], selectors: Mapping[PodSelector, int]) -> None:
        """Gather the names from the rules of the policies."""
        self._selectors = selectors
        self._of_selector: dict[int | None, set[str]] = defaultdict(set)
        self._of_selectors: dict[tuple[int, ...], frozenset[str]] = {}
        for policy in policies:
            for selector, names in self._asked(policy):
                self._of_selector[selector].update(names)

    def asking(self, policies: Iterable[Policy], selectors: Mapping[PodSelector, int]) -> PortNames:
        """Return these and what other policies ask, whose selectors are among more of them."""
        found = copy(self)
        found._selectors = selectors  # noqa: SLF001 - one of its own
        more: dict[int | None, set[str]] = defaultdict(set)
        for policy in policies:
            for selector, names in found._asked(policy):  # noqa: SLF001
                more[selector] |= names
        if any(names - self._of_selector.get(selector, set()) for selector, names in more.items()):
            of_selector = found._of_selector = defaultdict(set, self._of_selector)  # noqa: SLF001
            for selector, names in more.items():
                of_selector[selector] = of_selector[selector] | names
            found._of_selectors = {}  # noqa: SLF001
        return found

    def more_than(self, other: PortNames) -> set[int | None]:
        """Return the selectors of whose pods more names are asked than by others; None stands for everyone."""
        if self._of_selector is other._of_selector:
            return set()
        return {each for each, names in self._of_selector.items() if names - other._of_selector.get(each, set())}

    def include(self, policy: Policy) -> bool:
        """Tell whether the names that a policy asks, whose selectors are known, are asked of the same pods already."""
        return all(names <= self._of_selector.get(selector, set()) for selector, names in self._asked(policy))

    def _asked(self, policy: Policy) -> Iterator[tuple[int | None, set[str]]]:
        """Yield the names that a policy asks, with the selector of whom it asks them; None for everyone."""
        for rule in policy.ingress:
            if rule.named:
                yield self._selectors[policy.subject], {port.name for port in rule.named}
        for rule in policy.egress:
            for peer in rule.peers if rule.named else ():
                whom = self._selectors[peer.pods] if isinstance(peer, PodPeer) else None
                yield whom, {port.name for port in rule.named}

    def of(self, ports: tuple[ContainerPort, ...], selectors: tuple[int, ...]) -> tuple[ContainerPort, ...]:
        """Return the ports that matter of a pod that is in these selectors."""
        names = self._of_selectors.get(selectors)
        if names is None:
            asked = (self._of_selector[number] for number in (None, *selectors) if number in self._of_selector)
            names = self._of_selectors[selectors] = frozenset[str]().union(*asked)
        return tuple([port for port in ports if port.name in names])


def scoped_selectors(policies: Iterable[Policy]) -> dict[PodSelector, int]:
    """Return every scoped selector of some policies with its number, in the order in which they are named."""
    found: dict[PodSelector, int] = {}
    for policy in policies:
        found.setdefault(policy.subject, len(found))
        for direction in Direction:
            for rule in policy.rules(direction):
                for peer in rule.peers:
                    if isinstance(peer, PodPeer):
                        found.setdefault(peer.pods, len(found))
    return found
