"""Rules and policies as the lines of YAML that somebody would write."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from ringfence.algebra.traffic import ALL, PORTS, Protocol, by_protocol
from ringfence.model.policy import Action, Anyone, BlockPeer, Direction, DomainPeer, NodePeer, PodPeer, Tier

if TYPE_CHECKING:
    from ringfence.algebra.selectors import Requirement, Selector
    from ringfence.model.policy import NamedPort, Peer, PodSelector, Policy, Rule

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9./-]*")

_WORDS = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}
"""What YAML takes for something else than a text."""

PEERS = {Direction.INGRESS: "from", Direction.EGRESS: "to"}
"""What a rule calls its peers."""

_VERSIONS = {
    "NetworkPolicy": "networking.k8s.io/v1",
    "ClusterNetworkPolicy": "policy.networking.k8s.io/v1alpha2",
    "AdminNetworkPolicy": "policy.networking.k8s.io/v1alpha1",
    "BaselineAdminNetworkPolicy": "policy.networking.k8s.io/v1alpha1",
}

_OLD_KINDS = ("AdminNetworkPolicy", "BaselineAdminNetworkPolicy")
"""The kinds before ClusterNetworkPolicy, which write some of it in other words."""


def write_policy(policy: Policy) -> list[str]:
    """Return a whole policy."""
    namespace, _, name = policy.name.rpartition("/")
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    lines = [
        f"apiVersion: {_VERSIONS[policy.kind]}",
        f"kind: {policy.kind}",
        f"metadata: {_flow(metadata)}",
        "spec:",
        *(f"  {line}" for line in _scope(policy)),
    ]
    for direction in Direction:
        if rules := policy.rules(direction):
            lines.append(f"  {direction.value.lower()}:")
            lines += (f"    {line}" for rule in rules for line in write_rule(rule, direction, policy.kind))
    return lines


def write_rule(rule: Rule, direction: Direction, kind: str) -> list[str]:
    """Return a rule of a kind of policy as an item of a list."""
    lines: list[str] = []
    if kind != "NetworkPolicy":
        lines += [f"name: {_flow(rule.origin.rule_name)}"] if rule.origin.rule_name else []
        lines.append(f"action: {'Allow' if rule.action is Action.ACCEPT and kind in _OLD_KINDS else rule.action.value}")
    if Anyone() not in rule.peers:
        lines += [f"{PEERS[direction]}:", *(f"  {line}" for line in write_peers(rule, kind))]
    if ports := write_ports(rule, kind):
        lines += ["protocols:" if kind == "ClusterNetworkPolicy" else "ports:", *(f"  {line}" for line in ports)]
    return [("  " if number else "- ") + line for number, line in enumerate(lines)] or ["- {}"]


def write_peers(rule: Rule, kind: str) -> list[str]:
    """Return the peers of a rule as items of a list, each of their fields on a line."""
    fields = [[f"{key}: {_flow(value)}" for key, value in _peer(peer, kind).items()] for peer in rule.peers]
    return [("  " if number else "- ") + line for lines in fields for number, line in enumerate(lines)]


def write_ports(rule: Rule, kind: str) -> list[str]:
    """Return the ports of a rule as items of a list; none of them mean all traffic."""
    if rule.traffic == ALL:
        return []
    write = {"NetworkPolicy": _port, "ClusterNetworkPolicy": _protocol}.get(kind, _port_of_admin)
    found = [write(protocol, *ends) for protocol, all_ in by_protocol(rule.traffic).items() for ends in all_]
    found += [_named(port, kind) for port in rule.named]
    return [f"- {_flow(each)}" for each in found]


def _scope(policy: Policy) -> list[str]:
    """Return the fields that say whom a policy is for, and when it is asked."""
    if policy.tier is Tier.NETWORK_POLICY:
        types = [direction.value for direction in Direction if direction in policy.isolates]
        return [f"podSelector: {_flow(_selector(policy.subject.pods))}", f"policyTypes: [{', '.join(types)}]"]
    lines = [f"tier: {policy.tier.value}"] if policy.kind not in _OLD_KINDS else []
    lines += [f"priority: {policy.priority}"] if policy.kind != "BaselineAdminNetworkPolicy" else []
    return [*lines, f"subject: {_flow({'pods': _pods(policy.subject)})}"]


def _peer(peer: Peer, kind: str) -> dict[str, object]:
    """Return a peer as a kind of policy has it; anyone has no words there."""
    assert not isinstance(peer, Anyone)  # noqa: S101 - a rule for anyone has no list of peers
    match peer:
        case BlockPeer(text=text) if kind == "NetworkPolicy":
            cidr, _, holes = text.partition(" except ")
            return {"ipBlock": {"cidr": cidr} | ({"except": holes.split(", ")} if holes else {})}
        case BlockPeer(text=text):
            return {"networks": [text]}
        case NodePeer(nodes=nodes):
            return {"nodes": _selector(nodes)}
        case DomainPeer(names=names):
            return {"domainNames": list(names)}
        case PodPeer(pods=pods) if kind != "NetworkPolicy":
            return {"pods": _pods(pods)}
        case PodPeer(pods=pods, by_pods=by_pods):
            fields = dict[str, object]()
            if not isinstance(pods.scope, str):
                fields["namespaceSelector"] = _selector(pods.scope)
            return fields | ({"podSelector": _selector(pods.pods)} if by_pods or not fields else {})


def _pods(pods: PodSelector) -> dict[str, object]:
    """Return pods as a cluster-wide policy selects them."""
    assert not isinstance(pods.scope, str)  # noqa: S101 - they name namespaces by labels
    return {"namespaceSelector": _selector(pods.scope), "podSelector": _selector(pods.pods)}


def _selector(selector: Selector) -> dict[str, object]:
    plain = {each.key: each.values[0] for each in selector.requirements if _is_plain(each)}
    others: list[dict[str, object]] = [
        {"key": each.key, "operator": each.operator.value} | ({"values": list(each.values)} if each.values else {})
        for each in selector.requirements
        if each.key not in plain or each.values[:1] != (plain[each.key],) or not _is_plain(each)
    ]
    return ({"matchLabels": plain} if plain else {}) | ({"matchExpressions": others} if others else {})


def _is_plain(requirement: Requirement) -> bool:
    """Tell whether ``matchLabels`` can say it."""
    return requirement.operator.value == "In" and len(requirement.values) == 1


def _port(protocol: Protocol, first: int, last: int) -> dict[str, object]:
    """Return a range of ports as a NetworkPolicy has it."""
    port: dict[str, object] = {"protocol": protocol.value}
    if (first, last) != (0, PORTS - 1):
        port["port"] = max(first, 1)
    if (first, last) != (0, PORTS - 1) and max(first, 1) != last:
        port["endPort"] = last
    return port


def _protocol(protocol: Protocol, first: int, last: int) -> dict[str, object]:
    """Return a range of ports as a ClusterNetworkPolicy has it."""
    where = {"number": last} if first == last else {"range": {"start": max(first, 1), "end": last}}
    return {protocol.value.lower(): {"destinationPort": where}}


def _port_of_admin(protocol: Protocol, first: int, last: int) -> dict[str, object]:
    """Return a range of ports as an AdminNetworkPolicy has it."""
    if first == last:
        return {"portNumber": {"protocol": protocol.value, "port": last}}
    return {"portRange": {"protocol": protocol.value, "start": max(first, 1), "end": last}}


def _named(port: NamedPort, kind: str) -> dict[str, object]:
    """Return a port by name as a kind of policy has it."""
    if kind == "NetworkPolicy":
        fields: dict[str, object] = {"protocol": port.protocol.value} if port.protocol else {}
        return fields | {"port": port.name}
    return {"destinationNamedPort" if kind == "ClusterNetworkPolicy" else "namedPort": port.name}


def _flow(value: object) -> str:
    """Return a value as YAML writes it on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_flow(key)}: {_flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    text = str(value)
    plain = isinstance(value, int) or (_PLAIN.fullmatch(text) and text.lower() not in _WORDS)
    return text if plain else json.dumps(text)
