"""Traffic and addresses cut into atoms: no more than the policies can tell apart.

Sets of traffic become masks, ints with one bit for each atom; an address becomes its
signature, the blocks that hold it. Both are exact: two points of one atom, and two
addresses of one signature and family, get the same answer always.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property, reduce
from itertools import accumulate
from operator import itemgetter, or_, xor
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import EVERY, Family
from ringfence.algebra.intervals import Intervals, Range, atoms
from ringfence.algebra.traffic import ALL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


Signature = tuple[int, ...]
"""The numbers of the blocks that hold an address, sorted."""


@dataclass(frozen=True)
class TrafficSpace:
    """All traffic as atoms.

    Attributes:
        atoms: Disjoint runs of the line of traffic, in order, together all of it.
    """

    atoms: tuple[Range, ...]

    @classmethod
    def of(cls, sets: Iterable[Intervals]) -> TrafficSpace:
        """Build the coarsest space in which each of the sets has a mask."""
        return cls(atoms(ALL, sets))

    def finer(self, sets: Iterable[Intervals]) -> TrafficSpace:
        """Return the coarsest space in which each union of these atoms has a mask, and each of more sets."""
        return TrafficSpace.of([*(Intervals((run,)) for run in self.atoms), *sets])

    def masks_in(self, finer: TrafficSpace) -> Callable[[int], int]:
        """Return what gives the mask in a finer space of what has a mask in this."""
        parts = [finer.mask(Intervals((run,))) for run in self.atoms]
        return lambda mask: reduce(or_, (part for place, part in enumerate(parts) if mask >> place & 1), 0)

    @cached_property
    def _bounds(self) -> tuple[frozenset[int], frozenset[int]]:
        """Where atoms begin, and where they end."""
        return frozenset(first for first, _ in self.atoms), frozenset(last for _, last in self.atoms)

    @property
    def everything(self) -> int:
        """The mask of all traffic."""
        return (1 << len(self.atoms)) - 1

    def mask(self, traffic: Intervals) -> int:
        """Return the mask of a set that was given to :meth:`of`, or of a union of such sets."""
        found = 0
        for first, last in traffic:
            low = bisect_left(self.atoms, first, key=itemgetter(0))
            high = bisect_right(self.atoms, last, key=itemgetter(0))
            found |= (1 << high) - (1 << low)
        return found

    def covering(self, traffic: Intervals) -> int:
        """Return the mask of the atoms that any set meets."""
        return sum(1 << number for number, run in enumerate(self.atoms) if traffic & Intervals((run,)))

    def holds(self, traffic: Intervals) -> bool:
        """Tell whether a set is a union of atoms."""
        begins, ends = self._bounds
        return all(first in begins and last in ends for first, last in traffic)

    def traffic(self, mask: int) -> Intervals:
        """Return the traffic of a mask: of equal ones the same object."""
        found = self._traffic.get(mask)
        if found is None:
            runs = (run for number, run in enumerate(self.atoms) if mask >> number & 1)
            found = self._traffic[mask] = Intervals.of(runs)
        return found

    @cached_property
    def _traffic(self) -> dict[int, Intervals]:
        """The traffic of the masks that were asked for."""
        return {}


@dataclass(frozen=True, slots=True)
class Line:
    """A line of integers by the sets that hold each.

    Attributes:
        cuts: Where any set begins, or has just ended, in order.
        signatures: The signature of the integers before the first cut, and then from each cut
            to the next; bit ``n`` stands for the set of number ``n``.
    """

    cuts: tuple[int, ...]
    signatures: tuple[int, ...]

    @classmethod
    def of(cls, sets: Iterable[Intervals]) -> Line:
        """Number the sets in their order, and cut the line by them in one sweep."""
        toggles: dict[int, int] = defaultdict(int)
        for number, each in enumerate(sets):
            for first, last in each:
                toggles[first] ^= 1 << number
                toggles[last + 1] ^= 1 << number
        cuts = tuple(sorted(toggles))
        return cls(cuts, tuple(accumulate((toggles[cut] for cut in cuts), xor, initial=0)))


@dataclass(frozen=True, slots=True)
class AddressSpace:
    """All addresses of both families by the blocks that hold them.

    Attributes:
        blocks: Sets of addresses that policies name, each once.
        cuts: Where any block begins, or has just ended, in order.
        signatures: The signature of the addresses from each cut to the next.
    """

    blocks: tuple[Intervals, ...]
    cuts: tuple[int, ...]
    signatures: tuple[Signature, ...]

    @classmethod
    def of(cls, blocks: tuple[Intervals, ...]) -> AddressSpace:
        """Build the space of some blocks in one sweep."""
        toggles: dict[int, set[int]] = defaultdict(set)
        for number, block in enumerate(blocks):
            for first, last in block:
                toggles[first].add(number)
                toggles[last + 1].add(number)
        cuts = tuple(sorted(toggles))
        holding, signatures = set[int](), []
        for cut in cuts:
            holding ^= toggles[cut]
            signatures.append(tuple(sorted(holding)))
        return cls(blocks, cuts, tuple(signatures))

    def signature(self, address: int) -> Signature:
        """Return the signature of one address."""
        index = bisect_right(self.cuts, address)
        return self.signatures[index - 1] if index else ()

    def regions(self, addresses: Intervals) -> dict[Signature, Intervals]:
        """Return a set of addresses of one family, cut by signature, in order of first address."""
        runs: dict[Signature, list[Range]] = defaultdict(list)
        for run in atoms(addresses, self.blocks):
            runs[self.signature(run[0])].append(run)
        return {signature: Intervals.of(each) for signature, each in runs.items()}

    def unknown(self, family: Family) -> Signature:
        """Return the signature of an address of which nothing is known.

        It is taken to lie outside every block that does not cover its whole family.
        """
        return tuple(number for number, block in enumerate(self.blocks) if EVERY[family] <= block)
