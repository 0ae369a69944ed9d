"""Blocks of addresses as API servers read them."""

from __future__ import annotations

import pytest

from ringfence.algebra.addresses import read_cidr
from ringfence.readers.cidrs import parse_cidr

ZEROS = "must not have leading 0s in IP or prefix length"
MAPPED = "must not have an IPv4-mapped IPv6 address"
BITS = "must not have bits set beyond the prefix length"


@pytest.mark.parametrize("text", ["10.0.0.0/8", "0.0.0.0/0", "10.1.2.3/32", "2001:db8::/32", "::/0", "2001:0db8::/32"])
def test_a_strict_block(text: str):
    """There is nothing to say against it."""
    found = parse_cidr(text)

    assert found is not None
    assert (found.addresses, found.faults) == (read_cidr(text), ())
    assert found.length == int(text.partition("/")[2])


@pytest.mark.parametrize(
    ("text", "meant", "fault"),
    [
        ("10.1.2.3/8", "10.0.0.0/8", BITS),
        ("2001:db8::1/64", "2001:db8::/64", BITS),
        ("010.1.0.0/16", "10.1.0.0/16", ZEROS),
        ("10.0.0.0/08", "10.0.0.0/8", ZEROS),
        ("10.00.0.0/8", "10.0.0.0/8", ZEROS),
        ("2001:00db8::/32", "2001:db8::/32", ZEROS),
        ("::ffff:10.0.0.0/104", "10.0.0.0/8", MAPPED),
        ("::ffff:0a00:0/104", "10.0.0.0/8", MAPPED),
        ("::ffff:010.0.0.0/104", "10.0.0.0/8", ZEROS),
        ("010.1.2.3/8", "10.0.0.0/8", ZEROS),
        ("::ffff:10.0.0.0/64", "::/64", MAPPED),
    ],
)
def test_a_lenient_block(text: str, meant: str, fault: str):
    """It is read, with one fault; of mapped addresses those of IPv4 are meant."""
    found = parse_cidr(text)

    assert found is not None
    assert (found.addresses, found.faults, str(found)) == (read_cidr(meant), (fault,), meant)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "10.0.0.0",
        "10.0.0.0/",
        "10.0.0.0/33",
        "::/129",
        "10.0.0.0/" + "9" * 5000,
        "10.0.0.256/32",
        "10.0.0/8",
        "10.0.0.0/255.0.0.0",
        "10.0.0.0/+8",
        "fe80::%eth0/64",
        "a/8",
        "10.0.0.0/8\n",
        "1::2::3/64",
    ],
)
def test_no_block(text: str):
    """No server takes it."""
    assert parse_cidr(text) is None


def test_a_block_knows_its_first_address():
    """By which a server tells whether it lies within another."""
    found = parse_cidr("10.1.2.3/8")

    assert found is not None
    assert found.first == 10 << 24
