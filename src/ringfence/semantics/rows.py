"""Rows: what one subject may do with every peer, in one direction.

A row splits the peers by the traffic that is allowed with them. One operation makes
every row: to let a row say, of some traffic with some peers, what another row says.
Rows that mean the same are equal.

What is not known makes two rows of one: the *least* that is allowed and the *most* that may be.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import itemgetter
from typing import TYPE_CHECKING, TypeAlias

from ringfence.model.policy import Action

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ringfence.model.policy import Rule
    from ringfence.semantics.sets import PeerSet, Sets

Row = tuple[tuple[int, "PeerSet"], ...]
"""``(traffic mask, peer atoms)``, sorted; the sets of atoms are disjoint, none of them is
empty, and together they hold every atom. Mask 0 is written too."""


Bounds = tuple[Row, Row]
"""The least that is allowed and the most that may be; equal where everything is known."""


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """What the policies of a subject say of every peer; equal ones are one object.

    Attributes:
        ordinary: Of peers that are not on the network of the subject's node.
        own_node: Of every peer, if those on the network of some node were on that of the subject's.
    """

    ordinary: Bounds
    own_node: Bounds


@dataclass(frozen=True, slots=True)
class Clause:
    """What one rule does: its action on some traffic with some peers.

    Attributes:
        action: The rule's action.
        peers: The atoms it surely matches.
        traffic: The mask it matches.
        perhaps: The atoms that it perhaps matches; none of them is in ``peers``.
        rule: The rule; None where it makes no difference.
    """

    action: Action
    peers: PeerSet
    traffic: int
    perhaps: PeerSet
    rule: Rule | None = None


Become: TypeAlias = "Callable[[int, int, int], int]"
"""What a mask becomes, given the traffic in question and what another row says of it."""

_MASK = itemgetter(0)


def _replaced(mask: int, traffic: int, said: int) -> int:
    return mask & ~traffic | said & traffic


def _both(mask: int, traffic: int, said: int) -> int:
    return mask & (said | ~traffic)


def _either(mask: int, traffic: int, said: int) -> int:
    return mask | said & traffic


@dataclass(frozen=True, slots=True)
class RowSpace:
    """The two plain rows, and the rows that decision lists make of them.

    Attributes:
        sets: The form of the sets of atoms.
        everyone: The set of all atoms.
        traffic: The mask of all traffic.
        everything: The row that allows all traffic with everyone.
        nothing: The row that allows none.
    """

    sets: Sets
    everyone: PeerSet
    traffic: int
    everything: Row
    nothing: Row

    @classmethod
    def of(cls, sets: Sets, everyone: PeerSet, traffic: int) -> RowSpace:
        """Build the space over the set of all atoms and the mask of all traffic."""
        return cls(sets, everyone, traffic, ((traffic, everyone),), ((0, everyone),))

    def blend(self, row: Row, peers: PeerSet, traffic: int, other: Row, become: Become = _replaced) -> Row:
        """Return a row that says what ``other`` says of this traffic with these peers, else what ``row`` says.

        Args:
            row: The row.
            peers: The peers.
            traffic: The traffic.
            other: Another row.
            become: What a mask becomes, given the traffic and what the other row says.
        """
        sub = self.sets.sub
        cells: dict[int, PeerSet] = {}
        for mask, held in row:
            touched = held & peers
            if not touched:
                cells[mask] = cells[mask] | held if mask in cells else held
                continue
            if rest := sub(held, peers):
                cells[mask] = cells[mask] | rest if mask in cells else rest
            for said, told in other:
                if both := touched & told:
                    now = become(mask, traffic, said)
                    cells[now] = cells[now] | both if now in cells else both
        return tuple(sorted(cells.items(), key=_MASK))

    def mask_at(self, row: Row, atom: int) -> int:
        """Return the traffic mask that a row has for one atom."""
        return next(mask for mask, held in row if self.sets.has(held, atom))

    def put(self, row: Row, atom: int, mask: int) -> Row:
        """Return a row that has a traffic mask for one atom; the same row if it has it already."""
        there = self.sets.of((atom,))
        return row if self.mask_at(row, atom) == mask else self.blend(row, there, self.traffic, ((mask, there),))

    def decide(self, clauses: Sequence[Clause], lower: Bounds, otherwise: Bounds | None = None) -> Bounds:
        """Return the rows of a decision list: the first clause that matches decides.

        Args:
            clauses: The list; it is read backwards, so that earlier clauses overwrite later ones.
            lower: What a clause that passes says.
            otherwise: What is said where no clause matches; the same by default.
        """
        least, most = otherwise or lower
        known = least == most and lower[0] == lower[1] and not any(clause.perhaps for clause in clauses)
        for clause in reversed(clauses):
            least = self._apply(clause, least, lower[0], _both)
            most = least if known else self._apply(clause, most, lower[1], _either)
        return least, most

    def decide_equals(self, policies: Sequence[Sequence[Clause]], lower: Bounds, otherwise: Bounds) -> Bounds:
        """Return the rows of decision lists of which any may be applied first, where several match.

        Args:
            policies: The lists.
            lower: What a clause that passes says.
            otherwise: What is said where no list matches.
        """
        said = [self.decide(clauses, lower, (self.everything, self.nothing)) for clauses in policies]
        worst = reduce(self.least, (least for least, _ in said))
        best = reduce(self.most, (most for _, most in said))
        least, most = otherwise
        every = [clause for clauses in policies for clause in clauses]
        for clause in every:
            least = self.blend(least, clause.peers | clause.perhaps, clause.traffic, worst, _both)
            most = self.blend(most, clause.peers | clause.perhaps, clause.traffic, best, _either)
        for clause in every:
            least = self.blend(least, clause.peers, clause.traffic, worst)
            most = self.blend(most, clause.peers, clause.traffic, best)
        return least, most

    def least(self, one: Row, other: Row) -> Row:
        """Return what both rows allow."""
        return one if one == other else self.blend(one, self.everyone, self.traffic, other, _both)

    def most(self, one: Row, other: Row) -> Row:
        """Return what either row allows."""
        return one if one == other else self.blend(one, self.everyone, self.traffic, other, _either)

    def _apply(self, clause: Clause, row: Row, lower: Row, perhaps: Callable[[int, int, int], int]) -> Row:
        action = clause.action
        meaning = self.everything if action is Action.ACCEPT else self.nothing if action is Action.DENY else lower
        row = self.blend(row, clause.peers, clause.traffic, meaning)
        return self.blend(row, clause.perhaps, clause.traffic, meaning, perhaps) if clause.perhaps else row
