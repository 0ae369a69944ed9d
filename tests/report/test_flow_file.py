"""A file of flows: what is one flow, what was let through, and what is no line of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ringfence.algebra.traffic import Protocol
from ringfence.errors import InputError
from ringfence.report.flow_file import FlowFile, read_flow_file

WEB = {"address": "10.0.0.9", "port": 40_000, "pod": "shop/web", "labels": {"app": "web"}, "node": "n1"}
DB = {"address": "10.0.0.5", "port": 5432, "pod": "shop/db", "labels": {"app": "db"}, "port_names": ["sql"]}
HALF = {"verdict": "allowed", "tier": None, "reason": "", "origins": []}


def line(event: str = "opened", client: dict[str, Any] = WEB, server: dict[str, Any] = DB, **more: Any) -> bytes:
    """One line; a value of None leaves a key out."""
    known = {
        "kind": "Flow",
        "apiVersion": "ringfence.io/v1alpha1",
        "time": "2026-01-31T12:00:00+0100",
        "node": "n1",
        "event": event,
        "verdict": "allowed",
        "client": client,
        "server": server,
        "protocol": "TCP",
        "family": 4,
        "egress": HALF,
    }
    return json.dumps({key: value for key, value in (known | more).items() if value is not None}).encode()


def flows(*lines: bytes) -> FlowFile:
    """What lines say."""
    return read_flow_file("flows.jsonl", lines)


def test_flows_that_policies_cannot_tell_apart_are_one():
    """A client's own port tells nothing; another label, address or server's port does."""
    others = [
        line(client=WEB | {"port": 40_001}),
        line(client=WEB | {"labels": {"app": "other"}}),
        line(client=WEB | {"address": "10.0.0.10"}),
        line(server=DB | {"port": 5433}),
        line(protocol="UDP"),
    ]
    found = flows(line(), b"\n", *others)

    assert [each.count for each in found.flows] == [2, 1, 1, 1, 1]
    assert found.lines == 6


def test_a_flow_that_one_node_denied_was_denied():
    """Whichever of its nodes told first; and what a node says last of its half counts."""
    let_out, refused = line("opened"), line("denied", egress=None, ingress=HALF)
    let_in = line("opened", egress=None, ingress=HALF)

    assert [[each.allowed for each in flows(*lines).flows] for lines in ((let_out, refused), (refused, let_out))] == [
        [False],
        [False],
    ]
    assert [each.allowed for each in flows(let_out, refused, let_in).flows] == [True]


def test_ends_are_told_with_all_that_policies_see():
    """The port by its name, the node, labels; a protocol that has no ports is as ICMP."""
    (found,) = flows(line(client={"address": "192.0.2.1", "port": 9})).flows
    assert found.server.pod
    assert [(each.name, each.number) for each in found.server.pod.ports] == [("sql", 5432)]
    assert (found.client.pod, found.port, found.protocol) == (None, 5432, Protocol.TCP)

    (portless,) = flows(line(protocol="protocol 47", server={"address": "192.0.2.1"})).flows
    assert (portless.port, portless.protocol) == (0, Protocol.ICMP)


def test_flows_that_no_line_tells_of_are_counted():
    """A file says itself what it lacks."""
    told = {"kind": "FlowsMissed", "apiVersion": "ringfence.io/v1alpha1", "time": "", "missed": 7}
    missed = json.dumps(told).encode()

    assert (flows(missed, line(), missed).missed, flows(missed).lines) == (14, 0)


@pytest.mark.parametrize(
    "text", [b"x", b"{}", b'{"kind": "Flow"}', line(client={"address": "nowhere"}), line("closed"), b'{"kind": "Pod"}']
)
def test_a_line_of_anything_else_is_an_error_with_its_place(text: bytes):
    """The number of the line, and how flows are recorded."""
    with pytest.raises(InputError, match=r"^flows\.jsonl:2: this is no line of a flow: ") as error:
        flows(line(), text)
    assert "lab flows -o json" in error.value.hint
