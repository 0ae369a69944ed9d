"""Atoms of traffic and addresses say exactly what the sets say."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ringfence.algebra.addresses import EVERY, Family, read_address, read_cidr
from ringfence.algebra.intervals import EMPTY, Intervals
from ringfence.algebra.traffic import ALL, Protocol, ports
from ringfence.semantics.space import AddressSpace, TrafficSpace
from tests.worlds import BLOCKS

spans = st.tuples(st.sampled_from(Protocol), st.sampled_from((0, 1, 80, 81)), st.sampled_from((81, 90, 65_535)))
traffic_sets = st.lists(st.lists(spans.map(lambda span: ports(*span)), max_size=2).map(Intervals.union), max_size=4)
blocks = st.lists(
    st.sampled_from([(family, texts) for family in Family for texts in BLOCKS[family]]), max_size=5, unique=True
).map(
    lambda chosen: tuple(
        dict.fromkeys(read_cidr(cidr) - Intervals.union(map(read_cidr, excepts)) for _, (cidr, *excepts) in chosen)
    )
)


@given(traffic_sets)
def test_a_mask_stands_for_its_traffic(sets: list[Intervals]):
    """Sets, and unions of them, go into masks and come back."""
    space = TrafficSpace.of(sets)
    together = 0
    for each in sets:
        assert space.traffic(space.mask(each)) == each
        together |= space.mask(each)

    assert space.traffic(together) == Intervals.union(sets)
    assert space.traffic(space.everything) == ALL
    assert space.mask(ALL) == space.everything
    assert space.mask(EMPTY) == 0


@given(blocks)
def test_a_signature_is_the_blocks_that_hold_an_address(found: tuple[Intervals, ...]):
    """Asked at both ends of every block and beside them."""
    space = AddressSpace.of(found)
    for address in {near for each in found for pair in each for end in pair for near in (end - 1, end, end + 1)}:
        assert space.signature(address) == tuple(n for n, held in enumerate(found) if address in held)


@given(blocks, st.sampled_from(Family))
def test_regions_are_all_addresses_by_signature(found: tuple[Intervals, ...], family: Family):
    """Regions are disjoint, together the whole, and each has one signature."""
    space = AddressSpace.of(found)
    regions = space.regions(EVERY[family])

    assert Intervals.union(regions.values()) == EVERY[family]
    assert sum(region.count() for region in regions.values()) == EVERY[family].count()
    for signature, region in regions.items():
        assert {space.signature(end) for pair in region for end in pair} == {signature}


def test_an_unknown_address_lies_in_the_blocks_that_cover_its_family():
    """A block with an exception covers it no longer, and the other family is another matter."""
    everything, most, other = (
        read_cidr("0.0.0.0/0"),
        read_cidr("0.0.0.0/0") - read_cidr("10.0.0.0/8"),
        read_cidr("::/0"),
    )
    space = AddressSpace.of((most, everything, other))

    assert space.unknown(Family.IPV4) == (1,)
    assert space.unknown(Family.IPV6) == (2,)


def test_without_blocks_all_addresses_are_alike():
    """Nothing can tell them apart."""
    space = AddressSpace.of(())

    assert space.signature(read_address("10.0.0.1")) == ()
    assert space.regions(EVERY[Family.IPV4]) == {(): EVERY[Family.IPV4]}
