"""The API server's words: how it shows values and puts its sentences together."""

from __future__ import annotations

from typing import Any

import pytest

from ringfence.readers.refusals import (
    Named,
    Refusal,
    forbidden,
    invalid,
    longer_than,
    quoted,
    required,
    too_long,
    two_controllers,
    unknown_field,
    unprintable,
    unsupported,
)


@pytest.mark.parametrize(
    ("refusal", "reason", "message"),
    [
        (required(), "FieldValueRequired", "Required value"),
        (required("must specify a peer"), "FieldValueRequired", "Required value: must specify a peer"),
        (invalid(0, "too small"), "FieldValueInvalid", "Invalid value: 0: too small"),
        (invalid("", "empty"), "FieldValueInvalid", 'Invalid value: "": empty'),
        (
            unsupported(Named("tcp"), ("TCP", "UDP", "SCTP")),
            "FieldValueNotSupported",
            'Unsupported value: "tcp": supported values: "TCP", "UDP", "SCTP"',
        ),
        (forbidden("not here"), "FieldValueForbidden", "Forbidden: not here"),
        (too_long(262144), "FieldValueTooLong", "Too long: may not be more than 262144 bytes"),
    ],
)
def test_a_refusal_is_reason_and_message(refusal: Refusal, reason: str, message: str):
    """As in a cause of the server's answer; what is supported keeps its order."""
    assert refusal == Refusal(reason, message)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a", '"a"'),
        ('a"b\\', r'"a\"b\\"'),
        ("a\nb\tc\a", r'"a\nb\tc\a"'),
        ("\x00\x1b\x7f", r'"\x00\x1b\x7f"'),
        ("\u00e9\u200b\U000e0001", '"\u00e9\\u200b\\U000e0001"'),
        ("<a>", '"<a>"'),
        (Named("a"), '"a"'),
        (Named("<a&b>\u2028"), r'"\u003ca\u0026b\u003e\u2028"'),
        (Named("a\x1b"), r'"a\u001b"'),
        (8080, "8080"),
        (True, "true"),
        (1.5, "1.5"),
        (123456.5, "123456.5"),
        (1234567.5, "1.2345675e+06"),
        (0.0001, "0.0001"),
        (-1.5e-7, "-1.5e-07"),
        (1e300, "1e+300"),
        ((1 << 63) - 1, "9223372036854775807"),
        (1 << 63, "9.223372036854776e+18"),
        (10**30, "1e+30"),
        (["Ingress", "Egress", ""], '["Ingress","Egress",""]'),
        ({"kind": "Event", "controller": True}, '{"kind":"Event","controller":true}'),
    ],
)
def test_values_are_shown_as_go_shows_them(value: Any, shown: str):
    """Text in Go's quotes; a text of a type of its own, lists and mappings as Go's JSON."""
    assert quoted(value) == shown


def test_an_unknown_field_is_named_in_go_s_quotes():
    """Whatever its name is made of."""
    assert unknown_field('spec.a"b') == 'strict decoding error: unknown field "spec.a\\"b"'


def test_details_count_and_name():
    """Lengths, controllers, and letters with their position in bytes."""
    assert longer_than(63, "bytes") == "must be no more than 63 bytes"
    assert longer_than(15, "characters") == "must be no more than 15 characters"
    assert unprintable("\x07", 3) == "invalid character U+0007 (at position 3)"
    assert two_controllers("ReplicaSet/a", "Job/b") == (
        'Only one reference can have Controller set to true. Found "true" in references for ReplicaSet/a and Job/b'
    )
