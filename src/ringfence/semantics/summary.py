"""The whole reachability in few lines: the engine's blocks of all families, put together for reading."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import EVERY, Family
from ringfence.algebra.intervals import EMPTY, Intervals
from ringfence.algebra.traffic import ALL
from ringfence.semantics.assumptions import assume_addresses, assume_families, rules_of
from ringfence.semantics.ends import Ends
from ringfence.semantics.sets import INTEGERS
from ringfence.semantics.verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ringfence.model.cluster import Pod
    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics.engine import Engine
    from ringfence.semantics.reachability import PairTraffic
    from ringfence.semantics.sets import PeerSet
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
        own_node: Whether only those pairs are meant of which one end is on the network of the
            node that the other is on. Of these it says what is answered otherwise than of
            all, and goes before what a line of all says.
    """

    clients: Ends
    servers: Ends
    traffic: Intervals
    families: tuple[Family, ...]
    outcome: Outcome
    own_node: bool = False


@dataclass(frozen=True, slots=True)
class Meant:
    """Ends that a name means, in one family.

    Attributes:
        ends: The ends.
        family: The family.
        traffic: What of their traffic is meant; all of it, but for who is behind a Service.
    """

    ends: Ends
    family: Family
    traffic: Intervals = ALL


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
    own_node: bool
    families: frozenset[Family] = frozenset()


_Pair = tuple[_Set, _Set]


def lines(engine: Engine, namespace: str | None = None) -> tuple[Line, ...]:
    """Return who reaches whom, on what; pairs that nothing may pass between are in no line.

    Args:
        engine: The engine of the snapshot.
        namespace: Only pairs with an end in this namespace; None for all.
    """
    pods = [pod for pod in engine.snapshot.pods if not pod.terminal]
    bits = {(pod.namespace, pod.name): number for number, pod in enumerate(pods)}
    focus = _bits((pod for pod in pods if namespace in (None, pod.namespace)), bits)
    told = (
        (pair, family, answer)
        for family in engine.snapshot.families
        for sides, answer in _told(engine, family)
        for pair in _pairs(sides, bits, focus)
    )
    return _lines(pods, told)


def lines_between(
    engine: Engine, clients: Sequence[Meant] | None = None, servers: Sequence[Meant] | None = None
) -> tuple[Line, ...]:
    """Return whom some clients reach among some servers, on what.

    Nobody but them is worked out. Policies may not tell these ends from others, so what is
    found of all that are alike is cut down to those that are meant.

    Args:
        engine: The engine of the snapshot.
        clients: Who may open connections; None for everyone.
        servers: Who may take them, and on what of their own traffic; None for everyone.
    """
    pods = [pod for pod in engine.snapshot.pods if not pod.terminal]
    bits = {(pod.namespace, pod.name): number for number, pod in enumerate(pods)}
    traffic: dict[tuple[_Pair, Family, _Answer], list[Intervals]] = defaultdict(list)
    for family in engine.snapshot.families:
        for one in _in_family(clients, pods, family):
            for other in _in_family(servers, pods, family):
                for pair, answer in _told_between(engine, bits, one, other):
                    traffic[pair, family, replace(answer, traffic=EMPTY)].append(answer.traffic)
    told = ((pair, f, replace(answer, traffic=Intervals.union(t))) for (pair, f, answer), t in traffic.items())
    return _lines(pods, told)


def _in_family(meant: Sequence[Meant] | None, pods: Sequence[Pod], family: Family) -> Iterator[Meant]:
    """Yield who is meant in a family; None means everyone."""
    if meant is None:
        yield Meant(Ends(tuple(pods), EVERY[family]), family)
    else:
        yield from (each for each in meant if each.family is family)


def _told_between(
    engine: Engine, bits: dict[tuple[str, str], int], clients: Meant, servers: Meant
) -> Iterator[tuple[_Pair, _Answer]]:
    """Yield what passes between some clients and servers of one family."""
    family = clients.family
    sides = [(_bits(each.ends.pods, bits), each.ends.addresses) for each in (clients, servers)]
    among = engine.atoms(clients.ends, family), engine.atoms(servers.ends, family)
    for (one, other), answer in _told(engine, family, among):
        traffic = answer.traffic & clients.traffic & servers.traffic
        found = (
            _Set(_bits(ends.pods, bits) & meant, ends.addresses & addresses)
            for ends, (meant, addresses) in zip((one, other), sides, strict=True)
        )
        for pair in _pure_pairs(*found) if traffic else ():
            yield pair, replace(answer, traffic=traffic)


def _lines(pods: list[Pod], told: Iterable[tuple[_Pair, Family, _Answer]]) -> tuple[Line, ...]:
    """Put together what is told of pairs of pure sets, family by family."""
    families: dict[tuple[_Pair, _Answer], set[Family]] = defaultdict(set)
    for pair, family, answer in told:
        families[pair, answer] |= set() if pair[0].addresses or pair[1].addresses else {family}
    cells = [(*pair, replace(answer, families=frozenset(f))) for (pair, answer), f in families.items()]
    return tuple(_line(pods, *cell) for cell in _ordered(_gathered(cells)))


def _told(
    engine: Engine, family: Family, among: tuple[PeerSet, PeerSet] | None = None
) -> Iterator[tuple[tuple[Ends, Ends], _Answer]]:
    """Yield what each block says of all its pairs, and then what else of those that share a node."""
    for block in engine.blocks(family, among):
        everyone, near = _by_outcome(block.traffic), _by_outcome(block.own_node)
        for outcome, traffic in everyone.items():
            if traffic:
                yield (
                    (engine.ends(block.clients), engine.ends(block.servers)),
                    _Answer(traffic, outcome, own_node=False),
                )
        for outcome, traffic in near.items() if near != everyone else ():
            if more := traffic - everyone[outcome]:
                for sides in engine.own_node_ends(block):
                    yield sides, _Answer(more, outcome, own_node=True)


def _by_outcome(traffic: PairTraffic) -> dict[Outcome, Intervals]:
    return {Outcome.ALLOWED: traffic.allowed, Outcome.UNDECIDED: traffic.undecided}


def assumptions(snapshot: Snapshot) -> tuple[Assumption, ...]:
    """Return what the lines rest on, wherever they are read."""
    return (*assume_families(snapshot, rules_of(snapshot.policies)), *assume_addresses(snapshot))


def _pairs(sides: tuple[Ends, Ends], bits: dict[tuple[str, str], int], focus: int) -> Iterator[_Pair]:
    """Yield a rectangle as pairs of pure sets that have an end in focus."""
    clients, servers = (_bits(side.pods, bits) for side in sides)
    return _kept(
        (
            (_Set(clients & focus), _Set(servers)),
            (_Set(clients & ~focus), _Set(servers & focus)),
            (_Set(clients & focus), _Set(addresses=sides[1].addresses)),
            (_Set(addresses=sides[0].addresses), _Set(servers & focus)),
        )
    )


def _pure_pairs(clients: _Set, servers: _Set) -> Iterator[_Pair]:
    """Yield a rectangle as pairs of pure sets; no policy says anything of addresses that meet addresses."""
    return _kept(
        (
            (_Set(clients.pods), _Set(servers.pods)),
            (_Set(clients.pods), _Set(addresses=servers.addresses)),
            (_Set(addresses=clients.addresses), _Set(servers.pods)),
        )
    )


def _kept(pairs: Iterable[_Pair]) -> Iterator[_Pair]:
    """Yield the pairs that hold something more than one pod with itself."""
    for one, other in pairs:
        lone = one == other and one.pods.bit_count() == 1
        if one and other and not lone:
            yield one, other


def _bits(pods: Iterable[Pod], bits: dict[tuple[str, str], int]) -> int:
    return INTEGERS.of(bits[pod.namespace, pod.name] for pod in pods)


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
    return sorted(cells, key=lambda cell: (*map(_place, cell[:2]), cell[2].own_node, cell[2].traffic.ranges))


def _place(ends: _Set) -> tuple[bool, tuple[int, ...], object]:
    return (not ends.pods, tuple(INTEGERS.ids(ends.pods)), ends.addresses.ranges)


def _line(pods: list[Pod], clients: _Set, servers: _Set, answer: _Answer) -> Line:
    ends = [
        Ends(tuple(pods[number] for number in INTEGERS.ids(each.pods)), each.addresses) for each in (clients, servers)
    ]
    seen = {f for each in ends for f, every in EVERY.items() if each.addresses & every}
    return Line(
        ends[0], ends[1], answer.traffic, tuple(sorted(answer.families or seen)), answer.outcome, answer.own_node
    )
