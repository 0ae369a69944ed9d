"""Rows against plain dictionaries from peer to traffic."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ringfence.model.policy import Action
from ringfence.semantics.rows import Clause, Row, RowSpace
from ringfence.semantics.sets import INTEGERS

ATOMS, POINTS = range(5), range(3)
EVERYONE, EVERYTHING = (1 << len(ATOMS)) - 1, (1 << len(POINTS)) - 1
SPACE = RowSpace.of(INTEGERS, EVERYONE, EVERYTHING)

peers = st.integers(0, EVERYONE)
masks = st.integers(0, EVERYTHING)
plain = st.lists(masks, min_size=len(ATOMS), max_size=len(ATOMS))


def clause(action: Action, sure: int, traffic: int, perhaps: int) -> Clause:
    """A clause that matches some peers surely and others perhaps."""
    return Clause(action, sure, traffic, perhaps & ~sure)


clauses = st.lists(st.builds(clause, st.sampled_from(Action), peers, masks, st.just(0) | peers), max_size=4)
bounds = st.tuples(plain, plain).map(
    lambda two: ([a & b for a, b in zip(*two, strict=True)], [a | b for a, b in zip(*two, strict=True)])
)


def row(by_atom: list[int]) -> Row:
    """The row that has these masks, atom by atom."""
    cells: dict[int, int] = {}
    for atom, mask in enumerate(by_atom):
        cells[mask] = cells.get(mask, 0) | 1 << atom
    return tuple(sorted(cells.items()))


def by_atom(found: Row) -> list[int]:
    """The masks of a row, atom by atom."""
    return [SPACE.mask_at(found, atom) for atom in ATOMS]


@given(plain)
def test_a_row_is_read_atom_by_atom(by_hand: list[int]):
    """Each atom has the mask of its cell."""
    assert by_atom(row(by_hand)) == by_hand


@given(plain, peers, masks, plain)
def test_blending_takes_some_traffic_with_some_peers_from_another_row(
    one: list[int], chosen: int, traffic: int, other: list[int]
):
    """Only what is chosen changes, and the result is the row that its meaning has."""
    meant = [
        mine & ~traffic | theirs & traffic if chosen >> atom & 1 else mine
        for atom, (mine, theirs) in enumerate(zip(one, other, strict=True))
    ]

    assert SPACE.blend(row(one), chosen, traffic, row(other)) == row(meant)


def firsts(decisions: list[Clause], atom: int, at: int) -> list[Clause | None]:
    """The clauses that may be the first to match, and None where perhaps none does."""
    found: list[Clause | None] = []
    for each in decisions:
        if each.traffic >> at & 1 and each.peers >> atom & 1:
            return [*found, each]
        if each.traffic >> at & 1 and each.perhaps >> atom & 1:
            found.append(each)
    return [*found, None]


def said(first: Clause | None, below: set[bool]) -> set[bool]:
    """What may be said if this clause decides; below it, what may be said there."""
    return below if first is None or first.action is Action.PASS else {first.action is Action.ACCEPT}


def cell(rows: tuple[Row, Row], atom: int, at: int) -> set[bool]:
    """What two rows, the least and the most, leave possible at one place."""
    return {bool(SPACE.mask_at(each, atom) >> at & 1) for each in rows}


@given(clauses, bounds)
def test_the_first_clause_that_matches_decides(decisions: list[Clause], lower: tuple[list[int], list[int]]):
    """Pass, and no match, leave the decision to what is below; what perhaps matches leaves both possible."""
    below = row(lower[0]), row(lower[1])
    found = SPACE.decide(decisions, below)

    for atom in ATOMS:
        for at in POINTS:
            possible = [said(first, cell(below, atom, at)) for first in firsts(decisions, atom, at)]
            assert cell(found, atom, at) == set().union(*possible)
    assert found == tuple(row(by_atom(each)) for each in found)


@given(st.lists(clauses, min_size=1, max_size=3), bounds, bounds)
def test_of_equals_any_may_decide(
    policies: list[list[Clause]], lower: tuple[list[int], list[int]], otherwise: tuple[list[int], list[int]]
):
    """Each list that matches may be applied; only where perhaps none does, what follows is possible."""
    below, after = (tuple(map(row, each)) for each in (lower, otherwise))
    found = SPACE.decide_equals(policies, below, after)

    for atom in ATOMS:
        for at in POINTS:
            each_first = [firsts(decisions, atom, at) for decisions in policies]
            possible = [said(first, cell(below, atom, at)) for each in each_first for first in each if first]
            if all(None in each for each in each_first):
                possible.append(cell(after, atom, at))
            assert cell(found, atom, at) == set().union(*possible)


def test_the_plain_rows_allow_all_or_nothing():
    """Every atom is in one cell."""
    assert by_atom(SPACE.everything) == [EVERYTHING] * len(ATOMS)
    assert by_atom(SPACE.nothing) == [0] * len(ATOMS)
