"""The limits of each kind that a definition defines, as its table has them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ringfence.readers.schemas import ADMIN_NETWORK_POLICY, BASELINE_ADMIN_NETWORK_POLICY, CLUSTER_NETWORK_POLICY
from ringfence.readers.structural import Channel, Schema, check

from .texts import manifest

SUBJECT = {"namespaces": {}}
HEADS: dict[str, dict[str, Any]] = {
    "cluster": {"tier": "Admin", "priority": 0, "subject": SUBJECT},
    "admin": {"priority": 0, "subject": SUBJECT},
    "baseline": {"subject": SUBJECT},
}
SCHEMAS = {
    "cluster": CLUSTER_NETWORK_POLICY,
    "admin": ADMIN_NETWORK_POLICY,
    "baseline": BASELINE_ADMIN_NETWORK_POLICY,
}
MOST = {"cluster": 25, "admin": 100, "baseline": 100}
ALL_KINDS = pytest.mark.parametrize("kind", SCHEMAS)
NAMED = {"cluster": {"destinationNamedPort": "a"}, "admin": {"namedPort": "a"}, "baseline": {"namedPort": "a"}}
PORTS = {"cluster": "protocols", "admin": "ports", "baseline": "ports"}


def said(kind: str, spec: dict[str, Any], channel: Channel = Channel.EXPERIMENTAL) -> list[str]:
    """What is said of a policy of a kind, beside its head."""
    return _said(SCHEMAS[kind], {"metadata": {"name": "default"}, "spec": {**HEADS[kind], **spec}}, channel)


def _said(schema: Schema, members: dict[str, Any], channel: Channel = Channel.EXPERIMENTAL) -> list[str]:
    found = manifest(json.dumps({"apiVersion": "v1", "kind": "Thing", **members}))
    check(found, schema, channel)
    return [error.message for error in found.errors]


def rule(to: list[Any], **others: Any) -> dict[str, Any]:
    """A spec with one rule for egress."""
    return {"egress": [{"action": "Deny", "to": to, **others}]}


@ALL_KINDS
def test_a_head_alone_is_a_policy(kind: str):
    """No rules, no effect; a status is nobody's business here."""
    assert said(kind, {}) == []
    members = {"metadata": {"name": "default"}, "spec": HEADS[kind], "status": 7}
    assert _said(SCHEMAS[kind], members) == []


@pytest.mark.parametrize(
    ("kind", "missing"),
    [("cluster", ["tier", "priority", "subject"]), ("admin", ["priority", "subject"]), ("baseline", ["subject"])],
)
def test_a_head_has_no_defaults(kind: str, missing: list[str]):
    """All of it must be written."""
    assert _said(SCHEMAS[kind], {"metadata": {"name": "default"}, "spec": {}}) == [
        f"spec.{each}: Required value" for each in missing
    ]


@pytest.mark.parametrize("kind", ["cluster", "admin"])
@pytest.mark.parametrize(("priority", "wrong"), [(-1, True), (0, False), (1000, False), (1001, True)])
def test_priorities_go_from_zero_to_a_thousand(kind: str, priority: int, *, wrong: bool):
    """Both are in."""
    assert bool(said(kind, {"priority": priority})) is wrong


@ALL_KINDS
@pytest.mark.parametrize("subject", [{}, {"namespaces": {}, "pods": {"namespaceSelector": {}, "podSelector": {}}}])
def test_a_subject_is_exactly_one_of_two(kind: str, subject: dict[str, Any]):
    """Neither none nor both."""
    assert len(said(kind, {"subject": subject})) == 1


@ALL_KINDS
def test_lists_have_their_limits(kind: str):
    """Rules, peers and ports: 25 in the version of today, 100 in the one before it; networks always 25."""
    most = MOST[kind]
    one = {"action": "Deny", "from": [SUBJECT]}
    port = {"protocols": [NAMED[kind]] * most} if kind == "cluster" else {"ports": [NAMED[kind]] * most}

    assert said(kind, {"ingress": [one] * most}) == []
    assert said(kind, {"ingress": [one] * (most + 1)}) == [
        f"spec.ingress: Too many: {most + 1}: must have at most {most} items"
    ]
    assert said(kind, rule([SUBJECT] * most, **port)) == []
    assert said(kind, rule([SUBJECT] * (most + 1))) == [
        f"spec.egress[0].to: Too many: {most + 1}: must have at most {most} items"
    ]
    assert len(said(kind, rule([SUBJECT], **{name: [*each, each[0]] for name, each in port.items()}))) == 1
    networks = [f"10.0.{number}.0/24" for number in range(26)]
    assert said(kind, rule([{"networks": networks[:25]}])) == []
    assert said(kind, rule([{"networks": networks}])) == [
        "spec.egress[0].to[0].networks: Too many: 26: must have at most 25 items"
    ]


@ALL_KINDS
@pytest.mark.parametrize("member", ["from", "to"])
def test_a_rule_has_peers(kind: str, member: str):
    """At least one: everybody is the empty selector of namespaces, and addresses are said by themselves."""
    direction = "ingress" if member == "from" else "egress"

    assert said(kind, {direction: [{"action": "Deny"}]}) == [f"spec.{direction}[0].{member}: Required value"]
    assert len(said(kind, {direction: [{"action": "Deny", member: []}]})) == 1
    assert len(said(kind, rule([SUBJECT], **{PORTS[kind]: []}))) == 1


@ALL_KINDS
@pytest.mark.parametrize("peer", ["networks", "nodes", "domainNames"])
def test_only_egress_knows_addresses(kind: str, peer: str):
    """There are pods alone to let in."""
    assert f'strict decoding error: unknown field "spec.ingress[0].from[0].{peer}"' in said(
        kind, {"ingress": [{"action": "Deny", "from": [{peer: {}}]}]}
    )


@ALL_KINDS
@pytest.mark.parametrize("peer", [{"networks": ["10.0.0.0/8"]}, {"nodes": {}}])
def test_names_of_ports_and_addresses_exclude_each_other(kind: str, peer: dict[str, Any]):
    """In one rule of the experimental channel; the other has no such condition."""
    both = rule([SUBJECT, peer], **{PORTS[kind]: [NAMED[kind]]})
    names = "networks/nodes" if kind == "baseline" else "networks/nodes/domainNames"
    message = f"{names} peer cannot be set with namedPorts since there are no namedPorts for {names}"

    assert said(kind, both) == [f"spec.egress[0]: Invalid value: {message}"]
    assert said(kind, rule([SUBJECT], **{PORTS[kind]: [NAMED[kind]]})) == []
    assert said(kind, rule([peer])) == []
    assert f"spec.egress[0]: Invalid value: {message}" not in said(kind, both, Channel.STANDARD)


@ALL_KINDS
def test_the_standard_channel_knows_less(kind: str):
    """Nodes and domain names, and in the version before this one names of ports."""
    assert (
        said(kind, rule([{"nodes": {}}]), Channel.STANDARD)[0]
        == 'strict decoding error: unknown field "spec.egress[0].to[0].nodes"'
    )
    named = said(kind, rule([SUBJECT], **{PORTS[kind]: [NAMED[kind]]}), Channel.STANDARD)
    assert bool(named) is (kind != "cluster")


@pytest.mark.parametrize(("start", "end", "wrong"), [(1, 2, False), (2, 2, True), (3, 2, True), (0, 0, True)])
def test_a_range_of_today_has_two_ends(start: int, end: int, *, wrong: bool):
    """One port is a number; the version before this one does not ask."""
    message = "Invalid value: Start port must be less than End port"
    ports = {"start": start, "end": end}
    found = said("cluster", rule([SUBJECT], protocols=[{"tcp": {"destinationPort": {"range": ports}}}]))

    assert any(each.endswith(message) for each in found) is wrong
    assert not any(message in each for each in said("admin", rule([SUBJECT], ports=[{"portRange": ports}])))


@pytest.mark.parametrize("name", ["example.com", "*.example.com", "example.com.", "a-b.c_d.org", "[.com", "_a.`b"])
def test_a_domain_name_has_a_dot(name: str):
    """And may have what the definition lets through by mistake."""
    assert said("cluster", rule([{"domainNames": [name]}])) == []


@pytest.mark.parametrize(
    "name", ["", "com", "*", "*.com", "a.*.com", "*a.com", "-a.com", "a..com", "a b.com", "a.com\n"]
)
def test_a_text_that_is_no_domain_name_is_refused(name: str):
    """A wildcard stands for whole labels at the beginning, before two others or one with a dot."""
    assert len(said("cluster", rule([{"domainNames": [name]}]))) == 1


@pytest.mark.parametrize(
    ("metadata", "wrong"),
    [({"name": "default"}, False), ({"name": "other"}, True), ({"generateName": "default"}, True), ({}, False)],
)
def test_the_one_baseline_is_called_default(metadata: dict[str, str], *, wrong: bool):
    """A missing name is an error of its own."""
    found = _said(BASELINE_ADMIN_NETWORK_POLICY, {"metadata": metadata, "spec": HEADS["baseline"]})

    assert bool(found) is wrong
