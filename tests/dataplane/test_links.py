"""Names of interfaces as numbers: in the order of their bytes, those that begin alike together."""

from __future__ import annotations

import pytest

from ringfence.dataplane.links import link_number, links_named, render_links


def test_names_that_begin_alike_are_one_range():
    """The beginning itself among them."""
    names = ("po", "poe", "pod", "pod0", "pod99999", "poz")

    assert [name for name in names if link_number(name) in links_named("pod")] == ["pod", "pod0", "pod99999"]


@pytest.mark.parametrize("name", ["eth0", "veth-1.100", "x" * 15])
def test_a_name_is_written_as_it_is(name: str):
    """And what begins so with a star."""
    number = link_number(name)

    assert render_links(number, number) == f'"{name}"'
    assert render_links(*links_named(name).ranges[0]) == f'"{name}*"'


def test_names_that_do_not_begin_alike_cannot_be_written():
    """Or a rule would mean every link."""
    with pytest.raises(ValueError, match="do not begin alike"):
        render_links(link_number("pod1"), link_number("pod3"))


@pytest.mark.parametrize("name", ["", "x" * 16, 'a"b', "a*", "a b", "\\"])
def test_what_nft_could_not_write_is_refused(name: str):
    """Too long for the kernel, empty, or with a character that means something to nft."""
    with pytest.raises(ValueError, match="no link can be named"):
        link_number(name)
