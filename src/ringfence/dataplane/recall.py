"""What was worked out once is taken over, where it is asked of the same objects again.

A node's plan and program are made of parts, and each part is a function of others. A change
of the cluster leaves most of them the same objects, so what follows from these need not be
worked out again. Nothing is made in another way than without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

_Found = TypeVar("_Found")
_Value = TypeVar("_Value", bound="Hashable")


class Recall:
    """Remembers what functions have returned, in this round and in the one before.

    Objects are told apart by identity, so nothing large is compared. They are held as long as
    what was made of them, and must never change.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self._now: dict[Any, tuple[Any, Any]] = {}
        self._before: dict[Any, tuple[Any, Any]] = {}

    def begin(self) -> None:
        """Begin another round: what nobody asked for in the last one is forgotten."""
        self._before, self._now = self._now, {}

    def __call__(self, function: Callable[..., _Found], *arguments: object) -> _Found:
        """Return what a function of nothing but its arguments returns."""
        return cast("_Found", self._found((function, *map(id, arguments)), arguments, function))

    def same(self, value: _Value) -> _Value:
        """Return the object that is equal to a small one and was given first."""
        return cast("_Value", self._found(value, (value,), _itself))

    def _found(self, key: Any, arguments: tuple[object, ...], function: Callable[..., Any]) -> Any:
        found = self._now.get(key)
        if found is None:
            found = self._before.get(key) or (arguments, function(*arguments))
            self._now[key] = found
        return found[1]


def _itself(value: _Value) -> _Value:
    return value
