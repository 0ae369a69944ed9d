"""Shapes of API types, from which objects are made and in which they are broken.

A shape knows every field of a type and, for each, values that the API takes and values
that it is known to refuse, at the boundary where there is one.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from random import Random

WRONG = (
    None, "", "x", " ", "é", "a b", "\t", "\U0001f600", "80", "true", 0, 1, -1, 80, 65536, 1.5, 80.0, 2**31, 2**63,
    10**30, True, False, [], {}, [None], [[]], ["x"], [1], [{}], {"a": "b"}, {"a": None}, {"a": 1}, {"": {}},
)  # fmt: skip
"""Values that are of the wrong type nearly everywhere."""


@dataclass(frozen=True)
class Shape:
    """What may stand at one place of an object.

    A shape is a record when it has fields, a list when it has an item, a mapping when it
    has values, and else one of the values in ``good``.

    Attributes:
        good: Values that the API takes.
        bad: Values that it refuses.
        fields: The members of a record.
        required: Those that have to be there.
        item: What a list holds.
        least: How many items or members there are at least.
        most: How many there are at most; None when the API does not count them.
        values: What a mapping holds.
        keys: The keys of a mapping that the API takes.
        bad_keys: Those that it refuses.
        odds: How probably it stands in a record that need not have it.
        mend: Changes a record whose parts are good, each alone, and not together.
    """

    good: tuple[Any, ...] = ()
    bad: tuple[Any, ...] = ()
    fields: Mapping[str, Shape] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    item: Shape | None = None
    least: int = 0
    most: int | None = None
    values: Shape | None = None
    keys: tuple[str, ...] = ()
    bad_keys: tuple[str, ...] = ()
    odds: float = 0.5
    mend: Callable[[dict[str, Any], Random], None] | None = None

    def with_field(self, name: str, shape: Shape) -> Shape:
        """Return the record with another shape for one of its fields."""
        return replace(self, fields={**self.fields, name: shape})


def make(shape: Shape, random: Random) -> Any:
    """Return a value that the API takes."""
    if shape.fields:
        return _record(shape, random)
    if shape.item:
        count = random.choice((shape.least, shape.least + 1, 1, 2, 3))
        made = [make(shape.item, random) for _ in range(count if shape.most is None else min(count, shape.most))]
        return _distinct(made) if shape.item.good else made
    if shape.values:
        keys = random.sample(shape.keys, random.randint(0, min(2, len(shape.keys))))
        return {key: make(shape.values, random) for key in keys}
    return deepcopy(random.choice(shape.good))


def _record(shape: Shape, random: Random) -> dict[str, Any]:
    """Return a record with some of its fields, in any order, as many as there may be."""
    names = random.sample(list(shape.fields), len(shape.fields))
    if shape.most == 1:
        chosen = names[:1]
    else:
        chosen = [name for name in names if name in shape.required or random.random() < shape.fields[name].odds]
        chosen = chosen or names[: shape.least]
    made = {name: make(shape.fields[name], random) for name in chosen}
    if shape.mend:
        shape.mend(made, random)
    return made


def break_once(shape: Shape, value: Any, random: Random) -> None:
    """Change one part of a value, mostly to something that the API refuses."""
    parts = list(_parts(shape, value))
    holder, key, part = random.choice(parts)
    changes = [_replace, _replace, _spoil, _spoil, _spoil, _remove, _insert, _insert]
    random.choice(changes)(holder, key, part, random)


def _parts(shape: Shape, value: Any) -> Iterator[tuple[Any, Any, Shape]]:
    """Yield every part below a value: what holds it, its key there, and its shape."""
    if isinstance(value, dict):
        for name in value:
            inner = shape.fields.get(name) or shape.values
            if inner:
                yield value, name, inner
                yield from _parts(inner, value[name])
    elif isinstance(value, list) and shape.item:
        for index in range(len(value)):
            yield value, index, shape.item
            yield from _parts(shape.item, value[index])


def _replace(holder: Any, key: Any, _: Shape, random: Random) -> None:
    holder[key] = deepcopy(random.choice(WRONG))


def _spoil(holder: Any, key: Any, shape: Shape, random: Random) -> None:
    """Put a value there that is of the right type, and wrong."""
    value = holder[key]
    if shape.bad:
        holder[key] = deepcopy(random.choice(shape.bad))
    elif shape.bad_keys and shape.values and isinstance(value, dict):
        value[random.choice(shape.bad_keys)] = make(shape.values, random)
    elif shape.item and isinstance(value, list):
        _crowd(shape, value, random)
    elif shape.fields and isinstance(value, dict):
        name = random.choice(list(shape.fields))
        value[name] = make(shape.fields[name], random)
    else:
        _replace(holder, key, shape, random)


def _crowd(shape: Shape, items: list[Any], random: Random) -> None:
    """Give a list too many items, an item twice, or none at all."""
    how = random.randrange(3)
    if how == 0:
        items.clear()
    elif how == 1 and shape.most is not None:
        spare = [make(shape.item, random) for _ in range(shape.most + random.randint(0, 1))]
        items[:] = spare[: shape.most] if random.random() < 0.3 else [*spare, make(shape.item, random)]
    elif items:
        items.append(deepcopy(random.choice(items)))


def _remove(holder: Any, key: Any, *_: Any) -> None:
    del holder[key]


def _insert(holder: Any, key: Any, shape: Shape, random: Random) -> None:
    """Add something that nobody asked for: an unknown member, another case, a null item."""
    value = holder[key]
    if isinstance(value, list):
        value.insert(random.randint(0, len(value)), deepcopy(random.choice(WRONG)))
    elif isinstance(value, dict) and (shape.fields or not value):
        value[random.choice(_misspelled(shape))] = deepcopy(random.choice(WRONG))
    elif isinstance(holder, dict):
        _rename(holder, key, random)
    else:
        holder.insert(key, None)


def _misspelled(shape: Shape) -> list[str]:
    names = list(shape.fields)
    return ["unknown", "", "ports ", *(name + name[-1] for name in names), *(name.capitalize() for name in names)]


def _rename(holder: dict[str, Any], key: str, random: Random) -> None:
    changes: list[Callable[[str], str]] = [str.upper, str.capitalize, lambda name: name + "s", lambda name: name[:-1]]
    holder[random.choice(changes)(key)] = holder.pop(key)


def _distinct(values: list[Any]) -> list[Any]:
    return [value for index, value in enumerate(values) if value not in values[:index]]
