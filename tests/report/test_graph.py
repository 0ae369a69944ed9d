"""The map as a graph, for Graphviz and as a drawing of our own."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given

from ringfence.algebra.traffic import render_traffic
from ringfence.analysis.graph import Graph, Vertex, graph
from ringfence.analysis.matrix import Matrix, matrix
from ringfence.errors import InputError
from ringfence.report.dot import render_dot
from ringfence.report.svg import render_svg
from ringfence.semantics.engine import Engine
from ringfence.semantics.summary import lines
from ringfence.semantics.verdict import Outcome
from tests.parts import block, network_policy, pod, pods, rule, snapshot, tcp
from tests.worlds import snapshots

if TYPE_CHECKING:
    from ringfence.model.snapshot import Snapshot

DOT = shutil.which("dot")
SVG = "{http://www.w3.org/2000/svg}"

ODD = 'a"b\\n\\'
WORLD = snapshot(
    *(pod(f"x/{name}", f"app={name}") for name in ("api", "db", "web")),
    pod("y/one"),
    pod(f"y/{ODD}"),
    network_policy("x/db", "app=db", ingress=(rule(pods("app=api", "x"), traffic=tcp(5432)),), egress=()),
    network_policy("y/in", ingress=(rule(pods(), traffic=tcp(80)), rule(block("10.0.0.0/8"), traffic=tcp(443)))),
)


def of(world: Snapshot) -> tuple[Matrix, Graph]:
    """The matrix and the graph of a snapshot."""
    engine = Engine(world)
    found = matrix(engine, lines(engine))
    return found, graph(found)


def places(found: Graph, vertex: Vertex) -> set[int]:
    """Who is meant by an end of an edge."""
    return {vertex.place} if vertex.place is not None else {*found.namespaces[vertex.namespace]}


@given(snapshots())
def test_edges_say_what_the_matrix_says(world: Snapshot):
    """Pair by pair, whether an edge is between two members or between whole namespaces."""
    told, found = of(world)
    expected = {
        (client, server, render_traffic(area.line.traffic), area.line.outcome is Outcome.UNDECIDED)
        for area in told.areas
        for client in area.clients
        for server in area.servers
        if client != server or not told.members[client].lone
    }
    drawn = {
        (client, server, words.split(", ")[0], "undecided" in words)
        for edge in found.edges
        for words in edge.said
        for client in places(found, edge.client)
        for server in places(found, edge.server)
        if client != server or not told.members[client].lone
    }

    assert drawn == expected
    assert len({(edge.client, edge.server) for edge in found.edges}) == len(found.edges)


def test_a_workload_of_several_pods_may_reach_itself():
    """Unlike a lone pod, which nobody asks."""
    twins = [pod(f"x/web-{n}", "app=web", workload="Deployment/web") for n in (0, 1)]
    cut = network_policy("x/db", "app=db", ingress=(), egress=())
    _, found = of(snapshot(*twins, pod("x/db", "app=db"), cut))

    assert [(edge.client, edge.server) for edge in found.edges if edge.client.namespace == edge.server.namespace] == [
        (Vertex("x", 1), Vertex("x", 1))
    ]


@pytest.mark.skipif(not DOT, reason="no Graphviz is installed")
def test_graphviz_reads_what_is_written():
    """Namespaces are clusters, addresses stand outside, labels are as they were, and nothing is warned of."""
    _, found = of(WORLD)
    done = subprocess.run([str(DOT), "-Tdot_json"], input=render_dot(found), capture_output=True, text=True, check=True)  # noqa: S603
    read = json.loads(done.stdout)
    clusters = {each["label"]: each for each in read["objects"] if each["name"].startswith("cluster")}
    labels = {number: each.get("label") for number, each in enumerate(read["objects"])}

    assert done.stderr == ""
    assert {label.split("\\n")[0] for label in clusters} == {"x", "y"}
    inside = {labels[number] for each in clusters.values() for number in each["nodes"]}
    assert inside == {"api", "db", "web", "one", ODD.replace("\\", "\\\\")}
    assert {"10.0.0.0/8", "0.0.0.0/0 except 10.0.0.0/8"} <= {*labels.values()} - inside
    assert ("api", "db", "TCP 5432") in {(labels[e["tail"]], labels[e["head"]], e["label"]) for e in read["edges"]}


def test_a_drawing_says_of_every_line_what_it_is():
    """Both ends and the traffic, for a pointer that rests on it; names are cut, and whole in their titles."""
    _, found = of(WORLD)
    root = ET.fromstring(render_svg(found))  # noqa: S314 - ours
    titles = [each.findtext(f"{SVG}title") for each in root.iter(f"{SVG}g")]

    assert len(titles) == len(found.edges)
    assert "x/api → x/db: TCP 5432" in titles
    assert "x/web → y/*: TCP 80" in titles
    assert "10.0.0.0/8 → y/*: TCP 443" in titles
    assert "prefers-color-scheme: dark" in root.findtext(f"{SVG}style", "")


def test_a_drawing_never_holds_what_a_name_writes():
    """A manifest cannot write into it."""
    text = render_svg(of(snapshot(pod("x/a", workload="Job/<script>alert(1)</script>"), pod("x/b")))[1])

    assert "<script" not in text
    assert "&lt;script&gt;" in text


def test_too_large_a_drawing_is_refused_with_a_remedy():
    """Beyond two hundred, a line cannot be followed."""
    crowd = of(snapshot(*(pod(f"x/p{number}") for number in range(200))))[1]
    with pytest.raises(InputError, match="201 workloads and ranges of addresses are too many") as refused:
        render_svg(crowd)

    assert refused.value.hint == "draw one namespace with -n, or write a page with -o html"


def test_what_nobody_may_open_is_drawn_without_lines():
    """Everybody is in the graph for Graphviz; the drawing holds only who has a line."""
    _, found = of(snapshot(pod("x/a"), network_policy("x/p", ingress=(), egress=())))

    assert found.edges == ()
    assert 'label="a"' in render_dot(found)
    assert "<g" not in render_svg(found)
