"""Label selectors in, selectors out."""

from __future__ import annotations

import pytest

from ringfence.algebra.selectors import EVERYTHING, Operator, Requirement, Selector
from ringfence.readers import refusals
from ringfence.readers.fields import Field
from ringfence.readers.selectors import read_selector

from .texts import manifest

LETTERS = "use letters, digits, -, _ and ., at most 63, with a letter or digit at both ends"
FORBIDDEN = "Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'"


def read(selector: str) -> tuple[Selector, list[str], list[str]]:
    """The selector, the errors and the hints."""
    found = manifest(f"apiVersion: v1\nkind: Pod\ns: {selector}\n")
    selected = read_selector(Field(found)["s"])
    return selected, [error.message for error in found.errors], [error.hint for error in found.errors]


@pytest.mark.parametrize("text", ["null", "{}", "{matchLabels: {}}", "{matchLabels: null, matchExpressions: []}"])
def test_an_empty_selector_matches_everything(text: str):
    """Every object has all of no labels."""
    assert read(text) == (EVERYTHING, [], [])


def test_every_operator_is_read():
    """Labels are ``In`` with one value; values are sorted, each once."""
    text = """{matchLabels: {a: x}, matchExpressions: [
      {key: b, operator: In, values: [w, v, w]}, {key: c, operator: NotIn, values: [x]},
      {key: d, operator: Exists}, {key: e, operator: DoesNotExist, values: []}]}"""

    assert read(text) == (
        Selector.of(
            [
                Requirement("a", Operator.IN, ("x",)),
                Requirement("b", Operator.IN, ("v", "w")),
                Requirement("c", Operator.NOT_IN, ("x",)),
                Requirement("d", Operator.EXISTS),
                Requirement("e", Operator.DOES_NOT_EXIST),
            ]
        ),
        [],
        [],
    )


def test_a_null_label_is_an_empty_one():
    """So it is to the API server."""
    assert read("{matchLabels: {a: null}}")[0] == Selector.labels({"a": ""})


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("{matchLabel: {a: b}}", 'strict decoding error: unknown field "s.matchLabel"', 'did you mean "matchLabels"?'),
        ("5", "s: expected a mapping, found the number 5", "write a mapping"),
        (
            "{matchLabels: {a: 5}}",
            "s.matchLabels.a: expected a string, found the number 5",
            "put quotes around the value",
        ),
        (
            "{matchExpressions: {}}",
            "s.matchExpressions: expected a list, found a mapping",
            "begin every item with a dash",
        ),
        (
            "{matchExpressions: [{key: a, operator: In, values: [b b]}]}",
            f's.matchExpressions[0].values[0]: Invalid value: "b b": {refusals.VALUE_LETTERS}',
            LETTERS,
        ),
        (
            "{matchExpressions: [{key: a, operator: notin, values: [b]}]}",
            's.matchExpressions[0].operator: Invalid value: "notin": not a valid selector operator',
            "write NotIn",
        ),
        (
            "{matchExpressions: [{key: a, operator: Gt, values: ['1']}]}",
            's.matchExpressions[0].operator: Invalid value: "Gt": not a valid selector operator',
            "write In, NotIn, Exists, DoesNotExist",
        ),
        (
            "{matchExpressions: [{key: a}]}",
            's.matchExpressions[0].operator: Invalid value: "": not a valid selector operator',
            "write In, NotIn, Exists, DoesNotExist",
        ),
        (
            "{matchExpressions: [{key: a, operator: NotIn, values: []}]}",
            "s.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
            "add values",
        ),
        (
            "{matchExpressions: [{key: a, operator: Exists, values: [b]}]}",
            f"s.matchExpressions[0].values: {FORBIDDEN}",
            "remove the values",
        ),
        (
            "{matchExpressions: [{key: a, operator: In, values: [5]}]}",
            "s.matchExpressions[0].values[0]: expected a string, found the number 5",
            "put quotes around the value",
        ),
        (
            "{matchExpressions: [{key: a, operater: In, operator: In, values: [b]}]}",
            'strict decoding error: unknown field "s.matchExpressions[0].operater"',
            'did you mean "operator"?',
        ),
    ],
)
def test_what_is_wrong_is_said_and_left_out(text: str, message: str, hint: str):
    """One error; the selector matches at least what was meant."""
    assert read(text) == (EVERYTHING, [message], [hint])


def test_what_is_right_beside_an_error_is_kept():
    """So that as little as possible is taken to be selected."""
    selector, errors, _ = read("{matchLabels: {a: b, c: 5}, matchExpressions: [{key: d, operator: Exists}, {}]}")

    assert selector == Selector.of([Requirement("a", Operator.IN, ("b",)), Requirement("d", Operator.EXISTS)])
    assert len(errors) == 4
