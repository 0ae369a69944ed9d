"""Connections that are open while policies change, in a real kernel."""

from __future__ import annotations

import select
import socket
import struct
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ringfence.algebra.addresses import Family, read_cidr, render_address
from ringfence.algebra.traffic import Protocol, ports
from ringfence.dataplane.handling import HANDLING, Epoch, Handling, Mode
from ringfence.dataplane.names import ALLOW, TABLE
from ringfence.dataplane.plan import plan_node
from ringfence.edges import conntrack, nft
from ringfence.edges.nftables import Nftables
from ringfence.edges.packets import read_five_tuple
from ringfence.edges.upkeep import Upkeep
from ringfence.lab.cluster import Cluster
from ringfence.lab.topology import lay_out
from ringfence.lab.wiring import wiring_of
from ringfence.model.policy import Direction
from ringfence.semantics.engine import Engine
from tests.kernel.isolation import isolated
from tests.lab.small import MANIFESTS, pod_of, snapshot_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.dataplane.plan import LocalClass, NodePlan
    from ringfence.edges.netns import Network

pytestmark = pytest.mark.kernel
WITHIN_S = 20.0
PORT = 5432
DENIED = MANIFESTS.replace("app: web}}}]\n      ports", "app: nobody}}}]\n      ports")
MORE = MANIFESTS.replace("192.0.2.0/24", "192.0.0.0/16")
LESS = MANIFESTS.replace("192.0.2.128/25", "192.0.2.0/25")


class Agent:
    """Keeps the node of the database at the policies of one manifest after another."""

    def __init__(self, cluster: Cluster, handling: Handling = HANDLING) -> None:
        self.cluster = cluster
        self.node = pod_of(cluster.topology.snapshot, "db").node or ""
        self.network = cluster.nodes[self.node]
        self.kernel = Nftables(self.network)
        self.upkeep = Upkeep(self.network, self.kernel, handling)
        self.apply(MANIFESTS)

    def plan(self, manifests: str) -> NodePlan:
        """What the node must enforce under the policies of manifests."""
        snapshot = replace(self.cluster.topology.snapshot, policies=snapshot_of(manifests).policies)
        return plan_node(Engine(snapshot), self.node, wiring_of(self.cluster.topology))

    def apply(self, manifests: str) -> None:
        """Change over to them."""
        assert self.upkeep.apply(self.plan(manifests)).quarantined == ()


@contextmanager
def connected(cluster: Cluster) -> Iterator[tuple[socket.socket, socket.socket]]:
    """A TCP connection from a web pod to the database: both ends of it."""
    snapshot = cluster.topology.snapshot
    address = render_address(pod_of(snapshot, "db").addresses[Family.IPV4])
    cluster.prober.close()
    with cluster.pods["shop/db"].entered():
        listener = socket.create_server((address, PORT))
    with cluster.pods["shop/web-0"].entered():
        client = socket.create_connection((address, PORT), timeout=WITHIN_S)
    server, _ = listener.accept()
    server.settimeout(WITHIN_S)
    with listener, client, server:
        yield client, server


def pass_on(sender: socket.socket, receiver: socket.socket, data: bytes) -> None:
    """Send something and see it arrive."""
    sender.sendall(data)
    assert receiver.recv(100) == data


def dropped(cluster: Cluster) -> tuple[int, int]:
    """Wait for a packet that is dropped, and return its ports."""
    while not (found := list(cluster.drops.read())):
        assert select.select(cluster.drops.filenos(), [], [], WITHIN_S)[0], "nothing was dropped"
    packet = read_five_tuple(found[0].packet)
    assert packet
    return packet.source_port, packet.destination_port


def forget_connections(network: Network) -> None:
    """Empty conntrack, as ``conntrack -F`` does."""
    with network.entered():
        asking = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
    with asking:
        asking.send(struct.pack("=IHHIIBBH", 20, 1 << 8 | 2, 0x5, 1, 0, 0, 0, 0))
        assert struct.unpack_from("=i", asking.recv(100), 16) == (0,)


def made(handling: Handling = HANDLING) -> tuple[Cluster, Agent]:
    """The small cluster and its agent."""
    cluster = Cluster(lay_out(snapshot_of(MANIFESTS)))
    return cluster, Agent(cluster, handling)


@isolated
def test_a_denial_stops_a_live_connection_at_its_next_packet_whoever_sends_it():
    """Client and server alike; and it goes on as soon as it is allowed again."""
    cluster, agent = made()
    with connected(cluster) as (client, server):
        pass_on(client, server, b"one")
        agent.apply(DENIED)
        client.sendall(b"two")
        assert dropped(cluster) == (client.getsockname()[1], PORT)
        agent.apply(MANIFESTS)
        assert server.recv(100) == b"two"

        pass_on(server, client, b"three")
        agent.apply(DENIED)
        server.sendall(b"four")
        assert dropped(cluster) == (PORT, client.getsockname()[1])


@isolated
def test_a_change_that_denies_something_else_leaves_a_connection_alone():
    """It is judged again under its next epoch and goes on; a change that denies nothing has no other epoch."""
    cluster, agent = made()
    with connected(cluster) as (client, server):
        pass_on(client, server, b"one")
        first = conntrack.marks(agent.network)
        agent.apply(MORE)
        pass_on(server, client, b"two")
        assert conntrack.marks(agent.network) == first
        agent.apply(LESS)
        pass_on(client, server, b"three")
        assert len(first) == len(conntrack.marks(agent.network) - first) == 1
        assert list(cluster.drops.read()) == []


@isolated
def test_a_denial_that_takes_several_transactions_holds_as_well():
    """The epoch comes last, when everything that it vouches for is there."""
    cluster, agent = made()
    with connected(cluster) as (client, server):
        pass_on(client, server, b"one")
        agent.kernel.limit = 1_000
        agent.apply(DENIED)
        client.sendall(b"two")
        assert dropped(cluster) == (client.getsockname()[1], PORT)


@isolated
def test_a_connection_that_conntrack_forgot_is_reset():
    """A table that is new to a node resets what it did not see opened, instead of guessing who opened it."""
    cluster, agent = made()
    with connected(cluster) as (client, server):
        pass_on(client, server, b"one")
        forget_connections(agent.network)
        server.sendall(b"two")
        with pytest.raises(ConnectionResetError):
            server.recv(100)


@isolated
def test_a_denied_connection_ends_at_once_when_it_is_answered():
    """Without an answer, who connects waits for a time-out."""
    cluster, agent = made(Handling(reset=True))
    with connected(cluster) as (client, server):
        pass_on(client, server, b"one")
        agent.apply(DENIED)
        client.sendall(b"two")
        with pytest.raises(ConnectionResetError):
            client.recv(100)


@isolated
def test_what_the_kernel_makes_us_close_is_closed_to_live_connections():
    """A class of which the kernel refuses a set denies everything, and not to new connections alone."""
    cluster, agent = made()
    plan = agent.plan(MANIFESTS)
    with connected(cluster) as (client, server):
        pass_on(client, server, b"one")
        found = agent.upkeep.apply(replace(plan, classes=tuple(map(refused, plan.classes))))
        assert [each.name for each in found.quarantined] == ["i_10.244.0.1_ra"]
        client.sendall(b"two")
        assert dropped(cluster) == (client.getsockname()[1], PORT)
        agent.apply(MANIFESTS)
        assert server.recv(100) == b"two"


def refused(local_class: LocalClass) -> LocalClass:
    """A class that the kernel refuses if it is for ingress: its ranges overlap, which no engine lets happen."""
    if local_class.direction is Direction.EGRESS:
        return local_class
    rows = local_class.rows
    more = [(read_cidr(cidr), ports(Protocol.TCP, 1, last)) for cidr, last in (("8.0.0.0/8", 99), ("8.8.0.0/16", 98))]
    return replace(local_class, rows=(*rows, *more))


@isolated
def test_a_node_that_was_kept_by_somebody_else_is_judged_anew():
    """Whoever comes next does not know under which rules a connection got its mark."""
    cluster, agent = made()
    with connected(cluster) as (client, server):
        pass_on(client, server, b"one")
        first = conntrack.marks(agent.network)
        agent.kernel.close()
        Agent(cluster)
        pass_on(client, server, b"two")
        assert not conntrack.marks(agent.network) & first


@isolated
def test_who_takes_a_node_over_takes_no_number_that_its_rules_have():
    """Though no connection bears it yet: one may be opened before there are other rules."""
    cluster, agent = made()
    there = agent.upkeep.handling.established
    agent.kernel.close()

    assert Agent(cluster).upkeep.handling.established != there


@isolated
def test_what_somebody_let_through_by_rules_of_his_is_judged_again():
    """As soon as the table is mended, though the policies are what they were."""
    cluster, agent = made()
    agent.apply(DENIED)
    nft.apply(agent.network, f"insert rule inet {TABLE} fwd_o goto {ALLOW}\n")
    with connected(cluster) as (client, server):
        pass_on(client, server, b"one")
        agent.apply(DENIED)
        client.sendall(b"two")
        assert dropped(cluster) == (client.getsockname()[1], PORT)


@isolated
def test_every_packet_is_judged_while_no_number_is_free():
    """One bit of the mark has room for one number, which the rules have already."""
    cluster, agent = made(Handling(Epoch(1, 0x10000)))
    with connected(cluster) as (client, server):
        assert agent.upkeep.handling.established is Mode.ALWAYS
        pass_on(client, server, b"one")
        assert conntrack.marks(agent.network) == frozenset()
        agent.apply(DENIED)
        client.sendall(b"two")
        assert dropped(cluster) == (client.getsockname()[1], PORT)
