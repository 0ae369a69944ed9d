"""Places in JSON, which must be those that the YAML reader finds in the same text."""

from __future__ import annotations

from json import dumps
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from ringfence.readers.json_spans import JsonSpan
from ringfence.readers.places import Doubled, Path, Place
from ringfence.readers.yaml_spans import read_yaml

from .test_yaml_spans import values

if TYPE_CHECKING:
    from collections.abc import Iterator


def paths(value: object) -> Iterator[Path]:
    """The paths to a value and to all its parts, and one that leads on from each to nowhere."""
    yield from ((), ("nowhere",), (7,))
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    yield from ((step, *path) for step, part in parts for path in paths(part))


@given(written=values, indent=st.sampled_from([None, 1, 4]))
def test_json_and_yaml_agree_on_every_place(written: object, indent: int | None):
    """One text, two readers, the same place for each path."""
    text = dumps(written, ensure_ascii=False, indent=indent)
    ((_, expected),) = read_yaml(text, "a.json", [])
    span = JsonSpan(text, Place(1, 1))

    for path in paths(written):
        assert span.find(path) == expected.find(path)


def test_places_count_from_where_the_text_begins():
    """An item of a List stands in the middle of a line; only its first line is shifted."""
    span = JsonSpan('{"a":\n {"b": 1}}', Place(7, 9))

    assert (span.place, span.find(("a",)), span.find(("a", "b"))) == (Place(7, 9), Place(7, 10), Place(8, 3))


def test_quotes_and_brackets_within_strings_are_text():
    """Escapes too."""
    span = JsonSpan(r'{"a\"]}": "}\\", "b": 1}', Place(1, 1))

    assert span.find(('a"]}',)) == Place(1, 2)
    assert span.find(("b",)) == Place(1, 18)


def test_keys_given_twice_are_collected():
    """At any depth, the place of the last one kept."""
    span = JsonSpan('{"a": {"b": 1,\n"b": 2}}', Place(1, 1))

    assert list(span.doubled()) == [Doubled("b", Place(1, 8), Place(2, 1))]
    assert span.find(("a", "b")) == Place(2, 1)


def test_a_scalar_has_no_parts():
    """Only a place."""
    span = JsonSpan("5", Place(3, 2))

    assert (span.place, span.part("a"), span.find((0,))) == (Place(3, 2), None, Place(3, 2))
