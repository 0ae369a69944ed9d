"""Recorded flows against the definition, on random worlds: nothing that policies can tell is lost in a line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from hypothesis import given

from ringfence.analysis.preview import preview
from ringfence.model.cluster import Pod
from ringfence.report.flow_file import read_flow_file
from ringfence.report.json_flows import FlowLine, as_flow_end, as_halves, port_names
from ringfence.report.json_parts import VerdictWord
from ringfence.semantics.dialects import RINGFENCE
from ringfence.semantics.spec import verdict
from ringfence.semantics.verdict import Outcome
from tests.worlds import Limits, connections, snapshots

if TYPE_CHECKING:
    from ringfence.algebra.addresses import Address
    from ringfence.model.connection import Connection, End
    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics.verdict import Verdict

ADDRESSED = Limits(addressed=True)
SAMPLE = 7


def recorded(snapshot: Snapshot) -> list[tuple[Connection, Verdict]]:
    """Connections of which a node can tell: what a pod sends to its own address never leaves it."""
    sample = list(connections(snapshot))[::SAMPLE]
    ends = [(address(snapshot, each.client, each), address(snapshot, each.server, each)) for each in sample]
    met = [each for each, (one, other) in zip(sample, ends, strict=True) if one != other or each.via is not None]
    return [(each, verdict(snapshot, each, RINGFENCE)) for each in met]


def address(snapshot: Snapshot, end: End, connection: Connection) -> Address:
    """The address of an end."""
    return snapshot.addresses_of(end)[connection.family] if isinstance(end, Pod) else end


def line(snapshot: Snapshot, connection: Connection, told: Verdict) -> bytes:
    """What is recorded of a connection."""
    ported = connection.protocol.value != "ICMP"
    ends: list[Any] = []
    for end, port in ((connection.client, 40_000), (connection.server, connection.port)):
        own = address(snapshot, end, connection)
        ends.append(as_flow_end(snapshot, snapshot.pod_at(own) or own, own, port if ported else None))
    ends[1].port_names = port_names(connection.server, connection.protocol, connection.port)
    allowed = told.outcome is Outcome.ALLOWED
    return msgspec.json.encode(
        FlowLine(
            time="",
            node="n1",
            event="opened" if allowed else "denied",
            verdict=VerdictWord(told.outcome.value),
            client=ends[0],
            server=ends[1],
            protocol=connection.protocol.value,
            family=connection.family,
            **as_halves(told.halves),
        )
    )


@given(snapshots(ADDRESSED))
def test_the_policies_that_a_flow_was_recorded_under_change_nothing_of_it(snapshot: Snapshot):
    """Whoever the ends are: pods of either family, nodes, strangers, and a pod that meets itself through a Service."""
    lines = [line(snapshot, *each) for each in recorded(snapshot)]

    found = read_flow_file("flows.jsonl", lines)

    assert found.lines == len(lines)
    assert preview(snapshot.policies, snapshot.nodes, found.flows, RINGFENCE) == ()


@given(snapshots(ADDRESSED))
def test_without_policies_everything_that_was_denied_is_opened(snapshot: Snapshot):
    """And nothing is closed."""
    flows = recorded(snapshot)
    lines = [line(snapshot, *each) for each in flows]

    changes = preview((), snapshot.nodes, read_flow_file("flows.jsonl", lines).flows, RINGFENCE)

    assert all(change.opened for change in changes)
    denied = [told for _, told in flows if told.outcome is not Outcome.ALLOWED]
    assert sum(change.recorded.count for change in changes) == len(denied)
