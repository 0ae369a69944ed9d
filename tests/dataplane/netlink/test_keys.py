"""Keys of sets: each field in its place, and back."""

from __future__ import annotations

import pytest

from ringfence.algebra.addresses import read_address
from ringfence.dataplane.netlink.keys import Layout, read_types
from ringfence.dataplane.nft import Datatype

V4, V6, PROTO, PORT = Datatype.IPV4_ADDR, Datatype.IPV6_ADDR, Datatype.INET_PROTO, Datatype.INET_SERVICE


@pytest.mark.parametrize(
    ("types", "values", "data", "number"),
    [
        ((PROTO,), (6,), "06", 12),
        ((V4,), (read_address("10.0.0.9"),), "0a000009", 7),
        ((V4, PROTO, PORT), (read_address("10.0.0.9"), 6, 5432), "0a0000090600000015380000", 0x730D),
        ((PROTO, PORT), (17, 53), "1100000000350000", 0x30D),
        ((V6, V6), (read_address("fd00::1"), read_address("::")), "fd" + "00" * 14 + "01" + "00" * 16, 0x208),
        ((V6, PROTO, PORT), (read_address("::1"), 132, 80), "00" * 15 + "018400000000500000", 0x830D),
    ],
)
def test_a_key_is_laid_out_as_the_kernel_has_it(
    types: tuple[Datatype, ...], values: tuple[int, ...], data: str, number: int
):
    """Fields of a key of several are padded to four bytes; the number of the types is nft's own."""
    layout = Layout(types)

    assert layout.encode(values).hex() == data
    assert layout.decode(bytes.fromhex(data)) == values
    assert layout.number == number
    assert read_types(number) == types


@pytest.mark.parametrize("number", [0, 19, 7 << 6 | 19, 7 << 12 | 13])
def test_types_that_are_not_ours_are_none(number: int):
    """No type at all, marks, or one of them in a key of several."""
    assert read_types(number) is None


@pytest.mark.parametrize(("types", "last"), [((V4,), "255.255.255.255"), ((V6,), f"{'ffff:' * 7}ffff")])
def test_the_last_value_of_a_field_is_known(types: tuple[Datatype, ...], last: str):
    """A range up to it has no end of its own in the kernel."""
    assert Layout(types).last == read_address(last)
