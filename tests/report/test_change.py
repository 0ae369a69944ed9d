"""The lines of a change are what its edit means, whatever labels it names."""

from __future__ import annotations

import textwrap
from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from ringfence.algebra.traffic import ALL, Protocol, ports
from ringfence.analysis.additions import Additions
from ringfence.analysis.edits import Does, Wanted
from ringfence.model.policy import Direction, PodPeer, Rule
from ringfence.readers import read
from ringfence.report.change import write_edit
from ringfence.semantics.ends import Ends
from tests.parts import network_policy as policy
from tests.parts import place, pod, rule, snapshot, tcp
from tests.readers.texts import POD, source

if TYPE_CHECKING:
    from ringfence.algebra.intervals import Intervals

WORDS = ("web", "true", "1", "0x1", "1e3", "no", "Null", "a.b_c-d", "", "2024-01-01", "kubernetes.io/x")
KEYS = tuple(word for word in WORDS if word)
TRAFFIC = (ALL, tcp(80), tcp(80, 90) | tcp(443), ports(Protocol.UDP), ports(Protocol.SCTP, 1, 65535) | tcp(1))


def named(written: Rule) -> list[object]:
    """Whom a rule names, wherever it is written."""
    return [replace(peer, origin=place()) if isinstance(peer, PodPeer) else peer for peer in written.peers]


@given(
    st.dictionaries(st.sampled_from(KEYS), st.sampled_from([word for word in WORDS if "/" not in word]), max_size=3),
    st.sampled_from(["x", "y"]),
    st.sampled_from(TRAFFIC),
    st.sampled_from(Direction),
)
def test_the_lines_of_an_edit_are_read_as_what_it_adds(
    labels: dict[str, str], namespace: str, traffic: Intervals, direction: Direction
):
    """Labels that YAML would take for numbers or truth values stay texts; two fields of a peer stay one peer."""
    there = replace(pod(f"{namespace}/there"), labels=labels)
    here, own = pod("x/here", "app=here"), rule(at="old", traffic=tcp(22))
    old = policy("x/old", "app=here", ingress=(own,), egress=(own,))
    world = snapshot(here, there, old, pod("y/third", "app=third"))
    edits = Additions(world).find(Wanted(direction, (here,), Ends((there,)), traffic))
    section, to = direction.value.lower(), "from" if direction is Direction.INGRESS else "to"
    for edit in edits:
        text = write_edit(edit)
        assert text  # all traffic is no port that could be added
        if edit.does is not Does.ADDS_POLICY:
            where = {Does.ADDS_PEERS: f"  - {to}:\n", Does.ADDS_PORTS: "  - ports:\n", Does.ADDS_RULE: ""}[edit.does]
            text = f"spec:\n  podSelector: {{}}\n  {section}:\n{where and '  ' + where}{textwrap.indent(text, ' ' * 8)}"
            text = f"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: p, namespace: x}}\n{text}"
        reading = read([source(text), source(POD, "pod.yaml")])
        (found,) = reading.snapshot.policies
        (written,) = found.rules(direction)
        assert [str(error) for error in reading.errors] == []
        if edit.does is Does.ADDS_POLICY:
            assert (found.name, found.subject, found.isolates) == (edit.after.name, edit.after.subject, {direction})
        if edit.does is not Does.ADDS_PORTS:
            assert named(written) == named(edit.written[0])
        if edit.does is not Does.ADDS_PEERS:
            assert (written.traffic, written.named) == (edit.written[0].traffic, ())
