"""What is tried: every declared port, an undeclared one, and at last one pair for each two classes."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from ringfence.algebra.addresses import Family, read_address
from ringfence.algebra.traffic import Protocol
from ringfence.lab import probes
from ringfence.lab.ends import Ends
from ringfence.lab.probes import Trials
from ringfence.lab.topology import lay_out
from ringfence.model.cluster import Pod
from ringfence.semantics.engine import Engine
from tests.lab.small import pod_of, small

if TYPE_CHECKING:
    import pytest

    from ringfence.lab.probes import Trial
    from ringfence.model.connection import End

OUTSIDER = read_address("192.0.2.0")


def trials(more: str = "") -> Trials:
    """The trials of the small cluster."""
    topology = lay_out(small(more))
    return Trials(Engine(topology.snapshot), Ends(topology))


def between(found: Trials, client: End, server: End) -> set[tuple[Protocol, int]]:
    """What is tried between two ends, directly."""
    return {
        (each.connection.protocol, each.connection.port)
        for each in found.plan().trials
        if (each.connection.client, each.connection.server) == (client, server) and not each.frontend
    }


def test_declared_ports_an_undeclared_one_and_icmp_are_tried():
    """On a pod: what it declares, and 7 for TCP and UDP, because nobody names it."""
    found = trials()
    snapshot = found.engine.snapshot

    tried = between(found, pod_of(snapshot, "web-0"), pod_of(snapshot, "db"))

    assert tried == {
        (Protocol.TCP, 5432),
        (Protocol.UDP, 8125),
        (Protocol.TCP, 7),
        (Protocol.UDP, 7),
        (Protocol.ICMP, 0),
    }


def test_both_ends_of_a_range_that_an_egress_rule_names_are_tried_outside():
    """Whoever is outside declares nothing; the rules of the client say what matters."""
    found = trials()

    tried = between(found, pod_of(found.engine.snapshot, "db"), OUTSIDER)

    assert {port for protocol, port in tried if protocol is Protocol.TCP} == {8000, 8010, 7}


def test_sctp_is_tried_where_it_is_named():
    """A container that declares it gets that port and an undeclared one; nobody else does."""
    sctp = """
apiVersion: v1
kind: Pod
metadata: {name: diameter, namespace: shop}
spec: {containers: [{name: main, ports: [{containerPort: 3868, protocol: SCTP}]}]}
"""
    found = trials(sctp)
    snapshot = found.engine.snapshot

    tried = between(found, pod_of(snapshot, "db"), pod_of(snapshot, "diameter"))

    assert {port for protocol, port in tried if protocol is Protocol.SCTP} == {3868, 7}
    assert not any(p is Protocol.SCTP for p, _ in between(found, pod_of(snapshot, "web-0"), pod_of(snapshot, "db")))


def test_the_undeclared_port_is_really_nobody_s():
    """A range that holds 7 moves it."""
    policy = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: low, namespace: shop}
spec:
  podSelector: {matchLabels: {app: web}}
  ingress: [{ports: [{port: 1, endPort: 11}]}]
"""
    found = trials(policy)
    snapshot = found.engine.snapshot

    tried = between(found, pod_of(snapshot, "db"), pod_of(snapshot, "web-0"))

    assert {port for protocol, port in tried if protocol is Protocol.TCP} == {1, 11, 12, 8080}


def test_every_ordered_pair_with_a_pod_is_tried():
    """Pods, nodes and the outside; two of the latter are not the policies' business."""
    found = trials()
    ends = found.ends.by_family[Family.IPV4]

    tried = (
        {(each.connection.client, each.connection.server) for each in direct(found)}
        if False
        else [(each.connection.client, each.connection.server) for each in direct(found)]
    )

    wanted = [(a, b) for a in ends for b in ends if a != b and (isinstance(a, Pod) or isinstance(b, Pod))]
    assert all(pair in tried for pair in wanted)
    assert all(pair in wanted for pair in tried)


def direct(found: Trials) -> list[Trial]:
    """The trials that go through no Service."""
    return [each for each in found.plan().trials if not each.frontend]


def test_those_with_one_server_follow_each_other():
    """Listeners are opened once for all of them."""
    servers = [str(each.connection.server) for each in direct(trials())]

    changes = sum(one != other for one, other in pairwise(servers))
    assert changes == len(set(servers)) - 1


def test_a_service_is_tried_by_each_class_and_by_its_own_endpoints():
    """The latter meet themselves, should the kernel choose so."""
    found = trials()

    through = [each for each in found.plan().trials if each.frontend]

    clients = {each.connection.client.name for each in through if isinstance(each.connection.client, Pod)}
    assert {"web-0", "web-1", "db", "agent"} <= clients
    assert {each.connection.via for each in through} == {"shop/web"}
    assert {each.probe(found.ends).port for each in through} == {80}


def test_too_many_are_one_pair_for_each_two_classes(monkeypatch: pytest.MonkeyPatch):
    """Every class still meets every other; ``every`` tries them all."""
    found = trials()
    everything = found.plan()
    monkeypatch.setattr(probes, "ENOUGH", 10)

    few = found.plan()

    assert len(few.trials) < len(everything.trials) == few.total
    assert found.plan(every=True).trials == everything.trials
    assert meetings(found, few.trials) == meetings(found, everything.trials)


def meetings(found: Trials, some: tuple[Trial, ...]) -> set[tuple[object, object]]:
    """Which classes of pods meet each other, or addresses."""

    def kind(end: End) -> object:
        return found.engine.class_of(end) if isinstance(end, Pod) else found.ends.place(end)

    return {(kind(each.connection.client), kind(each.connection.server)) for each in some}
