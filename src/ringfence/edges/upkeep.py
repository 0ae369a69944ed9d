"""Keeps a node at one plan after another, and lets live connections be judged again where they have to be."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ringfence.dataplane.change import allows_less
from ringfence.dataplane.compile import compile_program
from ringfence.dataplane.handling import HANDLING, Epoch, Mode, stamped
from ringfence.dataplane.names import TABLE
from ringfence.dataplane.netlink.dump import read_dump
from ringfence.dataplane.recall import Recall
from ringfence.edges import conntrack
from ringfence.edges.enforcement import Enforcer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.dataplane.handling import Handling
    from ringfence.dataplane.nft import Program
    from ringfence.dataplane.plan import NodePlan
    from ringfence.edges.enforcement import Applied
    from ringfence.edges.netns import Network
    from ringfence.edges.nftables import Nftables


class Upkeep:
    """Brings a node from any plan to any other.

    Attributes:
        handling: What is done about connections now.
    """

    def __init__(self, network: Network, kernel: Nftables, handling: Handling = HANDLING) -> None:
        """Begin; what the node holds already was made by somebody who is not known.

        Args:
            network: The node's network.
            kernel: A socket to its nftables.
            handling: What is to be done about connections.
        """
        self.handling = handling
        self._network, self._kernel = network, kernel
        self._enforcer = Enforcer(kernel)
        self._wanted = handling
        self._free: Iterator[Epoch] = iter(())
        self._plan: NodePlan | None = None
        self._recall = Recall()

    def apply(self, plan: NodePlan) -> Applied:
        """Let the node enforce a plan; raises as :meth:`Enforcer.apply` does.

        Connections are judged again at their next packet when the plan allows less than the
        one before, when that is not known, when something had to be closed, and when somebody
        else had changed the rules.
        """
        before, self._plan = self._plan, None
        if before is None or allows_less(plan, before):
            self._renew()
        applied = self._enforcer.apply(self._program(plan))
        if applied.quarantined or applied.mended:
            # What is closed may have been open, and nobody knows what was let through by what had to be mended.
            self._free = iter(())
            self._renew()
            applied = self._enforcer.apply(self._program(plan))
        if not (applied.quarantined or applied.mended):
            # Otherwise the next plan cannot be compared with it.
            self._plan = plan
        return applied

    def close(self) -> None:
        """Let go of the node; what it holds stays."""
        self._kernel.close()

    def _program(self, plan: NodePlan) -> Program:
        return compile_program(plan, self.handling, recall=self._recall)

    def _renew(self) -> None:
        """Take an epoch that no connection bears; where there is none, try again the next time."""
        last = self._wanted.established
        if not isinstance(last, Epoch):
            return
        epoch = next(self._free, None)
        if epoch is None:
            self._free = last.free(self._marks())
            epoch = next(self._free, None)
        self.handling = replace(self._wanted, established=epoch or Mode.ALWAYS)
        if epoch:
            self._wanted = self.handling

    def _marks(self) -> frozenset[int]:
        """Return the marks that connections bear, or are given until there are other rules; all of them are looked at.

        It takes long on a node with many, and is done once for all numbers that are free.
        """
        found, _ = self._kernel.dump(TABLE)
        return (stamped(read_dump(found).program) if found else frozenset()) | conntrack.marks(self._network)
