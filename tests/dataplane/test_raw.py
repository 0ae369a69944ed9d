"""Packets that no well-behaved socket sends: definition, simulation and kernel agree on each.

A case says what conntrack makes of its packet. Where that is the beginning of a connection,
the definition is asked about it; anything else is no connection at all, and is dropped where
it touches a pod that is judged.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from ringfence.algebra.addresses import Family, read_address
from ringfence.dataplane.attribution import connection_of
from ringfence.dataplane.compile import compile_program
from ringfence.dataplane.expressions import CtDirection, CtState
from ringfence.dataplane.nft import Hook
from ringfence.dataplane.plan import plan_node
from ringfence.dataplane.simulate import Packet, simulate
from ringfence.edges.packets import sctp_init
from ringfence.semantics.engine import Engine
from ringfence.semantics.spec import verdict
from ringfence.semantics.verdict import Outcome
from tests.dataplane import frames
from tests.dataplane.frames import ACK, CWR, ECE, FIN, PSH, RST, SYN, URG, extended, fragments, icmp, ip, tcp, udp
from tests.dataplane.small import small_snapshot
from tests.dataplane.wire import UNTRACKED_TOS, Frames, passed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.algebra.addresses import Address

pytestmark = pytest.mark.kernel
MANIFESTS = """
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: shop, labels: {app: db}}
spec: {nodeName: n1, containers: [{name: main}]}
status: {podIPs: [{ip: 10.0.0.5}, {ip: "fd00::5"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: free, namespace: shop, labels: {app: free}}
spec: {nodeName: n1, containers: [{name: main}]}
status: {podIPs: [{ip: 10.0.0.7}, {ip: "fd00::7"}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  policyTypes: [Ingress]
  ingress:
  - from: [{ipBlock: {cidr: 172.20.0.1/32}}, {ipBlock: {cidr: "fd20::1/128"}}]
  - from: [{ipBlock: {cidr: 172.16.0.0/16}}, {ipBlock: {cidr: "fd16::/16"}}]
    ports: [{port: 9000, endPort: 9100}, {port: 53, protocol: UDP}]
---
apiVersion: v1
kind: Pod
metadata: {name: held, namespace: shop, labels: {app: held}}
spec: {nodeName: n1, containers: [{name: main}]}
status: {podIPs: [{ip: 10.0.0.9}, {ip: "fd00::9"}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: held, namespace: shop}
spec:
  podSelector: {matchLabels: {app: held}}
  policyTypes: [Egress]
  egress: [{ports: [{port: 10250}]}]
"""
SNAPSHOT = small_snapshot(manifests=MANIFESTS)
PROGRAM = compile_program(plan_node(Engine(SNAPSHOT), "n1"))
NEVER = None
"""What stands for a packet that no rule ever sees."""


@dataclass(frozen=True)
class Hosts:
    """Who is there in one family.

    Attributes:
        db: A pod that is judged for ingress.
        free: A pod that nobody judges.
        friend: Somebody from whom the database takes everything.
        guest: Somebody from whom it takes a few ports.
        router: Somebody from whom it takes nothing.
        held: A pod that is judged for egress.
        node: The node itself.
        everybody: All hosts of a link.
        icmp: The number of ICMP.
    """

    db: Address
    free: Address
    friend: Address
    guest: Address
    router: Address
    held: Address
    node: Address
    everybody: Address
    icmp: int


_FOUR = ("10.0.0.5", "10.0.0.7", "172.20.0.1", "172.16.1.1", "203.0.113.9", "10.0.0.9", "192.168.0.1", "224.0.0.1")
_SIX = ("fd00::5", "fd00::7", "fd20::1", "fd16::1", "2001:db8::9", "fd00::9", "fd01::1", "ff02::1")
HOSTS = {
    Family.IPV4: Hosts(*map(read_address, _FOUR), icmp=1),
    Family.IPV6: Hosts(*map(read_address, _SIX), icmp=58),
}


@dataclass(frozen=True)
class Case:
    """One packet.

    Attributes:
        about: What it is.
        sent: Its frames.
        packet: What rules read of it and what conntrack makes of it; None when no rule sees it.
        passes: Whether it is forwarded, or taken by the node itself.
    """

    about: str
    sent: Frames
    packet: Packet | None
    passes: bool


def cases(hosts: Hosts) -> Iterator[Case]:
    """Every case in one family; later ones rest on the connections of earlier ones."""
    yield from fragmented(hosts)
    yield from extension_headers(hosts)
    yield from odd_tcp(hosts)
    yield from cut_short(hosts)
    yield from other_protocols(hosts)
    yield from untracked(hosts)
    yield from errors(hosts)
    yield from to_many(hosts)
    yield from to_the_node(hosts)


def fragmented(hosts: Hosts) -> Iterator[Case]:
    """A packet is put together before it is judged, by the ports that it then has."""
    whole, tiny = ((0, 24), (24, 60)), ((0, 8), (8, 60))
    for port, passes in ((9000, True), (22, False)):
        for about, cuts in {"two": whole, "the last first": whole[::-1], "the flags apart": tiny}.items():
            ports = (len(about) + 1000, port)
            body = tcp(hosts.guest, hosts.db, ports, payload=bytes(40))
            packet = Packet(hosts.guest, hosts.db, 6, *ports)
            sent = fragments(hosts.guest, hosts.db, 6, body, cuts)
            # Of IPv6 the first fragment has to hold all of the header, and else belongs to no connection.
            broken = cuts == tiny and hosts.icmp == 58
            packet = replace(packet, state=CtState.INVALID if broken else CtState.NEW)
            yield Case(f"fragments to {port}, {about}", sent, packet, passes and not broken)
    body = udp(hosts.friend, hosts.db, (1100, 53), bytes(52))
    yield Case("a later fragment alone", fragments(hosts.friend, hosts.db, 17, body, [(24, 60)]), NEVER, passes=False)
    yield Case("a first fragment alone", fragments(hosts.friend, hosts.db, 17, body, [(0, 24)]), NEVER, passes=False)
    cuts = [(0, 24), (16, 40), (40, 60)]
    yield Case("fragments that overlap", fragments(hosts.friend, hosts.db, 17, body, cuts), NEVER, passes=False)


def extension_headers(hosts: Hosts) -> Iterator[Case]:
    """The transport header is found behind whatever IPv6 puts before it."""
    if hosts.icmp == 1:
        return
    chains = {
        "hop-by-hop options": [frames.HOP_BY_HOP],
        "destination options": [frames.DESTINATION],
        "a routing header": [frames.ROUTING],
        "a fragment that is the whole": [frames.FRAGMENT],
        "several": [frames.HOP_BY_HOP, frames.DESTINATION, frames.ROUTING, frames.DESTINATION],
        "options behind a fragment header": [frames.FRAGMENT, frames.DESTINATION],
    }
    for number, (about, headers) in enumerate(chains.items()):
        for port, passes in ((9000, True), (22, False)):
            ports = (1200 + number, port)
            sent = extended(hosts.guest, hosts.db, 6, tcp(hosts.guest, hosts.db, ports), headers)
            yield Case(f"{about} before port {port}", sent, Packet(hosts.guest, hosts.db, 6, *ports), passes)
    for source, passes in ((hosts.friend, True), (hosts.guest, False)):
        # What is authenticated has no ports, whatever stands behind.
        sent = extended(source, hosts.db, 6, tcp(source, hosts.db, (1250, 9000)), [frames.AUTHENTICATION])
        yield Case("authentication", sent, Packet(source, hosts.db, frames.AUTHENTICATION, 0, 0), passes)
    for server in (hosts.db, hosts.free):
        packet = Packet(hosts.friend, server, frames.NOTHING, None, None, state=CtState.INVALID)
        yield Case("nothing at all", (ip(hosts.friend, server, frames.NOTHING, b""),), packet, server == hosts.free)


def odd_tcp(hosts: Hosts) -> Iterator[Case]:
    """What opens no connection is dropped or reset, whoever sends it, where it touches a pod that is judged."""
    invalid = {
        "SYN and ACK": SYN | ACK,
        "RST": RST,
        "FIN and ACK": FIN | ACK,
        "no flag": 0,
        "FIN, PSH and URG": FIN | PSH | URG,
        "SYN and FIN": SYN | FIN,
        "SYN and RST": SYN | RST,
        "all flags": 0xFF,
    }
    new = {"SYN, ECE and CWR": (SYN | ECE | CWR, True), "ACK": (ACK, False), "ACK and PSH": (ACK | PSH, False)}
    for number, (about, flags) in enumerate(invalid.items()):
        for server in (hosts.db, hosts.free):
            ports = (1300 + number, 9000)
            packet = Packet(hosts.friend, server, 6, *ports, state=CtState.INVALID, tcp_flags=flags)
            sent = (ip(hosts.friend, server, 6, tcp(hosts.friend, server, ports, flags)),)
            yield Case(f"TCP with {about}", sent, packet, server == hosts.free)
    for number, (about, (flags, passes)) in enumerate(new.items()):
        for server in (hosts.db, hosts.free):
            ports = (1400 + number, 9000)
            packet = Packet(hosts.friend, server, 6, *ports, tcp_flags=flags)
            sent = (ip(hosts.friend, server, 6, tcp(hosts.friend, server, ports, flags)),)
            yield Case(f"TCP with {about}", sent, packet, passes or server == hosts.free)
    for source, passes in ((hosts.friend, True), (hosts.guest, False)):
        for ports in ((1500, 0), (0, 22)):
            sent = (ip(source, hosts.db, 6, tcp(source, hosts.db, ports)),)
            yield Case(f"TCP with ports {ports}", sent, Packet(source, hosts.db, 6, *ports), passes)
            sent = (ip(source, hosts.db, 17, udp(source, hosts.db, ports)),)
            yield Case(f"UDP with ports {ports}", sent, Packet(source, hosts.db, 17, *ports), passes)


def cut_short(hosts: Hosts) -> Iterator[Case]:
    """What conntrack cannot make sense of belongs to no connection."""
    ports = (1600, 9000)
    whole = tcp(hosts.friend, hosts.db, ports)
    bad = {
        "a wrong checksum": whole[:16] + bytes((whole[16] ^ 1, *whole[17:])),
        "a header that ends too early": whole[:12],
        "a header longer than the packet": whole[:12] + b"\xf0" + whole[13:],
    }
    for about, body in bad.items():
        packet = Packet(hosts.friend, hosts.db, 6, *ports, state=CtState.INVALID)
        yield Case(f"TCP with {about}", (ip(hosts.friend, hosts.db, 6, body),), packet, passes=False)
    packet = Packet(hosts.friend, hosts.db, 17, *ports, state=CtState.INVALID)
    yield Case("UDP of four bytes", (ip(hosts.friend, hosts.db, 17, whole[:4]),), packet, passes=False)
    init = sctp_init(*ports, b"ringfenc")
    packet = Packet(hosts.friend, hosts.db, 132, *ports, state=CtState.INVALID)
    broken = init[:-1] + bytes((init[-1] ^ 1,))
    yield Case("SCTP with a wrong checksum", (ip(hosts.friend, hosts.db, 132, broken),), packet, passes=False)
    yield Case("SCTP", (ip(hosts.friend, hosts.db, 132, init),), replace(packet, state=CtState.NEW), passes=True)


def other_protocols(hosts: Hosts) -> Iterator[Case]:
    """Whatever is in them: a rule without ports allows them, a rule with ports does not."""
    inner = ip(hosts.friend, hosts.db, 6, tcp(hosts.friend, hosts.db, (1, 9000)))
    bodies = {4: inner, 41: inner, 47: b"\0\0\x08\0" + inner, 50: bytes(32), 253: bytes(8)}
    for source, passes in ((hosts.friend, True), (hosts.guest, False)):
        for number, body in bodies.items():
            packet = Packet(source, hosts.db, number, 0, 0)
            yield Case(f"protocol {number}", (ip(source, hosts.db, number, body),), packet, passes)


def untracked(hosts: Hosts) -> Iterator[Case]:
    """Nobody knows who opened what is not tracked, so it is judged as if it opened a connection."""
    for source, passes in ((hosts.friend, True), (hosts.guest, False)):
        packet = Packet(source, hosts.db, 6, 1700, 22, state=CtState.UNTRACKED, tcp_flags=ACK)
        body = tcp(source, hosts.db, (1700, 22), ACK)
        yield Case("untracked, in mid-stream", (ip(source, hosts.db, 6, body, tos=UNTRACKED_TOS),), packet, passes)
        reply = Packet(hosts.db, source, 6, 22, 1700, state=CtState.UNTRACKED, tcp_flags=ACK)
        body = tcp(hosts.db, source, (22, 1700), ACK)
        sent = (ip(hosts.db, source, 6, body, tos=UNTRACKED_TOS),)
        yield Case("untracked, from a pod that is not judged for egress", sent, reply, passes=True)


def errors(hosts: Hosts) -> Iterator[Case]:
    """An error is let through with whoever's connection it quotes, if there is one."""
    for source, passes in ((hosts.friend, True), (hosts.guest, False)):
        ports = (1800, 22)
        opening = Packet(source, hosts.db, 6, *ports)
        sent = (ip(source, hosts.db, 6, tcp(source, hosts.db, ports)),)
        yield Case("what an error will be about", sent, opening, passes)
        answer = ip(hosts.db, source, 6, tcp(hosts.db, source, ports[::-1], SYN | ACK))
        state = CtState.RELATED if passes else CtState.INVALID
        error = Packet(hosts.router, hosts.db, hosts.icmp, 0, 0, state=state, ct_direction=CtDirection.REPLY)
        sent = (frames.too_big(hosts.router, hosts.db, answer),)
        about = "an allowed" if passes else "a denied"
        yield Case(f"an error about {about} connection", sent, error, passes)
    kind = 0 if hosts.icmp == 1 else 129
    unasked = Packet(hosts.friend, hosts.db, hosts.icmp, kind << 8, 0, state=CtState.INVALID)
    body = icmp(hosts.friend, hosts.db, kind, struct.pack(">HH", 7, 1))
    sent = (ip(hosts.friend, hosts.db, hosts.icmp, body),)
    yield Case("an answer that nobody asked for", sent, unasked, passes=False)


def to_the_node(hosts: Hosts) -> Iterator[Case]:
    """What a pod sends to its own node is judged as egress alone."""
    for number, (port, flags, state) in enumerate(
        (
            (10_250, SYN, CtState.NEW),
            (22, SYN, CtState.NEW),
            (10_250, ACK, CtState.NEW),
            (10_250, RST, CtState.INVALID),
            (10_250, ACK, CtState.UNTRACKED),
            (22, ACK, CtState.UNTRACKED),
        )
    ):
        for source in (hosts.held, hosts.free):
            ports = (1900 + number, port)
            packet = Packet(source, hosts.node, 6, *ports, hook=Hook.INPUT, state=state, tcp_flags=flags)
            tos = UNTRACKED_TOS if state is CtState.UNTRACKED else 0
            sent = (ip(source, hosts.node, 6, tcp(source, hosts.node, ports, flags), tos=tos),)
            allowed = port == 10_250 and (flags == SYN or state is CtState.UNTRACKED)
            yield Case(f"to the node, port {port}, {state}", sent, packet, allowed or source == hosts.free)
    for source in (hosts.held, hosts.free):
        packet = Packet(source, hosts.node, 47, 0, 0, hook=Hook.INPUT)
        sent = (ip(source, hosts.node, 47, bytes(8)),)
        yield Case("to the node, GRE", sent, packet, source == hosts.free)
        for group in (hosts.everybody, *([read_address("255.255.255.255")] if hosts.icmp == 1 else [])):
            packet = Packet(source, group, 17, 5353, 5353, hook=Hook.INPUT)
            sent = (ip(source, group, 17, udp(source, group, (5353, 5353))),)
            yield Case("for all hosts of the link", sent, packet, source == hosts.free)
    yield from neighbors(hosts) if hosts.icmp == 58 else ()


def neighbors(hosts: Hosts) -> Iterator[Case]:
    """A pod that may send nothing finds its node all the same, and does nothing else under that name."""
    link_local = read_address("fe80::9")
    for kind, hop_limit, source, passes in (
        (133, 255, hosts.held, True),
        (134, 255, hosts.held, False),
        (135, 255, hosts.held, True),
        (135, 64, hosts.held, False),
        (136, 255, hosts.held, True),
        (137, 255, hosts.held, False),
        (143, 1, link_local, True),
        (143, 1, hosts.held, False),
        (135, 255, hosts.free, True),
    ):
        body = icmp(source, hosts.node, kind, bytes(20))
        sent = (ip(source, hosts.node, 58, body, hop_limit=hop_limit),)
        # Of all that, conntrack leaves redirects alone to themselves.
        state = CtState.INVALID if kind == 137 else CtState.UNTRACKED
        packet = Packet(source, hosts.node, 58, 0, 0, Hook.INPUT, state, hop_limit=hop_limit, icmp_type=kind)
        yield Case(f"type {kind} with a hop limit of {hop_limit}", sent, packet, passes)


def to_many(hosts: Hosts) -> Iterator[Case]:
    """No router forwards what is for everybody."""
    groups = ("224.0.0.251", "239.1.1.1") if hosts.icmp == 1 else ("ff02::fb", "ff0e::1")
    for group in map(read_address, groups):
        sent = (ip(hosts.db, group, 17, udp(hosts.db, group, (5353, 5353))),)
        yield Case("for everybody", sent, NEVER, passes=False)


def test_the_kernel_lets_pass_what_it_should():
    """All of them in one go, because errors are about the packets before them."""
    every = [case for hosts in HOSTS.values() for case in cases(hosts)]
    kernel = passed(PROGRAM.render(), [case.sent for case in every])

    assert [case.about for case, done in zip(every, kernel, strict=True) if done is not case.passes] == []


@pytest.mark.parametrize("family", Family)
def test_the_simulation_knows_what_becomes_of_it(family: Family):
    """Told what conntrack makes of a packet."""
    wrong = [
        case.about
        for case in cases(HOSTS[family])
        if case.packet is not None and simulate(PROGRAM, case.packet).accepted is not case.passes
    ]

    assert wrong == []


@pytest.mark.parametrize("family", Family)
def test_what_opens_a_connection_is_what_the_policies_say(family: Family):
    """The definition is asked about the connection that a packet opens."""
    opening = [(case, case.packet) for case in cases(HOSTS[family]) if case.packet and opens(case.packet)]
    for case, packet in opening:
        asked = connection_of(SNAPSHOT, packet, CtDirection.ORIGINAL)
        assert (verdict(SNAPSHOT, asked).outcome is Outcome.ALLOWED) is case.passes, (case.about, asked)
    assert len(opening) > 30


def opens(packet: Packet) -> bool:
    """Whether a packet is the first of a connection, as far as anybody knows; neighbors have none."""
    if packet.protocol == 58 and packet.icmp_type != 128:
        return False
    if packet.state is CtState.NEW:
        return packet.protocol != 6 or (packet.tcp_flags or 0) & (SYN | ACK | RST | FIN) == SYN
    return packet.state is CtState.UNTRACKED
