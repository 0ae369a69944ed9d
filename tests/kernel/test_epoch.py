"""Connections that are open while policies change, in a real kernel."""

from __future__ import annotations

import select
import socket
import struct
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from ringfence.algebra.addresses import Family, render_address
from ringfence.dataplane.change import next_handling
from ringfence.dataplane.compile import compile_program
from ringfence.dataplane.delta import delta, replacement
from ringfence.dataplane.handling import HANDLING, Handling
from ringfence.dataplane.plan import plan_node
from ringfence.edges import conntrack
from ringfence.edges.nftables import Nftables
from ringfence.edges.packets import read_five_tuple
from ringfence.lab.cluster import Cluster
from ringfence.lab.topology import lay_out
from ringfence.semantics.engine import Engine
from tests.kernel.isolation import isolated
from tests.lab.small import MANIFESTS, pod_of, snapshot_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.dataplane.nft import Program
    from ringfence.dataplane.plan import NodePlan
    from ringfence.edges.netns import Network

pytestmark = pytest.mark.kernel
WITHIN_S = 20.0
PORT = 5432
DENIED = MANIFESTS.replace("app: web}}}]\n      ports", "app: nobody}}}]\n      ports")
MORE = MANIFESTS.replace("192.0.2.0/24", "192.0.0.0/16")
LESS = MANIFESTS.replace("192.0.2.128/25", "192.0.2.0/25")


@dataclass
class Agent:
    """Keeps the node of the database at the policies of one snapshot after another."""

    cluster: Cluster
    node: str
    plan: NodePlan
    held: Program
    handling: Handling = HANDLING

    @classmethod
    def of(cls, cluster: Cluster) -> Agent:
        """The agent of a cluster as it was made."""
        node = pod_of(cluster.topology.snapshot, "db").node
        assert node
        return cls(cluster, node, cluster.plans[node], cluster.programs[node])

    @property
    def network(self) -> Network:
        """Where it works."""
        return self.cluster.nodes[self.node]

    def apply(self, manifests: str, *, limit: int = 1 << 20) -> int:
        """Change over to the policies of other manifests; the number of transactions."""
        snapshot = replace(self.cluster.topology.snapshot, policies=snapshot_of(manifests).policies)
        plan = plan_node(Engine(snapshot), self.node)
        handling = next_handling(self.handling, self.plan, plan, conntrack.marks(self.network))
        needed = delta(self.held, compile_program(plan, handling))
        kernel = Nftables(self.network)
        kernel.limit = limit
        count = kernel.apply(needed.change)
        kernel.apply(needed.tidying)
        kernel.close()
        self.plan, self.held, self.handling = plan, needed.program, handling
        return count

    def reload(self, handling: Handling) -> None:
        """Load the same policies anew, with connections handled otherwise."""
        self.held, self.handling = compile_program(self.plan, handling), handling
        kernel = Nftables(self.network)
        kernel.apply(replacement(self.held))
        kernel.close()


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


def made() -> tuple[Cluster, Agent]:
    """The small cluster and its agent."""
    cluster = Cluster(lay_out(snapshot_of(MANIFESTS)))
    return cluster, Agent.of(cluster)


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
        assert conntrack.marks(agent.network) == first == {0x10000}
        agent.apply(LESS)
        pass_on(client, server, b"three")
        assert conntrack.marks(agent.network) == {0x20000}
        assert list(cluster.drops.read()) == []


@isolated
def test_a_denial_that_takes_several_transactions_holds_as_well():
    """The epoch comes last, when everything that it vouches for is there."""
    cluster, agent = made()
    with connected(cluster) as (client, server):
        pass_on(client, server, b"one")
        assert agent.apply(DENIED, limit=1_000) > 1
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
    cluster, agent = made()
    with connected(cluster) as (client, server):
        pass_on(client, server, b"one")
        agent.reload(replace(agent.handling, reset=True))
        agent.apply(DENIED)
        client.sendall(b"two")
        with pytest.raises(ConnectionResetError):
            client.recv(100)
