"""Addresses in the lab: ranges that no block names, and the outside at every boundary."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.algebra.addresses import EVERY, Family, read_address, read_cidr
from ringfence.algebra.intervals import EMPTY, Intervals
from ringfence.errors import InputError
from ringfence.lab.addresses import UNUSABLE, Allotment, Claim, Use, choose_range, outside_addresses

V4, V6 = Family.IPV4, Family.IPV6
NOTHING_TAKEN = (EMPTY, EMPTY)


def block(cidr: str, *excepts: str) -> Intervals:
    """What an ipBlock matches."""
    return read_cidr(cidr) - Intervals.union(map(read_cidr, excepts))


def addresses(*texts: str) -> tuple[int, ...]:
    """Addresses from text."""
    return tuple(read_address(text) for text in texts)


@pytest.mark.parametrize(
    ("use", "family", "cidr"),
    [
        (Use.PODS, V4, "10.244.0.0/16"),
        (Use.NODES, V4, "172.18.0.0/16"),
        (Use.SERVICES, V4, "10.96.0.0/16"),
        (Use.PODS, V6, "fd00:10:244::/112"),
    ],
)
def test_the_usual_range_is_taken_where_no_policy_speaks_of_it(use: Use, family: Family, cidr: str):
    """People know these addresses."""
    chosen = choose_range(use, family, 10, [block("192.0.2.0/24")], NOTHING_TAKEN)

    assert (chosen.whole, chosen.matched) == (read_cidr(cidr), False)


def test_a_range_lies_outside_every_block():
    """A pod must not match an ipBlock because of an address that the lab gave it."""
    blocks = [block("10.0.0.0/8"), block("172.16.0.0/12")]

    chosen = choose_range(Use.PODS, V4, 10, blocks, NOTHING_TAKEN)

    assert chosen.whole == read_cidr("192.168.0.0/16")


def test_a_range_may_lie_inside_an_except():
    """What a block leaves out, it does not match."""
    chosen = choose_range(Use.PODS, V4, 10, [block("0.0.0.0/0", "100.64.0.0/24")], NOTHING_TAKEN)

    assert chosen.whole <= read_cidr("100.64.0.0/24")
    assert not chosen.matched


def test_a_block_that_covers_a_family_is_left_aside():
    """It matches every address, wherever it is."""
    chosen = choose_range(Use.PODS, V4, 10, [block("0.0.0.0/0")], NOTHING_TAKEN)

    assert (chosen.whole, chosen.matched) == (read_cidr("10.244.0.0/16"), False)


def test_without_room_outside_all_blocks_it_is_said_that_one_matches():
    """Two halves cover everything, and yet pods need addresses."""
    chosen = choose_range(Use.PODS, V4, 10, [block("0.0.0.0/1"), block("128.0.0.0/1")], NOTHING_TAKEN)

    assert (chosen.whole, chosen.matched) == (read_cidr("10.244.0.0/16"), True)


def test_without_room_at_all_it_is_an_error():
    """The message names whom there is no room for."""
    with pytest.raises(InputError, match="pods have no room in IPv4"):
        choose_range(Use.PODS, V4, 10, [], (EMPTY, EVERY[V4]))


@pytest.mark.parametrize("count", [1, 2, 3, 6, 7, 8, 100, 254, 65_000, 70_000])
def test_a_range_has_room_for_all(count: int):
    """As many as are asked for, and its own zero is none of them."""
    blocks = [block("10.0.0.0/9"), block("10.128.0.0/10")]

    chosen = choose_range(Use.PODS, V4, count, blocks, NOTHING_TAKEN)

    assert chosen.free.count() >= count
    assert chosen.whole.ranges[0][0] not in chosen.free


def test_what_the_manifests_give_is_kept():
    """And nobody else gets it, though it lies where the others get theirs."""
    kept = addresses("10.244.0.2")
    claims = [Claim(Use.PODS, "x/a", (), (V4,)), Claim(Use.PODS, "x/b", kept, (V4,)), Claim(Use.PODS, "x/c", (), (V4,))]

    allotment = Allotment.of(claims, [])

    assert [allotment.addresses(Use.PODS, name) for name in ("x/a", "x/b", "x/c")] == [
        addresses("10.244.0.1"),
        kept,
        addresses("10.244.0.3"),
    ]
    assert allotment.notes == ()


def test_who_has_an_address_of_one_family_gets_none_of_the_other():
    """A pod with any address has no other family."""
    claims = [Claim(Use.PODS, "x/a", addresses("192.0.2.1"), (V4, V6)), Claim(Use.PODS, "x/b", (), (V4, V6))]

    allotment = Allotment.of(claims, [])

    assert set(allotment.by_family(Use.PODS, "x/a")) == {V4}
    assert set(allotment.by_family(Use.PODS, "x/b")) == {V4, V6}


@pytest.mark.parametrize("text", ["127.0.0.1", "224.0.0.1", "169.254.1.1", "0.0.0.0"])  # noqa: S104 - an address
def test_an_address_that_cannot_be_is_replaced_and_said(text: str):
    """No pod of a lab can have it."""
    allotment = Allotment.of([Claim(Use.PODS, "x/a", addresses(text), (V4,))], [])

    assert allotment.addresses(Use.PODS, "x/a") == addresses("10.244.0.1")
    assert allotment.notes == (f"x/a cannot have its address: {text} cannot be used",)


def test_of_two_with_one_address_the_second_gets_another():
    """Manifests of pods that ran one after the other may say so."""
    twice = addresses("192.0.2.1")
    claims = [Claim(Use.PODS, "x/a", twice, (V4,)), Claim(Use.PODS, "x/b", twice, (V4,))]

    allotment = Allotment.of(claims, [])

    assert allotment.addresses(Use.PODS, "x/a") == twice
    assert allotment.addresses(Use.PODS, "x/b") == addresses("10.244.0.1")
    assert "192.0.2.1 is taken already" in allotment.notes[0]


def test_pods_get_their_addresses_where_the_user_wants_them():
    """Even where a block matches; nodes and Services keep away, and so does the outside."""
    asked = read_cidr("10.96.0.0/16")
    claims = [Claim(use, "x", (), (V4,)) for use in Use]

    allotment = Allotment.of(claims, [block("10.0.0.0/8")], asked)

    assert allotment.addresses(Use.PODS, "x") == addresses("10.96.0.1")
    assert allotment.notes == ()
    assert asked <= allotment.taken
    assert not any(a in asked for use in (Use.NODES, Use.SERVICES) for a in allotment.addresses(use, "x"))


def test_a_range_that_is_too_small_for_the_pods_is_refused():
    """The hint names the flag."""
    claims = [Claim(Use.PODS, str(number), (), (V4,)) for number in range(4)]

    with pytest.raises(InputError, match=r"192\.0\.2\.0/30 has no room for 4 pods") as caught:
        Allotment.of(claims, [], read_cidr("192.0.2.0/30"))

    assert "--pod-cidr" in caught.value.hint


def test_ranges_of_different_uses_do_not_overlap():
    """Even when all of them have to make room."""
    claims = [Claim(use, str(number), (), (V4, V6)) for use in Use for number in range(20)]
    blocks = [block("10.0.0.0/8"), block("172.16.0.0/12"), block("fd00::/8", "fd00::/120")]

    allotment = Allotment.of(claims, blocks)

    given_out = [a for use in Use for number in range(20) for a in allotment.addresses(use, str(number))]
    assert len(set(given_out)) == len(given_out) == 2 * 3 * 20
    assert not any(address in each for address in given_out for each in blocks)


def test_the_outside_has_both_sides_of_every_boundary():
    """So an off-by-one in a block is a packet that goes astray."""
    found = outside_addresses(V4, [block("192.0.2.0/24", "192.0.2.128/25")], EMPTY)

    assert found == addresses("192.0.1.255", "192.0.2.0", "192.0.2.127", "192.0.2.128")


def test_the_outside_has_somebody_in_no_block():
    """Without policies that name addresses it is he alone."""
    assert outside_addresses(V4, [], EMPTY) == addresses("203.0.113.7")
    assert outside_addresses(V6, [], EMPTY) == addresses("2001:db8:ffff::7")
    assert outside_addresses(V4, [block("0.0.0.0/0")], EMPTY) == addresses("203.0.113.7")


def test_nobody_outside_has_an_address_of_the_cluster():
    """The nearest address outside stands for the boundary instead."""
    inside = read_cidr("192.0.2.0/25")

    found = outside_addresses(V4, [block("192.0.2.0/24")], inside)

    assert found == addresses("192.0.1.255", "192.0.2.128", "192.0.2.255", "192.0.3.0")


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 32)), max_size=4))
def test_every_atom_that_can_be_outside_is_represented(cidrs: list[tuple[int, int]]):
    """No two usable addresses that policies tell apart have one representative."""
    blocks = [read_cidr(f"{'.'.join(str(value >> shift & 255) for shift in (24, 16, 8, 0))}/{n}") for value, n in cidrs]

    found = outside_addresses(V4, blocks, EMPTY)

    def signature(address: int) -> tuple[bool, ...]:
        return tuple(address in each for each in blocks)

    usable = EVERY[V4] - UNUSABLE
    for each in blocks:
        for part in (each & usable, usable - each):
            if part:
                assert signature(part.ranges[0][0]) in {signature(address) for address in found}
    assert all(address in usable for address in found)
