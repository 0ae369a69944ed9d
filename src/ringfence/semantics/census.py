"""Which pods are in which class; what moves between classes when a cluster changes."""

from __future__ import annotations

from collections import defaultdict
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ringfence.model.cluster import Pod
    from ringfence.semantics.classes import PodClass


@dataclass(frozen=True, slots=True)
class Move:
    """A pod that is in another class, or is another object, than before.

    Attributes:
        old: The pod as it was; None where it is new.
        new: The pod as it is; None where it is gone.
        into: The class that it is in; None where it is gone.
        cut: Whether it is in another class only because policies tell more of the one that it was in.
    """

    old: Pod | None
    new: Pod | None
    into: PodClass | None
    cut: bool = False


class Census:
    """The pods that are not terminal, by class.

    Attributes:
        classes: The classes, by number. One whose pods are all gone keeps its number.
        members: The pods of each, sorted by namespace and name.
        others: The classes that other pods are in than before the last moves.
        new: The classes that were new then, each with a class out of which some pod came, and whether policies
            cut it out of that; None where all pods are new.
    """

    def __init__(self, groups: Mapping[PodClass, list[Pod]]) -> None:
        """Number the classes in their order."""
        self.classes = tuple(groups)
        self.members = tuple(map(tuple, groups.values()))
        self.others = frozenset[int]()
        self.new: dict[int, tuple[int, bool] | None] = {}

    def class_of(self, namespace: str, name: str) -> int:
        """Return the number of a pod's class; ``KeyError`` where it is in none."""
        return self._class_by_pod[namespace, name]

    def revised(self, moves: Iterable[Move], renamed: Mapping[int, PodClass]) -> Census:
        """Return the same after some moves, in which classes that are new have the next numbers.

        Args:
            moves: At most one for each pod.
            renamed: Classes of which more is told, and whose pods are in one class still.
        """
        found = copy(self)
        classes, numbers = list(self.classes), dict(self._numbers)
        for number, each in renamed.items():
            old = classes[number].selectors
            numbers[old] = tuple(n for n in numbers[old] if n != number)
            numbers[each.selectors] = (*numbers.get(each.selectors, ()), number)
            classes[number] = each
        class_by_pod = dict(self._class_by_pod)
        left: dict[int, set[tuple[str, str]]] = defaultdict(set)
        entered: dict[int, list[Pod]] = defaultdict(list)
        new: dict[int, tuple[int, bool] | None] = {}
        for move in moves:
            origin = None
            if move.old is not None and not move.old.terminal:
                origin = class_by_pod.pop(_name(move.old))
                left[origin].add(_name(move.old))
            if move.new is not None and move.into is not None:
                alike = numbers.get(move.into.selectors, ())
                number = next((n for n in alike if classes[n] == move.into), len(classes))
                if number == len(classes):
                    classes.append(move.into)
                    numbers[move.into.selectors] = (*alike, number)
                    new[number] = None if origin is None else (origin, move.cut)
                entered[number].append(move.new)
                class_by_pod[_name(move.new)] = number
        members = [*self.members, *((),) * len(new)]
        for number in left.keys() | entered.keys():
            stay = [pod for pod in members[number] if (pod.namespace, pod.name) not in left.get(number, ())]
            members[number] = tuple(
                sorted([*stay, *entered.get(number, ())], key=lambda pod: (pod.namespace, pod.name))
            )
        found.classes, found.members = tuple(classes), tuple(members)
        found.others, found.new = frozenset(left.keys() | entered.keys()), new
        found._numbers, found._class_by_pod = numbers, class_by_pod  # noqa: SLF001 - one of its own
        return found

    def twin(self, number: int, known: int) -> int | None:
        """Return a class from which a new one differs in selectors alone; None for none.

        It is the one where a pod came from, if that will do, else one that differs in as few as any.

        Args:
            number: The new class.
            known: How many classes are not new.
        """
        found, origin = self.classes[number], self.new[number]
        if origin is not None and (origin[1] or _alike(found, self.classes[origin[0]])):
            return origin[0]
        wanted = set(found.selectors)
        alike = (
            (len(wanted.symmetric_difference(each.selectors)), n)
            for n, each in enumerate(self.classes[:known])
            if _alike(found, each)
        )
        return min(alike, default=(0, None))[1]

    @cached_property
    def _class_by_pod(self) -> dict[tuple[str, str], int]:
        return {_name(pod): number for number, pods in enumerate(self.members) for pod in pods}

    @cached_property
    def _numbers(self) -> dict[tuple[int, ...], tuple[int, ...]]:
        """The classes that are in the same selectors, by these."""
        found: dict[tuple[int, ...], list[int]] = defaultdict(list)
        for number, each in enumerate(self.classes):
            found[each.selectors].append(number)
        return {selectors: tuple(numbers) for selectors, numbers in found.items()}


def _name(pod: Pod) -> tuple[str, str]:
    return pod.namespace, pod.name


def _alike(one: PodClass, other: PodClass) -> bool:
    """Tell whether classes are alike in all but selectors."""
    rest = (one.ports, one.places, one.on_node, one.tunnels)
    return rest == (other.ports, other.places, other.on_node, other.tunnels)
