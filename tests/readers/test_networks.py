"""Which texts the API server's ``isCIDR`` takes for a block of addresses."""

from __future__ import annotations

import pytest

from ringfence.algebra.addresses import read_cidr
from ringfence.algebra.intervals import EMPTY
from ringfence.readers.networks import is_network, read_network


@pytest.mark.parametrize("text", ["10.0.0.0/8", "10.1.2.3/8", "0.0.0.0/0", "10.0.0.1/32", "fd00::/8", "::1.2.3.4/96"])
def test_a_block_may_have_bits_beyond_its_prefix(text: str):
    """They are ignored."""
    assert is_network(text)
    assert read_network(text) == read_cidr(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "10.0.0.0",
        "10.0.0.0/33",
        "10.0.0.0/08",
        "10.0.0.0/255.0.0.0",
        "010.0.0.0/8",
        "10.0/8",
        "fe80::1%eth0/64",
        "::ffff:10.0.0.0/104",
        "::ffff:a00:0/104",
        "fd00::/129",
        "10.0.0.0/8 ",
        "10.0.0.0/8\n",
        "\u0661.0.0.0/8",
        "1/8",
        "/8",
    ],
)
def test_what_is_no_block_is_refused(text: str):
    """Netmasks, zones, zeros in front, and IPv4 in the clothes of IPv6."""
    assert not is_network(text)
    assert read_network(text) == EMPTY
