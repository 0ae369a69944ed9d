"""An engine that follows its cluster: what it takes over, what it cuts, and what it makes anew."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ringfence.algebra.addresses import EVERY, Family
from ringfence.algebra.intervals import EMPTY, Intervals
from ringfence.algebra.selectors import Selector
from ringfence.algebra.traffic import ALL
from ringfence.model.cluster import NAME_LABEL, Namespace, Pod
from ringfence.model.events import Events
from ringfence.model.policy import Direction, Policy
from ringfence.model.snapshot import Snapshot
from ringfence.semantics.engine import FOLLOWED, Engine
from tests.parts import block, named, network_policy, node, pod, pods, port, rule, snapshot, tcp

A = pod("x/a", "app=a", "10.0.0.1")
B = pod("x/b", "app=b", "10.0.0.2")
C = pod("x/c", "app=b,tier=c", "10.0.0.3")
POLICY = network_policy("x/p", "app=a", ingress=(rule(pods("app=b"), traffic=tcp(80)),))
WORLD = snapshot(A, B, C, POLICY)
FAMILY = Family.IPV4
NODE = node("n9", "192.168.0.9")
NARROWER = network_policy("x/p", "app=a", ingress=(rule(pods("tier=c"), traffic=tcp(80)),))


def followed(*parts: object, **facts: object) -> Engine:
    """An engine that has judged all pairs of the world, and then follows it to another."""
    engine = Engine(WORLD)
    list(engine.blocks(FAMILY))
    return engine.after(snapshot(*parts, **facts))  # type: ignore[arg-type]


def classes(engine: Engine) -> list[list[str]]:
    """The names of the pods in each class."""
    return [[pod.name for pod in pods] for pods in engine.classes]


def mapped(engine: Engine, client: Pod, server: Pod) -> Intervals:
    """What all pairs at once say of one; it has to be what is said of it alone."""
    ends = (
        (engine.ends(found.clients).pods, engine.ends(found.servers).pods, found) for found in engine.blocks(FAMILY)
    )
    said = [found.traffic.allowed for clients, servers, found in ends if client in clients and server in servers]
    (told,) = said or [EMPTY]
    assert told == engine.allowed(client, server, FAMILY).allowed
    return told


def test_a_new_selector_cuts_the_class_that_it_tells_apart():
    """All other classes keep their numbers, and the rows of all are at hand, but for those of the policy."""
    engine = followed(A, B, C, NARROWER)

    assert engine.follows
    assert classes(engine) == [["a"], ["b"], ["c"]]
    assert [mapped(engine, each, A) for each in (B, C)] == [EMPTY, tcp(80)]


def test_a_selector_that_matches_whole_classes_cuts_none():
    """More is told of those who are in it, and they are as many."""
    everyone = network_policy("x/q", ingress=(rule(traffic=tcp(81)),))
    engine = followed(A, B, C, POLICY, everyone)

    assert engine.follows
    assert classes(engine) == [["a"], ["b", "c"]]
    assert mapped(engine, A, B) == tcp(81)


def test_a_port_that_nobody_named_makes_traffic_finer():
    """What was said of the whole is said of its parts."""
    engine = followed(A, B, C, POLICY, network_policy("x/q", "app=b", egress=(rule(traffic=tcp(70, 80)),)))

    assert engine.follows
    assert mapped(engine, B, A) == tcp(80)
    assert mapped(engine, B, C) == tcp(70, 80)
    assert mapped(engine, A, C) == ALL


def test_a_pod_of_a_known_kind_joins_its_class():
    """Nothing is worked out for it."""
    new = pod("x/d", "app=b", "10.0.0.4")
    engine = followed(A, B, C, new, POLICY)

    assert engine.follows
    assert classes(engine) == [["a"], ["b", "c", "d"]]
    assert mapped(engine, new, A) == tcp(80)


def test_a_pod_of_a_new_kind_stands_beside_one_that_differs_in_labels_alone():
    """It is told apart from everybody, and judged by what its own labels say."""
    new = pod("x/d", "", "10.0.0.4")
    engine = followed(A, B, C, new, POLICY)

    assert engine.follows
    assert classes(engine) == [["a"], ["b", "c"], ["d"]]
    assert [mapped(engine, new, each) for each in (A, B)] == [EMPTY, ALL]


def test_a_pod_with_other_labels_is_judged_by_those():
    """What was said of it by its old ones is not taken over."""
    changed = replace(B, labels={})
    engine = followed(A, changed, C, POLICY)

    assert engine.follows
    assert classes(engine) == [["a"], ["c"], ["b"]]
    assert [mapped(engine, each, A) for each in (changed, C)] == [EMPTY, tcp(80)]


def test_a_class_without_pods_is_nobody():
    """It is in no block, and a policy that was for it alone is for nobody."""
    engine = followed(B, C, POLICY)

    assert engine.follows
    assert classes(engine) == [[], ["b", "c"]]
    assert not engine.selects_anybody(POLICY)
    for found in engine.blocks(FAMILY):
        assert all(each.pods or each.addresses for each in map(engine.ends, (found.clients, found.servers)))


def test_a_rule_for_pods_that_are_gone_changes_nothing():
    """Their class is still told apart, and has nobody in it."""
    (rule,) = POLICY.ingress

    assert Engine(WORLD).changes_without(POLICY, rule)
    assert not followed(A, POLICY).changes_without(POLICY, rule)


def test_a_namespace_with_other_labels_takes_its_pods_along():
    """They are in other classes, and what names the label means them, or no longer does."""
    labelled = pods("app=b", scope=Selector.labels({"env": "prod"}))
    policy = network_policy("x/p", "app=a", ingress=(rule(labelled),))
    worlds = [
        replace(snapshot(A, B, C, policy), namespaces={"x": Namespace("x", {NAME_LABEL: "x", "env": env})})
        for env in ("prod", "dev")
    ]
    engine = Engine(worlds[0]).after(worlds[1])

    assert engine.follows
    assert mapped(engine, B, A) == EMPTY


def permitted(engine: Engine, pod: Pod) -> dict[Intervals, Intervals]:
    """What a server lets everybody open, by traffic."""
    return {traffic: addresses for addresses, traffic in engine.permitted(pod, Direction.INGRESS, FAMILY)}


def test_what_a_new_selector_leaves_alone_is_said_of_addresses_as_before():
    """Who is cut out of a class has the same address still, so the rows of others are the same objects."""
    engine = Engine(WORLD)
    before = engine.permitted_apart(A, Direction.INGRESS, FAMILY)[0]
    after = engine.after(snapshot(A, B, C, POLICY, network_policy("x/q", "app=b", ingress=(rule(pods("tier=c")),))))

    assert after.follows
    assert classes(after) == [["a"], [], ["b"], ["c"]]
    assert after.permitted_apart(A, Direction.INGRESS, FAMILY)[0] is before
    assert permitted(after, B) == permitted(Engine(after.snapshot), B)


@pytest.mark.parametrize(
    "others",
    [
        pytest.param((replace(B, addresses=C.addresses),), id="to the address of another, who is gone"),
        pytest.param((pod("x/b", "app=b", "10.0.0.9"), C), id="to one that was nobody's"),
        pytest.param((pod("x/b", "", "10.0.0.2"), C), id="in place, with other labels"),
        pytest.param((C,), id="nowhere"),
    ],
)
def test_a_pod_that_goes_elsewhere_takes_what_is_allowed_along(others: tuple[Pod, ...]):
    """The address that it had is that of whoever has it now, or nobody's."""
    engine = Engine(WORLD)
    permitted(engine, A)
    after = engine.after(snapshot(A, *others, POLICY))

    assert after.follows
    assert permitted(after, A) == permitted(Engine(after.snapshot), A)
    (clients,) = (addresses for traffic, addresses in permitted(after, A).items() if traffic == tcp(80))
    peers = (each for other in others if "app" in other.labels for each in other.addresses.values())
    assert clients == Intervals.of((address, address) for address in peers)
    assert Intervals.union(after.universe.addresses) == Intervals.union(EVERY.values())


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param((network_policy("x/p", egress=(rule(block("10.0.0.0/30")),)),), id="a block that no policy named"),
        pytest.param((network_policy("x/p", egress=(rule(**named("web")),)),), id="a port by name asked of everyone"),
        pytest.param((POLICY, node("n1", "192.168.0.1")), id="another node"),
        pytest.param((POLICY, pod("x/d", host_network=True)), id="a pod on its node's network, the first"),
        pytest.param((POLICY, pod("x/d", "", "fd00::1")), id="the first pod of another family"),
        pytest.param((POLICY, pod("x/d", "", "192.168.0.9"), NODE), id="a pod that claims a node's address"),
    ],
)
def test_what_cannot_be_followed_is_judged_afresh(parts: tuple[object, ...]):
    """The engine says so, and its answers are as good."""
    world = replace(WORLD, nodes={part.name: part for part in parts if part is NODE})
    engine = Engine(world).after(snapshot(A, B, C, *parts))

    assert not engine.follows
    assert all(engine.classes)


@pytest.mark.parametrize("other", [replace(POLICY, ingress=()), NARROWER], ids=["rules", "classes"])
def test_what_piles_up_is_dropped_after_many_changes(other: Policy):
    """Whatever the changes are; answers are the same."""
    engine, worlds = Engine(WORLD), [snapshot(A, B, C, policy) for policy in (other, POLICY)]
    followed = []
    for number in range(FOLLOWED + 2):
        engine = engine.after(worlds[number % 2])
        followed.append(engine.follows)

    assert followed == [*range(1, FOLLOWED + 1), 0, 1]
    assert [mapped(engine, each, A) for each in (B, C)] == [tcp(80), tcp(80)]


def test_a_port_by_name_is_asked_of_more_pods():
    """A rule that names one makes classes of those who have it, and of those who do not."""
    one, other = (pod("x/d", "", "10.0.0.4", ports=(port("web", number),)) for number in (80, 81))
    other = replace(other, name="e")
    world = snapshot(one, other, network_policy("x/p", ingress=()))
    engine = Engine(world).after(replace(world, policies=(network_policy("x/p", ingress=(rule(**named("web")),)),)))

    assert engine.follows
    assert sorted(classes(engine)) == [[], ["d"], ["e"]]
    assert [mapped(engine, a, b) for a, b in ((one, other), (other, one))] == [tcp(81), tcp(80)]


def test_a_port_by_name_is_asked_of_everybody_in_a_class():
    """The class is the same, and its port is told from all others."""
    server, client = pod("x/d", "", "10.0.0.4", ports=(port("web", 80),)), pod("y/e", "", "10.0.0.5")
    world = snapshot(server, client, network_policy("x/p", ingress=()))
    engine = Engine(world).after(replace(world, policies=(network_policy("x/p", ingress=(rule(**named("web")),)),)))

    assert engine.follows
    assert classes(engine) == [["d"], ["e"]]
    assert mapped(engine, client, server) == tcp(80)


def test_events_are_found_by_the_objects_that_are_others():
    """A pod and a policy that are the same objects are not looked at."""
    other, gone = replace(B, labels={}), replace(WORLD, pods=(A, C))
    found = Events.between(WORLD, replace(WORLD, pods=(A, other, C), policies=(NARROWER,)))

    assert found == Events(((B, other),), (POLICY,), (NARROWER,), frozenset(), cluster=False)
    assert Events.between(gone, WORLD).pods == ((None, B),)
    assert Events.between(WORLD, gone).pods == ((B, None),)
    assert Events.between(WORLD, Snapshot()).pods == ((A, None), (B, None), (C, None))


def test_an_address_that_two_pods_claim_is_looked_up_afresh():
    """Whoever is left has it, when the other one goes."""
    twice = replace(B, name="z", addresses=A.addresses)
    engine = Engine(snapshot(A, B, twice, POLICY))
    (address,) = A.addresses.values()

    assert engine.snapshot.pod_at(address) is twice
    after = engine.after(snapshot(A, B, C, POLICY))
    assert after.follows
    assert after.snapshot.pod_at(address) is A
