"""Addresses of both families on one line, in and out of text."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.algebra.addresses import (
    EVERY,
    Family,
    cidrs,
    family_of,
    read_address,
    read_cidr,
    render_address,
    render_addresses,
)
from ringfence.algebra.intervals import EMPTY, Intervals

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

texts = st.ip_addresses().map(str)

CORNERS = {"10.0.0.0": Family.IPV4, "2001:db8::": Family.IPV6}


@st.composite
def nearby(draw: st.DrawFn) -> Intervals:
    """A set of addresses within 32 neighbors, of one family."""
    corner = read_address(draw(st.sampled_from(sorted(CORNERS))))
    return Intervals.of((corner + n, corner + n) for n in draw(st.frozensets(st.integers(0, 31))))


def rest_of_the_family(addresses: Intervals) -> Intervals:
    """All other addresses of the family; of IPv4 when there are none."""
    return EVERY[family_of(addresses.ranges[0][0]) if addresses else Family.IPV4] - addresses


@given(texts)
def test_an_address_is_written_as_it_was_read(text: str):
    """Canonical text goes in and comes out, and the family is that of the text."""
    address = read_address(text)

    assert render_address(address) == text
    assert family_of(address) == ipaddress.ip_address(text).version


@given(
    st.lists(st.sampled_from(["0", "1", "01", "255", "256", "", " 1", "+1", "1 ", "\u0661"]), max_size=6).map(".".join)
)
def test_a_text_is_an_address_of_four_octets_where_the_library_says_so(text: str):
    """Each octet is written without a zero in front, in the digits of ASCII."""
    try:
        expected = int(ipaddress.ip_address(text))
    except ValueError:
        with pytest.raises(ValueError, match="does not appear to be an IPv4 or IPv6 address"):
            read_address(text)
    else:
        assert read_address(text) == expected


@given(st.ip_addresses(), st.ip_addresses())
def test_the_line_keeps_the_order_and_the_families_apart(one: IPAddress, other: IPAddress):
    """Two addresses stand as the library orders them, IPv4 before IPv6."""
    expected = (one.version, int(one)) < (other.version, int(other))

    assert (read_address(str(one)) < read_address(str(other))) is expected


def test_families_do_not_touch():
    """The last IPv4 address and the first IPv6 address never become one range."""
    assert len((EVERY[Family.IPV4] | EVERY[Family.IPV6]).ranges) == 2


def test_every_address_is_in_its_family():
    """The whole of a family is what a prefix of no length covers."""
    assert read_cidr("0.0.0.0/0") == EVERY[Family.IPV4]
    assert read_cidr("::/0") == EVERY[Family.IPV6]


@given(st.ip_addresses(), st.data())
def test_a_cidr_holds_what_the_library_says(address: IPAddress, data: st.DataObject):
    """A prefix is its first to its last address, whatever bits stand behind it."""
    network = ipaddress.ip_network((address, data.draw(st.integers(0, address.max_prefixlen))), strict=False)
    ends = read_address(str(network[0])), read_address(str(network[-1]))

    assert read_cidr(f"{address}/{network.prefixlen}") == Intervals.of([ends])


@pytest.mark.parametrize("text", ["10.0.0.1", "10.0.0.0/33", "fe80::%1/64", "ten/8", ""])
def test_what_is_no_cidr_is_refused(text: str):
    """A bare address is none either."""
    with pytest.raises(ValueError, match=r".+"):
        read_cidr(text)


@pytest.mark.parametrize("text", ["fe80::1%eth0", "10.0.0.256", "web", ""])
def test_what_is_no_address_is_refused(text: str):
    """A zone means something on one machine only, and the line has no place for it."""
    with pytest.raises(ValueError, match=r".+"):
        read_address(text)


@given(nearby())
def test_cidrs_make_up_the_set(addresses: Intervals):
    """The CIDRs of a set, united, are the set."""
    assert Intervals.union(map(read_cidr, cidrs(addresses))) == addresses


@given(nearby())
def test_cidrs_are_as_few_as_can_be(addresses: Intervals):
    """No CIDR of a set could grow without leaving the set."""
    for text in cidrs(addresses):
        wider = ipaddress.ip_network(text).supernet()

        assert not read_cidr(str(wider)) <= addresses


@pytest.mark.parametrize(
    ("addresses", "text"),
    [
        (EMPTY, "nothing"),
        (read_cidr("10.0.0.0/8"), "10.0.0.0/8"),
        (EVERY[Family.IPV4], "0.0.0.0/0"),
        (EVERY[Family.IPV6] - read_cidr("2001:db8::/32"), "::/0 except 2001:db8::/32"),
        (EVERY[Family.IPV4] | read_cidr("fd00::/8"), "0.0.0.0/0, fd00::/8"),
        (read_cidr("10.0.0.1/32") | read_cidr("10.0.0.4/31"), "10.0.0.1/32, 10.0.0.4/31"),
        (read_cidr("0.0.0.0/1"), "0.0.0.0/1"),
        (read_cidr("10.0.0.0/8") - read_cidr("10.0.0.0/24"), "10.0.0.0/8 except 10.0.0.0/24"),
        (
            EVERY[Family.IPV4] - read_cidr("10.0.0.0/8") - read_cidr("192.168.0.0/16"),
            "0.0.0.0/0 except 10.0.0.0/8, 192.168.0.0/16",
        ),
        (
            (read_cidr("10.0.0.0/8") - read_cidr("10.9.0.0/24") - read_cidr("10.7.0.0/24"))
            | read_cidr("192.168.0.0/16"),
            "10.0.0.0/8 except 10.7.0.0/24, 10.9.0.0/24, 192.168.0.0/16",
        ),
    ],
)
def test_addresses_are_written_the_shorter_way(addresses: Intervals, text: str):
    """CIDRs, each with what it leaves out where that is shorter."""
    assert render_addresses(addresses) == text


@given(nearby() | nearby().map(rest_of_the_family))
def test_written_addresses_can_be_read_back(addresses: Intervals):
    """Text says exactly which addresses are meant, also where it says which are not."""
    assert read_back(render_addresses(addresses)) == addresses


@given(nearby() | nearby().map(rest_of_the_family))
def test_no_address_text_is_longer_than_plain_cidrs_or_the_family_without_the_rest(addresses: Intervals):
    """Nobody reads more CIDRs than either way would need."""
    written = len(render_addresses(addresses).replace(" except ", ", ").split(", "))

    assert written <= max(1, min(len(cidrs(addresses)), 1 + len(cidrs(rest_of_the_family(addresses)))))


def read_back(text: str) -> Intervals:
    """Read what was written: after ``except`` a CIDR within the one before it is left out, another is not."""
    found, whole = EMPTY, EMPTY
    for term in [] if text == "nothing" else text.replace(" except ", ", ").split(", "):
        cidr = read_cidr(term)
        if cidr <= whole:
            found -= cidr
        else:
            found, whole = found | cidr, cidr
    return found
