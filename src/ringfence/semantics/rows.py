"""Rows: what one subject may do with every peer, in one direction.

A row splits the peers by the traffic that is allowed with them. One operation makes
every row: to let a row say, of some traffic with some peers, what another row says.
Rows that mean the same are equal.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.model.policy import Action

if TYPE_CHECKING:
    from collections.abc import Sequence

Row = tuple[tuple[int, int], ...]
"""``(traffic mask, peer atoms)``, sorted; the sets of atoms are disjoint, none of them is
empty, and together they hold every atom. Mask 0 is written too."""


@dataclass(frozen=True, slots=True)
class Clause:
    """What one rule does: its action on some traffic with some peers.

    Attributes:
        action: The rule's action.
        peers: The atoms it matches.
        traffic: The mask it matches.
    """

    action: Action
    peers: int
    traffic: int


def blend(row: Row, peers: int, traffic: int, other: Row) -> Row:
    """Return a row that says what ``other`` says of this traffic with these peers, else what ``row`` says."""
    cells: dict[int, int] = defaultdict(int)
    for mask, held in row:
        if rest := held & ~peers:
            cells[mask] |= rest
        touched = held & peers
        for said, told in other if touched else ():
            if both := touched & told:
                cells[mask & ~traffic | said & traffic] |= both
    return tuple(sorted(cells.items()))


@dataclass(frozen=True, slots=True)
class RowSpace:
    """The two plain rows, and the rows that decision lists make of them.

    Attributes:
        everything: The row that allows all traffic with everyone.
        nothing: The row that allows none.
    """

    everything: Row
    nothing: Row

    @classmethod
    def of(cls, everyone: int, traffic: int) -> RowSpace:
        """Build the space over the set of all atoms and the mask of all traffic."""
        return cls(((traffic, everyone),), ((0, everyone),))

    def decide(self, clauses: Sequence[Clause], lower: Row) -> Row:
        """Return the row of a decision list: the first clause that matches decides, else ``lower`` does.

        The list is read backwards, so that earlier clauses overwrite later ones.
        """
        meaning = {Action.ACCEPT: self.everything, Action.DENY: self.nothing, Action.PASS: lower}
        row = lower
        for clause in reversed(clauses):
            row = blend(row, clause.peers, clause.traffic, meaning[clause.action])
        return row


def mask_at(row: Row, atom: int) -> int:
    """Return the traffic mask that a row has for one atom."""
    return next(mask for mask, held in row if held >> atom & 1)
