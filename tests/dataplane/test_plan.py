"""Plans: which pods share a class, and what a class says."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given

from ringfence.algebra.addresses import EVERY, Family, render_address
from ringfence.algebra.intervals import EMPTY, Intervals
from ringfence.algebra.selectors import Selector
from ringfence.algebra.traffic import ALL
from ringfence.dataplane.plan import plan_node
from ringfence.model.origin import Origin
from ringfence.model.policy import Action, Direction, PodPeer, PodSelector, Policy, Rule, Tier
from ringfence.semantics.engine import Engine
from tests.dataplane.small import pod, small_plan, small_snapshot
from tests.worlds import Limits, snapshots

if TYPE_CHECKING:
    from ringfence.dataplane.plan import NodePlan
    from ringfence.model.snapshot import Snapshot

ADDRESSED = Limits(pods=6, addressed=True)
ORIGIN = Origin("cluster.yaml", 1, 1, "", "ClusterNetworkPolicy/not-itself", 0)
TWIN = """\
apiVersion: v1
kind: Pod
metadata: {name: web-3, namespace: shop, labels: {app: web}}
spec: {nodeName: n1, containers: [{name: main}]}
status: {podIP: 10.0.0.200}
"""
AMONG_THEMSELVES = """\
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web-among-themselves, namespace: shop}
spec:
  podSelector: {matchLabels: {app: web}}
  ingress: [{from: [{podSelector: {matchLabels: {app: web}}}]}]
"""

CLOSED_AND_NEARLY = """\
apiVersion: v1
kind: Pod
metadata: {name: closed, namespace: shop, labels: {app: closed}}
spec: {nodeName: n1, containers: [{name: main}]}
status: {podIP: 10.0.0.20}
---
apiVersion: v1
kind: Pod
metadata: {name: nearly, namespace: shop, labels: {app: nearly}}
spec: {nodeName: n1, containers: [{name: main}]}
status: {podIP: 10.0.0.21}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: closed, namespace: shop}
spec: {podSelector: {matchExpressions: [{key: app, operator: In, values: [closed, nearly]}]}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: nearly-closed, namespace: shop}
spec:
  podSelector: {matchLabels: {app: nearly}}
  ingress: [{from: [{podSelector: {matchLabels: {app: db}}}]}]
"""


def classes(plan: NodePlan) -> dict[str, list[str]]:
    """The pods of each class, by direction and name."""
    return {f"{each.direction.value} {each.name}": [pod.name for pod in each.pods] for each in plan.classes}


def test_a_class_holds_pods_of_the_node_that_are_denied_something():
    """Pods of other nodes, and pods that nothing isolates in a direction, are in no class."""
    assert classes(small_plan("n1")) == {"Egress 10.0.0.9": ["web"], "Ingress 10.0.0.5": ["db"]}
    assert classes(small_plan("n2")) == {"Egress 10.0.1.9": ["web-2"]}


def test_pods_that_may_meet_each_other_but_differ_in_their_own_address_are_one_class():
    """A replica's own address is no reason for a chain of its own."""
    plan = small_plan(more=TWIN + AMONG_THEMSELVES)

    assert classes(plan)["Ingress 10.0.0.9"] == ["web", "web-3"]
    (rows,) = (each.rows for each in plan.classes if each.direction is Direction.INGRESS and each.name == "10.0.0.9")
    (friends,) = (addresses for addresses, traffic in rows if traffic == ALL)
    assert [render_address(first) for first, _ in friends] == ["10.0.0.9", "10.0.0.200", "10.0.1.9", "192.168.0.1"]


def test_pods_that_differ_only_in_what_they_may_exchange_with_a_neighbor_are_two_classes():
    """One local pod more that may come in is a difference, although all other addresses are alike."""
    found = classes(small_plan(more=CLOSED_AND_NEARLY))

    assert (found["Ingress 10.0.0.20"], found["Ingress 10.0.0.21"]) == (["closed"], ["nearly"])


def test_a_lone_pod_s_own_address_joins_its_neighbors():
    """What a pod exchanges with itself is settled elsewhere, so its class need not be cut there."""
    (rows,) = (each.rows for each in small_plan().classes if each.direction is Direction.EGRESS)
    own = pod(small_snapshot(), "web").addresses[Family.IPV4]
    around = Intervals.of([(own - 1, own + 1)])

    assert [traffic for addresses, traffic in rows if around <= addresses]


def test_an_isolated_pod_meets_itself_by_a_hairpin_of_its_own():
    """Every pod of a class has its pair, and NetworkPolicies deny nothing in it."""
    plan = small_plan()

    assert [([pod.name for pod in each.pods], each.classes) for each in plan.hairpins] == [(["db", "web"], ())]


def test_a_pod_that_is_denied_itself_alone_has_a_hairpin_and_no_class():
    """Only the Admin and Baseline tiers can do that; the denied half is a class of its own."""
    snapshot = small_snapshot()
    db = PodSelector("shop", Selector.labels({"app": "db"}))
    itself = Rule(Action.DENY, (PodPeer(db, ORIGIN),), ALL, ORIGIN)
    policy = Policy("ClusterNetworkPolicy", "not-itself", Tier.ADMIN, db, ORIGIN, egress=(itself,))
    plan = plan_node(Engine(replace(snapshot, policies=(policy,))), "n1")

    assert plan.classes == ()
    (hairpin,) = plan.hairpins
    assert [pod.name for pod in hairpin.pods] == ["db"]
    assert [(each.direction, each.name) for each in hairpin.classes] == [(Direction.EGRESS, "10.0.0.5.self")]


def test_of_two_pods_with_one_address_the_one_that_policies_see_is_planned():
    """An address leads to one pod, on the network as in the definition."""
    snapshot = small_snapshot()
    twin = replace(pod(snapshot, "db"), name="db-old", node="n2")
    snapshot = replace(snapshot, pods=tuple(sorted((*snapshot.pods, twin), key=str)))

    assert "Ingress 10.0.0.5" not in classes(plan_node(Engine(snapshot), "n1"))
    assert classes(plan_node(Engine(snapshot), "n2"))["Ingress 10.0.0.5"] == ["db-old"]


def test_a_terminal_or_host_network_pod_is_not_planned():
    """No policy applies to them."""
    snapshot = small_snapshot()
    for change in ({"terminal": True}, {"host_network": True}):
        pods = tuple(replace(each, **change) for each in snapshot.pods)
        assert plan_node(Engine(replace(snapshot, pods=pods)), "n1").classes == ()


@given(snapshots(ADDRESSED))
def test_a_class_says_of_every_member_what_the_engine_says(snapshot: Snapshot):
    """Rows are disjoint, cover the family, and are right for each member everywhere but at itself."""
    engine = Engine(snapshot)
    for node in snapshot.nodes:
        for each in plan_node(engine, node).classes:
            assert Intervals.union(addresses for addresses, _ in each.rows) == EVERY[each.family]
            assert sum(addresses.count() for addresses, _ in each.rows) == EVERY[each.family].count()
            for member, own in zip(each.pods, each.addresses, strict=True):
                wanted = engine.permitted(member, each.direction, each.family)
                for addresses, traffic in wanted:
                    held = [found for found, other in each.rows if other == traffic]
                    assert addresses - Intervals.point(own) <= (held[0] if held else EMPTY)


@given(snapshots(ADDRESSED))
def test_a_pod_without_a_class_is_denied_nothing(snapshot: Snapshot):
    """Whoever is not in a class may exchange everything with everybody else."""
    engine = Engine(snapshot)
    for node in snapshot.nodes:
        plan = plan_node(engine, node)
        planned = {(each.direction, each.family, own) for each in plan.classes for own in each.addresses}
        for each in snapshot.pods:
            for family, own in each.addresses.items() if each.node == node and each.selectable else ():
                for direction in Direction:
                    if (direction, family, own) not in planned:
                        rest = [(a - Intervals.point(own), t) for a, t in engine.permitted(each, direction, family)]
                        assert all(traffic == ALL for addresses, traffic in rest if addresses)
