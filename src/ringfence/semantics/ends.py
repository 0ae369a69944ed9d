"""What stands on one side of an answer that many pairs share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.algebra.intervals import EMPTY, Intervals

if TYPE_CHECKING:
    from ringfence.model.cluster import Pod


@dataclass(frozen=True, slots=True)
class Ends:
    """Clients or servers that are alike.

    Attributes:
        pods: Pods, in the order of the snapshot.
        addresses: Addresses that are no live pod's own; those of nodes are among them.
    """

    pods: tuple[Pod, ...] = ()
    addresses: Intervals = EMPTY
