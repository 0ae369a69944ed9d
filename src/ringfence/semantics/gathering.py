"""Rows of pairs: what is told of rectangles of pods and addresses, gathered so that alike pairs are one row."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import EVERY, Family
from ringfence.algebra.intervals import EMPTY, Intervals
from ringfence.semantics.ends import Ends
from ringfence.semantics.sets import INTEGERS

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator

    from ringfence.model.cluster import Pod


@dataclass(frozen=True, slots=True)
class PureSet:
    """Pods as bits, or addresses."""

    pods: int = 0
    addresses: Intervals = EMPTY

    def __bool__(self) -> bool:
        return bool(self.pods or self.addresses)

    @classmethod
    def union(cls, sets: Iterable[PureSet]) -> PureSet:
        """Unite sets of which all hold pods, or all addresses."""
        pods, addresses = 0, []
        for each in sets:
            pods |= each.pods
            addresses.append(each.addresses)
        return cls(pods, Intervals.union(addresses))


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said of pairs alike.

    Attributes:
        traffic: Of which traffic.
        said: What is said of it.
        own_node: Whether only those pairs are meant of which one end is on the network of the
            node that the other is on.
        families: In which families; none where addresses tell them.
    """

    traffic: Intervals
    said: Hashable
    own_node: bool
    families: frozenset[Family] = frozenset()


Pair = tuple[PureSet, PureSet]
"""Some clients with some servers."""


def gather(pods: list[Pod], told: Iterable[tuple[Pair, Family, Answer]]) -> Iterator[tuple[Ends, Ends, Answer]]:
    """Put together what is told of pairs of pure sets, family by family."""
    families: dict[tuple[Pair, Answer], set[Family]] = defaultdict(set)
    for pair, family, answer in told:
        families[pair, answer] |= set() if pair[0].addresses or pair[1].addresses else {family}
    cells = [(*pair, replace(answer, families=frozenset(f))) for (pair, answer), f in families.items()]
    yield from (_row(pods, *cell) for cell in _ordered(_gathered(cells)))


def pairs(sides: tuple[Ends, Ends], bits: dict[tuple[str, str], int], focus: int) -> Iterator[Pair]:
    """Yield a rectangle as pairs of pure sets that have an end in focus."""
    clients, servers = (bits_of(side.pods, bits) for side in sides)
    return _kept(
        (
            (PureSet(clients & focus), PureSet(servers)),
            (PureSet(clients & ~focus), PureSet(servers & focus)),
            (PureSet(clients & focus), PureSet(addresses=sides[1].addresses)),
            (PureSet(addresses=sides[0].addresses), PureSet(servers & focus)),
        )
    )


def pure_pairs(clients: PureSet, servers: PureSet) -> Iterator[Pair]:
    """Yield a rectangle as pairs of pure sets; no policy says anything of addresses that meet addresses."""
    return _kept(
        (
            (PureSet(clients.pods), PureSet(servers.pods)),
            (PureSet(clients.pods), PureSet(addresses=servers.addresses)),
            (PureSet(addresses=clients.addresses), PureSet(servers.pods)),
        )
    )


def _kept(pairs: Iterable[Pair]) -> Iterator[Pair]:
    """Yield the pairs that hold something more than one pod with itself."""
    for one, other in pairs:
        lone = one == other and one.pods.bit_count() == 1
        if one and other and not lone:
            yield one, other


def bits_of(pods: Iterable[Pod], bits: dict[tuple[str, str], int]) -> int:
    """Return pods as bits, by the bit of each namespace and name."""
    return INTEGERS.of(bits[pod.namespace, pod.name] for pod in pods)


_Cell = tuple[PureSet, PureSet, Answer]


def _gathered(cells: list[_Cell]) -> list[_Cell]:
    """Unite the clients of alike lines, then their servers; pods and addresses stay apart."""
    by_servers: dict[tuple[PureSet, Answer, bool], list[PureSet]] = defaultdict(list)
    for clients, servers, answer in cells:
        by_servers[servers, answer, bool(clients.pods)].append(clients)
    by_clients: dict[tuple[PureSet, Answer, bool], list[PureSet]] = defaultdict(list)
    for (servers, answer, _), sets in by_servers.items():
        by_clients[PureSet.union(sets), answer, bool(servers.pods)].append(servers)
    return [(clients, PureSet.union(sets), answer) for (clients, answer, _), sets in by_clients.items()]


def _ordered(cells: list[_Cell]) -> list[_Cell]:
    """Sort by clients, then servers: pods in the order of the snapshot, then addresses."""
    return sorted(cells, key=lambda cell: (*map(_place, cell[:2]), cell[2].own_node, cell[2].traffic.ranges))


def _place(ends: PureSet) -> tuple[bool, tuple[int, ...], object]:
    return (not ends.pods, tuple(INTEGERS.ids(ends.pods)), ends.addresses.ranges)


def _row(pods: list[Pod], clients: PureSet, servers: PureSet, answer: Answer) -> tuple[Ends, Ends, Answer]:
    ends = [
        Ends(tuple(pods[number] for number in INTEGERS.ids(each.pods)), each.addresses) for each in (clients, servers)
    ]
    seen = {f for each in ends for f, every in EVERY.items() if each.addresses & every}
    return ends[0], ends[1], replace(answer, families=answer.families or frozenset(seen))
