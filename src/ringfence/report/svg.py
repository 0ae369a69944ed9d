"""The map as a drawing: clients at the left, servers at the right, and a line for each edge between them.

Namespaces are boxes on either side. The drawing needs nothing but itself: colors follow the
reader's light or dark scheme, and every line says what it stands for when a pointer rests on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from ringfence.analysis.graph import Vertex
from ringfence.errors import InputError, one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ringfence.analysis.graph import Edge, Graph

MOST = 200
"""Members of a drawing in which a line can still be followed by eye."""

ROW, GAP, PAD, WIDTH, MIDDLE, TOP = 22, 14, 8, 240, 360, 56
LONGEST = 34
"""Characters of a name that fit into a row."""

_STYLE = """
svg { color-scheme: light dark; font: 12px system-ui, sans-serif; background: #fff; }
text { fill: #1c2330; } .faint { fill: #5c6575; } .name { font-weight: 600; }
.box { fill: #f5f6f8; stroke: #d9dce3; }
.edge { fill: none; stroke: #1f6f54; stroke-width: 1.4; stroke-opacity: .55; }
.edge.undecided { stroke: #b07d1e; stroke-dasharray: 5 4; }
g.line:hover .edge { stroke: #2457c5; stroke-width: 3; stroke-opacity: 1; }
text.word { font-size: 10px; paint-order: stroke; stroke: #fff; stroke-width: 3px; }
.wide { fill: none; stroke: transparent; stroke-width: 9; }
@media (prefers-color-scheme: dark) {
  svg { background: #14171c; }
  text.word { stroke: #14171c; }
  text { fill: #e6e9ef; } .faint { fill: #9aa3b2; } .box { fill: #1c2027; stroke: #323842; }
  .edge { stroke: #4fc29b; } .edge.undecided { stroke: #d9a441; }
  g.line:hover .edge { stroke: #8fb2ff; }
}
"""


@dataclass(frozen=True, slots=True)
class Column:
    """One side of the drawing.

    Attributes:
        boxes: Title, top and height of each box.
        rows: Place in the graph, and middle, of each name.
        heights: Where the lines of a vertex end.
        bottom: Where the side ends.
    """

    boxes: list[tuple[str, float, float]]
    rows: list[tuple[int, float]]
    heights: dict[Vertex, float]
    bottom: float


def render_svg(graph: Graph) -> str:
    """Return the drawing; the same map is the same text.

    Raises:
        InputError: there are more than :data:`MOST` members.
    """
    if len(graph.members) > MOST:
        message = (
            f"{len(graph.members)} workloads and ranges of addresses are too many for a drawing, which holds {MOST}"
        )
        raise InputError(message, "draw one namespace with -n, or write a page with -o html")
    left, right = (_column(graph, end) for end in (lambda edge: edge.client, lambda edge: edge.server))
    width, height = 2 * WIDTH + MIDDLE + 2 * GAP, max(left.bottom, right.bottom, TOP + ROW)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height:g}" width="{width}" height="{height:g}"'
        ' role="img" aria-label="Who reaches whom: clients at the left, servers at the right">'
    )
    lines = [
        head,
        f"<style>{_STYLE}</style>",
        f'<text class="name" x="{GAP}" y="26">clients</text>',
        f'<text class="name" x="{GAP + WIDTH + MIDDLE}" y="26">servers</text>',
        *_boxes(graph, left, GAP),
        *_boxes(graph, right, GAP + WIDTH + MIDDLE),
        *_lines(graph, left, right),
        "</svg>",
    ]
    return "".join(f"{line}\n" for line in lines)


def _column(graph: Graph, end: Callable[[Edge], Vertex]) -> Column:
    """Return one side: only whoever has a line there, or whose namespace has."""
    used = {end(edge) for edge in graph.edges}
    boxes: list[tuple[str, float, float]] = []
    rows: list[tuple[int, float]] = []
    heights: dict[Vertex, float] = {}
    top = float(TOP - PAD)
    for name, places in (*graph.namespaces.items(), ("", graph.outside)):
        whole = Vertex(name)
        found = [vertex for place in places if (vertex := Vertex(name, place)) in used or whole in used]
        if not found:
            continue
        all_of_it = f"{name} (all {len(places)})" if whole in used else name
        heights[whole] = top + PAD + ROW / 2
        for number, vertex in enumerate(found, 1):
            heights[vertex] = heights[whole] + number * ROW
            rows.append((vertex.place or 0, heights[vertex]))
        height = (len(found) + 1) * ROW + 2 * PAD
        boxes.append((all_of_it or "outside", top, height))
        top += height + GAP
    return Column(boxes, rows, heights, top)


def _boxes(graph: Graph, column: Column, x: int) -> Iterator[str]:
    for title, top, height in column.boxes:
        yield f'<rect class="box" x="{x}" y="{top:g}" width="{WIDTH}" height="{height:g}" rx="7"/>'
        yield _text(title, "name", x + PAD, top + PAD + ROW / 2)
    for place, middle in column.rows:
        member = graph.members[place]
        yield _text(member.name.removeprefix(f"{member.namespace}/"), "", x + 2 * PAD, middle)


def _text(words: str, name: str, x: float, middle: float) -> str:
    """Return a name in its row, cut where it is too long and whole where a pointer rests on it."""
    plain = one_line(words)
    shown = plain if len(plain) <= LONGEST else f"{plain[: LONGEST - 1]}…"
    return f'<text class="{name}" x="{x:g}" y="{middle + 4:g}"><title>{escape(plain)}</title>{escape(shown)}</text>'


def _lines(graph: Graph, left: Column, right: Column) -> Iterator[str]:
    near, far = GAP + WIDTH, GAP + WIDTH + MIDDLE
    for edge in graph.edges:
        start, end = left.heights[edge.client], right.heights[edge.server]
        path = f"M{near} {start:g}C{near + MIDDLE / 2:g} {start:g} {far - MIDDLE / 2:g} {end:g} {far} {end:g}"
        said = "; ".join(map(one_line, edge.said))
        about = f"{_name(graph, edge.client)} → {_name(graph, edge.server)}: {said}"
        kind = "edge undecided" if edge.undecided else "edge"
        yield (
            f'<g class="line"><title>{escape(about)}</title><path class="wide" d="{path}"/>'
            f'<path class="{kind}" d="{path}"/></g>'
        )
    for server, middle in right.heights.items():
        taken = "; ".join(
            dict.fromkeys(one_line(said) for edge in graph.edges if edge.server == server for said in edge.said)
        )
        yield _text(taken, "word faint", far - 6, middle - 7).replace("<text", '<text text-anchor="end"', 1)


def _name(graph: Graph, vertex: Vertex) -> str:
    return one_line(f"{vertex.namespace}/*" if vertex.place is None else graph.members[vertex.place].name)
