"""Compares a whole program with the engine: every local pod with every address, protocol and port.

Nothing is sampled: for each pod, direction and kind of packet, the set of packets that the
program lets through is computed and compared with the set that the engine allows. Pods of
one class share that work.

What is compared: packets that open a connection, those of untracked connections, and
replies, judged in the forward hook with the pod at either end; packets to the pod's own node
in the input hook; and, where links are known, packets that come by another link. What an
established connection is let through for without being judged is no part of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import EVERY, Address, Family
from ringfence.algebra.intervals import Intervals
from ringfence.algebra.traffic import Protocol, ports
from ringfence.dataplane.expressions import DESTINATION, SOURCE, CtDirection, CtState, Field
from ringfence.dataplane.guard import TUNNEL_PORTS, TUNNEL_PROTOCOLS
from ringfence.dataplane.links import link_number
from ringfence.dataplane.nft import Hook
from ringfence.dataplane.passing import Passing, SetReaches, Situation, UnprovableError
from ringfence.dataplane.plan import local_pods
from ringfence.dataplane.reach import JUDGED, NOTHING, STRIDE, Reach, Traffics, joined, packets_of, protocols
from ringfence.dataplane.simulate import SYN, Packet
from ringfence.model.policy import Direction

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ringfence.dataplane.nft import Program
    from ringfence.dataplane.plan import Guard
    from ringfence.dataplane.reach import Piece
    from ringfence.model.cluster import Pod
    from ringfence.semantics.engine import Engine, Rows

_CLIENT_PORT, _ECHO_REQUEST, _HOP_LIMIT = 40_000, 128, 64
"""What packets bear where policies do not ask: rules that tell them apart are met at these alone."""

_OUTSIDE_LINK = "rf-elsewhere"
"""A link that leads to no pod."""

_TUNNELS = protocols(Intervals.of((n, n) for n in TUNNEL_PROTOCOLS.values())) | packets_of(
    Intervals.union(ports(Protocol.UDP, port, port) for port in TUNNEL_PORTS.values())
)
"""What a node would unpack."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One packet that a program does not treat as the engine does, for all that are alike.

    Attributes:
        kind: What kind of packet it is, for people.
        packet: The packet.
        expected: Whether the engine lets it through; the program does the opposite.
        alike: How many addresses of the far end differ in the same way.
    """

    kind: str
    packet: Packet
    expected: bool
    alike: int


@dataclass(frozen=True, slots=True)
class Proof:
    """What came of comparing.

    Attributes:
        pods: How many local pods were compared, those of both families twice.
        differences: What differs, by pod, and by kind of packet.
        unprovable: Why something could not be compared: then nothing is proved.
    """

    pods: int
    differences: tuple[Difference, ...]
    unprovable: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether the program lets through what the engine allows, and nothing else."""
        return not self.differences and not self.unprovable


def prove(program: Program, engine: Engine, node: str, guard: Guard | None = None) -> Proof:
    """Compare a program with what a node should enforce.

    Args:
        program: What the node holds.
        engine: Knows the policies.
        node: The node's name.
        guard: Which addresses belong to which links, where that is known.
    """
    differences: list[Difference] = []
    unprovable: list[str] = []
    pods = 0
    for family in Family:
        local = local_pods(engine, node, family)
        pods += len(local)
        if not local:
            continue
        comparison = _Comparison(program, engine, family, local, guard)
        for kind in _kinds(guard):
            try:
                differences += comparison.differences(kind)
            except UnprovableError as error:
                unprovable.append(f"{kind.name}: the program has {error}, which is not ours")
    return Proof(pods, tuple(differences), tuple(dict.fromkeys(unprovable)))


@dataclass(frozen=True, slots=True)
class _Kind:
    """Packets that are compared together.

    Attributes:
        name: For people.
        way: Whether they are of the opener of their connection.
        state: What conntrack makes of them.
        hook: Where they are met.
        sent: Whether the pod is their source.
        forged: The link that they come by, where it is not the pod's.
    """

    name: str
    way: CtDirection
    state: CtState
    hook: Hook = Hook.FORWARD
    sent: bool = True
    forged: str = ""

    @property
    def direction(self) -> Direction:
        """Which policies of the pod judge them: as a client those of its egress."""
        return Direction.EGRESS if self.sent is (self.way is CtDirection.ORIGINAL) else Direction.INGRESS

    @property
    def meets_pods(self) -> bool:
        """Whether local pods may be at the far end; what they send is looked at as theirs."""
        return self.sent and self.hook is Hook.FORWARD


def _kinds(guard: Guard | None) -> Iterator[_Kind]:
    original, reply, new, untracked = CtDirection.ORIGINAL, CtDirection.REPLY, CtState.NEW, CtState.UNTRACKED
    for sent, word in ((True, "from"), (False, "to")):
        yield _Kind(f"packets {word} pods", original, new, sent=sent)
        yield _Kind(f"untracked packets {word} pods", original, untracked, sent=sent)
        # No new packet is a reply; but so they are judged whichever connections are remembered.
        yield _Kind(f"replies {word} pods", reply, new, sent=sent)
    yield _Kind("packets to the node", original, new, Hook.INPUT)
    yield _Kind("untracked packets to the node", original, untracked, Hook.INPUT)
    if guard:
        yield _Kind("packets by no pod's link", original, new, forged=_OUTSIDE_LINK)
        yield _Kind("packets by another pod's link", original, new, forged=f"{guard.prefix}-rf"[:15])


class _Comparison:
    """One family of one node."""

    def __init__(
        self, program: Program, engine: Engine, family: Family, local: Mapping[Address, Pod], guard: Guard | None
    ) -> None:
        self._program = program
        self._engine = engine
        self._family = family
        self._guard = guard
        self._nodes = frozenset(guard.nodes) if guard else frozenset()
        self._links = {address: link for link, address in guard.bound} if guard else {}
        # Whoever is at no link that is known neither sends nor receives anything.
        self._local = {address: pod for address, pod in local.items() if not guard or address in self._links}
        self._traffics = Traffics()
        self._sets = SetReaches(self._traffics, family)
        self._apart = {
            (direction, address): engine.permitted_apart(pod, direction, family)
            for direction in Direction
            for address, pod in self._local.items()
        }
        mapped = {first for each in program.maps for element in each.elements for first, _ in element.key}
        met = {address for _, alone in self._apart.values() for address in alone}
        (whole,) = EVERY[family]
        self._special = sorted(
            Address(a) for a in {*self._local, *mapped, *self._nodes, *met} if whole[0] <= a <= whole[1]
        )
        others = [address for address in self._special if address not in self._local]
        everyone = EVERY[family] - Intervals.of((a, a) for a in self._special)
        self._rest = self._traffics.reach((first, last, JUDGED) for first, last in everyone)
        self._points = {
            whole: self._traffics.reach((a, a, JUDGED) for a in (self._special if whole else others))
            for whole in (True, False)
        }
        self._place = {address: place for place, address in enumerate(self._special)}
        self._at_points: dict[int, list[int]] = {}
        self._allowed = {key: self._column(rows, alone) for key, (rows, alone) in self._apart.items()}
        self._passings: dict[_Kind, dict[Hook, Passing]] = {}
        self._packets: dict[tuple[int, bool], int] = {}
        self._of_rows: dict[tuple[int, bool], tuple[object, Reach]] = {}
        self._expected: dict[tuple[object, ...], Reach] = {}
        self._compared: dict[tuple[int, ...], tuple[object, Reach, Reach]] = {}

    def differences(self, kind: _Kind) -> Iterator[Difference]:
        """Yield what differs of one kind of packets."""
        for near in self._local:
            found = self._passed(kind, near, self._points[kind.meets_pods])
            yield from self._differing(kind, near, found, self._expected_at_points(kind, near))
            found = self._passed(kind, near, self._rest)
            yield from self._differing(kind, near, found, self._expected_of_rest(kind, near))

    def _passed(self, kind: _Kind, near: Address, packets: Reach) -> tuple[Reach, ...]:
        """Return what the program lets through, in disjoint parts."""
        if kind not in self._passings:
            hooks = (Hook.PREROUTING, kind.hook)
            self._passings[kind] = {
                hook: Passing(self._program, self._sets, _situation(kind, hook, self._family)) for hook in hooks
            }
        parts: tuple[Reach, ...] = (packets,)
        for hook, passing in self._passings[kind].items():
            parts = passing.run(hook, near, self._links_of(kind, hook, near), parts)
        return parts

    def _links_of(self, kind: _Kind, hook: Hook, near: Address) -> dict[Field, object]:
        """Return the links of packets; the one by which they leave only where it is the pod's."""
        if not self._guard:
            return {}
        own = link_number(self._links[near])
        other = link_number(kind.forged or _OUTSIDE_LINK)
        found: dict[Field, object] = {Field.IIFNAME: own if kind.sent and not kind.forged else other}
        if hook is Hook.FORWARD and not kind.sent:
            found[Field.OIFNAME] = own
        return found

    def _column(self, rows: Rows, alone: Mapping[Address, Intervals]) -> list[int]:
        """Return the traffic that a pod may exchange with each address at which it meets somebody in particular."""
        if id(rows) not in self._at_points:
            reach = self._traffics.reach((first, last, t) for addresses, t in rows for first, last in addresses)
            self._at_points[id(rows)] = [self._traffics.at(reach, address) for address in self._special]
        column = self._at_points[id(rows)].copy()
        for address, traffic in alone.items():
            column[self._place[address]] = self._traffics.number(traffic)
        return column

    def _expected_at_points(self, kind: _Kind, near: Address) -> Reach:
        """Return which packets may pass between a pod and the addresses at which it meets somebody in particular."""
        if kind.forged:
            return NOTHING
        key = near, kind.way, kind.hook, kind.sent
        if key not in self._expected:
            self._expected[key] = joined(self._pieces(kind, near))
        return self._expected[key]

    def _pieces(self, kind: _Kind, near: Address) -> Iterator[Piece]:
        other, place = _OTHER[kind.direction], self._place[near]
        for far, number in zip(self._special, self._allowed[kind.direction, near], strict=True):
            allowed = number
            if far in self._local:
                theirs = self._allowed[other, far][place]
                allowed = self._traffics.meet(number, theirs) if kind.meets_pods else 0
            packets = self._packets_of(allowed, unpacked=self._is_unpacked(kind, of_nodes=far in self._nodes))
            if packets:
                yield far, far, packets

    def _expected_of_rest(self, kind: _Kind, near: Address) -> Reach:
        """Return which packets may pass between a pod and all addresses at which it meets nobody in particular."""
        if kind.forged:
            return NOTHING
        rows, _ = self._apart[kind.direction, near]
        unpacked = self._is_unpacked(kind, of_nodes=False)
        key = (id(rows), unpacked)
        if key not in self._of_rows:
            numbers = self._traffics.number
            told = ((addresses, self._packets_of(numbers(t), unpacked=unpacked)) for addresses, t in rows)
            pieces = sorted((first, last, number) for addresses, number in told if number for first, last in addresses)
            self._of_rows[key] = rows, self._traffics.both(joined(pieces), self._rest)
        return self._of_rows[key][1]

    def _packets_of(self, traffic: int, *, unpacked: bool) -> int:
        """Return the packets of traffic, but for tunnels where these would be unpacked; all by number."""
        key = (traffic, unpacked)
        if key not in self._packets:
            packets = packets_of(self._traffics.traffic(traffic))
            self._packets[key] = self._traffics.number(packets - _TUNNELS if unpacked else packets)
        return self._packets[key]

    def _is_unpacked(self, kind: _Kind, *, of_nodes: bool) -> bool:
        """Tell whether a node would unpack a tunnel in such packets, which no pod may send whatever policies say."""
        # A reply belongs to a connection that its server was asked for.
        opened = bool(self._guard) and kind.sent and kind.way is CtDirection.ORIGINAL
        return opened and (of_nodes or kind.hook is Hook.INPUT)

    def _differing(
        self, kind: _Kind, near: Address, found: Iterable[Reach] | Reach, expected: Reach
    ) -> Iterator[Difference]:
        parts = (found,) if isinstance(found, Reach) else tuple(found)
        key = (*map(id, parts), id(expected))
        if key not in self._compared:
            together = self._traffics.union(parts)
            same = together.pieces == expected.pieces
            extra = NOTHING if same else self._traffics.without(together, expected)
            missing = NOTHING if same else self._traffics.without(expected, together)
            self._compared[key] = (parts, expected), missing, extra
        _, missing, extra = self._compared[key]
        for allowed, reach in ((True, missing), (False, extra)):
            if reach:
                yield self._difference(kind, near, reach, expected=allowed)

    def _difference(self, kind: _Kind, near: Address, reach: Reach, *, expected: bool) -> Difference:
        far, _, number = reach.pieces[0]
        protocol, port = divmod(self._traffics.traffic(number).ranges[0][0], STRIDE)
        ends = (near, Address(far)) if kind.sent else (Address(far), near)
        ports = (_CLIENT_PORT, port) if kind.way is CtDirection.ORIGINAL else (port, _CLIENT_PORT)
        packet = Packet(*ends, protocol, *ports, hook=kind.hook, state=kind.state, ct_direction=kind.way)
        alike = sum(last - first + 1 for first, last, _ in reach.pieces)
        return Difference(kind.name, packet, expected, alike)


_OTHER = {Direction.EGRESS: Direction.INGRESS, Direction.INGRESS: Direction.EGRESS}


def _situation(kind: _Kind, hook: Hook, family: Family) -> Situation:
    """Return what all packets of a kind have in common at a hook."""
    near, far = (SOURCE, DESTINATION) if kind.sent else (DESTINATION, SOURCE)
    server, client = (Field.DPORT, Field.SPORT) if kind.way is CtDirection.ORIGINAL else (Field.SPORT, Field.DPORT)
    values: dict[Field, object] = {client: _CLIENT_PORT, Field.TCP_FLAGS: SYN, Field.ICMPV6_TYPE: _ECHO_REQUEST}
    if family is Family.IPV6:
        values[Field.IP6_HOPLIMIT] = _HOP_LIMIT
    if hook is not Hook.PREROUTING:
        values[Field.CT_STATE] = kind.state
        if kind.state is not CtState.UNTRACKED:
            values |= {Field.CT_DIRECTION: kind.way, Field.CT_MARK: 0}
    return Situation(family, near[family], far[family], server, values)
