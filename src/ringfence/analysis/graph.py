"""The map as a graph: who stands in which namespace, and as few edges as say who reaches whom.

Where all of a namespace are meant, an edge begins or ends at the namespace.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.algebra.traffic import render_traffic
from ringfence.semantics.verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ringfence.analysis.matrix import Matrix, Member
    from ringfence.semantics.summary import Line


@dataclass(frozen=True, slots=True)
class Vertex:
    """An end of edges.

    Attributes:
        namespace: Where it stands; empty for addresses.
        place: Its member's place in the matrix; None for all of the namespace.
    """

    namespace: str
    place: int | None = None


@dataclass(frozen=True, slots=True)
class Edge:
    """Every member of one end may open something to every member of the other.

    Attributes:
        client: Where it begins.
        server: Where it ends; the same namespace for all its members with each other.
        said: What is answered, each once, in order.
        undecided: Whether all of that is undecided.
    """

    client: Vertex
    server: Vertex
    said: tuple[str, ...]
    undecided: bool


@dataclass(frozen=True, slots=True)
class Graph:
    """Who reaches whom.

    Attributes:
        members: As in the matrix.
        namespaces: Members' places by namespace, in order.
        outside: Places of addresses.
        edges: In order; no two between the same ends.
    """

    members: tuple[Member, ...]
    namespaces: dict[str, tuple[int, ...]]
    outside: tuple[int, ...]
    edges: tuple[Edge, ...]


def graph(matrix: Matrix) -> Graph:
    """Return the graph of a map."""
    found: dict[str, list[int]] = defaultdict(list)
    for place, member in enumerate(matrix.members):
        found[member.namespace].append(place)
    outside = tuple(found.pop("", ()))
    namespaces = {name: tuple(places) for name, places in found.items()}
    said: dict[tuple[Vertex, Vertex], dict[str, bool]] = defaultdict(dict)
    for area in matrix.areas:
        words, undecided = _words(area.line), area.line.outcome is Outcome.UNDECIDED
        servers = list(_vertices(matrix.members, namespaces, area.servers))
        for client in _vertices(matrix.members, namespaces, area.clients):
            for pair in _pairs(matrix.members, namespaces, client, servers):
                said[pair][words] = undecided
    edges = [Edge(*pair, tuple(words), all(words.values())) for pair, words in said.items()]
    return Graph(matrix.members, namespaces, outside, tuple(sorted(edges, key=_order)))


def _words(line: Line) -> str:
    parts = [render_traffic(line.traffic)]
    parts += ["undecided"] if line.outcome is Outcome.UNDECIDED else []
    parts += ["on the own node"] if line.own_node else []
    return ", ".join(parts)


def _vertices(
    members: tuple[Member, ...], namespaces: dict[str, tuple[int, ...]], places: Sequence[int]
) -> Iterator[Vertex]:
    """Yield a side of an area, whole namespaces of several members as one."""
    by_namespace: dict[str, list[int]] = defaultdict(list)
    for place in places:
        by_namespace[members[place].namespace].append(place)
    for name, some in by_namespace.items():
        if name and len(some) == len(namespaces[name]) > 1:
            yield Vertex(name)
        else:
            yield from (Vertex(name, place) for place in some)


def _pairs(
    members: tuple[Member, ...], namespaces: dict[str, tuple[int, ...]], client: Vertex, servers: Sequence[Vertex]
) -> Iterator[tuple[Vertex, Vertex]]:
    """Yield the pairs of a client; no edge leads from a namespace into it, and none from a lone pod to itself."""
    for server in servers:
        if client.namespace != server.namespace or client == server == Vertex(client.namespace):
            yield client, server
            continue
        if client.place is None or server.place is None:
            everyone = namespaces[client.namespace]
            ones = everyone if client.place is None else (client.place,)
            others = everyone if server.place is None else (server.place,)
        else:
            ones, others = (client.place,), (server.place,)
        for one in ones:
            for other in others:
                if one != other or not members[one].lone:
                    yield Vertex(client.namespace, one), Vertex(server.namespace, other)


def _order(edge: Edge) -> tuple[object, ...]:
    ends = ((end.namespace, -1 if end.place is None else end.place) for end in (edge.client, edge.server))
    return tuple(ends)
