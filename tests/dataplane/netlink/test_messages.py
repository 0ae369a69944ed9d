"""Messages and attributes: bytes as the kernel has them, and nothing read beyond an end."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.dataplane.netlink.messages import (
    ACK,
    ERROR,
    HEADERS,
    Message,
    attribute,
    decode_answers,
    each_attribute,
    encode_transaction,
    nested,
    number,
    read_attributes,
    read_number,
    read_text,
    text,
    transactions,
)

ONE, TWO = Message(0, 0, number(2, 6), "one"), Message(9, 0x400, text(1, "t"), "two")
BATCH_BEGIN, BATCH_END = 0x10, 0x11


def test_attributes_are_padded_and_read_back():
    """The length is that of the value, what follows stands at a multiple of four bytes."""
    data = attribute(1, b"abcde") + text(2, "x") + number(3, 258) + nested(4, number(1, 7), number(2, 8))

    assert data[:12] == struct.pack("=HH", 9, 1) + b"abcde\0\0\0"
    parts = read_attributes(data)
    assert (parts[1], read_text(parts[2]), read_number(parts[3])) == (b"abcde", "x", 258)
    assert read_attributes(parts[4]) == {1: b"\0\0\0\7", 2: b"\0\0\0\x08"}


@given(st.binary(max_size=64))
def test_whatever_bytes_there_are_reading_ends(data: bytes):
    """Bytes that are no attributes or messages are an end, never a loop and never an error."""
    assert sum(4 + len(value) for _, value in each_attribute(data)) <= len(data) + 4
    assert len(list(decode_answers(data))) <= len(data)


def test_a_transaction_is_framed_and_numbered():
    """The beginning has the first number, and only the last message asks to be acknowledged."""
    data = encode_transaction([ONE, TWO], 7)
    found = []
    while data:
        length, kind, flags, sequence, _ = struct.unpack_from("=IHHII", data)
        found.append((kind, bool(flags & ACK), sequence, length))
        data = data[length:]

    assert found == [
        (BATCH_BEGIN, False, 7, HEADERS),
        (10 << 8, False, 8, HEADERS + 8),
        (10 << 8 | 9, True, 9, HEADERS + 8),
        (BATCH_END, False, 10, HEADERS),
    ]


def test_a_generation_is_a_condition_of_the_whole_transaction():
    """It stands in the message that begins it."""
    data = encode_transaction([ONE], 1, generation=5)

    assert struct.unpack_from("=I", data) == (HEADERS + 8,)
    assert read_attributes(data[HEADERS : HEADERS + 8]) == {1: b"\0\0\0\5"}


def test_an_error_says_its_number_and_what_it_answers():
    """The kernel writes it negative; an acknowledgement is 0, and an object has none."""
    refused = struct.pack("=IHHII", 36, ERROR, 0, 9, 0) + struct.pack("=i", -17) + bytes(16)
    listed = struct.pack("=IHHII", 28, 10 << 8 | 3, 0, 9, 0) + bytes(4) + number(1, 3)

    assert [(each.sequence, each.error) for each in decode_answers(refused + listed)] == [(9, 17), (9, 0)]


@pytest.mark.parametrize(("limit", "sizes"), [(10_000, [5]), (48 + 2 * 28, [2, 2, 1]), (1, [1, 2, 2])])
def test_units_are_gathered_up_to_the_limit_and_never_divided(limit: int, sizes: list[int]):
    """Order is kept; a unit that is larger than the limit goes alone, for the kernel to judge."""
    units = [[ONE], [ONE, TWO], [TWO, ONE]] if limit in {1, 10_000} else [[ONE]] * 5
    found = list(transactions(units, limit))

    assert [message for part in found for message in part] == [message for unit in units for message in unit]
    assert [len(part) for part in found] == sizes
