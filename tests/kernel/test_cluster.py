"""Clusters in a real kernel: Services, both families, large programs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from ringfence.algebra.addresses import Family, read_address
from ringfence.algebra.traffic import Protocol
from ringfence.dataplane.delta import replacement
from ringfence.dataplane.nft import Datatype, Program, Set
from ringfence.edges import nft
from ringfence.edges.netns import Network
from ringfence.edges.nftables import Nftables
from ringfence.edges.packets import read_five_tuple
from ringfence.edges.probe import Fate, Probe
from ringfence.errors import NftablesError
from ringfence.lab.cluster import Cluster
from ringfence.lab.topology import lay_out
from ringfence.lab.verification import verify
from ringfence.model.snapshot import Snapshot
from tests.kernel.command import user
from tests.kernel.isolation import isolated, run_isolated
from tests.lab.small import pod_of, small

if TYPE_CHECKING:
    from ringfence.edges.probe import Result

pytestmark = pytest.mark.kernel
V4, V6 = Family.IPV4, Family.IPV6
OUTSIDER = read_address("192.0.2.127")
SERVICES = """
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec: {type: NodePort, selector: {app: db}, ports: [{port: 15432, targetPort: 5432, nodePort: 30432}]}
---
apiVersion: v1
kind: Service
metadata: {name: itself, namespace: shop}
spec: {selector: {app: db}, ports: [{port: 5432}]}
"""
DENY_ITSELF = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: shop}
spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress, Egress]}
"""
DUAL_STACK = """
apiVersion: v1
kind: Service
metadata: {name: both, namespace: shop}
spec: {selector: {app: web}, ipFamilies: [IPv4, IPv6], ports: [{port: 8080}]}
"""


def cluster(more: str) -> Cluster:
    """The small cluster with more manifests."""
    return Cluster(lay_out(small(more)))


def send(found: Cluster, source: int, destination: int, port: int) -> Result:
    """Send one TCP probe."""
    (result,) = found.prober.run([Probe(source, destination, Protocol.TCP, port)])
    return result


def address(found: Cluster, name: str, family: Family = V4) -> int:
    """The address of a pod."""
    return pod_of(found.topology.snapshot, name).addresses[family]


def service_address(found: Cluster, name: str) -> int:
    """The address of a Service."""
    return next(each.addresses[V4] for each in found.topology.snapshot.services if each.name == name)


@isolated
def test_a_service_is_translated_before_policies_are_judged():
    """The policy of the database names its own port; that of the Service is another."""
    found = cluster(SERVICES)

    result = send(found, address(found, "web-0"), service_address(found, "db"), 15432)

    assert (result.fate, result.arrived) == (Fate.REACHED, address(found, "db"))


@isolated
def test_a_drop_behind_a_service_shows_the_pod():
    """It is logged after translation, so the log names whom policies judged."""
    found = cluster(SERVICES)
    elsewhere = read_address("172.18.0.2")
    assert pod_of(found.topology.snapshot, "db").node == "node-1"

    result = send(found, elsewhere, service_address(found, "db"), 15432)

    assert result.fate is Fate.DROPPED
    assert result.logged is not None
    packet = read_five_tuple(result.logged.packet)
    assert packet is not None
    assert (packet.destination, packet.destination_port) == (address(found, "db"), 5432)


@isolated
@pytest.mark.parametrize("node", ["172.18.0.1", "172.18.0.2"])
def test_a_node_port_leads_to_the_pod_wherever_it_is(node: str):
    """From outside, at the pod's own node and at another, which masquerades; web has no policy."""
    more = """
apiVersion: v1
kind: Service
metadata: {name: front, namespace: shop}
spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, targetPort: http, nodePort: 30080}]}
"""
    found = cluster(more)

    results = [send(found, OUTSIDER, read_address(node), 30080) for _ in range(8)]

    assert {each.fate for each in results} == {Fate.REACHED}
    assert {each.arrived for each in results} == {address(found, "web-0"), address(found, "web-1")}


@isolated
def test_a_pod_reaches_itself_through_a_service():
    """Its packet comes back to it from its node; no NetworkPolicy holds it back."""
    found = cluster(SERVICES)

    result = send(found, address(found, "db"), service_address(found, "itself"), 5432)

    assert (result.fate, result.arrived) == (Fate.REACHED, address(found, "db"))


@isolated
def test_everything_agrees_in_both_families():
    """Family by family, through Services too, whatever the policies are."""
    found = cluster(f"{SERVICES}\n---\n{DUAL_STACK}\n---\n{DENY_ITSELF}")

    verification = verify(found, progress=lambda _: None)

    assert [str(each) for each in verification.differences] == []
    assert verification.through_services > 0
    assert all(verification.tally(family).tried for family in (V4, V6))


@isolated
def test_a_lab_without_pods_has_nothing_to_try():
    """And nothing to differ on."""
    verification = verify(Cluster(lay_out(Snapshot())), progress=lambda _: None)

    assert verification.comparisons == ()


@isolated
def test_an_outsider_that_nobody_was_can_be_admitted():
    """Any address outside can be tried by hand."""
    found = cluster(SERVICES)
    somebody = read_address("8.8.8.8")

    found.admit(somebody)
    found.admit(somebody)

    assert send(found, address(found, "web-0"), somebody, 53).fate is Fate.REACHED


def large_program() -> Program:
    """A set of 20,000 elements of three fields: more than an ordinary user may send at once."""
    key = (Datatype.IPV4_ADDR, Datatype.INET_PROTO, Datatype.INET_SERVICE)
    elements = tuple(((value, value), (6, 6), (80, 80)) for value in range(20_000))
    return Program("ringfence", (Set("s_large", key, elements),), (), ())


def test_a_large_program_loads_in_parts_for_an_ordinary_user():
    """In one piece the kernel would refuse it, and the message names the limit."""

    def load() -> None:
        network = Network.create()
        with pytest.raises(NftablesError, match="too large for an ordinary user") as caught:
            nft.apply(network, large_program().render())
        assert "net.core.wmem_default" in caught.value.hint
        kernel = Nftables(network)
        kernel.limit = min(kernel.limit, 400_000)  # net.core.wmem_max differs from machine to machine
        assert kernel.apply(replacement(large_program())) > 1
        assert nft.list_ruleset(network).count("tcp . 80") == 20_000

    def as_nobody() -> int:
        failure = run_isolated(load)
        os.write(2, failure.encode())
        return 1 if failure else 0

    with user(ordinary=True) as somebody:
        done = somebody.call(as_nobody)

    assert (done.code, done.err) == (0, "")
