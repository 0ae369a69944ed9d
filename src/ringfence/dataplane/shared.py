"""Large sets of peers that several classes name: each is kept once, and looked up by all of them.

A class that shares peers looks for the peer in the shared set, and for protocol and port
in a small set of its own. So elements are counted by peers, and not by peers times classes
times ports; a packet is looked up twice where it was looked up once.

INVARIANT: sets of one name are looked up by the same classes, for the same traffic. Elements
are read as they are now and rules as they were when a packet came, so a set must not say to
a class on its way out what it only says to others.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ringfence.algebra.intervals import Intervals, atoms
from ringfence.algebra.traffic import ALL, PORTLESS
from ringfence.dataplane import names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ringfence.algebra.addresses import Family
    from ringfence.algebra.intervals import Range
    from ringfence.dataplane.plan import LocalClass, Row
    from ringfence.dataplane.recall import Recall

MOST = 3
"""How many shared sets a class looks up, so that no packet meets more, whatever policies say."""

_NO_PORTS = Intervals.point(PORTLESS)


@dataclass(frozen=True, slots=True)
class Shared:
    """Peers that several classes name, of one family.

    Attributes:
        family: The family.
        peers: Their addresses.
        digest: What tells the set from all others, and from what it was for other classes.
    """

    family: Family
    peers: Intervals
    digest: str


@dataclass(frozen=True, slots=True)
class Share:
    """What one class looks up in a shared set.

    Attributes:
        shared: The set.
        traffic: What the class accepts, or denies, of all these peers: everything, or what has ports.
    """

    shared: Shared
    traffic: Intervals


@dataclass(frozen=True, slots=True)
class Written:
    """What is written down of a class.

    Attributes:
        local_class: The class.
        rows: What it accepts of each peer, or what it denies.
        accepts: Which of the two.
    """

    local_class: LocalClass
    rows: tuple[Row, ...]
    accepts: bool

    @property
    def whole(self) -> Intervals:
        """The peers with which all traffic is alike."""
        return Intervals.union(peers for peers, traffic in self.rows if traffic == ALL)

    def without(self, shares: Iterable[Share]) -> tuple[Row, ...]:
        """Return the rows that are left to write when the class has these shares."""
        shares = list(shares)
        whole = any(share.traffic == ALL for share in shares)
        taken = Intervals.union(share.traffic for share in shares if share.traffic != ALL)
        return tuple(
            (peers, traffic if traffic == ALL else traffic - taken)
            for peers, traffic in self.rows
            if not (whole and traffic == ALL)
        )


@dataclass(frozen=True, slots=True)
class _Peers:
    """A large set of peers of one family, which knows its hash."""

    family: Family
    addresses: Intervals
    hash: int = field(compare=False)

    def __hash__(self) -> int:
        """Return the hash of what is compared."""
        return self.hash


@dataclass(frozen=True, slots=True)
class _Use:
    """What one class, by its index, does with some peers: the traffic that is alike with them and nobody else."""

    index: int
    traffic: Intervals


def share(classes: Sequence[Written], large: int, recall: Recall) -> list[list[Share]]:
    """Return the shares of each class, in the order of the classes.

    Args:
        classes: All classes of a program.
        large: How many elements a set must have to be shared.
        recall: What there was before.
    """
    uses: dict[_Peers, list[_Use]] = defaultdict(list)
    for index, written in enumerate(classes):
        for peers, traffic in recall(_sharable, written, large):
            uses[recall(recall.same, peers)].append(_Use(index, traffic))
    found: list[list[Share]] = [[] for _ in classes]
    taken: set[_Use] = set()
    several = [each for each in uses.items() if len(each[1]) > 1]
    for peers, of_peers in sorted(several, key=_gain, reverse=True):
        left = [use for use in of_peers if use not in taken and len(found[use.index]) < MOST]
        if len(left) > 1:
            taken.update(left)
            users = (each for use in left for each in (classes[use.index], use.traffic))
            shared = recall(_shared, peers, *users)
            for use in left:
                found[use.index].append(recall(Share, shared, use.traffic))
    return found


def _shared(peers: _Peers, *users: Any) -> Shared:
    """Return the set of some peers for those who look them up: classes in turn with their traffic."""
    words = (_user(written, traffic) for written, traffic in zip(users[::2], users[1::2], strict=True))
    return Shared(peers.family, peers.addresses, names.digest(words))


def _sharable(written: Written, large: int) -> tuple[tuple[_Peers, Intervals], ...]:
    """Return sets of peers that a class may share, each with the traffic that is alike with just these."""
    family = written.local_class.family
    return tuple(
        (_Peers(family, alike, hash((family, alike))), traffic)
        for peers, traffic in _columns(written, large)
        if len(peers.ranges) >= large
        for alike in _alike(written, peers, traffic)
    )


def _gain(candidate: tuple[_Peers, list[_Use]]) -> tuple[int, tuple[Range, ...]]:
    peers, uses = candidate
    return len(peers.addresses.ranges) * (len(uses) - 1), peers.addresses.ranges


def _user(written: Written, traffic: Intervals) -> str:
    local_class = written.local_class
    return f"{local_class.direction.value} {local_class.name} {written.accepts} {traffic.ranges}"


def _columns(written: Written, large: int) -> Iterator[tuple[Intervals, Intervals]]:
    """Yield large sets of peers, each with the traffic that is alike with just these.

    Peers with which all traffic is alike are in no other set than their own.
    """
    rows = [(peers, traffic) for peers, traffic in written.rows if traffic != ALL]
    if written.local_class.hairpin or sum(len(peers.ranges) for peers, _ in written.rows) < large:
        return
    yield written.whole, ALL
    common = written.rows[0][1]
    for _, traffic in written.rows:
        common &= traffic
    with_ports = [traffic - common - _NO_PORTS for _, traffic in rows]
    pieces = atoms(ALL, with_ports)
    starts = [first for first, _ in pieces]
    met: list[list[int]] = [[] for _ in pieces]
    for index, traffic in enumerate(with_ports):
        for first, last in traffic:
            for number in range(bisect_left(starts, first), bisect_right(starts, last)):
                met[number].append(index)
    alike: dict[tuple[int, ...], list[Range]] = defaultdict(list)
    for piece, met_by in zip(pieces, met, strict=True):
        alike[tuple(met_by)].append(piece)
    for indexes, ranges in alike.items():
        yield Intervals.union(rows[index][0] for index in indexes), Intervals.of(ranges)


def _alike(written: Written, peers: Intervals, traffic: Intervals) -> Iterator[Intervals]:
    """Yield sets that say the same to a class.

    Peers with which all traffic is alike may be in any other set or not. Of a single pod
    nobody else is in the class, and it never meets itself there.
    """
    local_class = written.local_class
    some = {peers} if traffic == ALL else {peers, peers | written.whole}
    for each in some:
        if len(local_class.pods) > 1:
            yield each
        else:
            own = Intervals.point(local_class.addresses[0])
            yield from (each - own, each | own)
