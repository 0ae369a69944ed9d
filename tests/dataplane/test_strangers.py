"""Addresses that a pod may have of which nobody has heard: closed where a rule denies pods, and nowhere else."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pytest
from hypothesis import given

from ringfence.algebra.addresses import family_of, read_address, read_cidr
from ringfence.algebra.intervals import EMPTY, Intervals
from ringfence.algebra.traffic import ALL, Protocol, ports
from ringfence.dataplane.plan import plan_node
from ringfence.dataplane.strangers import denied_to_pods, strange_addresses
from ringfence.model.policy import Direction
from ringfence.semantics.engine import Engine
from tests.dataplane.small import pod, small_snapshot
from tests.worlds import Limits, boundary_addresses, snapshots

if TYPE_CHECKING:
    from ringfence.dataplane.plan import NodePlan
    from ringfence.model.snapshot import Snapshot

NOBODY, WEB_2, TUNNEL, OUTSIDE, FREE = map(read_address, ("10.0.1.77", "10.0.1.9", "10.0.1.1", "8.8.8.8", "10.0.0.50"))
RANGES = """
apiVersion: v1
kind: Node
metadata: {name: n3, annotations: {projectcalico.org/IPv4VXLANTunnelAddr: 10.0.1.1}}
spec: {podCIDR: 10.0.1.0/24, podCIDRs: [10.0.1.0/24]}
status: {addresses: [{type: InternalIP, address: 192.168.0.3}]}
"""
POLICY = """
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: guard}
spec:
  tier: TIER
  priority: 1
  subject: {pods: {podSelector: {matchLabels: {app: db}}, namespaceSelector: {}}}
  ingress:
  - {action: Deny, from: [{PEER}], protocols: [{tcp: {destinationPort: {number: 22}}}]}
"""
PODS = "pods: {podSelector: {}, namespaceSelector: {}}"
SSH = ports(Protocol.TCP, 22, 22)
FREE_DB = """
apiVersion: v1
kind: Pod
metadata: {name: free, namespace: other, labels: {app: db}}
spec: {nodeName: n1, containers: [{name: main}]}
status: {podIP: 10.0.0.50}
"""


def world(tier: str = "Admin", peer: str = PODS) -> Snapshot:
    """The small cluster with a policy of the cluster, a database that nothing isolates, and a range of pods."""
    policy = POLICY.replace("TIER", tier).replace("PEER", peer)
    return small_snapshot(f"{RANGES}\n---\n{policy}\n---\n{FREE_DB}")


def allowed(plan: NodePlan, own: int, peer: int, direction: Direction = Direction.INGRESS) -> Intervals:
    """The traffic that a pod of the plan may exchange with an address."""
    found = [
        traffic
        for each in plan.classes
        if each.direction is direction and own in each.addresses
        for addresses, traffic in each.rows
        if peer in addresses
    ]
    return found[0] if found else ALL


def test_strange_is_what_pods_can_have_and_nobody_is_known_to_have():
    """Pods, nodes and the ends of tunnels are known."""
    strange = strange_addresses(world())

    assert NOBODY in strange
    assert [each for each in (WEB_2, TUNNEL, OUTSIDE) if each in strange] == []


def test_a_strange_address_is_closed_to_what_a_pod_could_be_denied():
    """What the rule does not name stays open, and so does everything to whoever is known or outside."""
    snapshot = world()
    plan = plan_node(Engine(snapshot), "n1", strange=strange_addresses(snapshot))

    assert allowed(plan, FREE, NOBODY) == ALL - SSH
    assert allowed(plan, FREE, OUTSIDE) == ALL
    assert allowed(plan, FREE, WEB_2) == ALL - SSH
    assert allowed(plan_node(Engine(snapshot), "n1"), FREE, NOBODY) == ALL


@pytest.mark.parametrize(
    ("tier", "peer", "own", "denied"),
    [
        ("Admin", PODS, "free", SSH),
        ("Admin", PODS, "db", SSH),
        ("Baseline", PODS, "free", SSH),
        ("Baseline", PODS, "db", EMPTY),
        ("Admin", "namespaces: {matchLabels: {a: b}}", "free", SSH),
        ("Admin", PODS, "web", EMPTY),
    ],
)
def test_only_a_rule_that_can_be_reached_and_chooses_pods_counts(tier: str, peer: str, own: str, denied: Intervals):
    """An isolated pod never comes to the Baseline tier, and a pod that no policy selects is open."""
    snapshot = world(tier, peer)
    chosen = next(each for each in snapshot.pods if each.name == own)

    assert denied_to_pods(snapshot, chosen, Direction.INGRESS) == denied
    assert denied_to_pods(snapshot, chosen, Direction.EGRESS) == EMPTY
    assert pod(snapshot, "web")


STRANGE = Intervals.union(map(read_cidr, ("10.0.0.192/26", "10.1.0.0/30", "fd00:2::/126")))


@given(snapshots(Limits(pods=6, addressed=True)))
def test_nothing_else_changes_and_nothing_is_opened(snapshot: Snapshot):
    """What is not strange may exchange what it could; what is strange no more than that."""
    engine = Engine(snapshot)
    strange = STRANGE - Intervals.of((a, a) for each in snapshot.pods for a in each.addresses.values())
    before, after = plan_node(engine, "n1"), plan_node(engine, "n1", strange=strange)
    local = {a for each in snapshot.pods if each.node == "n1" for a in each.addresses.values()}
    peers = {*boundary_addresses(snapshot), *(first for first, _ in strange), *local}
    for own, peer, direction in product(local, peers, Direction):
        if own != peer and family_of(own) is family_of(peer):
            had, has = (allowed(plan, own, peer, direction) for plan in (before, after))
            assert has == had or (peer in strange and not has - had)
