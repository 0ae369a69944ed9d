"""What is done about connections beyond judging them: when they are judged again, and how they are refused.

A connection that was let through is marked with the **epoch** in which it was judged: the
number of the rules that allowed it, in some bits of conntrack's mark. Its next packets pass
as long as the rules have that number. Rules that allow less than those before have another,
so a live connection is judged again at its next packet; rules that allow no less keep it,
and disturb nobody.

The number stands in the rules themselves. A packet is judged by the rules that it began on,
while sets and maps are read as they are now: a number in a set could mark a connection as
judged by rules that never saw it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from ringfence.dataplane.expressions import Stamp

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from ringfence.dataplane.nft import Program

MASK = 0x7FFF0000
"""The bits of the mark that are ours, unless somebody else on the node has them."""


class Mode(Enum):
    """When the packets of a connection that is known are judged, where nothing is marked."""

    ALWAYS = "always"
    """Each of them: no mark is read or written."""
    TRUST = "trust"
    """None but the first: what was allowed once passes until it ends."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """The number of the rules, as it stands in marks.

    Attributes:
        number: From 1 to :attr:`last`; 0 is what the mark of a new connection has.
        mask: The bits of the mark that hold it: one or more, side by side.
    """

    number: int = 1
    mask: int = MASK

    @property
    def value(self) -> int:
        """Its bits in the mark."""
        return self.number * (self.mask & -self.mask)

    @property
    def last(self) -> int:
        """The greatest number that the mask has room for."""
        return self.mask // (self.mask & -self.mask)

    def free(self, marks: Collection[int]) -> Iterator[Epoch]:
        """Yield the epochs that rules can have after these, one after the other and none of them twice.

        Args:
            marks: The marks that connections of the node bear or may be given meanwhile. A number
                in one of them was judged by other rules and is passed over. Afterwards no
                connection may get a mark but those of the epochs that were taken from here.

        Yields:
            Nothing when every number is in use: until one is free, each packet has to be judged.
        """
        taken = {mark & self.mask for mark in marks} | {self.value}
        after = (*range(self.number + 1, self.last + 1), *range(1, self.number))
        return (each for number in after if (each := replace(self, number=number)).value not in taken)


@dataclass(frozen=True, slots=True)
class Handling:
    """What is done about the connections of a node.

    Attributes:
        established: When connections that are known are judged again.
        reset: Whether the sender of a TCP packet that is denied is told so at once; otherwise
            it waits in vain, as it does with every other protocol.
        logs: How many packets a second each class logs, and as many at once; all of them when
            it is None. Counters count every packet.
    """

    established: Epoch | Mode = Epoch()
    reset: bool = False
    logs: int | None = None


def stamped(program: Program) -> frozenset[int]:
    """Return the marks that rules of a program give to connections."""
    rules = (rule for chain in program.chains for rule in chain.rules)
    return frozenset(each.value for rule in rules for each in rule.expressions if isinstance(each, Stamp))


HANDLING = Handling()
"""What is done unless somebody wants it otherwise."""
