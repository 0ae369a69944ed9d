"""What judges one half of a connection, and what it can tell of the other end.

All that the definition sees of a peer is which selectors and blocks of the rules match it
and how the two meet, and all that it sees of traffic is which rules match that. So a half
is judged once for each combination, however many peers and ports there are.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.algebra.traffic import Protocol, ports
from ringfence.model.policy import BlockPeer, Direction, NodePeer, PodPeer, resolve
from ringfence.semantics.space import Line

if TYPE_CHECKING:
    from collections.abc import Hashable

    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics.universe import Ports, Universe
    from ringfence.semantics.verdict import Half


@dataclass(frozen=True, slots=True, eq=False)
class Declared:
    """The ports that the containers of some pods declare; equal ones are one object."""

    ports: Ports


@dataclass(frozen=True, slots=True)
class Face:
    """What policies can tell of a peer in one family.

    Attributes:
        selectors: The scoped selectors it is in, or would be if its node's network were its own.
        blocks: The blocks that hold its address; none when that is not known.
        sources: The blocks that hold each address from which its packets may come, where these are several.
        traits: A number for all else that the definition asks: whether it is a pod, on a
            node's network, of a known node, and which family it is of while its address is not known.
        nodes: What each selector of nodes says of it.
        declared: Its ports.
    """

    selectors: frozenset[int]
    blocks: frozenset[int]
    sources: tuple[frozenset[int], ...]
    traits: int
    nodes: tuple[bool | None, ...]
    declared: Declared


class Docket:
    """The policies that have a say about a subject in one direction, and the halves judged so far.

    Subjects share one if the definition cannot tell them apart but by their names.

    Attributes:
        direction: The direction.
        scene: The snapshot with these policies alone.
        rules: Their rules in this direction, in order.
        halves: What was judged, told of stand-ins.
    """

    def __init__(self, direction: Direction, scene: Snapshot, universe: Universe, own_ports: Ports) -> None:
        """File the rules by what they name.

        Args:
            direction: The direction.
            scene: The snapshot with the policies that have a say.
            universe: Numbers selectors and blocks.
            own_ports: The ports that names mean where they are the subject's: in rules of ingress.
        """
        self.direction, self.scene = direction, scene
        self.rules = tuple(rule for policy in scene.policies for rule in policy.rules(direction))
        self.halves: dict[Hashable, Half] = {}
        peers = [peer for rule in self.rules for peer in rule.peers]
        self._selectors = frozenset(universe.number_of(each.pods) for each in peers if isinstance(each, PodPeer))
        self._blocks = frozenset(
            universe.number_of_block(each.addresses) for each in peers if isinstance(each, BlockPeer)
        )
        nodes = {universe.number_of_nodes(each.nodes) for each in peers if isinstance(each, NodePeer)}
        self._nodes = tuple(sorted(nodes))
        self._resolves = direction is Direction.EGRESS and any(rule.named for rule in self.rules)
        self._line = self._cut(own_ports)
        self._lines: dict[Declared, Line] = {}

    def key(self, face: Face, own_node: bool, traffic: int) -> Hashable:  # noqa: FBT001 - asked for every half
        """Return all that the definition can tell of a connection in this half; a pod that meets itself aside.

        Args:
            face: The peer's.
            own_node: Whether the peer is on the network of the subject's node.
            traffic: The point of the line of traffic.
        """
        line = self._line_to(face.declared) if self._resolves else self._line
        meant = line.signatures[bisect_right(line.cuts, traffic)]
        matching = self._selectors & face.selectors, self._blocks & face.blocks
        key: tuple[Hashable, ...] = (*matching, face.traits, own_node, meant)
        if self._nodes:
            key = (*key, *(face.nodes[number] for number in self._nodes))
        if face.sources and self.direction is Direction.INGRESS:
            return (key, *(source & self._blocks for source in face.sources))
        return key

    def _line_to(self, server: Declared) -> Line:
        """Return the line of traffic to a server with these ports."""
        if server not in self._lines:
            self._lines[server] = self._cut(server.ports)
        return self._lines[server]

    def _cut(self, server: Ports) -> Line:
        """Cut the line of traffic by what each rule means at a server, by number and by name, and by ICMP."""
        sets = [ports(Protocol.ICMP), *(rule.traffic for rule in self.rules)]
        return Line.of((*sets, *(resolve(rule.named, server) for rule in self.rules if rule.named)))
