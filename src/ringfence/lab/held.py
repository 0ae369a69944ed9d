"""What the nodes of a lab hold: read back from the kernel and compared with the engine, rules and flows alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import render_address
from ringfence.dataplane.attribution import connection_of
from ringfence.dataplane.flows import FlowJudge, JudgedFlows, Unjudged
from ringfence.dataplane.names import TABLE
from ringfence.dataplane.netlink.dump import read_dump
from ringfence.dataplane.nft import NUMBERS, TableFamily
from ringfence.dataplane.proof import Proof, prove
from ringfence.edges import conntrack
from ringfence.edges.nftables import Nftables
from ringfence.report.counting import counted
from ringfence.semantics import judging
from ringfence.semantics.dialects import RINGFENCE
from ringfence.semantics.spec import verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.algebra.addresses import Address
    from ringfence.dataplane.netlink.dump import Dump
    from ringfence.dataplane.proof import Difference
    from ringfence.dataplane.simulate import Packet
    from ringfence.edges.netns import Network
    from ringfence.lab.cluster import Cluster
    from ringfence.model.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class NodeProof:
    """What came of comparing one node.

    Attributes:
        node: The node's name.
        proof: What differs.
        strange: What the kernel holds beside our rules, or that there is no table.
    """

    node: str
    proof: Proof
    strange: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether the node enforces exactly what it should."""
        return self.proof.holds and not self.strange

    def lines(self, snapshot: Snapshot) -> Iterator[str]:
        """Yield a line for each thing that is wrong: for a packet with the policies concerned."""
        yield from (f"{self.node}: {words}" for words in (*self.strange, *self.proof.unprovable))
        yield from (f"{self.node}: {_explain(snapshot, each)}" for each in self.proof.differences)


@dataclass(frozen=True, slots=True)
class NodeFlows:
    """What came of the flows of one node.

    Attributes:
        node: The node's name.
        flows: What was read, judged and denied.
    """

    node: str
    flows: JudgedFlows


def judge_flows(cluster: Cluster) -> Iterator[NodeFlows]:
    """Judge the flows of each node that pass its rules without being judged.

    Raises:
        NftablesError: the kernel refused to tell what the node holds.
        WorldError: the kernel refused to tell what it tracks.
    """
    judge = judging.Judge.of(cluster.engine.snapshot, RINGFENCE)
    for node, network in cluster.nodes.items():
        found = _dumped(network)
        unjudged = Unjudged.by(read_dump(found).program if found else None)
        yield NodeFlows(node, FlowJudge(cluster.engine, judge, node).judge(conntrack.flows(network), unjudged))


def _dumped(network: Network, family: TableFamily = TableFamily.INET) -> Dump | None:
    kernel = Nftables(network, family=family)
    found, _ = kernel.dump(TABLE)
    kernel.close()
    return found


def prove_nodes(cluster: Cluster) -> Iterator[NodeProof]:
    """Read what each node's kernel holds, and compare all of it.

    Raises:
        NftablesError: the kernel refused to tell.
    """
    for node, plan in cluster.plans.items():
        found = _dumped(cluster.nodes[node])
        if found is None:
            yield NodeProof(node, Proof(0, ()), (f"there is no table {TABLE}",))
            continue
        held = read_dump(found)
        strange = (*held.foreign, *_of_bridge(cluster, node))
        yield NodeProof(node, prove(held.program, cluster.engine, node, plan.guard), strange)


def _of_bridge(cluster: Cluster, node: str) -> Iterator[str]:
    """Yield what differs between the table of a node's bridge and the one that was loaded, part by part."""
    wanted = cluster.bridge_programs.get(node)
    if wanted is None:
        return
    found = _dumped(cluster.nodes[node], TableFamily.BRIDGE)
    if found is None:
        yield f"there is no table {TABLE} of its bridge"
        return
    held = read_dump(found)
    yield from (f"of its bridge: {words}" for words in held.foreign)
    for noun, has, wants in (
        ("map", held.program.map_by_name, wanted.map_by_name),
        ("set", held.program.set_by_name, wanted.set_by_name),
        ("chain", held.program.chain_by_name, wanted.chain_by_name),
    ):
        for name in sorted({*has, *wants}):
            if has.get(name) != wants.get(name):
                yield f"of its bridge: {noun} {name} is not what it should be"


def _explain(snapshot: Snapshot, difference: Difference) -> str:
    packet = difference.packet
    source = _end(packet, packet.source, packet.source_port)
    destination = _end(packet, packet.destination, packet.destination_port)
    should, does = ("pass", "drop it") if difference.expected else ("be dropped", "let it through")
    told = verdict(snapshot, connection_of(snapshot, packet, packet.ct_direction), RINGFENCE)
    why = "; ".join(f"{half.direction.value.lower()} {half.outcome.value}: {half.reason}" for half in told.halves)
    others = f", and {counted(difference.alike - 1, 'more address', 'more addresses')}" if difference.alike > 1 else ""
    return (
        f"{difference.kind}: {source} -> {destination} protocol {packet.protocol} should {should}, "
        f"and the rules {does}{others} ({why})"
    )


def _end(packet: Packet, address: Address, port: int | None) -> str:
    return render_address(address) + (f" port {port}" if packet.protocol in NUMBERS.values() else "")
