"""Rows against plain dictionaries from peer to traffic."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ringfence.model.policy import Action
from ringfence.semantics.rows import Clause, Row, RowSpace, blend, mask_at

ATOMS, POINTS = range(5), range(3)
EVERYONE, EVERYTHING = (1 << len(ATOMS)) - 1, (1 << len(POINTS)) - 1
SPACE = RowSpace.of(EVERYONE, EVERYTHING)

peers = st.integers(0, EVERYONE)
masks = st.integers(0, EVERYTHING)
plain = st.lists(masks, min_size=len(ATOMS), max_size=len(ATOMS))
clauses = st.lists(st.builds(Clause, st.sampled_from(Action), peers, masks), max_size=5)


def row(by_atom: list[int]) -> Row:
    """The row that has these masks, atom by atom."""
    cells: dict[int, int] = {}
    for atom, mask in enumerate(by_atom):
        cells[mask] = cells.get(mask, 0) | 1 << atom
    return tuple(sorted(cells.items()))


def by_atom(found: Row) -> list[int]:
    """The masks of a row, atom by atom."""
    return [mask_at(found, atom) for atom in ATOMS]


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

    assert blend(row(one), chosen, traffic, row(other)) == row(meant)


@given(clauses, plain)
def test_the_first_clause_that_matches_decides(decisions: list[Clause], lower: list[int]):
    """Pass, and no match, leave the decision to what is below."""
    found = SPACE.decide(decisions, row(lower))

    for atom in ATOMS:
        for at in POINTS:
            first = next((c for c in decisions if c.peers >> atom & 1 and c.traffic >> at & 1), None)
            below = bool(lower[atom] >> at & 1)
            expected = below if first is None or first.action is Action.PASS else first.action is Action.ACCEPT
            assert bool(mask_at(found, atom) >> at & 1) is expected
    assert found == row(by_atom(found))


def test_the_plain_rows_allow_all_or_nothing():
    """Every atom is in one cell."""
    assert by_atom(SPACE.everything) == [EVERYTHING] * len(ATOMS)
    assert by_atom(SPACE.nothing) == [0] * len(ATOMS)
