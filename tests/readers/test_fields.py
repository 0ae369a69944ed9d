"""Parts of an object, and what is said of a part that is not what was expected."""

from __future__ import annotations

import pytest

from ringfence.readers.fields import Field, describe

from .texts import manifest

OBJECT = """\
apiVersion: v1
kind: Pod
text: web
number: 5
truth: true
fraction: 1.5
list: [a, b]
mapping: {a: b}
labels: {a: b, c: null, d: 5, e/f: yes}
nothing: null
"""


def part(*path: str) -> Field:
    """A part of the object above."""
    found = Field(manifest(OBJECT))
    for name in path:
        found = found[name]
    return found


def said(field: Field) -> list[tuple[str, str]]:
    """Every error so far, as a message and a hint."""
    return [(error.message, error.hint) for error in field.manifest.errors]


def test_a_part_is_what_was_written():
    """Each method returns its type."""
    assert part("text").string() == "web"
    assert part("number").integer() == 5
    assert part("truth").boolean() is True
    assert [item.string() for item in part("list").items()] == ["a", "b"]
    assert part("mapping").mapping() == {"a": "b"}
    assert part("mapping").strings() == {"a": "b"}


@pytest.mark.parametrize("name", ["nothing", "absent"])
def test_null_and_absent_are_the_empty_value(name: str):
    """So they are to the API server."""
    found = part(name)

    assert (found.string(), found.integer(), found.boolean()) == ("", None, False)
    assert (found.items(), found.mapping(), found.strings()) == ([], {}, {})
    assert not found.given
    assert said(found) == []


@pytest.mark.parametrize(
    ("name", "method", "message", "hint"),
    [
        ("number", "string", "number: expected a string, found the number 5", "put quotes around the value"),
        ("truth", "string", "truth: expected a string, found true", "put quotes around the value"),
        ("list", "string", "list: expected a string, found a list", "write a string"),
        ("text", "integer", 'text: expected a whole number, found the string "web"', "write a whole number"),
        ("truth", "integer", "truth: expected a whole number, found true", "write a whole number"),
        ("fraction", "integer", "fraction: expected a whole number, found the number 1.5", "write a whole number"),
        ("text", "boolean", 'text: expected true or false, found the string "web"', "write true or false"),
        ("number", "boolean", "number: expected true or false, found the number 5", "write true or false"),
        ("mapping", "items", "mapping: expected a list, found a mapping", "begin every item with a dash"),
        ("text", "mapping", 'text: expected a mapping, found the string "web"', "write a mapping"),
        ("text", "strings", 'text: expected a mapping, found the string "web"', "write a mapping"),
    ],
)
def test_another_type_is_an_error(name: str, method: str, message: str, hint: str):
    """With what was expected, what was found, and what to do."""
    found = part(name)

    assert not getattr(found, method)()
    assert said(found) == [(message, hint)]


def test_an_error_stands_at_its_part():
    """Line, column, pointer and object."""
    field = part("labels", "d")
    field.error("too odd")
    (error,) = field.manifest.errors

    assert (error.origin.line, error.origin.column, error.origin.pointer) == (9, 25, "/labels/d")


def test_one_error_is_said_once():
    """Two readers may look at one part."""
    found = part("number")
    found.string()
    found.string()

    assert len(said(found)) == 1


def test_an_error_is_one_line_of_text():
    """Whatever stands in the manifest: no line ends, no terminal codes."""
    found = Field(manifest('apiVersion: v1\nkind: Pod\npart: {"a\\e[1mb\\n": 5}\n'))["part"]
    found.strings()
    found.known(())

    assert [message for message, _ in said(found)] == [
        "part[a\\x1b[1mb\\n]: expected a string, found the number 5",
        'strict decoding error: unknown field "part.a\\x1b[1mb\\n"',
    ]


def test_labels_in_error_are_left_out():
    """Null is an empty text; a number or a truth is an error and no guess."""
    found = part("labels")

    assert found.strings() == {"a": "b", "c": ""}
    assert [message for message, _ in said(found)] == [
        "labels.d: expected a string, found the number 5",
        "labels[e/f]: expected a string, found true",
    ]


def test_an_unknown_field_names_the_nearest():
    """At the line of the field."""
    found = part("mapping")
    found.known(("alpha", "aa"))

    assert said(found) == [('strict decoding error: unknown field "mapping.a"', 'did you mean "aa"?')]
    assert found.manifest.errors[0].origin.pointer == "/mapping/a"


def test_unknown_fields_are_named_in_the_order_written():
    """All of them."""
    found = part()
    found.known(("apiVersion", "kind", "text", "labels"))

    names = [message.split('"')[1] for message, _ in said(found)]
    assert names == ["number", "truth", "fraction", "list", "mapping", "nothing"]


def test_known_fields_are_no_error():
    """Present or not."""
    found = part("mapping")
    found.known(("a", "b"))

    assert said(found) == []


def test_a_member_of_a_scalar_is_absent():
    """The scalar itself is the error, and said once."""
    found = part("text", "a", "b")

    assert not found.given
    assert said(found) == [('text: expected a mapping, found the string "web"', "write a mapping")]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({}, "a mapping"),
        ([], "a list"),
        ("a", 'the string "a"'),
        ("a" * 60, f'the string "{"a" * 60}"'),
        ("a" * 61, f'the string "{"a" * 60}..."'),
        (5, "the number 5"),
        (1.5, "the number 1.5"),
        (True, "true"),
        (None, "null"),
    ],
)
def test_values_are_shown_as_people_write_them(value: object, text: str):
    """Quoted when they are text."""
    assert describe(value) == text
