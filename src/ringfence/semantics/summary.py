"""The whole reachability in few lines: the engine's blocks of all families, put together for reading."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import EVERY, Family
from ringfence.algebra.intervals import EMPTY, Intervals
from ringfence.semantics.assumptions import assume_addresses, assume_families, rules_of
from ringfence.semantics.engine import Ends
from ringfence.semantics.universe import ones
from ringfence.semantics.verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ringfence.model.cluster import Pod
    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics.engine import Block, Engine
    from ringfence.semantics.verdict import Assumption


@dataclass(frozen=True, slots=True)
class Line:
    """Every client with every server, and what is answered alike for all these pairs.

    A pod with itself is not meant, even if it is on both sides.

    Attributes:
        clients: Pods alone, or addresses alone that are no pod's own.
        servers: Pods, or such addresses where the clients are pods.
        traffic: Never empty.
        families: In which families, in order.
        outcome: Allowed or undecided.
    """

    clients: Ends
    servers: Ends
    traffic: Intervals
    families: tuple[Family, ...]
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class _Set:
    """Pods as bits, or addresses."""

    pods: int = 0
    addresses: Intervals = EMPTY

    def __bool__(self) -> bool:
        return bool(self.pods or self.addresses)

    @classmethod
    def union(cls, sets: Iterable[_Set]) -> _Set:
        pods, addresses = 0, []
        for each in sets:
            pods |= each.pods
            addresses.append(each.addresses)
        return cls(pods, Intervals.union(addresses))


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a line says of its pairs; no families where addresses tell them."""

    traffic: Intervals
    outcome: Outcome
    families: frozenset[Family] = frozenset()


_Pair = tuple[_Set, _Set]


def lines(engine: Engine, namespace: str | None = None) -> tuple[Line, ...]:
    """Return who reaches whom, on what; pairs that nothing may pass between are in no line.

    Args:
        engine: The engine of the snapshot.
        namespace: Only pairs with an end in this namespace; None for all.
    """
    pods = [pod for pod in engine.snapshot.pods if not pod.terminal]
    bits = {(pod.namespace, pod.name): 1 << number for number, pod in enumerate(pods)}
    focus = sum(bits[pod.namespace, pod.name] for pod in pods if namespace in (None, pod.namespace))
    families: dict[tuple[_Pair, Intervals, Outcome], set[Family]] = defaultdict(set)
    for family in engine.snapshot.families:
        for block in engine.blocks(family):
            told = ((block.traffic.allowed, Outcome.ALLOWED), (block.traffic.undecided, Outcome.UNDECIDED))
            for pair in _pairs(block, bits, focus):
                spoken = set() if pair[0].addresses or pair[1].addresses else {family}
                for traffic, outcome in told:
                    if traffic:
                        families[pair, traffic, outcome] |= spoken
    cells = [(*pair, _Answer(traffic, outcome, frozenset(f))) for (pair, traffic, outcome), f in families.items()]
    return tuple(_line(pods, *cell) for cell in _ordered(_gathered(cells)))


def assumptions(snapshot: Snapshot) -> tuple[Assumption, ...]:
    """Return what the lines rest on, wherever they are read."""
    return (*assume_families(snapshot, rules_of(snapshot.policies)), *assume_addresses(snapshot))


def _pairs(block: Block, bits: dict[tuple[str, str], int], focus: int) -> Iterator[_Pair]:
    """Yield a block as pairs of pure sets that have an end in focus."""
    clients, servers = _bits(block.clients.pods, bits), _bits(block.servers.pods, bits)
    pairs = [
        (_Set(clients & focus), _Set(servers)),
        (_Set(clients & ~focus), _Set(servers & focus)),
        (_Set(clients & focus), _Set(addresses=block.servers.addresses)),
        (_Set(addresses=block.clients.addresses), _Set(servers & focus)),
    ]
    for one, other in pairs:
        lone = one == other and one.pods.bit_count() == 1
        if one and other and not lone:
            yield one, other


def _bits(pods: Iterable[Pod], bits: dict[tuple[str, str], int]) -> int:
    found = 0
    for pod in pods:
        found |= bits[pod.namespace, pod.name]
    return found


_Cell = tuple[_Set, _Set, _Answer]


def _gathered(cells: list[_Cell]) -> list[_Cell]:
    """Unite the clients of alike lines, then their servers; pods and addresses stay apart."""
    by_servers: dict[tuple[_Set, _Answer, bool], list[_Set]] = defaultdict(list)
    for clients, servers, answer in cells:
        by_servers[servers, answer, bool(clients.pods)].append(clients)
    by_clients: dict[tuple[_Set, _Answer, bool], list[_Set]] = defaultdict(list)
    for (servers, answer, _), sets in by_servers.items():
        by_clients[_Set.union(sets), answer, bool(servers.pods)].append(servers)
    return [(clients, _Set.union(sets), answer) for (clients, answer, _), sets in by_clients.items()]


def _ordered(cells: list[_Cell]) -> list[_Cell]:
    """Sort by clients, then servers: pods in the order of the snapshot, then addresses."""
    return sorted(cells, key=lambda cell: (*map(_place, cell[:2]), cell[2].traffic.ranges))


def _place(ends: _Set) -> tuple[bool, tuple[int, ...], object]:
    return (not ends.pods, tuple(ones(ends.pods)), ends.addresses.ranges)


def _line(pods: list[Pod], clients: _Set, servers: _Set, answer: _Answer) -> Line:
    ends = [Ends(tuple(pods[number] for number in ones(each.pods)), each.addresses) for each in (clients, servers)]
    seen = {f for each in ends for f, every in EVERY.items() if each.addresses & every}
    return Line(ends[0], ends[1], answer.traffic, tuple(sorted(answer.families or seen)), answer.outcome)
