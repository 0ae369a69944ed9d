"""Rules that match less: everything they matched but one other end, or some traffic of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import EVERY, cidrs, read_cidr
from ringfence.algebra.intervals import EMPTY, Intervals
from ringfence.algebra.selectors import Operator, Requirement, Selector
from ringfence.algebra.traffic import ALL
from ringfence.analysis.selecting import (
    NOWHERE,
    blocks_of,
    by_namespace,
    nameable_below,
    narrowest,
    numbered,
    own_addresses,
    peers_of,
)
from ringfence.model.cluster import NAME_LABEL
from ringfence.model.policy import Action, Anyone, BlockPeer, PodPeer, PodSelector, Rule, resolve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.model.cluster import Pod
    from ringfence.model.policy import Peer
    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics.ends import Ends

_MOST_HOLES = 16
"""With so many exceptions nobody would write a block by hand."""


@dataclass(frozen=True)
class Narrowing:
    """What rules are to match no longer.

    Attributes:
        snapshot: The snapshot that they are in.
        others: Who is at the other end; at least one can be named.
        traffic: What of it.
        servers: The pods on which names of ports are looked up: the subjects of ingress, the others of egress.
        home: The namespace of a NetworkPolicy; None for a rule of a cluster-wide policy.
    """

    snapshot: Snapshot
    others: Ends
    traffic: Intervals
    servers: tuple[Pod, ...]
    home: str | None

    def rules(self, rule: Rule) -> Iterator[tuple[Rule, ...]]:
        """Yield what may stand in place of a rule, first what is shortest: no rule, one with fewer ports, or peers.

        Last what leaves most as it is: the other end keeps what else the rule allows it.
        """
        rest, met = self._divided(rule)
        less = self._less(rule)
        yield ()
        if less:
            yield (less,)
        if rest and met:
            yield (replace(rule, peers=rest),)
        if less and rest and met:
            yield (replace(rule, peers=rest), replace(less, peers=met))

    def around(self) -> tuple[Rule, ...]:
        """Return rules that accept everything else, as far as rules can name it."""
        anything = Rule(Action.ACCEPT, (Anyone(),), ALL, NOWHERE)
        rest, met = self._divided(anything)
        less = self._less(anything)
        return ((replace(anything, peers=rest),) if rest else ()) + (
            (replace(less, peers=met),) if less and met else ()
        )

    def _less(self, rule: Rule) -> Rule | None:
        """Return a rule with less traffic; None when nothing is left."""
        rest = rule.traffic - self.traffic
        named = tuple(
            name for name in rule.named if not any(resolve((name,), pod.ports) & self.traffic for pod in self.servers)
        )
        if rest != rule.traffic:
            rest = numbered(rest) if self.home is None else nameable_below(rest)
        return replace(rule, traffic=rest, named=named) if rest or named else None

    def _divided(self, rule: Rule) -> tuple[tuple[Peer, ...], tuple[Peer, ...]]:
        """Return the peers of a rule without the other end, and the other end as far as they mean it."""
        rest: list[Peer] = []
        met: list[Peer] = []
        for peer in rule.peers:
            match peer:
                case Anyone():
                    kept, lost = self._anyone()
                case PodPeer():
                    kept, lost = self._of_pods(peer)
                case BlockPeer():
                    kept, lost = self._of_block(peer)
                case _:  # nodes and names outside have addresses that a rule cannot leave out
                    kept, lost = ([], [peer]) if self._addresses else ([peer], [])
            rest += kept
            met += lost
        return tuple(rest), tuple(met)

    @property
    def _addresses(self) -> Intervals:
        """Every address of the other end that is known."""
        own = [own_addresses(self.snapshot, (pod,)) for pod in self.others.pods]
        return Intervals.union([self.others.addresses, *(each for each in own if each)])

    def _anyone(self) -> tuple[list[Peer], list[Peer]]:
        """Divide everybody: pods of other namespaces, other pods, and the addresses that are left."""
        everyone = PodPeer(PodSelector(), NOWHERE)
        pods, _ = self._of_pods(everyone)
        outside = Intervals.union(EVERY[family] for family in self.snapshot.families) - self._addresses
        if own_addresses(self.snapshot, self.others.pods) is None:
            # A block around the whole family holds pods of which no address is known, too.
            outside = outside - self.snapshot.pod_ranges if self.snapshot.pod_ranges else EMPTY
        blocks = [
            block
            for family in self.snapshot.families
            for block in self._with_holes(EVERY[family], outside & EVERY[family])
        ]
        return [*pods, *blocks], list(peers_of(self.snapshot, self.others, self.home))

    def _of_pods(self, peer: PodPeer) -> tuple[list[Peer], list[Peer]]:
        """Divide pods by labels."""
        labels = self.snapshot.namespace_labels
        selected = (pod for pod in self.others.pods if peer.pods.selects(pod, labels(pod.namespace)))
        met = by_namespace(selected)
        if not met:
            return [peer], []
        selector, scope = peer.pods.pods, peer.pods.scope
        kept: list[Peer] = []
        lost: list[Peer] = []
        if isinstance(scope, Selector):
            elsewhere = Requirement(NAME_LABEL, Operator.NOT_IN, tuple(sorted(met)))
            kept.append(
                replace(peer, pods=PodSelector(Selector.of((*scope.requirements, elsewhere)).simplified, selector))
            )
        for name, pods in met.items():
            here = name if name == self.home else Selector.labels({NAME_LABEL: name})
            telling = narrowest(self.snapshot, pods).requirements
            for each in telling:
                other = Selector.of((*selector.requirements, replace(each, operator=Operator.NOT_IN))).simplified
                kept.append(PodPeer(PodSelector(here, other), NOWHERE, by_pods=True))
            meant = Selector.of((*selector.requirements, *telling)).simplified
            lost.append(PodPeer(PodSelector(here, meant), NOWHERE, by_pods=True))
        return [each for each in kept if not _means_nobody(each)], lost

    def _of_block(self, peer: BlockPeer) -> tuple[list[Peer], list[Peer]]:
        """Divide a block; one that may hold pods of which no address is known is met as a whole."""
        met = peer.addresses & self._addresses
        if not met:
            return [peer], []
        base = read_cidr(peer.text.partition(" ")[0])
        return list(self._with_holes(base, peer.addresses - met)), list(blocks_of(met))

    def _with_holes(self, base: Intervals, wanted: Intervals) -> list[BlockPeer]:
        """Return a block without what is not wanted of it; nothing where that would take too many exceptions."""
        holes = cidrs(base - wanted)
        if not wanted:
            return []
        if self.home is None:
            blocks = blocks_of(wanted)
            return blocks if len(blocks) <= _MOST_HOLES else []
        text = f"{cidrs(base)[0]} except {', '.join(holes)}" if holes else cidrs(base)[0]
        return [BlockPeer(wanted, text, NOWHERE)] if len(holes) <= _MOST_HOLES else []


def _means_nobody(peer: Peer) -> bool:
    """Tell whether no pod can ever be meant, for what labels would have to be."""
    if not isinstance(peer, PodPeer):
        return False
    scope = peer.pods.scope
    return peer.pods.pods.contradicts_itself or (isinstance(scope, Selector) and scope.contradicts_itself)
