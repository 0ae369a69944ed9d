"""What nodes hold, read back and compared with the engine: nothing that somebody changes by hand goes unseen."""

from __future__ import annotations

import pytest

from ringfence.edges import nft
from ringfence.lab.cluster import Cluster
from ringfence.lab.held import prove_nodes
from ringfence.lab.topology import lay_out
from ringfence.lab.verification import Verification
from ringfence.lab.words import tell_verification
from tests.kernel.isolation import isolated
from tests.lab.small import pod_of, small

pytestmark = pytest.mark.kernel
EDITS = {
    "insert rule inet ringfence fwd_o accept": "packets from pods: ",
    "insert rule inet ringfence hook_input drop": "packets to the node: ",
    "insert rule inet ringfence fwd_r drop": "replies to pods: ",
    "insert rule inet ringfence from_pod accept": "packets by another pod's link: ",
    "add rule inet ringfence fwd_o quota over 1 mbytes": "a rule of chain fwd_o: ",
    "insert rule inet ringfence fwd_o limit rate 1/second burst 5 packets drop": "packets from pods: the program",
    "add chain inet ringfence hook_forward { policy drop; }": "chain hook_forward: its hook",
    "flush ruleset": "there is no table ringfence",
}
"""What somebody does to a node, and the beginning of something that is said of it."""


@isolated
def test_a_cluster_is_proved_and_every_edit_is_seen():
    """Of the node with the pod that is isolated; the others are right all the time."""
    found = Cluster(lay_out(small("")))
    node = pod_of(found.topology.snapshot, "db").node
    assert node
    network = found.nodes[node]
    for edit, said in EDITS.items():
        assert all(each.holds for each in prove_nodes(found))
        before = nft.list_ruleset(network)
        nft.apply(network, edit + "\n")
        (told,) = (each for each in prove_nodes(found) if each.node == node)
        lines = [*told.lines(found.topology.snapshot)]

        assert not told.holds, edit
        assert [line for line in lines if line.startswith(f"{node}: {said}")], (edit, lines)
        words = tell_verification(found.ends, Verification((), 0, 0.0, nodes=(told,)))
        assert not words.good
        assert lines[0] in words.text
        nft.apply(network, f"flush ruleset\n{before}")
    found.close()
