"""What the input does not say is assumed aloud, and only where it could matter."""

from __future__ import annotations

from ringfence.algebra.addresses import Family, read_cidr
from ringfence.model.policy import Direction
from ringfence.model.service import Service
from ringfence.semantics.assumptions import assume_addresses, assume_families, rules_of
from tests.parts import block, network_policy, node, place, pod, rule, snapshot

UNKNOWN, KNOWN = pod("x/a"), pod("x/a", "", "10.0.0.1")
CUT, WHOLE = (network_policy("x/p", "", ingress=(rule(block(cidr)),)) for cidr in ("10.0.0.0/8", "0.0.0.0/0"))
SERVICE = Service("x", "s", "ClusterIP", {}, (), place("s"), families=(Family.IPV4,))


def test_pods_without_addresses_are_assumed_outside_of_blocks_that_could_hold_them():
    """A block of a whole family holds everybody, and a known range settles the rest."""
    (assumption,) = assume_addresses(snapshot(UNKNOWN, CUT))

    assert (assumption.topic, assumption.origins) == ("pod-address", (block("10.0.0.0/8").origin,))
    assert assume_addresses(snapshot(KNOWN, CUT)) == ()
    assert assume_addresses(snapshot(UNKNOWN, WHOLE)) == ()
    assert assume_addresses(snapshot(UNKNOWN, CUT, pod_ranges=read_cidr("10.1.0.0/16"))) == ()
    assert assume_addresses(snapshot(UNKNOWN, CUT, families=(Family.IPV6,))) == ()


def test_ipv4_alone_is_assumed_where_nothing_shows_a_family():
    """Addresses of pods or nodes, families of Services and pod ranges show one."""
    for policy in (CUT, WHOLE):
        (assumption,) = assume_families(snapshot(UNKNOWN), rules_of([policy]))
        assert (assumption.topic, assumption.origins) == ("family", (policy.ingress[0].peers[0].origin,))
    shown = [
        snapshot(KNOWN),
        snapshot(UNKNOWN, node("n", "192.168.0.1")),
        snapshot(UNKNOWN, services=(SERVICE,)),
        snapshot(UNKNOWN, pod_ranges=read_cidr("fd00::/64")),
    ]
    assert [assume_families(world, rules_of([CUT])) for world in shown] == [()] * len(shown)
    assert assume_families(snapshot(UNKNOWN), rules_of([network_policy("x/p", "", ingress=(rule(),))])) == ()


def test_rules_are_those_of_the_directions_asked():
    """Both when none is asked."""
    policy = network_policy("x/p", "", ingress=(rule(at="in"),), egress=(rule(at="out"),))

    assert [each.origin.pointer for each in rules_of([policy], Direction.EGRESS)] == ["out"]
    assert [each.origin.pointer for each in rules_of([policy])] == ["in", "out"]
