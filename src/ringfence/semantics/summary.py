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
from ringfence.semantics.gathering import Answer, PureSet, bits_of, gather, pairs, pure_pairs
from ringfence.semantics.verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ringfence.model.cluster import Pod
    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics.engine import Engine
    from ringfence.semantics.gathering import Pair
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


def lines(engine: Engine, namespace: str | None = None) -> tuple[Line, ...]:
    """Return who reaches whom, on what; pairs that nothing may pass between are in no line.

    Args:
        engine: The engine of the snapshot.
        namespace: Only pairs with an end in this namespace; None for all.
    """
    pods = [pod for pod in engine.snapshot.pods if not pod.terminal]
    bits = {(pod.namespace, pod.name): number for number, pod in enumerate(pods)}
    focus = bits_of((pod for pod in pods if namespace in (None, pod.namespace)), bits)
    told = (
        (pair, family, answer)
        for family in engine.snapshot.families
        for sides, answer in _told(engine, family)
        for pair in pairs(sides, bits, focus)
    )
    return _lines(gather(pods, told))


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
    traffic: dict[tuple[Pair, Family, Answer], list[Intervals]] = defaultdict(list)
    for family in engine.snapshot.families:
        for one in _in_family(clients, pods, family):
            for other in _in_family(servers, pods, family):
                for pair, answer in _told_between(engine, bits, one, other):
                    traffic[pair, family, replace(answer, traffic=EMPTY)].append(answer.traffic)
    told = ((pair, f, replace(answer, traffic=Intervals.union(t))) for (pair, f, answer), t in traffic.items())
    return _lines(gather(pods, told))


def _in_family(meant: Sequence[Meant] | None, pods: Sequence[Pod], family: Family) -> Iterator[Meant]:
    """Yield who is meant in a family; None means everyone."""
    if meant is None:
        yield Meant(Ends(tuple(pods), EVERY[family]), family)
    else:
        yield from (each for each in meant if each.family is family)


def _told_between(
    engine: Engine, bits: dict[tuple[str, str], int], clients: Meant, servers: Meant
) -> Iterator[tuple[Pair, Answer]]:
    """Yield what passes between some clients and servers of one family."""
    family = clients.family
    sides = [(bits_of(each.ends.pods, bits), each.ends.addresses) for each in (clients, servers)]
    among = engine.atoms(clients.ends, family), engine.atoms(servers.ends, family)
    for (one, other), answer in _told(engine, family, among):
        traffic = answer.traffic & clients.traffic & servers.traffic
        found = (
            PureSet(bits_of(ends.pods, bits) & meant, ends.addresses & addresses)
            for ends, (meant, addresses) in zip((one, other), sides, strict=True)
        )
        for pair in pure_pairs(*found) if traffic else ():
            yield pair, replace(answer, traffic=traffic)


def _lines(rows: Iterable[tuple[Ends, Ends, Answer]]) -> tuple[Line, ...]:
    return tuple(
        Line(clients, servers, answer.traffic, tuple(sorted(answer.families)), Outcome(answer.said), answer.own_node)
        for clients, servers, answer in rows
    )


def _told(
    engine: Engine, family: Family, among: tuple[PeerSet, PeerSet] | None = None
) -> Iterator[tuple[tuple[Ends, Ends], Answer]]:
    """Yield what each block says of all its pairs, and then what else of those that share a node."""
    for block in engine.blocks(family, among):
        everyone, near = _by_outcome(block.traffic), _by_outcome(block.own_node)
        for outcome, traffic in everyone.items():
            if traffic:
                yield (
                    (engine.ends(block.clients), engine.ends(block.servers)),
                    Answer(traffic, outcome, own_node=False),
                )
        for outcome, traffic in near.items() if near != everyone else ():
            if more := traffic - everyone[outcome]:
                for sides in engine.own_node_ends(block):
                    yield sides, Answer(more, outcome, own_node=True)


def _by_outcome(traffic: PairTraffic) -> dict[Outcome, Intervals]:
    return {Outcome.ALLOWED: traffic.allowed, Outcome.UNDECIDED: traffic.undecided}


def assumptions(snapshot: Snapshot) -> tuple[Assumption, ...]:
    """Return what the lines rest on, wherever they are read."""
    return (*assume_families(snapshot, rules_of(snapshot.policies)), *assume_addresses(snapshot))
