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

    def __and__(self, other: Ends) -> Ends:
        """Return who is among both."""
        names = {(pod.namespace, pod.name) for pod in other.pods}
        pods = tuple(pod for pod in self.pods if (pod.namespace, pod.name) in names)
        return Ends(pods, self.addresses & other.addresses)

    def __sub__(self, other: Ends) -> Ends:
        """Return who is among these and not among the others."""
        names = {(pod.namespace, pod.name) for pod in other.pods}
        pods = tuple(pod for pod in self.pods if (pod.namespace, pod.name) not in names)
        return Ends(pods, self.addresses - other.addresses)

    def __bool__(self) -> bool:
        """Whether there is anybody."""
        return bool(self.pods or self.addresses)
