"""Connections of a real kernel: those that come and end, and how many of them nobody could tell of."""

from __future__ import annotations

import socket
import time

import pytest

from ringfence.edges import nft
from ringfence.edges.conntrack import FlowReader, account, flows
from ringfence.edges.links import configure
from ringfence.edges.netns import Network
from tests.kernel.isolation import isolated
from tests.kernel.test_epoch import forget_connections

pytestmark = pytest.mark.kernel
TRACKING = "table inet t { chain c { type filter hook output priority 0; ct state new counter; }; }"
HERE = "127.0.0.1"


def tracking() -> Network:
    """A network with a loopback whose connections are tracked."""
    network = Network.create()
    configure([(network, ["link set lo up"])])
    nft.apply(network, TRACKING)
    return network


@isolated
def test_a_connection_is_heard_of_when_it_comes_and_when_it_ends():
    """With what was sent and when, once it has ended and where the kernel was told to account for it."""
    network, before = tracking(), time.time()
    account(network)
    reader = FlowReader(network)
    with network.entered():
        listener = socket.create_server((HERE, 99))
        client = socket.create_connection((HERE, 99))
    (opened,) = reader.read()
    (tracked,) = flows(network)
    forget_connections(network)
    (ended,) = reader.read()

    assert (opened.client_port, opened.server_port) == (client.getsockname()[1], 99)
    assert (opened.ended, opened.sent, opened.ended_at, opened.state) == (False, None, None, "syn-sent")
    assert opened.id == tracked.id == ended.id
    assert tracked.answered
    assert (ended.ended, ended.state) == (True, "established")
    assert ended.sent
    assert ended.returned
    assert (ended.sent.packets, ended.returned.packets) == (2, 1)
    assert ended.sent.octets > ended.returned.octets > 0
    assert ended.opened_at
    assert ended.ended_at
    assert before - 1 < ended.opened_at < ended.ended_at < time.time() + 1
    listener.close()
    client.close()


@isolated
def test_without_accounts_nothing_is_counted():
    """A connection ends without amounts and times."""
    network = tracking()
    reader = FlowReader(network)
    with network.entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"x", (HERE, 7))
    forget_connections(network)

    opened, ended = reader.read()

    assert (opened.ended, ended.ended) == (False, True)
    assert (ended.sent, ended.returned, ended.opened_at, ended.ended_at) == (None, None, None, None)


@isolated
def test_it_is_known_how_many_connections_the_kernel_did_not_tell_of():
    """More come than the socket holds while nobody reads: those that were read and those that were missed are all."""
    network, many = tracking(), 2_000
    reader = FlowReader(network)
    reader._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 15)
    with network.entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for port in range(1, many + 1):
            sender.sendto(b"x", (HERE, port))
        read = len(list(reader.read()))
        assert read
        assert reader.missed == many - read > 0
        sender.sendto(b"x", (HERE, many + 1))

    assert len(list(reader.read())) == 1
    assert reader.missed == many - read
