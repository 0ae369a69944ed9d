"""YAML in; values, places and what is wrong out."""

from __future__ import annotations

from json import dumps
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.readers.places import Path, Place
from ringfence.readers.yaml_spans import read_yaml

if TYPE_CHECKING:
    from ringfence.errors import ManifestError


def read(text: str) -> tuple[list[Any], list[str]]:
    """The values of all documents, and every error."""
    errors: list[ManifestError] = []
    values = [value for value, _ in read_yaml(text, "a.yaml", errors)]
    return values, [f"{error.origin.line}:{error.origin.column} {error.message}" for error in errors]


def value(text: str) -> Any:
    """The value of the one document of a text that has nothing wrong with it."""
    (found,), errors = read(text)
    assert errors == []
    return found


def place(text: str, *path: str | int) -> Place:
    """The place of one part of the last document."""
    *_, (_, span) = read_yaml(text, "a.yaml", [])
    return span.find(path)


BLOCK = """\
# a comment
spec:
  ingress:
  - from:
      - podSelector: {}
    ports: [80,
      443]
"""


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ((), Place(2, 1)),
        (("spec",), Place(2, 1)),
        (("spec", "ingress"), Place(3, 3)),
        (("spec", "ingress", 0), Place(4, 5)),
        (("spec", "ingress", 0, "from", 0), Place(5, 9)),
        (("spec", "ingress", 0, "from", 0, "podSelector"), Place(5, 9)),
        (("spec", "ingress", 0, "ports", 0), Place(6, 13)),
        (("spec", "ingress", 0, "ports", 1), Place(7, 7)),
    ],
)
def test_every_part_has_its_place(path: Path, found: Place):
    """A member is where its name is; an item is where it begins, after the dash."""
    assert place(BLOCK, *path) == found


def test_places_count_from_the_first_line_of_the_source():
    """A document knows how many lines stand before it."""
    assert place("a: 1\n---\n# more\nb:\n  c: 2\n", "b", "c") == Place(5, 3)


def test_places_count_lines_that_end_as_on_windows():
    """Carriage returns are no lines of their own."""
    assert place("a: 1\r\n---\r\nb:\r\n  c: 2\r\n", "b", "c") == Place(4, 3)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\x85", "\u2028", "\u2029"])
def test_every_end_of_a_line_counts(end: str):
    """In all documents alike, and in what cannot be read."""
    _, errors = read(f"a: 1{end}b: 2\n---\nc: 3{end}c: 4{end}d: [\n---\ne: f: g")

    assert [error.partition(":")[0] for error in errors] == ["5", "7", "8"]


def test_what_is_missing_at_the_end_is_missed_there():
    """Not on a line that the text does not have."""
    assert read("a: 1\nb: [1,")[1][0].startswith("2:7 not YAML: ")
    assert read("a: 1\nb")[1][0].startswith("2:2 not YAML: ")


def test_documents_are_parted_by_their_markers():
    """``---`` begins a document, ``...`` ends one."""
    values, errors = read("---\na: 1\n--- # comment\nb: 2\n...\n---\n---\nc: |\n  ---\n")

    assert values == [{"a": 1}, {"b": 2}, None, {"c": "---\n"}]
    assert errors == []


def test_a_document_s_marker_stands_alone():
    """Text on the line of a marker is refused by kubectl, and a directive is no part of the next document."""
    values, errors = read("a: 1\n--- {b: 2}\n---c: 3\n---\nd: 4\n")

    assert values == [{"a": 1}, {"d": 4}]
    assert errors == [f"{line}:4 text after the --- that begins a document" for line in (2, 3)]
    assert read("%YAML 1.1\n---\na: 1\n")[1] == ["2:1 not YAML: did not find expected <document start>"]


def test_a_number_that_json_cannot_write_is_an_error():
    """An infinity can be read by kubectl and not be sent."""
    values, errors = read("a: 1\nb:\n- 1\n- -.inf\n---\nc: .inf\n")

    assert values == []
    assert errors == [
        "4:3 -.inf is a number that JSON cannot write",
        "6:4 .inf is a number that JSON cannot write",
    ]


def test_byte_order_marks_stand_before_documents():
    """Files that have one may have been joined."""
    assert read("\ufeffa: 1\n---\n\ufeffb: 2\n\ufeff---\nc: 3\n") == ([{"a": 1}, {"b": 2}, {"c": 3}], [])


@pytest.mark.parametrize("text", ["", "\n", "# only a comment\n"])
def test_a_text_without_documents_has_none(text: str):
    """Nothing is no error here."""
    assert read(text) == ([], [])


def test_a_quoted_scalar_is_a_string():
    """Whatever it looks like, in any style."""
    assert value("""a: "012"\nb: 'yes'\nc: |\n  5\nd: >-\n  null\n""") == {
        "a": "012",
        "b": "yes",
        "c": "5\n",
        "d": "null",
    }


def test_keys_are_strings():
    """``y`` and ``012`` are keys of the names that JSON gives them."""
    assert value("y: 1\n012: 2\n'no': 3\n") == {"true": 1, "10": 2, "no": 3}


def test_an_alias_repeats_its_anchor():
    """Values, mappings and lists alike."""
    assert value("a: &x {b: [1]}\nc: *x\nd: [&y 5, *y]\n") == {"a": {"b": [1]}, "c": {"b": [1]}, "d": [5, 5]}


def test_an_alias_means_the_last_anchor_of_its_name():
    """An anchor may be set again."""
    assert value("[&x 1, *x, &x 2, *x]") == [1, 1, 2, 2]


def test_an_alias_stands_where_it_is_written():
    """What is in it stands where the anchor is."""
    text = "a: &x\n  b: 1\nc:\n- *x\n"

    assert place(text, "c", 0) == Place(4, 3)
    assert place(text, "c", 0, "b") == Place(2, 3)


def test_a_merge_key_brings_members_in():
    """They stand where they were written."""
    text = "a: &x {b: 1, c: 2}\nd:\n  <<: *x\n  b: 3\n"

    assert value(text)["d"] == {"b": 3, "c": 2}
    assert place(text, "d", "c") == Place(1, 14)
    assert place(text, "d", "b") == Place(4, 3)


def test_a_merge_key_overrides_what_stands_before_it():
    """So it is in goyaml.v2, against the specification."""
    assert value("a: &x {b: 1}\nd:\n  b: 3\n  <<: *x\n")["d"] == {"b": 1}


def test_the_first_of_several_merged_mappings_wins():
    """The order is that of precedence."""
    assert value("a: &x {b: 1}\nd:\n  <<: [*x, {b: 2, c: 3}]\n")["d"] == {"b": 1, "c": 3}


def test_a_quoted_merge_key_is_an_ordinary_key():
    """Quotes take its meaning away."""
    assert value("'<<': {b: 1}\n") == {"<<": {"b": 1}}


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("a: 1\nb: 2\na: 3\n", '3:1 key "a" is given twice, first at line 1; the last one counts'),
        ("a: {b: 1, b: 2}\n", '1:11 key "b" is given twice, first at line 1; the last one counts'),
        ("1: a\n'1': b\n", '2:1 key "1" is given twice, first at line 1; the last one counts'),
    ],
)
def test_a_key_given_twice_is_an_error(text: str, error: str):
    """Both lines are named, the document is still read."""
    (_,), errors = read(text)

    assert errors == [error]


@pytest.mark.parametrize(
    ("members", "error"),
    [
        ("<<: *x, b: 2, b: 3", '2:19 key "b" is given twice, first at line 2; the last one counts'),
        ("b: 2, <<: *x, b: 3", '2:19 key "b" is given twice, first at line 1; the last one counts'),
        ("<<: *x, <<: *x, b: 2", None),
        ('"b": 2, ? &y b : 3', '2:15 key "b" is given twice, first at line 2; the last one counts'),
    ],
)
def test_merging_hides_no_key_that_is_given_twice(members: str, error: str | None):
    """What a merge brings in may be written once; what was written may not be written again."""
    _, errors = read(f"a: &x {{b: 1}}\nd: {{{members}}}\n")

    assert errors == ([error] if error else [])


def test_the_last_of_two_keys_counts():
    """As it does for kubectl."""
    assert read("a: 1\na: 2\n")[0] == [{"a": 2}]


def test_a_merged_member_may_be_given_again():
    """That is what merge keys are for."""
    assert read("a: &x {b: 1}\nd: {<<: *x, b: 2}\n")[1] == []


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("a:\n\tb: 1\n", "2:1 not YAML: a tab in the indentation"),
        ("a: b: c\n", "1:5 not YAML: mapping values are not allowed in this context"),
        (
            "a: [1, 2\nb: 3\n",
            "2:2 not YAML: did not find expected ',' or ']' while parsing a flow sequence that begins at line 1",
        ),
        (
            "a: 'x\n\n",
            "3:1 not YAML: found unexpected end of stream while scanning a quoted scalar that begins at line 1",
        ),
        ("a: @x\n", "1:4 not YAML: found character that cannot start any token"),
        ("a: \x01\n", "1:4 not YAML: control characters are not allowed"),
        ("a: 1\nb: ü\x02", "2:5 not YAML: control characters are not allowed"),
        ("a: *x\n", "1:4 no anchor &x stands before its alias"),
        ("a: &x [*x]\n", "1:8 anchor &x contains itself"),
        ("~: 1\n", "1:1 a key is null"),
        ("? [a]\n: 1\n", "1:3 a key is a mapping or a list"),
        ("<<: 5\n", "1:5 a merge key << needs a mapping or a list of mappings"),
        ("<<: [{a: 1}, 5]\n", "1:5 a merge key << needs a mapping or a list of mappings"),
        ("a: !!int x\n", "1:4 wrong tag: 'x' is no int"),
        ("a: {{ .Values.x }}\n", "1:5 a key is a mapping or a list"),
    ],
)
def test_what_cannot_be_read_is_one_error_with_its_place(text: str, error: str):
    """And the document has no value."""
    assert read(text) == ([], [error])


@pytest.mark.parametrize("broken", ["a: b: c", "a: 'x", "\ta: 1", "a: [1", "a: *x", "~: 1", "a: !!int x"])
def test_a_broken_document_leaves_the_others(broken: str):
    """Reading goes on at the next marker, with the right lines."""
    values, errors = read(f"a: 1\n---\n{broken}\n---\nb: 2\nb: 3\n")

    assert values == [{"a": 1}, {"b": 3}]
    assert [error.partition(":")[0] for error in errors][-1] == "6"
    assert len(errors) == 2


def test_every_error_has_a_hint():
    """It says what most often mends such a line."""
    errors: list[ManifestError] = []
    broken = ["a: b: c", "a: 'x", "a:\n\tb", "a: [1", "a: *x", "a: @", "a: \x01", "a: 1\n- b"]
    text = "\n---\n".join(broken)

    assert list(read_yaml(text, "a.yaml", errors)) == []
    assert len({error.hint for error in errors} - {""}) >= 6


@pytest.mark.parametrize("text", ["a: {{ .Values.x }}", "{{- if .Values.x }}\na: 1\n{{- end }}", "a: 1\n{{ end }}\n"])
def test_a_template_is_to_be_rendered(text: str):
    """The hint names the common mistake."""
    errors: list[ManifestError] = []

    assert list(read_yaml(f"b: 1\n---\n{text}", "a.yaml", errors))[1:] == []
    assert [error.hint for error in errors] == ["render the chart first, as helm template does"]


def nested(depth: int) -> str:
    """A list in a list and so on."""
    return "[" * depth + "]" * depth


def test_a_hundred_levels_are_read():
    """That is more than any object has."""
    assert read(nested(100))[1] == []


@pytest.mark.parametrize("text", [nested(101), nested(20_000), "{a: " * 101 + "}" * 101])
def test_more_levels_are_refused(text: str):
    """Before the stack overflows."""
    values, (error,) = read(text)

    assert values == []
    assert error.endswith("nested more than 100 levels deep")


def exploding(levels: int) -> str:
    """A text whose aliases stand for ten to the power of levels values."""
    lines = ["a0: &a0 x"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, levels + 1)]
    return "\n".join(lines)


def test_aliases_may_stand_for_many_values():
    """A hundred thousand are no harm."""
    assert read(exploding(5))[1] == []


def test_aliases_that_explode_are_refused():
    """A few lines must not stand for a million values."""
    values, (error,) = read(exploding(7) + "\n---\nb: 1\n")

    assert values == [{"b": 1}]
    assert error == "7:45 aliases expand to more than 1,000,000 values"


def test_a_large_document_without_aliases_is_read():
    """The limit is on what aliases add, not on what was written."""
    items = value("a: [" + "1," * 1_100_000 + "]")["a"]

    assert len(items) == 1_100_000


texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp", "Co", "Cn")), max_size=4)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | texts,
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(texts, parts, max_size=3),
    max_leaves=12,
)


@given(written=values)
def test_json_is_yaml(written: object):
    """What JSON writes is read back as it was."""
    assert read(dumps(written, ensure_ascii=False)) == ([written], [])
