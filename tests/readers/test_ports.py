"""Port numbers and protocols."""

from __future__ import annotations

import pytest

from ringfence.algebra.traffic import Protocol
from ringfence.readers.fields import Field
from ringfence.readers.ports import read_port, read_protocol

from .texts import manifest


def part(text: str) -> Field:
    """A part with this value."""
    return Field(manifest(f"apiVersion: v1\nkind: Pod\npart: {text}\n"))["part"]


@pytest.mark.parametrize("number", [1, 80, 65_535])
def test_a_port_is_a_number(number: int):
    """From 1 to 65535."""
    assert read_port(part(str(number))) == number


@pytest.mark.parametrize("number", [-1, 0, 65_536])
def test_a_port_out_of_range_is_an_error(number: int):
    """In the API server's words."""
    found = part(str(number))

    assert read_port(found) is None
    assert [error.message for error in found.manifest.errors] == [
        f"part: Invalid value: {number}: must be between 1 and 65535, inclusive"
    ]


def test_no_port_is_no_error():
    """Whoever needs one says so."""
    found = part("null")

    assert (read_port(found), found.manifest.errors) == (None, [])


@pytest.mark.parametrize(("text", "protocol"), [("null", Protocol.TCP), ("UDP", Protocol.UDP), ("SCTP", Protocol.SCTP)])
def test_a_protocol_is_tcp_by_default(text: str, protocol: Protocol):
    """And one of three."""
    assert read_protocol(part(text)) is protocol


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("tcp", 'part: Unsupported value: "tcp": supported values: "SCTP", "TCP", "UDP"', "write TCP"),
        ("ICMP", 'part: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"', "write SCTP, TCP or UDP"),
        ("''", 'part: Unsupported value: "": supported values: "SCTP", "TCP", "UDP"', "write SCTP, TCP or UDP"),
        ("6", "part: expected a string, found the number 6", "put quotes around the value"),
    ],
)
def test_another_protocol_is_an_error(text: str, message: str, hint: str):
    """And none is guessed."""
    found = part(text)

    assert read_protocol(found) is None
    assert [(error.message, error.hint) for error in found.manifest.errors] == [(message, hint)]
