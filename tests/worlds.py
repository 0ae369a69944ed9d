"""Dense random snapshots, and every question worth asking of them.

Worlds are small and crowded on purpose: few labels, ports and addresses, so that most
rules match something, tiers meet each other and boundaries fall between neighbors.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from ringfence.algebra.addresses import EVERY, LOOPBACK, Address, Family, family_of, read_address, read_cidr
from ringfence.algebra.intervals import EMPTY, Intervals
from ringfence.algebra.selectors import Operator, Requirement, Selector
from ringfence.algebra.traffic import ALL, PORTLESS, PORTS, Protocol, at, point, ports
from ringfence.model.cluster import NAME_LABEL, ContainerPort, Namespace, Node, Pod
from ringfence.model.connection import Connection
from ringfence.model.origin import Origin
from ringfence.model.policy import (
    Action,
    Anyone,
    BlockPeer,
    Direction,
    DomainPeer,
    NamedPort,
    NodePeer,
    Peer,
    PodPeer,
    PodSelector,
    Policy,
    Rule,
    Tier,
)
from ringfence.model.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.model.connection import End

NAMESPACES = ("x", "y")
NODES = {"n1": ("192.168.0.1", "fd01::1"), "n2": ("192.168.0.2", "fd01::2")}
TUNNELS = ("10.0.0.129", "10.2.0.1", "fd00::8001", "fd02::1")
POD_ADDRESSES = {
    Family.IPV4: ("10.0.0.1", "10.0.0.2", "10.0.0.128", "10.0.1.1", "10.0.1.2", "10.1.0.1"),
    Family.IPV6: ("fd00::1", "fd00::2", "fd00::8000", "fd00:1::1", "fd00:1::2", "fd00:2::1"),
}
BLOCKS = {
    Family.IPV4: (
        ("0.0.0.0/0",),
        ("0.0.0.0/0", "10.0.0.0/24"),
        ("10.0.0.0/24",),
        ("10.0.0.0/23", "10.0.0.128/25", "10.0.1.1/32"),
        ("10.0.0.2/32",),
        ("192.168.0.0/31",),
        ("172.16.0.0/30", "172.16.0.1/32"),
    ),
    Family.IPV6: (
        ("::/0",),
        ("::/0", "fd00::/64"),
        ("fd00::/64",),
        ("fd00::/31", "fd00:1::1/128"),
        ("fd00::2/128",),
        ("fd01::/127",),
        ("2001:db8::/126", "2001:db8::1/128"),
    ),
}
POD_RANGES = ("10.0.0.0/23", "fd00::/31")
LABELS = ("app", "tier")
VALUES = ("a", "b")
PORT_NAMES = ("web", "dns")
NUMBERS = (53, 80, 81)


@dataclass(frozen=True)
class Limits:
    """What a world may hold; the data plane needs addresses and nodes for every pod."""

    pods: int = 4
    addressed: bool = False
    families: tuple[tuple[Family, ...], ...] = ((Family.IPV4,), (Family.IPV6,), (Family.IPV4, Family.IPV6))
    tiers: bool = True
    host_network: bool = True


def selectors() -> st.SearchStrategy[Selector]:
    """Selectors of at most one requirement over the few labels there are; half select everything."""
    values = st.lists(st.sampled_from(VALUES), min_size=1, max_size=2, unique=True).map(lambda v: tuple(sorted(v)))
    keys = st.sampled_from(LABELS)
    with_values = st.builds(Requirement, keys, st.sampled_from([Operator.IN, Operator.NOT_IN]), values)
    without = st.builds(Requirement, keys, st.sampled_from([Operator.EXISTS, Operator.DOES_NOT_EXIST]))
    return st.lists(with_values | without, max_size=1).map(Selector.of) | st.just(Selector())


def scopes() -> st.SearchStrategy[Selector]:
    """Selectors on namespace labels."""
    named = st.sampled_from(NAMESPACES).map(lambda name: Selector.labels({NAME_LABEL: name}))
    return named | st.just(Selector.labels({"env": "a"})) | st.just(Selector())


def peer_lists(
    place: Origin, tier: Tier, direction: Direction, families: tuple[Family, ...]
) -> st.SearchStrategy[tuple[Peer, ...]]:
    """Peers of a rule as its API has them: a tier's rule must name some, and only pods on ingress."""
    local = st.builds(PodSelector, st.sampled_from(NAMESPACES), selectors())
    anywhere = st.builds(PodSelector, scopes(), selectors())
    one: st.SearchStrategy[Peer] = st.builds(PodPeer, local | anywhere, st.just(place), st.booleans())
    if tier is Tier.NETWORK_POLICY or direction is Direction.EGRESS:
        blocks = [each for family in families for each in BLOCKS[family]]
        one |= st.sampled_from(blocks).map(lambda block: _block(block, place))
    if tier is not Tier.NETWORK_POLICY and direction is Direction.EGRESS:
        zones = st.just(Selector()) | st.sampled_from(VALUES).map(lambda zone: Selector.labels({"zone": zone}))
        one |= st.builds(NodePeer, zones, st.just(place)) | st.just(DomainPeer(("example.com",), place))
    some = st.lists(one, min_size=1, max_size=3).map(tuple)
    return some | some | some | st.just((Anyone(),)) if tier is Tier.NETWORK_POLICY else some


@st.composite
def rules(
    draw: st.DrawFn, place: Origin, actions: tuple[Action, ...], peers: st.SearchStrategy[tuple[Peer, ...]]
) -> Rule:
    """One rule; two of three name ports."""
    traffic, named = ALL, ()
    if draw(st.integers(0, 2)):
        protocol = st.sampled_from([Protocol.TCP, Protocol.TCP, Protocol.UDP, Protocol.SCTP])
        single = st.builds(lambda p, n: ports(p, n, n), protocol, st.sampled_from(NUMBERS))
        span = st.builds(lambda p: ports(p, 80, 81), protocol) | protocol.map(ports)
        traffic = Intervals.union(draw(st.lists(single | span, max_size=2)))
        protocols = protocol if Action.DENY not in actions else st.none() | protocol
        name = st.builds(NamedPort, st.sampled_from(PORT_NAMES), protocols)
        named = tuple(draw(st.lists(name, min_size=0 if traffic else 1, max_size=1)))
    return Rule(draw(st.sampled_from(actions)), draw(peers), traffic, place, named)


def _block(cidrs: tuple[str, ...], place: Origin) -> BlockPeer:
    cidr, *excepts = cidrs
    addresses = read_cidr(cidr) - Intervals.union(map(read_cidr, excepts))
    return BlockPeer(addresses, " except ".join([cidr, ", ".join(excepts)] if excepts else [cidr]), place)


@st.composite
def policies(draw: st.DrawFn, number: int, families: tuple[Family, ...], *, tiers: bool) -> Policy:
    """One policy; without ``tiers`` always a NetworkPolicy."""
    tier = draw(st.sampled_from([Tier.NETWORK_POLICY] * 2 + ([Tier.ADMIN, Tier.BASELINE] if tiers else [])))
    if tier is Tier.NETWORK_POLICY:
        namespace, actions = draw(st.sampled_from(NAMESPACES)), (Action.ACCEPT,)
        kind, name = "NetworkPolicy", f"{namespace}/p{number}"
        subject = PodSelector(namespace, draw(selectors()))
        isolates = frozenset(draw(st.sets(st.sampled_from(Direction), min_size=1)))
    else:
        kind, name, actions = "ClusterNetworkPolicy", f"p{number}", tuple(Action)
        subject, isolates = PodSelector(draw(scopes()), draw(selectors())), frozenset()
    sides = {}
    for direction in Direction:
        count = draw(st.sampled_from((1, 2, 2, 0)))
        places = [_place(f"{kind}/{name}", number, direction, index) for index in range(count)]
        sides[direction] = tuple(
            draw(rules(place, actions, peer_lists(place, tier, direction, families))) for place in places
        )
    return Policy(
        kind,
        name,
        tier,
        subject,
        Origin("world.yaml", 100 * number + 1, 1, "", f"{kind}/{name}"),
        isolates,
        sides[Direction.INGRESS],
        sides[Direction.EGRESS],
        draw(st.integers(0, 1)) if tier is not Tier.NETWORK_POLICY else 0,
    )


def _place(name: str, number: int, direction: Direction, index: int) -> Origin:
    line = 100 * number + 10 * (1 + index) + (5 if direction is Direction.EGRESS else 0)
    return Origin("world.yaml", line, 3, f"/spec/{direction.value.lower()}/{index}", name, index)


@st.composite
def snapshots(draw: st.DrawFn, limits: Limits = Limits()) -> Snapshot:
    """A world within the limits."""
    families = draw(st.sampled_from(limits.families))
    namespaces = {
        name: Namespace(name, {NAME_LABEL: name, "env": draw(st.sampled_from(VALUES))}) for name in NAMESPACES
    }
    nodes = {
        name: Node(
            name,
            {"zone": draw(st.sampled_from(VALUES))},
            tuple(sorted(a for a in map(read_address, texts) if family_of(a) in families)),
        )
        for name, texts in NODES.items()
    }
    if not limits.addressed and draw(st.integers(0, 3)) == 0:  # some node has not said yet where it is
        nodes["n2"] = replace(nodes["n2"], addresses=())
    if not limits.addressed and draw(st.integers(0, 3)) == 0:  # only its pods speak of some node
        nodes["n1"] = replace(nodes["n1"], labels=None)
    if not limits.addressed and draw(st.booleans()):  # packets of some node may come by a tunnel
        ends = map(read_address, TUNNELS)
        nodes["n1"] = replace(nodes["n1"], tunnels=tuple(each for each in ends if family_of(each) in families))
    count = draw(st.integers(2, limits.pods))
    pools = {family: draw(st.permutations(POD_ADDRESSES[family])) for family in families}
    pods = []
    for index in range(count):
        addresses = {family: read_address(pools[family][index]) for family in families}
        if not limits.addressed:
            addresses = draw(st.sampled_from([addresses, {}, {}, dict(list(addresses.items())[:1])]))
        pods.append(
            Pod(
                namespace=draw(st.sampled_from(NAMESPACES)),
                name=f"pod{index}",
                labels=draw(st.dictionaries(st.sampled_from(LABELS), st.sampled_from(VALUES), max_size=2)),
                origin=Origin("world.yaml", index + 1, 1, "", f"Pod/pod{index}"),
                addresses=addresses,
                node=draw(st.sampled_from(sorted(nodes) if limits.addressed else [*nodes, None])),
                host_network=limits.host_network and draw(st.integers(0, 4)) == 0,
                terminal=not limits.addressed and draw(st.integers(0, 9)) == 0,
                ports=tuple(sorted(draw(st.sets(container_ports(), max_size=3)), key=repr)),
            )
        )
    if limits.addressed:
        pods = [replace(pod, addresses={}) if pod.host_network else pod for pod in pods]
    made = [draw(policies(number, families, tiers=limits.tiers)) for number in range(draw(st.integers(2, 6)))]
    known = not limits.addressed and draw(st.booleans())
    ranges = Intervals.union(read_cidr(text) for text in POD_RANGES) if known else EMPTY
    return Snapshot(
        pods=tuple(sorted(pods, key=lambda pod: (pod.namespace, pod.name))),
        policies=tuple(sorted(made, key=lambda policy: (policy.kind, policy.name))),
        namespaces=namespaces,
        nodes=nodes,
        pod_ranges=Intervals.union(ranges & EVERY[family] for family in families),
        families=families,
    )


def container_ports() -> st.SearchStrategy[ContainerPort]:
    """Ports whose names, numbers and protocols collide between pods."""
    protocols = st.sampled_from([Protocol.TCP, Protocol.UDP])
    return st.builds(ContainerPort, st.sampled_from([*PORT_NAMES, ""]), protocols, st.sampled_from(NUMBERS))


def boundary_traffic() -> list[tuple[Protocol, int]]:
    """Every port that a world can name, its neighbors, both ends, and ICMP."""
    numbers = sorted({near for n in NUMBERS for near in (n - 1, n, n + 1)} | {0, PORTS - 1})
    lines = [point(protocol, number) for protocol in (Protocol.TCP, Protocol.UDP, Protocol.SCTP) for number in numbers]
    return [at(value) for value in (*lines, PORTLESS)]


def boundary_addresses(snapshot: Snapshot) -> list[Address]:
    """The first and last address of every block and their neighbors, nodes, and one of the rest; no loopback.

    No policy filters that, so maps and programs leave it out.
    """
    found = {near for block in snapshot.blocks for pair in block for end in pair for near in (end - 1, end, end + 1)}
    found |= {a for node in snapshot.nodes.values() for a in node.speaks_from}
    found -= {address for address in found if address in LOOPBACK}
    found |= {read_address("203.0.113.7"), read_address("2001:db8:ffff::7")}
    return sorted(Address(a) for a in found if any(a in EVERY[family] for family in snapshot.families))


def ends(snapshot: Snapshot) -> Iterator[tuple[End, Family]]:
    """Every end a connection can have, with each family it can use."""
    for pod in snapshot.pods:
        if not pod.terminal:
            yield from ((pod, family) for family in snapshot.families_of(pod))
    yield from ((address, family_of(address)) for address in boundary_addresses(snapshot))


def pairs(snapshot: Snapshot) -> Iterator[tuple[End, End, Family, str | None]]:
    """Every client and server with a pod among them, their family, and the Service where it matters."""
    every = list(ends(snapshot))
    for client, family in every:
        for server, other in every:
            if family is other and (isinstance(client, Pod) or isinstance(server, Pod)):
                yield client, server, family, None
                if client == server:
                    yield client, server, family, "x/service"


def connections(snapshot: Snapshot) -> Iterator[Connection]:
    """Every connection between two ends with a pod at one of them, at every boundary."""
    for client, server, family, via in pairs(snapshot):
        for protocol, port in boundary_traffic():
            yield Connection(client, server, protocol, port, family, via)
