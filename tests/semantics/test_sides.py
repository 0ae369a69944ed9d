"""Sides: whom a name means, and how they are grouped."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ringfence.algebra.addresses import Family, read_address, read_cidr
from ringfence.algebra.traffic import Protocol
from ringfence.errors import InputError
from ringfence.model.service import Service, ServicePort
from ringfence.semantics.scene import Scenes
from ringfence.semantics.sides import Sides
from tests.parts import block, labels, network_policy, node, place, pod, port, rule, snapshot

CLUSTER = snapshot(
    pod("x/a-0", "app=a", workload="Deployment/a", node="n1"),
    pod("x/a-1", "app=a,noise=1", workload="Deployment/a", node="n2"),
    pod("x/b", "app=b", "10.0.0.2", ports=(port("web", 80),)),
    pod("x/twin-0", workload="Deployment/twin"),
    pod("x/twin-a", workload="StatefulSet/twin"),
    pod("x/done", terminal=True),
    pod("y/host", node="n1", host_network=True),
    node("n1", "192.168.0.1"),
    node("n2", "192.168.0.2"),
    network_policy("x/from-a", "app=a", ingress=(rule(block("10.0.0.0/24", "10.0.0.128/25")),)),
)
SIDES = Sides(CLUSTER, "x", Scenes(CLUSTER))


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("x/twin", "client: x/twin is the name of several workloads", "write x/deploy/twin or x/sts/twin"),
        ("x/aa", "client: nothing is named x/aa", "try x/a"),
        ("x:app=bb", "client: nothing is named x:app=bb", "try x:app=b"),
        ("zzz/qqq", "client: nothing is named zzz/qqq", "name a pod or workload"),
        ("done", "client: x/done has finished and can no longer connect", ""),
        ("svc:x/a", "client: there is no Service x/a", "give manifests of Services too"),
        ("node:n3", "client: no node is named n3", "known here: n1, n2"),
        ("x/rollout/a", "client: 'rollout' is no kind of workload here: one of pod, deploy", ""),
        ("svc:", "client: 'svc:' is no name", "name a pod or workload"),
    ],
)
def test_a_name_without_one_meaning_is_refused_with_what_comes_near(text: str, message: str, hint: str):
    """The candidates, or the nearest names, are the hint."""
    with pytest.raises(InputError) as refusal:
        SIDES.find("client", text)
    assert refusal.value.message.startswith(message)
    assert refusal.value.hint.startswith(hint)


def test_where_there_are_no_pods_the_hint_says_so():
    """No spelling would help."""
    empty = snapshot()
    with pytest.raises(InputError, match="there are no pods") as refusal:
        Sides(empty, "x", Scenes(empty)).find("server", "x/a")
    assert refusal.value.hint == "give manifests of pods too, or read a cluster whose pods you may list"


def test_an_address_of_a_pod_means_the_pod_and_a_cidr_those_in_it():
    """The rest of a CIDR is everybody there who is no pod."""
    party = SIDES.find("server", "10.0.0.0/30")

    assert [(str(each), families) for each, families in party.pods] == [("x/b", (Family.IPV4,))]
    assert party.addresses == read_cidr("10.0.0.0/30") - read_cidr("10.0.0.2/32")
    assert SIDES.find("server", "10.0.0.2").addresses == read_cidr("10.0.0.2/32") - read_cidr("10.0.0.2/32")


def grouped(client: str, server: str) -> list[list[str]]:
    """The members of each group of clients, by name."""
    sides = SIDES.meet(SIDES.find("client", client), SIDES.find("server", server))
    return [[SIDES.label(side.members([number])) for number in range(len(side.groups))] for side in sides]


def test_pods_that_no_policy_tells_apart_are_one_group():
    """Labels that no selector names do not matter, nor do nodes among pods."""
    assert grouped("x/a", "x/b") == [["x/a"], ["x/b"]]


def test_pods_are_told_apart_by_whether_their_address_is_known():
    """Only of an unknown address something is assumed, though no block tells the two apart."""
    world = snapshot(pod("x/a", "", "10.9.0.1"), pod("x/b"), pod("y/c"))
    sides = Sides(world, "x", Scenes(world))
    clients, _ = sides.meet(sides.find("client", "x/"), sides.find("server", "y/c"))

    assert [sides.label(group.members) for group in clients.groups] == ["x/a", "x/b"]


def test_pods_are_told_apart_by_node_where_the_other_side_is_on_a_node():
    """The own node always reaches its pods, and only its own."""
    assert grouped("y/host", "x/a") == [["y/host"], ["x/a-0", "x/a-1"]]
    assert grouped("192.168.0.0/29", "x/a") == [["192.168.0.1/32", *AROUND_NODES], ["x/a-0", "x/a-1"]]


AROUND_NODES = ["192.168.0.2/32", "192.168.0.0/32, 192.168.0.3/32, 192.168.0.4/30"]


def test_node_addresses_are_told_apart_by_where_a_pod_runs_that_may_have_an_address_of_the_other_side():
    """A pod without an address may have any of the range of pods, and its own node always reaches it."""
    world = snapshot(pod("x/a", node="n1"), *CLUSTER.nodes.values(), pod_ranges=read_cidr("10.250.0.0/16"))
    sides = Sides(world, "x", Scenes(world))
    clients, _ = sides.meet(sides.find("client", "192.168.0.1/30"), sides.find("server", "10.250.0.0/16"))

    shown = [sides.label(group.members) for group in clients.groups]
    assert shown == ["192.168.0.1/32", "192.168.0.2/32", "192.168.0.0/32, 192.168.0.3/32"]


def test_addresses_are_told_apart_by_the_blocks_of_the_other_side_s_policies():
    """Blocks that policies of nobody at the other side name do not cut."""
    assert grouped("10.0.0.0/23", "x/a") == [["x/b", "10.0.0.0/25", "10.0.0.128/25, 10.0.1.0/24"], ["x/a"]]
    assert grouped("10.0.0.0/23", "x/b") == [["x/b", "10.0.0.0/23"], ["x/b"]]


SERVICES = (
    Service("x", "web", "ClusterIP", labels("app=a"), (), place(), {Family.IPV4: read_address("10.96.0.10")}),
    Service("x", "bare", "ClusterIP", None, (), place(), {Family.IPV6: read_address("fd00::10")}),
    Service("x", "odd", "ClusterIP", labels("app=b"), (), place(), {Family.IPV4: read_address("10.0.0.2")}),
)


@pytest.mark.parametrize("client", ["10.96.0.10", "10.96.0.10/32"])
def test_the_address_of_a_service_is_no_client(client: str):
    """Nobody speaks from there, so any answer would mislead."""
    world = replace(CLUSTER, services=SERVICES)
    sides = Sides(world, "x", Scenes(world))
    with pytest.raises(InputError) as refusal:
        sides.meet(sides.find("client", client), sides.find("server", "x/b"))

    assert refusal.value.message == "client: 10.96.0.10 is the address of Service x/web; nobody speaks from it"
    assert refusal.value.hint == "ask about the pods behind it: svc:x/web"


def test_a_service_s_name_means_the_pods_behind_it():
    """Reasons name them one by one."""
    web = replace(SERVICES[0], ports=(ServicePort("", Protocol.TCP, 80, 8080),))
    world = replace(CLUSTER, services=(web,))
    party = Sides(world, "x", Scenes(world)).find("client", "svc:x/web")

    assert [str(pod) for pod, _ in party.pods] == ["x/a-0", "x/a-1"]
    assert (party.name, party.by_address) == ("svc:x/web", True)


def test_a_node_s_name_means_its_addresses_and_the_internet_all_that_is_nobody_s():
    """Both are ends that no policy selects."""
    assert SIDES.find("client", "node:n1").addresses == read_cidr("192.168.0.1/32")
    assert read_cidr("8.8.8.0/24") <= SIDES.find("client", "internet").addresses
    assert not SIDES.find("client", "internet").addresses & read_cidr("192.168.0.1/32")


def test_addresses_of_services_among_others_are_pointed_out():
    """A pod's address is the pod's, whatever a Service claims."""
    world = replace(CLUSTER, services=SERVICES)
    sides = Sides(world, "x", Scenes(world))
    (told,) = sides.premises_of(sides.find("server", "10.96.0.0/12"))

    assert told.topic == "service-address"
    assert told.text == "addresses of Services, such as 10.96.0.10 of x/web, are judged like any others"
    assert not [*sides.premises_of(sides.find("server", "10.0.0.0/24"))]
    assert [*sides.premises_of(sides.find("server", "fd00::/121"))]
    assert not [*sides.premises_of(sides.find("server", "x/a"))]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("10.0.0.7", "such as 10.0.0.7, are taken for nobody's"),
        ("10.9.0.0/16", "such as 10.9.0.2, are taken for nobody's"),
        ("10.0.0.2", ""),
        ("10.9.0.0/31", ""),
        ("10.96.0.10", ""),
        ("internet", ""),
        ("x/b", ""),
    ],
)
def test_an_address_that_a_pod_may_have_is_pointed_out(text: str, said: str):
    """One in the range of pods, that no pod, node or Service has; without policies it makes no difference."""
    tunnels = replace(node("n1"), tunnels=(read_address("10.9.0.0"), read_address("10.9.0.1")))
    overlay = replace(tunnels, pod_ranges=read_cidr("10.9.0.0/24"))
    ranges = read_cidr("10.0.0.0/24") | read_cidr("10.96.0.10/32")
    world = replace(CLUSTER, services=SERVICES, pod_ranges=ranges, nodes={"n1": overlay})
    sides = Sides(world, "x", Scenes(world))
    told = [each for each in sides.premises_of(sides.find("client", text)) if each.topic == "pod-range"]

    assert len(told) == bool(said)
    assert all(each.text.endswith(said) for each in told)
    open_world = replace(world, policies=())
    sides = Sides(open_world, "x", Scenes(open_world))
    assert "pod-range" not in {each.topic for each in sides.premises_of(sides.find("client", text))}


def test_a_reason_names_a_few_pods_and_counts_more():
    """A reason is one clause, however many it is about."""
    assert SIDES.spoken(CLUSTER.pods[:2]) == "x/a"
    assert SIDES.spoken(tuple(SIDES.directory.pods[1:])) == "5 pods"
