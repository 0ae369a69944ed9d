"""Who can be at an end, and which hooks of which nodes a packet meets."""

from __future__ import annotations

import pytest

from ringfence.algebra.addresses import Family, read_address
from ringfence.dataplane.nft import Hook
from ringfence.lab.ends import Ends, Place
from ringfence.lab.topology import lay_out
from ringfence.lab.wiring import pod_links
from tests.lab.small import pod_of, small

TWIN = """
apiVersion: v1
kind: Pod
metadata: {name: twin, namespace: shop}
spec: {hostNetwork: true, nodeName: node-1, containers: [{name: main}]}
"""
TOPOLOGY = lay_out(small(TWIN))
ENDS = Ends(TOPOLOGY)
AGENT = pod_of(TOPOLOGY.snapshot, "agent")
(NEAR, *_) = [pod for pod in TOPOLOGY.pods if pod.node == "node-1"]
(FAR, *_) = [pod for pod in TOPOLOGY.pods if pod.node == "node-2"]
OTHER_NODE = read_address("172.18.0.2")
OUTSIDER = read_address("192.0.2.0")


def test_no_address_stands_twice():
    """Of two host-network pods on one node the first stands for both, and for the node."""
    ends = ENDS.by_family[Family.IPV4]

    addresses = [ENDS.address(end, Family.IPV4) for end in ends]
    assert len(set(addresses)) == len(addresses)
    assert AGENT in ends
    assert pod_of(TOPOLOGY.snapshot, "twin") not in ends
    assert read_address("172.18.0.1") not in ends
    assert OTHER_NODE in ends
    assert all(address in ends for address in TOPOLOGY.outside)


def test_everybody_is_somewhere():
    """On a pod's own network, on a node's, or outside."""
    assert ENDS.place(FAR) == Place("node-2", on_host=False)
    assert ENDS.place(FAR.addresses[Family.IPV4]) == Place("node-2", on_host=False)
    assert ENDS.place(AGENT) == Place("node-1", on_host=True)
    assert ENDS.place(OTHER_NODE) == Place("node-2", on_host=True)
    assert ENDS.place(OUTSIDER) == Place(None, on_host=False)


@pytest.mark.parametrize(
    ("client", "server", "hooks"),
    [
        (NEAR, FAR, [("node-1", Hook.FORWARD), ("node-2", Hook.FORWARD)]),
        (NEAR, NEAR, [("node-1", Hook.FORWARD)]),
        (NEAR, AGENT, [("node-1", Hook.INPUT)]),
        (FAR, AGENT, [("node-2", Hook.FORWARD), ("node-1", Hook.INPUT)]),
        (AGENT, NEAR, []),
        (AGENT, FAR, [("node-2", Hook.FORWARD)]),
        (OTHER_NODE, FAR, []),
        (OUTSIDER, NEAR, [("node-1", Hook.FORWARD)]),
        (NEAR, OUTSIDER, [("node-1", Hook.FORWARD)]),
        (OUTSIDER, AGENT, [("node-1", Hook.INPUT)]),
        (AGENT, OUTSIDER, []),
    ],
)
def test_a_packet_meets_the_hooks_on_its_way(client, server, hooks):  # noqa: ANN001 - ends of every kind
    """Forward where it passes, input where it ends, none where a node itself sends."""
    assert [(each.node, each.hook) for each in ENDS.crossings(client, server)] == hooks


def test_a_packet_comes_and_goes_by_the_links_of_its_ends():
    """A pod's own, the one between the nodes, and none where it is for the node itself."""
    near, far = (pod_links(TOPOLOGY)[str(pod)] for pod in (NEAR, FAR))

    assert [each[2:] for each in ENDS.crossings(NEAR, FAR)] == [(near, "uplink"), ("uplink", far)]
    assert [each[2:] for each in ENDS.crossings(NEAR, NEAR)] == [(near, near)]
    assert [each[2:] for each in ENDS.crossings(FAR, AGENT)] == [(far, "uplink"), ("uplink", "")]
