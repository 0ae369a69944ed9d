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
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.algebra.intervals import Intervals, atoms
from ringfence.algebra.traffic import ALL, PORTLESS
from ringfence.dataplane import names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ringfence.algebra.addresses import Family
    from ringfence.algebra.intervals import Range
    from ringfence.dataplane.plan import LocalClass, Row

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
class _Use:
    """What one class, by its index, does with some peers: the traffic that is alike with them and nobody else."""

    index: int
    traffic: Intervals


def share(classes: Sequence[Written], large: int) -> list[list[Share]]:
    """Return the shares of each class, in the order of the classes.

    Args:
        classes: All classes of a program.
        large: How many elements a set must have to be shared.
    """
    uses: dict[tuple[Family, Intervals], list[_Use]] = defaultdict(list)
    for index, written in enumerate(classes):
        for peers, traffic in _columns(written, large):
            if len(peers.ranges) >= large:
                for alike in _alike(written, peers, traffic):
                    uses[written.local_class.family, alike].append(_Use(index, traffic))
    found: list[list[Share]] = [[] for _ in classes]
    taken: set[_Use] = set()
    several = [each for each in uses.items() if len(each[1]) > 1]
    for (family, peers), of_peers in sorted(several, key=_gain, reverse=True):
        left = [use for use in of_peers if use not in taken and len(found[use.index]) < MOST]
        if len(left) > 1:
            taken.update(left)
            users = [(classes[use.index], use.traffic) for use in left]
            shared = Shared(family, peers, names.digest(map(_user, users)))
            for use in left:
                found[use.index].append(Share(shared, use.traffic))
    return found


def _gain(candidate: tuple[tuple[Family, Intervals], list[_Use]]) -> tuple[int, Intervals | tuple[Range, ...]]:
    (_, peers), uses = candidate
    return len(peers.ranges) * (len(uses) - 1), peers.ranges


def _user(user: tuple[Written, Intervals]) -> str:
    written, traffic = user
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
