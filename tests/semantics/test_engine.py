"""What the engine answers, on clusters that fit in the head."""

from __future__ import annotations

import pytest

from ringfence.algebra.addresses import EVERY, Family, read_address, read_cidr
from ringfence.algebra.intervals import EMPTY
from ringfence.algebra.traffic import ALL
from ringfence.model.policy import Action, Direction, Tier
from ringfence.semantics.engine import Engine, PairTraffic
from tests.parts import block, cluster_policy, named, network_policy, node, pod, pods, port, rule, snapshot, tcp

A, B = pod("x/a", "app=a", "10.0.0.1", node="n1"), pod("x/b", "app=b", "10.0.0.2")
NODE, OTHER = node("n1", "192.168.0.1"), node("n2", "192.168.0.2")
OUTSIDE = read_address("203.0.113.7")
CLOSED = network_policy("x/closed", "app=a", ingress=())
"""Lets nobody in to ``x/a``."""


def test_both_directions_must_allow():
    """The whole is what the halves have in common."""
    leave = network_policy("x/leave", "app=b", egress=(rule(traffic=tcp(80, 90)),))
    enter = network_policy("x/enter", "app=a", ingress=(rule(traffic=tcp(85, 95)),))
    engine = Engine(snapshot(A, B, leave, enter))

    assert engine.half(Direction.EGRESS, B, A, Family.IPV4).allowed == tcp(80, 90)
    assert engine.half(Direction.INGRESS, A, B, Family.IPV4).allowed == tcp(85, 95)
    assert engine.allowed(B, A, Family.IPV4) == PairTraffic(tcp(85, 90))


def test_a_pod_s_own_address_stands_for_the_pod():
    """Asked by name or by address, the answer is the same."""
    engine = Engine(snapshot(A, B, network_policy("x/p", "app=a", ingress=(rule(pods("app=b")),))))

    assert engine.allowed(read_address("10.0.0.2"), A, Family.IPV4).allowed == ALL
    assert engine.allowed(B, read_address("10.0.0.1"), Family.IPV4).allowed == ALL
    assert engine.allowed(OUTSIDE, A, Family.IPV4).allowed == EMPTY


def test_a_pod_reaches_itself_and_the_admin_tier_judges_its_hairpin():
    """Its own address always; through a Service not against the Admin tier."""
    deny = cluster_policy("deny", Tier.ADMIN, ingress=(rule(action=Action.DENY, traffic=tcp(1)),))
    engine = Engine(snapshot(A, CLOSED, deny))

    assert engine.allowed(A, A, Family.IPV4).allowed == ALL
    assert engine.allowed(A, A, Family.IPV4, via="x/a").allowed == ALL - tcp(1)
    assert engine.hairpin(A, Family.IPV4) == ALL - tcp(1)


def test_the_own_node_is_let_in_and_no_other():
    """Whether it is named by its address or by a pod on its network."""
    near, far = (pod(f"x/{n}", host_network=True, node=n) for n in ("n1", "n2"))
    engine = Engine(snapshot(A, CLOSED, NODE, OTHER, near, far))

    assert engine.allowed(near, A, Family.IPV4).allowed == ALL
    assert engine.allowed(read_address("192.168.0.1"), A, Family.IPV4).allowed == ALL
    assert engine.allowed(far, A, Family.IPV4).allowed == EMPTY
    assert engine.allowed(read_address("192.168.0.2"), A, Family.IPV4).allowed == EMPTY


def test_the_own_node_is_not_let_out_of_the_rules():
    """The exemption is for what the node opens, not for what the pod opens to it."""
    engine = Engine(snapshot(A, NODE, network_policy("x/p", "app=a", egress=())))

    assert engine.allowed(A, read_address("192.168.0.1"), Family.IPV4).allowed == EMPTY


def test_a_pod_without_a_node_has_no_own_node():
    """Nor has a host-network pod whose node is not known one to share."""
    homeless = pod("x/a", "app=a")
    engine = Engine(snapshot(homeless, CLOSED, pod("x/h", host_network=True)))

    assert engine.allowed(engine.snapshot.pods[1], homeless, Family.IPV4).allowed == EMPTY


def test_traffic_that_depends_on_an_address_to_come_is_undecided():
    """What every address of the range allows is allowed; what only some allow is not settled."""
    unknown = pod("x/u")
    some = rule(block("10.0.0.0/25"), traffic=tcp(80, 90))
    policy = network_policy("x/p", "app=a", ingress=(some, rule(block("10.0.0.0/24"), traffic=tcp(90, 99))))
    ranged = Engine(snapshot(A, unknown, policy, pod_ranges=read_cidr("10.0.0.0/24")))
    plain = Engine(snapshot(A, unknown, policy))

    assert ranged.allowed(unknown, A, Family.IPV4) == PairTraffic(tcp(90, 99), tcp(80, 89))
    assert plain.allowed(unknown, A, Family.IPV4) == PairTraffic()


def test_an_address_to_come_lies_in_a_block_of_everything():
    """Whatever it will be; with an exception that is no longer sure."""
    whole, most = rule(block("0.0.0.0/0"), traffic=tcp(80)), rule(block("0.0.0.0/0", "10.0.0.0/8"), traffic=tcp(81))
    engine = Engine(snapshot(A, pod("x/u"), network_policy("x/p", "app=a", ingress=(whole, most))))

    assert engine.allowed(pod("x/u"), A, Family.IPV4) == PairTraffic(tcp(80))


def test_permitted_addresses_are_united_by_traffic():
    """A pod's peers by address alone: pods, nodes and everything else."""
    policy = network_policy("x/p", "app=a", ingress=(rule(pods("app=b"), traffic=tcp(80)),))
    engine = Engine(snapshot(A, B, NODE, policy))
    free, web = read_cidr("10.0.0.1/32") | read_cidr("192.168.0.1/32"), read_cidr("10.0.0.2/32")

    assert dict(engine.permitted(A, Direction.INGRESS, Family.IPV4)) == {
        free: ALL,
        web: tcp(80),
        EVERY[Family.IPV4] - free - web: EMPTY,
    }
    assert engine.permitted(A, Direction.EGRESS, Family.IPV4) == ((EVERY[Family.IPV4], ALL),)


def test_nothing_judges_the_host_network():
    """A host-network pod may exchange everything with every address."""
    host = pod("x/a", "app=a", host_network=True, node="n1")
    engine = Engine(snapshot(host, NODE, CLOSED))

    assert engine.permitted(host, Direction.INGRESS, Family.IPV4) == ((EVERY[Family.IPV4], ALL),)
    assert engine.allowed(OUTSIDE, host, Family.IPV4).allowed == ALL


def test_pods_are_found_in_their_class():
    """Every pod that can still connect is in one class, and its number leads there."""
    ended = pod("x/z", terminal=True)
    engine = Engine(snapshot(A, B, ended, CLOSED))

    assert [[str(each) for each in members] for members in engine.classes] == [["x/a"], ["x/b"]]
    assert engine.class_of(B) == 1
    with pytest.raises(KeyError):
        engine.class_of(ended)


def test_an_empty_snapshot_has_no_classes_and_no_blocks():
    """No pods are no reason to fail."""
    engine = Engine(snapshot())

    assert engine.classes == ()
    assert list(engine.blocks(Family.IPV4)) == []


def test_a_revision_shares_what_it_can():
    """Without a policy, with another of known selectors and ports, and with one that tells more apart."""
    ingress = network_policy("x/p", "app=a", ingress=(rule(pods("app=b"), traffic=tcp(80)),))
    egress = network_policy("x/q", "app=b", egress=())
    first = Engine(snapshot(A, B, ingress, egress))
    without, open_again = first.revised([ingress]), first.revised([])
    known = first.revised([ingress, network_policy("x/r", "app=b", egress=(rule(traffic=tcp(80)),))])
    finer = first.revised([network_policy("x/r", "app=b", egress=(rule(traffic=tcp(81)),))])

    assert [each.universe is first.universe for each in (without, open_again, known, finer)] == [
        True,
        True,
        True,
        False,
    ]
    assert [sorted(first.unlike(each)) for each in (first, without, open_again)] == [[], [1], [0, 1]]
    assert [each.allowed(B, A, Family.IPV4).allowed for each in (first, without, open_again, known, finer)] == [
        EMPTY,
        tcp(80),
        ALL,
        tcp(80),
        tcp(81),
    ]


def test_what_was_answered_before_a_revision_is_not_answered_again_after_it():
    """What a class's programs say is kept from one world to the next for those whose policies stay."""
    ingress = network_policy("x/p", "app=a", ingress=(rule(pods("app=b"), traffic=tcp(80)),))
    engine, found = Engine(snapshot(A, B, ingress)), []
    for policies in ([ingress], [], [ingress], [ingress, CLOSED], [CLOSED]):
        engine = engine.revised(policies)
        found.append(engine.allowed(B, A, Family.IPV4).allowed)

    assert found == [tcp(80), ALL, tcp(80), tcp(80), EMPTY]


def test_a_revision_that_asks_a_new_name_of_a_port_tells_pods_apart_by_it():
    """Of the same pods a known name can be asked again, and of others it is as good as new."""
    one, other = pod("x/c", "app=c", ports=(port("web", 80),)), pod("x/d", "app=c", ports=(port("web", 81),))
    open_by_number = network_policy("x/p", "app=c", ingress=(rule(traffic=tcp(80)), rule(traffic=tcp(81))))
    open_by_name = network_policy("x/p", "app=c", ingress=(rule(**named("web")),))
    first = Engine(snapshot(one, other, B, open_by_number))
    finer = first.revised([open_by_name])
    again = finer.revised([network_policy("x/q", "app=c", ingress=(rule(**named("web")),))])

    assert [each.universe is first.universe for each in (finer, again)] == [False, False]
    assert again.universe is finer.universe
    for engine in (finer, again):
        assert engine.allowed(B, one, Family.IPV4).allowed == tcp(80)
        assert engine.allowed(B, other, Family.IPV4).allowed == tcp(81)
