"""Names, labels and ports: what the API server says against a text."""

from __future__ import annotations

import pytest

from ringfence.readers.syntax import dns_label, label_key, label_value, port_name, size, subdomain

KEY = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character "
    "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
VALUE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start "
    "and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation "
    "is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
    "and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
    "with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
SLASHES = f"a valid label key {KEY} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"


@pytest.mark.parametrize(
    ("text", "details"),
    [
        ("a", ()),
        ("A_b.c-1", ()),
        ("example.com/a", ()),
        ("a" * 63, ()),
        ("a" * 64, ("name part must be no more than 63 bytes",)),
        ("", ("name part must be non-empty", f"name part {KEY}")),
        ("a ", (f"name part {KEY}",)),
        ("a\n", (f"name part {KEY}",)),
        ("-a", (f"name part {KEY}",)),
        ("\u00e9" * 40, ("name part must be no more than 63 bytes", f"name part {KEY}")),
        ("/a", ("prefix part must be non-empty",)),
        ("a/", ("name part must be non-empty", f"name part {KEY}")),
        ("Example.com/a", (f"prefix part {SUBDOMAIN}",)),
        ("a" * 254 + "/a", ("prefix part must be no more than 253 bytes",)),
        ("a/b/c", (SLASHES,)),
        ("a//c", (SLASHES,)),
    ],
)
def test_the_key_of_a_label(text: str, details: tuple[str, ...]):
    """A name, before it perhaps a subdomain and a slash."""
    assert label_key(text) == details


@pytest.mark.parametrize(
    ("text", "details"),
    [
        ("", ()),
        ("My_value.1-b", ()),
        ("a" * 63, ()),
        ("a" * 64, ("must be no more than 63 bytes",)),
        ("b b", (VALUE,)),
        ("a.", (VALUE,)),
        ("a\n", (VALUE,)),
        ("-" * 64, ("must be no more than 63 bytes", VALUE)),
    ],
)
def test_the_value_of_a_label(text: str, details: tuple[str, ...]):
    """Empty, or at most 63 letters."""
    assert label_value(text) == details


@pytest.mark.parametrize(
    ("text", "details"),
    [
        ("a", ()),
        ("a.b-c.1", ()),
        ("a" * 253, ()),
        ("a" * 254, ("must be no more than 253 characters",)),
        ("", (SUBDOMAIN,)),
        ("Web", (SUBDOMAIN,)),
        ("a..b", (SUBDOMAIN,)),
        ("a_b", (SUBDOMAIN,)),
        ("a\n", (SUBDOMAIN,)),
    ],
)
def test_a_subdomain(text: str, details: tuple[str, ...]):
    """Labels joined by dots."""
    assert subdomain(text) == details


@pytest.mark.parametrize(
    ("text", "details"),
    [
        ("kube-system", ()),
        ("a" * 63, ()),
        ("a" * 64, ("must be no more than 63 characters",)),
        ("a.b", ("must not contain dots",)),
        ("-a", (LABEL,)),
        ("Web", (LABEL,)),
        ("", (LABEL,)),
    ],
)
def test_a_dns_label(text: str, details: tuple[str, ...]):
    """A subdomain of one part."""
    assert dns_label(text) == details


ALPHANUMERIC = "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"
ONE_LETTER = "must contain at least one letter (a-z)"
EDGES = "must not begin or end with a hyphen"


@pytest.mark.parametrize(
    ("text", "details"),
    [
        ("http", ()),
        ("1a-b", ()),
        ("a" * 15, ()),
        ("a" * 16, ("must be no more than 15 characters",)),
        ("", (ALPHANUMERIC, ONE_LETTER)),
        ("80", (ONE_LETTER,)),
        ("HTTP", (ALPHANUMERIC, ONE_LETTER)),
        ("a_b", (ALPHANUMERIC,)),
        ("a--b", ("must not contain consecutive hyphens",)),
        ("-a", (EDGES,)),
        ("a-", (EDGES,)),
        ("--", (ONE_LETTER, "must not contain consecutive hyphens", EDGES)),
    ],
)
def test_the_name_of_a_port(text: str, details: tuple[str, ...]):
    """All that is wrong with it at once."""
    assert port_name(text) == details


def test_letters_are_counted_in_bytes():
    """Even half of a surrogate pair, which JSON may write."""
    assert (size("ab"), size("\u00e9"), size("\ud800")) == (2, 2, 3)
