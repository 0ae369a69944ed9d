"""Label selectors: conjunctions of requirements on labels.

The four operators are those of ``metav1.LabelSelector``; ``matchLabels`` is ``In`` with
one value. ``NotIn`` and ``DoesNotExist`` match labels that lack the key.

Source: k8s.io/apimachinery ``pkg/labels/selector.go``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


class Operator(Enum):
    """An operator of ``matchExpressions``."""

    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"

    __hash__ = object.__hash__  # a member is one object; the default hashes its name in Python, each time anew


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition on one label key.

    Attributes:
        key: The label's key.
        operator: What is asked of the key.
        values: Sorted and without duplicates; empty for Exists and DoesNotExist.
    """

    key: str
    operator: Operator
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Tell whether labels meet the condition."""
        match self.operator:
            case Operator.IN:
                return self.key in labels and labels[self.key] in self.values
            case Operator.NOT_IN:
                return self.key not in labels or labels[self.key] not in self.values
            case Operator.EXISTS:
                return self.key in labels
            case Operator.DOES_NOT_EXIST:
                return self.key not in labels

    def __str__(self) -> str:
        """Return kubectl's spelling: ``app=web``, ``app in (a,b)``, ``app``, ``!app``."""
        match self.operator:
            case Operator.IN if len(self.values) == 1:
                return f"{self.key}={self.values[0]}"
            case Operator.IN:
                return f"{self.key} in ({','.join(self.values)})"
            case Operator.NOT_IN:
                return f"{self.key} notin ({','.join(self.values)})"
            case Operator.EXISTS:
                return self.key
            case Operator.DOES_NOT_EXIST:
                return f"!{self.key}"


@dataclass(frozen=True, slots=True)
class Selector:
    """All requirements together; none of them means that everything matches.

    Attributes:
        requirements: In canonical order and without duplicates; built by :meth:`of`.
    """

    requirements: tuple[Requirement, ...] = ()

    @classmethod
    def of(cls, requirements: Iterable[Requirement]) -> Selector:
        """Build a selector whose equality does not depend on the order it was written in."""
        unique = set(requirements)
        if len(unique) == 1:  # as of most selectors, and there is nothing to sort
            return cls(tuple(unique))
        return cls(tuple(sorted(unique, key=lambda r: (r.key, r.operator.value, r.values))))

    @classmethod
    def labels(cls, labels: Mapping[str, str]) -> Selector:
        """Build the selector that ``matchLabels`` writes; no labels match everything."""
        return cls.of(Requirement(key, Operator.IN, (value,)) for key, value in labels.items())

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Tell whether labels meet every requirement."""
        return all(requirement.matches(labels) for requirement in self.requirements)

    @property
    def contradicts_itself(self) -> bool:
        """Whether no labels can meet it."""
        named = {value for requirement in self.requirements for value in requirement.values}
        values = [*named, "".join(named) + "-"]  # and one that it does not name
        for key in {requirement.key for requirement in self.requirements}:
            asked = [requirement for requirement in self.requirements if requirement.key == key]
            possible: list[dict[str, str]] = [{}, *({key: value} for value in values)]
            if not any(all(each.matches(labels) for each in asked) for labels in possible):
                return True
        return False

    @property
    def simplified(self) -> Selector:
        """A selector that matches the same labels and asks of each key once, or twice where no one way says it.

        One that contradicts itself stays as it is.
        """
        if self.contradicts_itself:
            return self
        keys = dict.fromkeys(requirement.key for requirement in self.requirements)
        return Selector.of(each for key in keys for each in self._about(key))

    def _about(self, key: str) -> Iterator[Requirement]:
        """Yield the fewest requirements on one key that ask the same; some labels meet them."""
        asked = [requirement for requirement in self.requirements if requirement.key == key]
        wanted = [set(each.values) for each in asked if each.operator is Operator.IN]
        unwanted = {value for each in asked if each.operator is Operator.NOT_IN for value in each.values}
        plain = [each for each in asked if not each.values]
        if wanted:
            yield Requirement(key, Operator.IN, tuple(sorted(set.intersection(*wanted) - unwanted)))
            return
        yield from plain
        if unwanted and not any(each.operator is Operator.DOES_NOT_EXIST for each in plain):
            yield Requirement(key, Operator.NOT_IN, tuple(sorted(unwanted)))

    def __str__(self) -> str:
        """Return kubectl's spelling, requirements joined by commas; empty when all match."""
        return ",".join(map(str, self.requirements))


EVERYTHING = Selector()
"""The selector ``{}``: every object matches."""
