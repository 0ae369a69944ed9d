"""Whether groups of ends reach each other: by blocks of pairs, however many groups there are.

Policies may not tell pods of two groups apart. Such pods stand at one atom, which then is
in both groups: whatever one of them reaches the other reaches too, so a block that holds
the atom on either side leaks.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING

from ringfence.algebra.intervals import Intervals
from ringfence.algebra.traffic import ALL
from ringfence.analysis.witness import own_node_pairs, spokesmen
from ringfence.model.cluster import Pod
from ringfence.model.policy import Direction
from ringfence.semantics.ends import Ends
from ringfence.semantics.reachability import PairTraffic

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ringfence.algebra.addresses import Family
    from ringfence.model.connection import End
    from ringfence.semantics.engine import Engine
    from ringfence.semantics.grounds import Ground
    from ringfence.semantics.reachability import Block
    from ringfence.semantics.sets import PeerSet
    from ringfence.semantics.summary import Meant


class Isolation:
    """Groups in one family; disjoint."""

    def __init__(self, engine: Engine, groups: Sequence[Sequence[Meant]], family: Family) -> None:
        """Find where the members of each group stand."""
        self._engine, self._family = engine, family
        self._members = [_ends(group, family) for group in groups]
        self._atoms = [engine.atoms(ends, family) for ends in self._members]
        owners: dict[int, list[int]] = defaultdict(list)
        for number, atoms in enumerate(self._atoms):
            for atom in engine.sets.ids(atoms):
                owners[atom].append(number)
        self._owners = owners
        self._everyone = engine.sets.of(owners)
        self._shared = engine.sets.of(atom for atom, several in owners.items() if len(several) > 1)

    def leaks(self) -> Iterator[tuple[End, End, PairTraffic]]:
        """Yield a client and a server of two groups between which something may pass, at least one where any may."""
        for block in self.crossing():
            yield from self._pairs(block)

    def crossing(self) -> Iterator[Block]:
        """Yield the blocks that hold ends of two groups, one on either side; where there are none, nothing leaks."""
        blocks = self._engine.blocks(self._family, (self._everyone, self._everyone))
        return (block for block in blocks if self._crosses(block))

    def grounds(self) -> Iterator[Ground]:
        """Yield the policies and rules that keep the groups apart, where nothing passes between them.

        First what refuses all others at the servers of a group; then, of groups whose own
        policies do not, what refuses them at the clients of the others.
        """
        opened = self._engine.sets.empty
        for atoms in self._atoms:
            entering = self._engine.grounds(Direction.INGRESS, (self._others(atoms), atoms), ALL, own_node=False)
            yield from (each for each in entering.deciding if each.denies)
            if entering.unjudged or not all(each.denies for each in entering.deciding):
                opened |= atoms
        for atoms in self._atoms:
            servers = opened & self._others(atoms)
            leaving = self._engine.grounds(Direction.EGRESS, (atoms, servers), ALL, own_node=False)
            yield from (each for each in leaving.deciding if each.denies)

    def _others(self, atoms: PeerSet) -> PeerSet:
        """Return where the members of other groups stand."""
        return self._engine.sets.sub(self._everyone, self._engine.sets.sub(atoms, self._shared))

    def _crosses(self, block: Block) -> bool:
        """Tell whether a block holds ends of two groups, one on either side."""
        if (block.clients | block.servers) & self._shared:
            return True
        (group,) = self._owners[next(iter(self._engine.sets.ids(block.clients)))]
        return bool(self._engine.sets.sub(block.clients | block.servers, self._atoms[group]))

    def _pairs(self, block: Block) -> Iterator[tuple[End, End, PairTraffic]]:
        """Yield a pair for every two groups that meet in a block, and one that shares a node where that matters."""
        clients, servers = self._by_group(block.clients), self._by_group(block.servers)
        crossing = [(i, j) for i in clients for j in servers if i != j]
        if block.traffic != PairTraffic():
            for i, j in crossing:
                client, server = clients[i], servers[j]
                one, other = next(spokesmen(self._engine, client)), next(spokesmen(self._engine, server))
                if isinstance(one, Pod) or isinstance(other, Pod):
                    yield one, other, self._engine.allowed(one, other, self._family)
        if block.own_node != block.traffic:
            for i, j in crossing:
                for one, other in own_node_pairs(self._engine, clients[i], servers[j]):
                    yield one, other, self._engine.allowed(one, other, self._family)

    @cached_property
    def _group_of(self) -> dict[tuple[str, str], int]:
        """The group of each pod that is in one."""
        return {(p.namespace, p.name): n for n, ends in enumerate(self._members) for p in ends.pods}

    def _by_group(self, atoms: PeerSet) -> dict[int, Ends]:
        """Return the members of groups at some atoms, by group."""
        ends = self._engine.ends(atoms)
        pods: dict[int, list[Pod]] = defaultdict(list)
        for pod in ends.pods:
            if (pod.namespace, pod.name) in self._group_of:
                pods[self._group_of[pod.namespace, pod.name]].append(pod)
        found = {}
        for number in sorted({group for atom in self._engine.sets.ids(atoms) for group in self._owners[atom]}):
            both = ends.addresses & self._members[number].addresses
            if pods[number] or both:
                found[number] = Ends(tuple(pods[number]), both)
        return found


def _ends(group: Sequence[Meant], family: Family) -> Ends:
    """Return who of a group is in a family."""
    theirs = [meant.ends for meant in group if meant.family is family]
    return Ends(tuple(pod for ends in theirs for pod in ends.pods), Intervals.union(ends.addresses for ends in theirs))
