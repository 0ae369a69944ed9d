"""The smallest change in words, and as the lines of YAML to write."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from ringfence.algebra.traffic import ALL, PORTS, by_protocol, render_traffic
from ringfence.analysis.describing import Meaning
from ringfence.analysis.edits import Adds
from ringfence.model.policy import BlockPeer, Direction, PodPeer
from ringfence.report.describing import name_peer, name_pods
from ringfence.report.difference import in_order, word
from ringfence.report.table import name_ends

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.algebra.intervals import Intervals
    from ringfence.algebra.selectors import Selector
    from ringfence.analysis.edits import Edit
    from ringfence.analysis.smallest import Change
    from ringfence.model.naming import Directory
    from ringfence.model.policy import Peer, Rule

_SHOWN = 3
"""So many rows of what else changes are told; more are counted."""

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9./-]*")

_WORDS = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}
"""What YAML takes for something else than a text."""

_PEERS = {Direction.INGRESS: "from", Direction.EGRESS: "to"}
"""What a rule calls its peers, in YAML and in words."""


def tell_edit(edit: Edit) -> str:
    """Return what an edit adds, and to what, in one clause."""
    what = tell_rule(edit.rule, edit.direction)
    section = edit.direction.value.lower()
    match edit.adds:
        case Adds.PEERS | Adds.PORTS:
            number = next(i for i, rule in enumerate(edit.after.rules(edit.direction)) if rule.origin == edit.place)
            return f"add to {edit.after.name} {section} rule {number}: {what}"
        case Adds.RULE:
            return f"add to {edit.after.name} one more {section} rule: {what}"
        case Adds.POLICY:
            whom = name_pods(edit.after.subject)
            return f"add a NetworkPolicy {edit.after.name} for {whom} with one {section} rule: {what}"


def tell_rule(rule: Rule, direction: Direction) -> str:
    """Return peers and ports of a rule in one clause; of one list alone where the other is empty."""
    peers = ", ".join(name_peer(Meaning(peer)) for peer in rule.peers)
    said = [f"{_PEERS[direction]} {peers}"] if peers else []
    said += [render_traffic(rule.traffic)] if rule.traffic else []
    return " on ".join(said)


def tell_others(change: Change, directory: Directory) -> Iterator[tuple[str, str]]:
    """Yield a word and what it is about for each row that would change besides, as many as people read."""
    rows = in_order(change.others)
    for row in rows[:_SHOWN]:
        ends = f"{name_ends(directory, row.clients)} -> {name_ends(directory, row.servers)}"
        yield word(row), f"{ends}  {render_traffic(row.traffic)}"
    if len(rows) > _SHOWN:
        yield "", f"and {len(rows) - _SHOWN} more"


def write_edit(edit: Edit) -> str:
    """Return the lines of YAML to add: items of a list that is there, or a whole policy; each ended by a newline."""
    match edit.adds:
        case Adds.PEERS:
            lines = _peers(edit.rule)
        case Adds.PORTS:
            lines = [f"- {_flow(port)}" for port in _ports(edit.rule.traffic)]
        case Adds.RULE:
            lines = _rule(edit)
        case Adds.POLICY:
            lines = _policy(edit)
    return "".join(f"{line}\n" for line in lines)


def _policy(edit: Edit) -> list[str]:
    namespace, _, name = edit.after.name.partition("/")
    section = edit.direction.value.lower()
    return [
        "apiVersion: networking.k8s.io/v1",
        "kind: NetworkPolicy",
        f"metadata: {_flow({'name': name, 'namespace': namespace})}",
        "spec:",
        f"  podSelector: {_flow(_selector(edit.after.subject.pods))}",
        f"  policyTypes: [{edit.direction.value}]",
        f"  {section}:",
        *(f"    {line}" for line in _rule(edit)),
    ]


def _rule(edit: Edit) -> list[str]:
    lines = [f"{_PEERS[edit.direction]}:", *(f"  {line}" for line in _peers(edit.rule))]
    if ports := _ports(edit.rule.traffic):
        lines += ["ports:", *(f"  - {_flow(port)}" for port in ports)]
    return [("  " if number else "- ") + line for number, line in enumerate(lines)]


def _peers(rule: Rule) -> list[str]:
    """Return the peers of a rule as items of a list, each of their fields on a line."""
    fields = [[f"{key}: {_flow(value)}" for key, value in _peer(peer).items()] for peer in rule.peers]
    return [("  " if number else "- ") + line for lines in fields for number, line in enumerate(lines)]


def _peer(peer: Peer) -> dict[str, object]:
    """Return a peer of an edit, pods or addresses, as a NetworkPolicy has it."""
    if isinstance(peer, BlockPeer):
        return {"ipBlock": {"cidr": peer.text}}
    assert isinstance(peer, PodPeer)  # noqa: S101 - edits name nobody else
    scope, fields = peer.pods.scope, dict[str, object]()
    if not isinstance(scope, str):
        fields["namespaceSelector"] = _selector(scope)
    if peer.by_pods:
        fields["podSelector"] = _selector(peer.pods.pods)
    return fields


def _selector(selector: Selector) -> dict[str, object]:
    labels = {each.key: each.values[0] for each in selector.requirements}
    return {"matchLabels": labels} if labels else {}


def _ports(traffic: Intervals) -> list[dict[str, object]]:
    """Return the ports of a rule; none of them mean all traffic."""
    if traffic == ALL:
        return []
    found: list[dict[str, object]] = []
    for protocol, ranges in by_protocol(traffic).items():
        for first, last in ranges:
            port: dict[str, object] = {"protocol": protocol.value}
            if (first, last) != (0, PORTS - 1):
                port["port"] = first
            if (first, last) != (0, PORTS - 1) and first != last:
                port["endPort"] = last
            found.append(port)
    return found


def _flow(value: object) -> str:
    """Return a value as YAML writes it on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_flow(key)}: {_flow(each)}" for key, each in value.items()) + "}"
    text = str(value)
    plain = isinstance(value, int) or (_PLAIN.fullmatch(text) and text.lower() not in _WORDS)
    return text if plain else json.dumps(text)
