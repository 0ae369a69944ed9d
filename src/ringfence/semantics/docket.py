"""What judges one half of a connection, and what it can tell of the other end.

All that the definition sees of a peer is which selectors and blocks of the rules match it
and how the two meet, and all that it sees of traffic is which rules match that. So a half
is judged once for each combination, however many peers and ports there are.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from ringfence.algebra.traffic import Protocol, ports
from ringfence.model.policy import BlockPeer, Direction, NodePeer, PodPeer, resolve
from ringfence.semantics.space import Line

if TYPE_CHECKING:
    from collections.abc import Hashable

    from ringfence.model.policy import Policy
    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics.classes import Ports
    from ringfence.semantics.universe import Universe
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
            node's network, of a known node, a loopback, and which family it is of while its address is not known.
        nodes: What each selector of nodes says of it.
        declared: Its ports.
    """

    selectors: frozenset[int]
    blocks: frozenset[int]
    sources: tuple[frozenset[int], ...]
    traits: int
    nodes: tuple[bool | None, ...]
    declared: Declared


@dataclass(frozen=True, slots=True, eq=False)
class Say:
    """What one policy has to say in one direction.

    Attributes:
        policy: The policy; of one that has rules in both directions, those of this one alone.
        selectors: The scoped selectors that its rules name, by number.
        blocks: The sets of addresses that they name.
        nodes: The selectors of nodes that they name.
        names_ports: Whether they name ports by name.
    """

    policy: Policy
    selectors: frozenset[int]
    blocks: frozenset[int]
    nodes: frozenset[int]
    names_ports: bool

    @classmethod
    def of(cls, policy: Policy, direction: Direction, universe: Universe) -> Say:
        """Number what a policy names as a universe does."""
        rules, halved = policy.rules(direction), policy
        if policy.ingress and policy.egress:
            halved = replace(policy, egress=()) if direction is Direction.INGRESS else replace(policy, ingress=())
        peers = [peer for rule in rules for peer in rule.peers]
        return cls(
            halved,
            frozenset(universe.number_of(each.pods) for each in peers if isinstance(each, PodPeer)),
            frozenset(universe.number_of_block(each.addresses) for each in peers if isinstance(each, BlockPeer)),
            frozenset(universe.number_of_nodes(each.nodes) for each in peers if isinstance(each, NodePeer)),
            any(rule.named for rule in rules),
        )


class Docket:
    """The policies that have a say about a subject in one direction, and the halves judged so far.

    Subjects share one if the definition cannot tell them apart but by their names.

    Attributes:
        direction: The direction.
        halves: What was judged, told of stand-ins.
    """

    def __init__(self, direction: Direction, snapshot: Snapshot, says: tuple[Say, ...], own_ports: Ports) -> None:
        """Gather what the policies name.

        Args:
            direction: The direction.
            snapshot: The snapshot.
            says: What the policies have to say, in the snapshot's order.
            own_ports: The ports that names mean where they are the subject's: in rules of ingress.
        """
        self.direction = direction
        self.halves: dict[Hashable, Half] = {}
        self._snapshot, self._policies = snapshot, tuple(say.policy for say in says)
        self._selectors = frozenset[int]().union(*(say.selectors for say in says))
        self._blocks = frozenset[int]().union(*(say.blocks for say in says))
        self._nodes = tuple(sorted(frozenset[int]().union(*(say.nodes for say in says))))
        self._resolves = direction is Direction.EGRESS and any(say.names_ports for say in says)
        self._own = Declared(own_ports)
        self._lines: dict[Declared, Line] = {}

    @cached_property
    def scene(self) -> Snapshot:
        """The snapshot with these policies alone."""
        return self._snapshot.scene(self._policies)

    def key(self, face: Face, own_node: bool, traffic: int) -> Hashable:  # noqa: FBT001 - asked for every half
        """Return all that the definition can tell of a connection in this half; a pod that meets itself aside.

        Args:
            face: The peer's.
            own_node: Whether the peer is on the network of the subject's node.
            traffic: The point of the line of traffic.
        """
        line = self._line_to(face.declared) if self._resolves else self._line
        meant = line.signatures[bisect_right(line.cuts, traffic)]
        blocks = self._blocks and self._blocks & face.blocks
        key: tuple[Hashable, ...] = (self._selectors & face.selectors, blocks, face.traits, own_node, meant)
        if self._nodes:
            key = (*key, *(face.nodes[number] for number in self._nodes))
        if face.sources and self.direction is Direction.INGRESS:
            return (key, *(source & self._blocks for source in face.sources))
        return key

    @cached_property
    def _line(self) -> Line:
        """The line of traffic, where it is the same at every server."""
        return self._line_to(self._own)

    def _line_to(self, server: Declared) -> Line:
        """Return the line of traffic, cut by what each rule means at a server, by number and by name, and by ICMP."""
        found = self._lines.get(server)
        if found is None:
            rules = [rule for policy in self._policies for rule in policy.rules(self.direction)]
            sets = [ports(Protocol.ICMP), *(rule.traffic for rule in rules)]
            found = Line.of((*sets, *(resolve(rule.named, server.ports) for rule in rules if rule.named)))
            self._lines[server] = found
        return found
