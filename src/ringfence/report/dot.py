"""The map for Graphviz: namespaces are clusters, and addresses stand outside of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.errors import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.analysis.graph import Edge, Graph, Vertex

_HEAD = """\
digraph ringfence {
  compound=true; rankdir=LR; fontname="sans-serif"; bgcolor="transparent";
  node [shape=box, style="rounded,filled", fillcolor="white", fontname="sans-serif", fontsize=11];
  edge [fontname="sans-serif", fontsize=9, color="#1f6f54"];
"""


def render_dot(graph: Graph) -> str:
    """Return the graph in the DOT language; the same map is the same text."""
    clusters = {name: number for number, name in enumerate(graph.namespaces)}
    lines = [line for name, number in clusters.items() for line in _cluster(graph, name, number)]
    lines += (_node(graph, place, "  ", ', shape=ellipse, fillcolor="#eef1f6"') for place in graph.outside)
    lines += (_edge(graph, edge, clusters) for edge in graph.edges if not _is_within(edge))
    return _HEAD + "".join(f"{line}\n" for line in (*lines, "}"))


def _cluster(graph: Graph, name: str, number: int) -> Iterator[str]:
    within = [said for edge in graph.edges if _is_within(edge) and edge.client.namespace == name for said in edge.said]
    told = [name, *(f"within: {said}" for said in within)]
    yield f"  subgraph cluster_{number} {{"
    yield f'    label={_quoted(told)}; style="rounded,filled"; color="#c9ced8"; fillcolor="#f5f6f8";'
    yield from (_node(graph, place, "    ") for place in graph.namespaces[name])
    yield "  }"


def _node(graph: Graph, place: int, indent: str, more: str = "") -> str:
    member = graph.members[place]
    return f"{indent}n{place} [label={_quoted([member.name.removeprefix(f'{member.namespace}/')])}{more}];"


def _edge(graph: Graph, edge: Edge, clusters: dict[str, int]) -> str:
    facts = [f"label={_quoted(edge.said)}"]
    for end, name in ((edge.client, "ltail"), (edge.server, "lhead")):
        facts += [f"{name}=cluster_{clusters[end.namespace]}"] if end.place is None else []
    facts += ['style=dashed, color="#b07d1e"'] if edge.undecided else []
    return f"  n{_anchor(graph, edge.client)} -> n{_anchor(graph, edge.server)} [{', '.join(facts)}];"


def _anchor(graph: Graph, end: Vertex) -> int:
    """Return the node that an edge is tied to; one of a whole namespace is cut at the cluster."""
    return graph.namespaces[end.namespace][0] if end.place is None else end.place


def _is_within(edge: Edge) -> bool:
    return edge.client == edge.server and edge.client.place is None


def _quoted(lines: list[str] | tuple[str, ...]) -> str:
    """Return lines as one string of the DOT language, in which only backslashes and quotes mean anything."""
    plain = (one_line(line).replace("\\", "\\\\").replace('"', '\\"') for line in lines)
    return '"' + "\\n".join(plain) + '"'
