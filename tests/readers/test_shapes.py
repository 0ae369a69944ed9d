"""The types that objects are decoded into."""

from __future__ import annotations

from typing import Any

import pytest

from ringfence.readers.shapes import (
    ANYTHING,
    BOOLEAN,
    NUMBER32,
    NUMBER64,
    NUMBER_OR_TEXT,
    OBJECT_META,
    TEXT,
    TIME,
    Scalar,
    Struct,
    network_policy,
)


@pytest.mark.parametrize(
    ("shape", "value", "takes"),
    [
        (TEXT, "", True),
        (TEXT, 5, False),
        (BOOLEAN, True, True),
        (BOOLEAN, 1, False),
        (NUMBER32, 2**31 - 1, True),
        (NUMBER32, 2**31, False),
        (NUMBER32, -(2**31), True),
        (NUMBER32, True, False),
        (NUMBER32, 1.0, False),
        (NUMBER32, "1", False),
        (NUMBER64, 2**31, True),
        (NUMBER64, 2**63, False),
        (NUMBER_OR_TEXT, "http", True),
        (NUMBER_OR_TEXT, 80, True),
        (NUMBER_OR_TEXT, 2**31, False),
        (NUMBER_OR_TEXT, False, False),
        (ANYTHING, {"a": 1}, True),
        (ANYTHING, 5, True),
    ],
)
def test_a_scalar_takes_values_of_its_type(shape: Scalar, value: Any, takes: bool):  # noqa: FBT001 - a column of the table
    """True is no number, and no number is text."""
    assert shape.takes(value) is takes


@pytest.mark.parametrize(
    ("text", "takes"),
    [
        ("2026-01-31T12:00:00Z", True),
        ("2026-01-31T12:00:00.25+02:00", True),
        ("2024-02-29T00:00:00Z", True),
        ("2023-02-29T00:00:00Z", False),
        ("1900-02-29T00:00:00Z", False),
        ("2000-02-29T00:00:00Z", True),
        ("2026-04-31T00:00:00Z", False),
        ("2026-13-01T00:00:00Z", False),
        ("2026-01-00T00:00:00Z", False),
        ("2026-01-01T24:00:00Z", False),
        ("2026-01-01T1:00:00Z", True),
        ("2026-01-01T01:0:00Z", False),
        ("2026-01-01 00:00:00Z", False),
        ("2026-01-01", False),
        ("", False),
        (5, False),
    ],
)
def test_a_time_is_a_moment_of_the_calendar(text: Any, takes: bool):  # noqa: FBT001
    """As RFC 3339 writes it."""
    assert TIME.takes(text) is takes


def test_releases_differ_in_two_fields():
    """The end of a port, and the status."""
    old, new = network_policy(end_port=False, status=True), network_policy()

    assert set(old.fields) - set(new.fields) == {"status"}
    assert "endPort" not in repr(old)
    assert "endPort" in repr(new)


def test_metadata_are_the_members_of_every_object():
    """By their names in JSON."""
    assert isinstance(OBJECT_META, Struct)
    assert len(OBJECT_META.fields) == 15
