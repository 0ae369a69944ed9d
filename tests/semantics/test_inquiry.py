"""What the definition sees at both ends of a half."""

from __future__ import annotations

from dataclasses import replace

from ringfence.algebra.addresses import read_address
from ringfence.algebra.traffic import Protocol
from ringfence.model.connection import Connection
from ringfence.model.policy import Direction
from ringfence.semantics.dialects import KUBERNETES, Topic
from ringfence.semantics.inquiry import Inquiry
from tests.parts import node, pod, snapshot

POD, HOST = pod("x/a", "", "10.0.0.1", node="n1"), pod("x/h", host_network=True, node="n1")
WORLD = snapshot(POD, HOST, node("n1", "192.168.0.1"))


def inquiry(client: object, server: object, direction: Direction = Direction.EGRESS) -> Inquiry:
    """One half of a TCP connection."""
    return Inquiry.of(WORLD, Connection(client, server, Protocol.TCP, 80), KUBERNETES, direction)


def test_each_direction_has_its_own_subject():
    """Egress is judged at the client, ingress at the server."""
    assert inquiry(POD, HOST).subject is POD
    assert inquiry(POD, HOST, Direction.INGRESS).subject is HOST
    assert inquiry(read_address("10.0.0.1"), HOST).subject is POD


def test_a_terminal_pod_is_none_any_more():
    """Whoever has its address now is somebody else."""
    done = replace(POD, terminal=True)

    assert inquiry(done, HOST).subject is None
    assert inquiry(HOST, done).peer_pod is None


def test_a_node_is_met_at_its_address_and_in_its_pods():
    """Its own, or another's."""
    assert inquiry(POD, HOST).own_node
    assert inquiry(POD, read_address("192.168.0.1")).own_node
    assert not inquiry(replace(POD, node="n2"), HOST).own_node
    assert inquiry(replace(POD, node="n2"), HOST).on_node
    assert not inquiry(HOST, POD).on_node


def test_a_host_network_pod_is_seen_where_the_dialect_sees_it():
    """As a pod like any other, or as none."""
    half = inquiry(POD, HOST)
    seeing = replace(half, dialect=KUBERNETES.flipped(Topic.HOST_NETWORK))

    assert half.seen(HOST) is None
    assert seeing.seen(HOST) == replace(HOST, host_network=False)
    assert half.seen(POD) is POD


def test_points_that_cannot_matter_are_not_asked_about():
    """A pod that meets another on another node touches none, where no rule names addresses."""
    assert inquiry(POD, replace(POD, name="b", node="n2")).touched() == []
    assert Topic.HOST_NETWORK in inquiry(POD, HOST).touched()
    assert Topic.HAIRPIN_EGRESS in inquiry(POD, POD).touched()
