"""JSON objects out of a text in pieces."""

from __future__ import annotations

from itertools import chain, pairwise, repeat
from json import dumps
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.errors import ManifestError
from ringfence.readers.json_stream import read_json
from ringfence.readers.places import Place

from .test_yaml_spans import nested, values

if TYPE_CHECKING:
    from ringfence.readers.json_stream import Item

LIST = """\
{
  "apiVersion": "v1",
  "items": [
    {"kind": "Pod",
     "n": 1},
    {"kind": "Pod", "n": [2]}
  ],
  "kind": "List"
}
"""


def read(*pieces: str) -> tuple[list[Item], list[str]]:
    """The objects of a text that comes in these pieces, and every error."""
    errors: list[ManifestError] = []
    items: list[Item] = []
    try:
        items += read_json(iter(pieces), "a.json", errors)
    except ManifestError as error:
        errors.append(error)
    return items, [f"{error.origin.line}:{error.origin.column} {error.message}" for error in errors]


def decoded(*pieces: str) -> list[Any]:
    """The objects of a text that has nothing wrong with it."""
    items, errors = read(*pieces)
    assert errors == []
    return [item.value for item in items]


def test_items_stand_in_place_of_their_list():
    """Each with its text and its place."""
    items, _ = read(LIST)

    assert [(item.value, item.place) for item in items] == [
        ({"kind": "Pod", "n": 1}, Place(4, 5)),
        ({"kind": "Pod", "n": [2]}, Place(6, 5)),
    ]
    assert [item.text for item in items] == ['{"kind": "Pod",\n     "n": 1}', '{"kind": "Pod", "n": [2]}']


@pytest.mark.parametrize(
    ("text", "objects"),
    [
        ("", []),
        (" \n", []),
        ('{"a": 1}', [{"a": 1}]),
        ('{"a": 1}{"b": 2}\n{"c": 3}', [{"a": 1}, {"b": 2}, {"c": 3}]),
        ('{"a": 1}\n---\n{"b": 2}\n---', [{"a": 1}, {"b": 2}]),
        ('[{"a": 1}, {"b": 2}]', [{"a": 1}, {"b": 2}]),
        ("[]", []),
        ("{}", [{}]),
        ('{"items": []}', []),
        ('{"items": {"a": 1}}', [{"items": {"a": 1}}]),
        ('{"spec": {"items": [1]}}', [{"spec": {"items": [1]}}]),
    ],
)
def test_objects_are_found_one_by_one(text: str, objects: list[Any]):
    """After each other, in an array, in a List."""
    assert decoded(text) == objects


def test_an_item_knows_its_list():
    """A typed list says once what its items are."""
    items, _ = read('{"kind": "PodList", "apiVersion": "v1", "items": [{}]}{}')

    assert [item.listed for item in items] == [("PodList", "v1"), ("", "")]


@given(objects=st.lists(values, max_size=3), indent=st.sampled_from([None, 2]), cuts=st.lists(st.integers(0, 300)))
def test_where_the_text_is_cut_does_not_matter(objects: list[object], indent: int | None, cuts: list[int]):
    """Pieces end within words, numbers and escapes; objects and places stay the same."""
    text = dumps({"kind": "List", "items": objects}, indent=indent)
    edges = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    pieces = [text[first:last] for first, last in pairwise(edges)]

    assert read(*pieces) == read(text)
    assert [item.value for item in read(text)[0]] == objects


def test_a_list_is_never_held_as_a_whole():
    """A list without end yields its items as they come."""
    endless = chain(['{"items": ['], repeat('{"kind": "Pod", "metadata": {"name": "a"}},\n'))
    items = read_json(iter(endless), "a.json", [])

    assert [next(items).place for _ in range(10_000)][-1] == Place(10_000, 1)


def test_an_object_longer_than_any_piece_is_read():
    """The window grows until it fits."""
    long = "x" * 5_000
    text = dumps({"a": [long, {"b": long}]})

    assert decoded(*text) == [{"a": [long, {"b": long}]}]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ('{"a": 1,\n "b": 2', "2:8 not JSON: the text ends in the middle of an object"),
        ('{"a": [1, 2', "1:12 not JSON: the text ends in the middle of an object"),
        ('{"a": "b', "1:7 not JSON: unterminated string starting at"),
        ('{"a" 1}', '1:6 not JSON: expected ":", found "1"'),
        ("{a: 1}", "1:2 not JSON: expected a name in double quotes"),
        ('{"a": 1 "b": 2}', '1:9 not JSON: expected "}", found """'),
        ('{"a": {"b" 1}}', "1:12 not JSON: expecting ':' delimiter"),
        ('{"a": 1}\n}', "2:1 not JSON: expected an object"),
        ('{"a": NaN}', "1:7 not JSON: found NaN, which is no number of JSON"),
        ('{"a": x}', "1:7 not JSON: expecting value"),
        ('[{"a": 1} 5]', '1:11 not JSON: expected "]", found "5"'),
        (nested(2_000), "1:2 not JSON: nested more than 100 levels deep"),
    ],
)
def test_what_is_no_json_ends_the_reading(text: str, error: str):
    """One error, with its place."""
    _, (found,) = read(text)

    assert found.startswith(error)
    assert found.endswith("; nothing after this place is read")


def test_what_stands_before_an_error_is_read():
    """A file that was cut off still says what it can."""
    items, errors = read(LIST[: LIST.index("[2]")])

    assert [item.value["n"] for item in items] == [1]
    assert len(errors) == 1


def test_an_object_nested_too_deep_leaves_the_others():
    """It is passed over, with its place."""
    items, errors = read(f'[{{"a": {nested(99)}}},\n{{"a": {nested(100)}}},\n{{}}]')

    assert len(items) == 2
    assert errors == ["2:1 nested more than 100 levels deep"]


@pytest.mark.parametrize(
    "text",
    ['{"a": 1, "a": 2}', '{"a": {"b": 1, "b": 2}}', '[{"a": [{"b": 1, "b": 2}]}]', '{"items": [{"a": 1, "a": 2}]}'],
)
def test_keys_given_twice_are_noticed(text: str):
    """At any depth, and the last one counts."""
    (item,), _ = read(text)

    assert item.doubled


@pytest.mark.parametrize("text", ['{"a": 1, "b": {"a": 1}}', '[{"a": 1}]', '[{"a": {"b": 1}, "b": 2}]'])
def test_keys_given_once_are_no_error(text: str):
    """The same name in two mappings is ordinary."""
    (item,), _ = read(text)

    assert not item.doubled


def test_one_doubled_item_says_nothing_of_the_next():
    """Each item is looked at by itself."""
    items, _ = read('[{"a": 1, "a": 2}, {"a": 1}]')

    assert [item.doubled for item in items] == [True, False]


def test_a_list_that_gives_a_key_twice_is_an_error():
    """Its items are read all the same."""
    items, errors = read('{"kind": "List",\n"kind": "PodList", "items": [{}]}')

    assert len(items) == 1
    assert errors == ['2:1 key "kind" is given twice, first at line 1; the last one counts']


@pytest.mark.parametrize(("text", "value"), [("80.0", 80), ("1e3", 1000), ("1.5", 1.5), ("1e21", 1e21), ("-0.0", 0)])
def test_a_whole_number_is_an_integer_however_it_is_written(text: str, value: float):
    """A whole number is sent on by kubectl without a point."""
    (found,) = (item.value["a"] for item in read_json(iter([f'{{"a": {text}}}']), "a.json", []))

    assert (type(found), found) == (type(value), value)


def test_a_number_beyond_all_floats_is_an_error():
    """Nothing can hold it."""
    with pytest.raises(ManifestError, match="1e400"):
        list(read_json(iter(['{"a": 1e400}']), "a.json", []))


def test_half_a_character_becomes_one_that_stands_for_none():
    """The server reads it so; a question mark would be a text that somebody could have meant."""
    (found,) = (item.value for item in read_json(iter(['{"\\ud800": "a\\uDBFFb\\ud83d\\ude00"}']), "a.json", []))

    assert found == {"\ufffd": "a\ufffdb\U0001f600"}
