"""Elements: there and back, in as few messages as can hold them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.algebra.intervals import Intervals
from ringfence.dataplane.expressions import Goto, Jump, Word
from ringfence.dataplane.netlink.elements import (
    LARGEST,
    ForeignElementError,
    decode_boxes,
    decode_map,
    decode_ranges,
    decode_values,
    encode_elements,
)
from ringfence.dataplane.netlink.keys import Layout
from ringfence.dataplane.netlink.messages import attribute, each_attribute, nested, number
from ringfence.dataplane.nft import Datatype, Element, Key, Map, Set

V4, V6, PROTO, PORT = Datatype.IPV4_ADDR, Datatype.IPV6_ADDR, Datatype.INET_PROTO, Datatype.INET_SERVICE
TYPES = [(V4,), (PROTO,), (V4, PROTO, PORT), (V6, PROTO, PORT), (PROTO, PORT), (V6, V6)]
TOP = {V4: (0, 2**32 - 1), V6: (1 << 40, (1 << 40) + 2**128 - 1), PROTO: (0, 255), PORT: (0, 65_535)}


@st.composite
def boxes(draw: st.DrawFn, types: tuple[Datatype, ...]) -> Key:
    """A range of each field, often at an end of what it can be."""
    found = []
    for each in types:
        low, high = TOP[each]
        value = st.integers(low, low + 3) | st.integers(high - 3, high) | st.integers(low, high)
        one, other = draw(value), draw(value)
        found.append((min(one, other), max(one, other)))
    return tuple(found)


@given(st.sampled_from(TYPES).flatmap(lambda types: st.tuples(st.just(types), st.lists(boxes(types), max_size=5))))
def test_keys_are_read_as_they_were_written(drawn: tuple[tuple[Datatype, ...], list[Key]]):
    """Single values, boxes of several fields, and statements of a map."""
    types, keys = drawn
    layout = Layout(types)
    values = tuple(tuple((first, first) for first, _ in key) for key in keys)
    statements = (Jump("a"), Goto("bc"), Word.ACCEPT, Word.DROP, Word.RETURN)
    elements = tuple(Element(*pair) for pair in zip(values, statements, strict=False))

    assert decode_values(b"".join(encode_elements(Set("s", types, values), layout)), layout) == list(values)
    assert tuple(decode_map(b"".join(encode_elements(Map("m", types, elements), layout)), layout)) == elements
    if len(types) > 1:
        data = b"".join(encode_elements(Set("s", types, tuple(keys), interval=True), layout))
        assert list(decode_boxes(data, layout)) == keys


@given(st.sampled_from([(V4,), (V6,)]).flatmap(lambda types: st.tuples(st.just(types), st.lists(boxes(types)))))
def test_ranges_of_one_field_are_read_as_they_were_written(drawn: tuple[tuple[Datatype, ...], list[Key]]):
    """A range up to the last value has no end, and the kernel lists them backwards."""
    types, keys = drawn
    layout = Layout(types)
    apart = tuple((pair,) for pair in Intervals.of(key[0] for key in keys))
    data = list(each_attribute(b"".join(encode_elements(Set("s", types, apart, interval=True), layout))))
    backwards = b"".join(attribute(1, value) for _, value in reversed(data))

    assert tuple(decode_ranges(backwards, layout)) == apart


def test_ranges_are_read_as_the_kernel_goes_by_them():
    """What begins ends what came before it; an end without a beginning, as nft writes it first, says nothing."""
    key = {value: nested(1, attribute(1, value.to_bytes(4))) for value in (0, 5, 9, 12)}
    end = number(3, 1)
    data = nested(1, end, key[0]) + nested(1, key[5]) + nested(1, key[9]) + nested(1, end, key[12])

    assert decode_ranges(data, Layout((V4,))) == [((5, 8),), ((9, 11),)]


FOREIGN = [
    nested(1, nested(1, attribute(1, bytes(4))), number(4, 60)),
    nested(1, number(3, 2)),
    nested(1, nested(1, attribute(1, bytes(3)))),
]


@pytest.mark.parametrize("data", FOREIGN, ids=["timeout", "catch-all", "short key"])
def test_an_element_with_more_in_it_is_foreign(data: bytes):
    """Whatever it means, it is not what we meant."""
    for decode in (decode_values, decode_map, decode_boxes, decode_ranges):
        with pytest.raises(ForeignElementError):
            list(decode(data, Layout((V4,))))


def test_elements_are_divided_into_as_few_lists_as_a_length_can_tell():
    """None is larger than an attribute may be, none could take the first element of the next."""
    keys = tuple(((value, value), (6, 6), (80, 80)) for value in range(10_000))
    parts = list(encode_elements(Set("s", (V4, PROTO, PORT), keys), layout := Layout((V4, PROTO, PORT))))

    assert [key for part in parts for key in decode_values(part, layout)] == list(keys)
    assert all(len(part) <= LARGEST < len(part) + 24 for part, _ in pairwise(parts))
