"""Names: legal for nft, unlike for unlike things, and read back."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.algebra.addresses import EVERY, Address, Family, read_address
from ringfence.dataplane import names
from ringfence.dataplane.expressions import CtDirection
from ringfence.model.policy import Direction

LEGAL = re.compile(r"[a-z][A-Za-z0-9._-]*")
LONGEST_PREFIX = 127
ADDRESSES = st.sampled_from(Family).flatmap(lambda f: st.integers(*EVERY[f].ranges[0])).map(Address)


@given(ADDRESSES, st.sampled_from(Direction), st.sampled_from(CtDirection), st.booleans())
def test_names_are_legal(address: Address, direction: Direction, way: CtDirection, hairpin: bool):  # noqa: FBT001
    """No address makes a name or a prefix that nft refuses."""
    name = names.class_name(address, hairpin=hairpin)
    made = [
        names.chain(direction, name, way),
        names.hairpin_chain(name, way),
        names.deny_chain(direction, name),
        *(names.class_set(direction, name, kind, accepts=True) for kind in names.Kind),
    ]

    assert all(LEGAL.fullmatch(each) for each in made)
    assert len(names.log_prefix(direction, name)) <= LONGEST_PREFIX


@given(ADDRESSES, st.sampled_from(Direction), st.booleans())
def test_a_log_prefix_is_read_back(address: Address, direction: Direction, hairpin: bool):  # noqa: FBT001
    """Direction and class survive the way through the kernel's log."""
    name = names.class_name(address, hairpin=hairpin)

    assert names.read_log_prefix(names.log_prefix(direction, name)) == (direction, name)


@pytest.mark.parametrize("prefix", ["", "rf1", "rf1 e ", "rf1 x 10.0.0.1 ", "rf2 e 10.0.0.1 ", "DROP rf1 e 10.0.0.1 "])
def test_a_foreign_prefix_is_not_read(prefix: str):
    """What others log to the same group is left alone."""
    assert names.read_log_prefix(prefix) is None


def test_unlike_things_have_unlike_names():
    """No two roles of two classes share a name among chains, or among sets and maps."""
    classes = [names.class_name(read_address(a), hairpin=h) for a in ("10.0.0.1", "fd00::1") for h in (False, True)]
    chains = [names.chain(d, c, w) for d in Direction for c in classes for w in CtDirection]
    chains += [names.hairpin_chain(c, w) for c in classes for w in CtDirection]
    chains += [names.deny_chain(d, c) for d in Direction for c in classes]
    sets = [
        names.class_set(d, c, k, accepts=a)
        for d in Direction
        for c in classes
        for k in names.Kind
        for a in (True, False)
    ]
    sets += [names.dispatch_map(d, f, w) for d in Direction for f in Family for w in CtDirection]
    sets += [names.self_map(f, w) for f in Family for w in CtDirection]
    sets += [names.judged_set(f) for f in Family]

    assert len(chains) == len(set(chains))
    assert len(sets) == len(set(sets))
