"""Sets of pods in the fewest words.

An expression is terms joined by commas, and means the pods of all of them::

    shop/web                                          a workload, or a pod
    shop/*                                            every pod of a namespace
    shop:tier in (api, web)                           those with such labels there
    tier=db in all namespaces                         those everywhere
    tier=db in namespaces (data, shop)                those in some namespaces
    tier=db in namespaces with tenant=red             those in namespaces with such labels
    namespaces with tenant=red                        every pod of such namespaces
    *                                                 every pod
    shop/* except (shop/db, shop/web)                 a larger set but for some; one alone has no parentheses

It is exact for the pods that there are, and so for one snapshot.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from itertools import combinations
from math import inf
from operator import and_, or_
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from ringfence.model.cluster import Pod

FEW = 3
"""So many names are always written out."""

Bits = int
"""A set of pods, each a bit at its place."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A set in words.

    Attributes:
        terms: What is joined by commas.
        size: How many names and values it has, by which the shortest is chosen.
    """

    terms: tuple[str, ...]
    size: int

    def __str__(self) -> str:
        """Return the terms, joined."""
        return ", ".join(self.terms)

    def without(self, other: Expression) -> Expression:
        """Return what this means but for what the other does."""
        left_out = f"({other})" if len(other.terms) > 1 else str(other)
        return Expression((f"{self} except {left_out}",), self.size + other.size)


@dataclass(frozen=True, slots=True)
class Scope:
    """Some namespaces.

    Attributes:
        pods: All their pods.
        said: What follows labels to say where, or comes before them in one namespace.
        size: How many names and values it has.
        alone: Whether it is one namespace, named by itself.
    """

    pods: Bits
    said: str
    size: int
    alone: bool = False

    def narrowed(self, conditions: Sequence[Condition]) -> Expression:
        """Return its pods that meet all of some conditions, in words."""
        labels = ",".join(condition.said for condition in conditions)
        text = f"{self.said}:{labels}" if self.alone else f"{labels} in {self.said}"
        return Expression((text,), self.size + sum(condition.size for condition in conditions))


@dataclass(frozen=True, slots=True)
class Condition:
    """One label with any of some values.

    Attributes:
        pods: Those that meet it; of a condition on namespaces, all pods there.
        said: It in kubectl's grammar.
        size: How many names and values it has.
    """

    pods: Bits
    said: str
    size: int

    @classmethod
    def of(cls, key: str, values: Iterable[str], pods: Mapping[str, Bits]) -> Condition:
        """Build the condition that a label has one of these values, given who has each value."""
        listed = sorted(set(values))
        said = f"{key}={listed[0]}" if len(listed) == 1 else f"{key} in ({', '.join(listed)})"
        return cls(_union(pods[value] for value in listed), said, 1 + len(listed))


@dataclass(frozen=True, slots=True)
class Part:
    """Some pods of one namespace.

    Attributes:
        pods: Them, as a set and in order.
        plain: Their names, or the namespace where all are there.
        best: The shortest expression within the namespace.
        rest: The other pods of the namespace.
    """

    bits: Bits
    pods: Sequence[Pod]
    plain: Expression
    best: Expression
    rest: Sequence[Pod] = ()


class Expressions:
    """Finds the shortest expressions over the pods of one snapshot."""

    def __init__(
        self,
        pods: Mapping[str, Sequence[Pod]],
        labels: Mapping[str, Mapping[str, str]],
        names_of: Callable[[Iterable[Pod]], tuple[str, ...]],
    ) -> None:
        """Take the pods by namespace, the labels of their namespaces, and what names pods one by one."""
        self._pods, self._namespace_labels, self._names_of = pods, labels, names_of
        self._parts: dict[tuple[int, ...], Part] = {}
        self._rests: dict[Bits, Expression] = {}

    def plain(self, pods: Iterable[Pod]) -> Expression:
        """Return names, whole namespaces and everybody, and nothing cleverer."""
        return self._plain(self._divided(pods))

    def shortest(self, pods: Iterable[Pod]) -> Expression:
        """Return the shortest expression; a few names are always written out, and a tie goes to them."""
        parts = self._divided(pods)
        best = self._plain(parts)
        if best.size > FEW:
            best = _shorter(best, self._but_for_some(parts, best.size))
            best = _shorter(best, [self._by_parts(parts)])
            best = _shorter(best, self._labelled([part.pods for part in parts], _bits(parts), best.size))
        return best

    def _divided(self, pods: Iterable[Pod]) -> list[Part]:
        """Return pods by namespace."""
        by_namespace: dict[str, list[Pod]] = defaultdict(list)
        for pod in pods:
            by_namespace[pod.namespace].append(pod)
        return [self._part(name, by_namespace[name]) for name in sorted(by_namespace)]

    def _part(self, namespace: str, pods: Sequence[Pod]) -> Part:
        there = self._pods[namespace]
        if len(pods) == len(there):
            return self._whole[namespace]
        key = tuple(map(id, pods))
        if key not in self._parts:
            self._parts[key] = self._worded(namespace, pods)
        return self._parts[key]

    def _worded(self, namespace: str, pods: Sequence[Pod]) -> Part:
        """Return not all of the pods of a namespace as a part."""
        names = {pod.name for pod in pods}
        rest = [pod for pod in self._pods[namespace] if pod.name not in names]
        plain, bits = _named(self._names_of(pods)), self._bits_of(pods)
        part = Part(bits, pods, plain, plain, rest)
        if plain.size <= FEW:
            return part
        best = _shorter(plain, [self._whole[namespace].plain.without(self._rest_of(part))])
        if conditions := self._conditions([pods], bits, best.size):
            here = Scope(self._whole[namespace].bits, namespace, 1, alone=True)
            best = _shorter(best, _narrowed(conditions, bits, [here]))
        return replace(part, best=best)

    def _rest_of(self, part: Part) -> Expression:
        """Return the names of the other pods of a namespace."""
        if part.bits not in self._rests:
            self._rests[part.bits] = _named(self._names_of(part.rest))
        return self._rests[part.bits]

    def _plain(self, parts: Sequence[Part]) -> Expression:
        if len(parts) == len(self._pods) > 1 and not any(part.rest for part in parts):
            return Expression(("*",), 1)
        return _joined(part.plain for part in parts)

    def _but_for_some(self, parts: Sequence[Part], limit: int) -> Iterator[Expression]:
        """Yield everybody without some, in fewer words than a limit."""
        everybody = self._plain([*self._whole.values()])
        limit -= everybody.size
        chosen = {part.pods[0].namespace for part in parts}
        others = [self._whole[name] for name in sorted(self._pods.keys() - chosen)]
        pods = [*(part.rest for part in parts if part.rest), *(part.pods for part in others)]
        offers: list[Expression] = []
        if len(pods) < limit or len(pods) <= FEW:  # each has a name at least
            rest = _joined([*map(self._rest_of, parts), *(part.plain for part in others)])
            offers, limit = [rest], min(limit, rest.size)
        if pods and (not offers or offers[0].size > FEW):
            wanted = self._everyone & ~_bits(parts)
            offers += self._labelled(pods, wanted, limit)
        if pods and offers:
            yield everybody.without(_shorter(offers[0], offers[1:]))

    def _by_parts(self, parts: Sequence[Part]) -> Expression:
        """Return each namespace in its own fewest words, whole ones together where labels tell them."""
        whole = [part for part in parts if not part.rest]
        together = self._namespaces(whole) if len(whole) > FEW else None
        if together is None:
            return _joined(part.best for part in parts)
        return _joined([together, *(part.best for part in parts if part.rest)])

    def _namespaces(self, whole: Sequence[Part]) -> Expression | None:
        """Return all pods of some namespaces by the labels of these; None where no label tells them."""
        names, wanted = [part.pods[0].namespace for part in whole], _bits(whole)
        exact = [condition for condition in self._on_namespaces(names) if condition.pods == wanted]
        found = min(exact, key=lambda each: each.size, default=None)
        return Expression((f"namespaces with {found.said}",), found.size) if found else None

    def _labelled(self, pods: Sequence[Sequence[Pod]], wanted: Bits, limit: int) -> Iterator[Expression]:
        """Yield pods by labels of theirs in some namespaces, and all expressions in fewer words than a limit."""
        if conditions := self._conditions(pods, wanted, limit):
            yield from _narrowed(conditions, wanted, self._scopes(sorted({part[0].namespace for part in pods}), limit))

    def _scopes(self, names: Sequence[str], limit: int) -> Iterator[Scope]:
        """Yield all namespaces, these, and those with labels that these share, unless that takes as many words."""
        yield Scope(self._everyone, "all namespaces", 0)
        if len(names) == 1:
            yield Scope(self._whole[names[0]].bits, names[0], 1, alone=True)
            return
        if len(names) < limit:
            of_all = _union(self._whole[name].bits for name in names)
            yield Scope(of_all, f"namespaces ({', '.join(names)})", len(names))
        for each in self._on_namespaces(names, limit):
            yield Scope(each.pods, f"namespaces with {each.said}", each.size)

    def _conditions(self, pods: Sequence[Sequence[Pod]], wanted: Bits, limit: int) -> list[Condition]:
        """Return the conditions on labels that all of some pods meet, those that are shorter than a limit."""
        found = []
        for key, by_value in self._of_label.items():
            if not wanted & ~self._with_key[key]:
                if len(by_value) < sum(map(len, pods)):
                    all_values = (value for value, having in by_value.items() if having & wanted)
                else:
                    all_values = (pod.labels[key] for part in pods for pod in part)
                if values := _values(all_values, limit - 2):
                    found.append(Condition.of(key, values, by_value))
        return found

    def _bits_of(self, pods: Iterable[Pod]) -> Bits:
        return _union(self._bit[pod.namespace, pod.name] for pod in pods)

    def _on_namespaces(self, names: Iterable[str], limit: float = inf) -> list[Condition]:
        """Return the conditions on labels that all of some namespaces meet, those that are shorter than a limit."""
        labels = [self._namespace_labels[name] for name in names]
        shared = sorted(set[str].intersection(*({*each} for each in labels)))
        values = {key: {each[key] for each in labels} for key in shared}
        few = [key for key in shared if len(values[key]) + 1 < limit]
        return [Condition.of(key, values[key], self._of_namespace_label[key]) for key in few]

    @cached_property
    def _whole(self) -> dict[str, Part]:
        """All pods of each namespace."""
        found = {}
        for name, pods in self._pods.items():
            names = self._names_of(pods)
            plain = _named((f"{name}/*",) if len(names) > 1 else names)
            found[name] = Part(self._bits_of(pods), pods, plain, plain)
        return found

    @cached_property
    def _everyone(self) -> Bits:
        return _bits(self._whole.values())

    @cached_property
    def _bit(self) -> dict[tuple[str, str], Bits]:
        everyone = (pod for name in sorted(self._pods) for pod in self._pods[name])
        return {(pod.namespace, pod.name): 1 << place for place, pod in enumerate(everyone)}

    @cached_property
    def _of_label(self) -> dict[str, dict[str, Bits]]:
        """Who has each label, by key and value; keys in order."""
        everyone = (pod for pods in self._pods.values() for pod in pods)
        found = _index((pod.labels, self._bit[pod.namespace, pod.name]) for pod in everyone)
        return dict(sorted(found.items()))

    @cached_property
    def _with_key(self) -> dict[str, Bits]:
        """Who has a label of each key."""
        return {key: _union(by_value.values()) for key, by_value in self._of_label.items()}

    @cached_property
    def _of_namespace_label(self) -> dict[str, dict[str, Bits]]:
        """All pods of the namespaces that have each label, by key and value."""
        return _index((self._namespace_labels[name], part.bits) for name, part in self._whole.items())


def _narrowed(conditions: Sequence[Condition], wanted: Bits, scopes: Iterable[Scope]) -> Iterator[Expression]:
    """Yield some pods by one condition or by two, in every scope in which these mean nobody else."""
    for scope in scopes:
        if reduce(and_, (condition.pods for condition in conditions), scope.pods) != wanted:
            continue
        yield from (scope.narrowed([one]) for one in conditions if one.pods & scope.pods == wanted)
        for one, other in combinations(conditions, 2):
            if one.pods & other.pods & scope.pods == wanted:
                yield scope.narrowed([one, other])


def _shorter(best: Expression, offers: Iterable[Expression]) -> Expression:
    """Return the first of the shortest."""
    return min((best, *offers), key=lambda offer: offer.size)


def _named(names: tuple[str, ...]) -> Expression:
    return Expression(names, len(names))


def _joined(expressions: Iterable[Expression]) -> Expression:
    found = list(expressions)
    return Expression(tuple(term for each in found for term in each.terms), sum(each.size for each in found))


def _bits(parts: Iterable[Part]) -> Bits:
    return _union(part.bits for part in parts)


def _values(values: Iterable[str], limit: int) -> set[str]:
    """Return values, each once; none where there are more than a limit."""
    found: set[str] = set()
    for value in values:
        found.add(value)
        if len(found) > limit:
            return set()
    return found


def _index(labelled: Iterable[tuple[Mapping[str, str], Bits]]) -> dict[str, dict[str, Bits]]:
    found: dict[str, dict[str, Bits]] = defaultdict(lambda: defaultdict(int))
    for labels, pods in labelled:
        for key, value in labels.items():
            found[key][value] |= pods
    return found


def _union(sets: Iterable[Bits]) -> Bits:
    return reduce(or_, sets, 0)
