"""What an API server says of an object by the schema of its definition, word for word.

The expected paths, reasons and messages are those of a real server, v1.36.3.
"""

from __future__ import annotations

import json

import pytest

from ringfence.readers.structural import Channel, Condition, Schema, Structure, check

from .texts import manifest

TEXT = Schema("string")
EVEN = Condition("must be even", lambda number: number % 2 == 0, hint="double it")
PAIRED = Condition("a comes with b", lambda pair: "a" not in pair or "b" in pair, clear=True)
SCHEMA = Schema(
    "object",
    {
        "apiVersion": Schema("elsewhere"),
        "kind": Schema("elsewhere"),
        "metadata": Schema("elsewhere"),
        "status": Schema("", {"conditions": Schema("", each=Schema("", {"type": Schema("")}))}),
        "spec": Schema(
            "object",
            {
                "number": Schema("integer", least=1, most=9, conditions=(EVEN,)),
                "list": Schema("array", each=Schema("integer"), least=1, most=2),
                "set": Schema("array", each=TEXT, unique=True),
                "word": Schema("string", choices=("one", "two")),
                "short": Schema("string", most=3, pattern="^[a-z]*$"),
                "labels": Schema("object", {"matchLabels": Schema("object", each=TEXT)}),
                "one": Schema("object", {"a": TEXT, "b": TEXT}, least=1, most=1),
                "pair": Schema("object", {"a": TEXT, "b": TEXT, "c": TEXT}, conditions=(PAIRED,)),
                "filled": Schema("object", {"a": Schema("string", filled=True)}, ("a",)),
                "new": Schema("string", experimental=True),
                "must": TEXT,
            },
            ("must",),
        ),
    },
    ("spec",),
)


def checked(spec: object, channel: Channel = Channel.EXPERIMENTAL) -> tuple[Structure, list[tuple[str, str, str]]]:
    """What is found in an object with this spec: path, reason and message of each error."""
    found = manifest(json.dumps({"apiVersion": "v1", "kind": "Thing", "metadata": {"name": "a"}, "spec": spec}))
    structure = check(found, SCHEMA, channel)
    return structure, [(e.field, e.reason, e.message.removeprefix(f"{e.field}: ")) for e in found.errors]


def faults(**spec: object) -> list[tuple[str, str, str]]:
    """What is said of a spec that has all it must have."""
    return checked({"must": "", **spec})[1]


@pytest.mark.parametrize(
    "spec",
    [
        {"number": 2, "list": [1, 2], "set": ["a", "b"], "word": "one", "short": "abc", "one": {"a": ""}},
        {"number": 2.0, "labels": {"matchLabels": {"a.b/c": ""}}, "pair": {"a": "", "b": ""}, "filled": {}},
        {
            "number": None,
            "list": None,
            "word": None,
            "one": {"a": "", "b": None},
            "labels": {"matchLabels": {"a": None}},
        },
    ],
)
def test_what_fits_is_not_mentioned(spec: dict[str, object]):
    """Whole numbers may have a point, and null is as good as absent."""
    assert faults(**spec) == []


@pytest.mark.parametrize(
    ("member", "value", "path", "wanted", "found"),
    [
        ("number", "2", "number", "integer", "string"),
        ("number", [], "number", "integer", "array"),
        ("number", True, "number", "int32", ""),
        ("number", {}, "number", "int32", ""),
        ("number", 2.5, "number", "int32", "float64"),
        ("list", {}, "list", "array", "object"),
        ("list", "a", "list", "array", "string"),
        ("list", [None], "list[0]", "integer", "null"),
        ("set", [1], "set[0]", "string", "integer"),
        ("short", 1.5, "short", "string", "number"),
        ("short", False, "short", "string", "boolean"),
        ("one", [], "one", "object", "array"),
        ("labels", {"matchLabels": {"a.b/c": 1}}, "labels.matchLabels.a.b/c", "string", "integer"),
    ],
)
def test_a_type_that_is_wrong_is_named(member: str, value: object, path: str, wanted: str, found: str):
    """In the words that the server has for it, some of them odd."""
    path = f"spec.{path}"
    message = f'Invalid value: "{found}": {path} in body must be of type {wanted}: "{found}"'

    assert (path, "FieldValueTypeInvalid", message) in faults(**{member: value})


@pytest.mark.parametrize(
    ("member", "value", "path", "reason", "message"),
    [
        (
            "number",
            0,
            "number",
            "Invalid",
            "Invalid value: 0: spec.number in body should be greater than or equal to 1",
        ),
        ("number", 10, "number", "Invalid", "Invalid value: 10: spec.number in body should be less than or equal to 9"),
        ("number", 3, "number", "Invalid", "Invalid value: 3: must be even"),
        ("list", [], "list", "Invalid", "Invalid value: 0: spec.list in body should have at least 1 items"),
        ("list", [1, 2, 3], "list", "TooMany", "Too many: 3: must have at most 2 items"),
        ("set", ["a", "b", "a", "a"], "set[2]", "Duplicate", 'Duplicate value: "a"'),
        ("word", "One", "word", "NotSupported", 'Unsupported value: "One": supported values: "one", "two"'),
        ("word", "", "word", "NotSupported", 'Unsupported value: "": supported values: "one", "two"'),
        ("short", "abcd", "short", "TooLong", "Too long: may not be more than 3 bytes"),
        ("short", "A", "short", "Invalid", "Invalid value: \"A\": spec.short in body should match '^[a-z]*$'"),
        ("short", "a\n", "short", "Invalid", None),
        ("one", {}, "one", "Invalid", "Invalid value: 0: spec.one in body should have at least 1 properties"),
        ("one", {"a": "", "b": ""}, "one", "TooMany", "Too many: 2: must have at most 1 item"),
        ("pair", {"a": ""}, "pair", "Invalid", "Invalid value: a comes with b"),
    ],
)
def test_a_limit_that_is_broken_is_named(member: str, value: object, path: str, reason: str, message: str | None):
    """With the path, the reason and the words of the server, once."""
    (found,) = faults(**{member: value})

    assert found[:2] == (f"spec.{path}", f"FieldValue{reason}")
    assert message is None or found[2] == message


def test_a_wrong_type_is_no_choice_either():
    """The server says both."""
    assert {reason for _, reason, _ in faults(word=1)} == {"FieldValueTypeInvalid", "FieldValueNotSupported"}


def test_what_must_be_there_is_missed():
    """Null is not there."""
    for spec in ({}, {"must": None}):
        assert checked(spec)[1] == [("spec.must", "FieldValueRequired", "Required value")]
    assert checked(None)[1] == [("spec", "FieldValueRequired", "Required value")]


def test_members_that_are_not_known_do_not_count():
    """The server takes them out first; what is left may be too little."""
    structure, said = checked({"must": "", "one": {"A": ""}})

    assert [message for _, _, message in said] == [
        'strict decoding error: unknown field "spec.one.A"',
        "Invalid value: 0: spec.one in body should have at least 1 properties",
    ]
    assert structure.broken == {("spec", "one")}


def test_a_member_that_slipped_out_of_another_is_put_back():
    """It is the mistake of most published examples."""
    found = manifest('{"apiVersion": "v1", "kind": "Thing", "spec": {"must": "", "one": null, "a": "", "metadata": 1}}')
    check(found, SCHEMA)

    assert [error.hint.split(",")[0] for error in found.errors] == ["indent it", "known here: number"]


def test_a_member_too_much_between_two_is_taken_away():
    """As an earlier API had one."""
    found = manifest('{"apiVersion": "v1", "kind": "Thing", "spec": {"must": "", "new": {}, "old": {"must": ""}}}')
    check(found, SCHEMA)

    assert found.errors[0].hint == "take it away, and leave in its place what is within it"


@pytest.mark.parametrize(
    ("former", "hint"),
    [
        ("namespaceSelector", "take it away, and leave in its place what is within it: 0.1.0 of the API alone had it"),
        ("sameLabels", "name labels and their values by matchLabels: 0.1.7 of the API has dropped it"),
        ("notSameLabels", "name labels and their values by matchLabels: 0.1.7 of the API has dropped it"),
    ],
)
def test_what_older_releases_had_is_known_as_that(former: str, hint: str):
    """Also where it is empty, and only beside the members of a selector."""
    selector, other = Schema("object", {"matchLabels": Schema("object")}), Schema("object", {"must": Schema("string")})
    found = manifest(json.dumps({"apiVersion": "v1", "kind": "Thing", "peer": {former: {}}, "spec": {former: {}}}))
    parts = dict.fromkeys(("apiVersion", "kind", "metadata"), Schema("elsewhere"))
    check(found, Schema("object", {**parts, "peer": selector, "spec": other}))

    assert [error.hint for error in found.errors] == [hint, "known here: must"]


def test_what_is_no_mapping_has_no_members():
    """They are not known either, and the server says both; lists are looked through."""
    said = [message for _, _, message in faults(short=[{"a": 1}], one=[{"a": ""}])]

    assert 'strict decoding error: unknown field "spec.short[0].a"' in said
    assert 'strict decoding error: unknown field "spec.one[0].a"' in said


def test_of_a_status_only_the_names_count():
    """The server throws it away, but not before it has looked for names that it does not know."""
    status = '{"conditions": [{"type": 1, "x": 1}], "y": 1}'
    text = f'{{"apiVersion": "v1", "kind": "Thing", "spec": {{"must": ""}}, "status": {status}}}'
    found = manifest(text)
    check(found, SCHEMA)

    assert [error.message for error in found.errors] == [
        'strict decoding error: unknown field "status.y"',
        'strict decoding error: unknown field "status.conditions[0].x"',
    ]


@pytest.mark.parametrize("value", [1 << 53, 1e30, (1 << 63) * 1.0, 1 << 63, 0.5])
def test_numbers_that_are_not_exact_are_no_integers(value: float):
    """Those with a point to them, that is; all are compared with their limits none the less."""
    reasons = {reason for _, reason, _ in faults(number=value)}

    assert reasons == ({"FieldValueInvalid"} if value == 1 << 53 else {"FieldValueTypeInvalid", "FieldValueInvalid"})


@pytest.mark.parametrize("value", [1 << 31, -(1 << 31) - 1, 1.5])
def test_numbers_beyond_32_bits_are_refused_for_the_object_too(value: float):
    """The server says so once more, of no part."""
    message = 'Invalid value: "": Checked value must be of type integer with format int32 in spec.number'

    assert ("<nil>", "FieldValueInvalid", message) in faults(number=value)
    assert not [path for path, _, _ in faults(number=(1 << 31) - 1) if path == "<nil>"]


def test_conditions_wait_for_the_rest_to_be_in_order():
    """What is missing, of a wrong type or too long keeps the server from looking at any; other errors do not."""
    assert [reason for _, reason, _ in checked({"number": 3})[1]] == ["FieldValueRequired"]
    assert len(faults(number=3, word="three")) == 1
    assert len(faults(number=3, list=[])) == 2


def test_what_is_experimental_is_not_known_to_the_standard_channel():
    """The other channel takes it, and says which it took."""
    structure, said = checked({"must": "", "new": ""})
    assert (structure.experimental, said) == ({"new": ("spec", "new")}, [])
    structure, said = checked({"must": "", "new": ""}, Channel.STANDARD)
    assert (structure.experimental, [message for _, _, message in said]) == (
        {},
        ['strict decoding error: unknown field "spec.new"'],
    )


def test_a_part_is_unclear_when_something_in_it_is():
    """Too many of something, and the same twice, are clear all the same."""
    structure, said = checked({"must": "", "labels": {"matchLabels": {"a": 1}}, "set": ["a", "a"], "pair": {"a": ""}})

    assert len(said) == 2  # the condition of pair waits
    assert structure.broken == {("spec", "labels", "matchLabels", "a")}
    assert structure.unclear == {
        (),
        ("spec",),
        ("spec", "labels"),
        ("spec", "labels", "matchLabels"),
        ("spec", "labels", "matchLabels", "a"),
    }


def test_a_condition_says_whether_it_leaves_the_meaning_open():
    """And has a hint of ours."""
    assert checked({"must": "", "pair": {"a": ""}})[0].broken == frozenset()
    assert checked({"must": "", "number": 3})[0].broken == {("spec", "number")}
