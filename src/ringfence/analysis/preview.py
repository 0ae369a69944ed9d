"""What other policies would have said of connections that were recorded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import EVERY, Address, family_of
from ringfence.model.cluster import Namespace, Node, Pod
from ringfence.model.connection import Connection
from ringfence.model.snapshot import Snapshot
from ringfence.semantics.engine import A_SERVICE
from ringfence.semantics.spec import verdict
from ringfence.semantics.verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ringfence.algebra.traffic import Protocol
    from ringfence.model.policy import Policy
    from ringfence.semantics.dialects import Dialect
    from ringfence.semantics.verdict import Verdict


@dataclass(frozen=True, slots=True)
class RecordedEnd:
    """Who was at one end, as policies saw it then.

    Attributes:
        address: The address.
        pod: The pod whose it was; None for nobody's.
        namespace_labels: Those of the pod's namespace; empty for no pod.
        node: The node whose own address it was; None for a pod's, and for anybody else's.
    """

    address: Address
    pod: Pod | None
    namespace_labels: Mapping[str, str]
    node: str | None

    @property
    def name(self) -> tuple[str, str] | None:
        """The namespace of the pod, and its workload by name or else itself; None for no pod."""
        return (self.pod.namespace, self.pod.workload.partition("/")[2] or self.pod.name) if self.pod else None


@dataclass(frozen=True, slots=True)
class Recorded:
    """Flows that policies could not tell apart.

    Attributes:
        client: Who opened them.
        server: Who took them, or would have.
        protocol: The protocol as policies see it.
        port: The server's port; 0 without ports.
        allowed: Whether they were let through, everywhere where that was recorded.
        count: How many there were.
    """

    client: RecordedEnd
    server: RecordedEnd
    protocol: Protocol
    port: int
    allowed: bool
    count: int


@dataclass(frozen=True, slots=True)
class Change:
    """Flows of which other policies would say otherwise.

    Attributes:
        recorded: The flows.
        verdict: What these policies say.
    """

    recorded: Recorded
    verdict: Verdict

    @property
    def opened(self) -> bool:
        """Whether they would be let through, and were not."""
        return not self.recorded.allowed


def preview(
    policies: tuple[Policy, ...], nodes: Mapping[str, Node], flows: Iterable[Recorded], dialect: Dialect
) -> tuple[Change, ...]:
    """Return what would change, in the order of the flows.

    What would be undecided would be dropped, as whatever is denied.

    Args:
        policies: The other policies, in a snapshot's order.
        nodes: What is known of nodes beside what the flows say: their labels.
        flows: What was recorded.
        dialect: Who decides what the APIs leave open.
    """
    found = []
    for each in flows:
        told = verdict(_world(policies, nodes, each), _connection(each), dialect)
        if (told.outcome is Outcome.ALLOWED) is not each.allowed:
            found.append(Change(each, told))
    return tuple(found)


def _connection(flow: Recorded) -> Connection:
    itself = flow.client.address == flow.server.address
    server = flow.server.pod or flow.server.address
    client = server if itself else flow.client.pod or flow.client.address
    return Connection(
        client, server, flow.protocol, flow.port, family_of(flow.client.address), via=A_SERVICE if itself else None
    )


def _world(policies: tuple[Policy, ...], nodes: Mapping[str, Node], flow: Recorded) -> Snapshot:
    """Return a cluster of the two ends alone, as they were."""
    ends = (flow.client, flow.server)
    pods = {str(end.pod): end.pod for end in ends if end.pod}
    namespaces = {end.pod.namespace: Namespace(end.pod.namespace, end.namespace_labels) for end in ends if end.pod}
    family = family_of(flow.client.address)
    known = {name: Node(name, node.labels) for name, node in nodes.items()}
    for end in ends:
        if end.node is not None:
            node = known.get(end.node, Node(end.node, None))
            known[end.node] = replace(node, addresses=(*node.addresses, end.address))
    # A flow says of each of its addresses whether it is a node's: that no others are known leaves nothing open.
    ((first, _),) = EVERY[family]
    nowhere = next(Address(each) for each in range(first, first + 3) if all(each != end.address for end in ends))
    known = {name: node if node.addresses else replace(node, addresses=(nowhere,)) for name, node in known.items()}
    return Snapshot(tuple(pods.values()), policies, namespaces, known, families=(family,))
