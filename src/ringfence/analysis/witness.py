"""Pairs that stand for many: who is tried where all that are alike get one answer."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import LOOPBACK, Address
from ringfence.algebra.intervals import Intervals
from ringfence.model.cluster import Pod

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.model.connection import End
    from ringfence.semantics.ends import Ends
    from ringfence.semantics.engine import Engine


def pairs(engine: Engine, clients: Ends, servers: Ends) -> Iterator[tuple[End, End]]:
    """Yield every client with every server, one address for all that are no node's; a pod with itself is left out."""
    for client in spokesmen(engine, clients):
        for server in spokesmen(engine, servers):
            if _is_pair(client, server):
                yield client, server


def own_node_pairs(engine: Engine, clients: Ends, servers: Ends) -> Iterator[tuple[End, End]]:
    """Yield those of them that share a node, one of them on its network."""
    at_home: dict[str | None, list[End]] = defaultdict(list)
    for server in spokesmen(engine, servers):
        at_home[_home(engine, server)].append(server)
    for client in spokesmen(engine, clients):
        for server in at_home.get(_home(engine, client), ()):
            if _is_pair(client, server) and engine.share_node(client, server):
                yield client, server


def spokesmen(engine: Engine, ends: Ends) -> Iterator[End]:
    """Yield all pods, the addresses of nodes one by one, and the first of all other addresses but loopbacks."""
    yield from ends.pods
    if not ends.addresses:
        return
    nodes = engine.snapshot.nodes.values()
    near = sorted({address for node in nodes for address in node.speaks_from if address in ends.addresses})
    rest = ends.addresses - LOOPBACK - Intervals.of((address, address) for address in near)
    if rest:
        yield Address(rest.ranges[0][0])
    yield from near


def _is_pair(client: End, server: End) -> bool:
    """Tell whether two ends are not one, and policies have a say: one of them is a pod."""
    if isinstance(client, Pod) and isinstance(server, Pod):
        return (client.namespace, client.name) != (server.namespace, server.name)
    return isinstance(client, Pod) or isinstance(server, Pod)


def _home(engine: Engine, end: End) -> str | None:
    return end.node if isinstance(end, Pod) else engine.snapshot.node_at(end)
