"""The structure of the policy kinds that CustomResourceDefinitions define, as tables.

One table holds both channels of a kind: what only the experimental channel has is marked.

Source: ``sigs.k8s.io/network-policy-api`` ``config/crd``, v0.2.0 for ``v1alpha2`` and v0.1.7
for ``v1alpha1``, compared with what a server says that has them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ringfence.readers.networks import is_network
from ringfence.readers.structural import Condition, Schema


def _object(required: str = "", **members: Schema) -> Schema:
    return Schema("object", members, tuple(required.split()))


def _one_of(**members: Schema) -> Schema:
    """Return the schema of an object that has exactly one of its members."""
    return Schema("object", members, least=1, most=1)


def _list(each: Schema, least: int | None = None, most: int | None = None) -> Schema:
    return Schema("array", each=each, least=least, most=most)


def _number(least: int, most: int) -> Schema:
    return Schema("integer", least=least, most=most)


def _experimental(schema: Schema) -> Schema:
    return replace(schema, experimental=True)


_TEXT = Schema("string")
_ELSEWHERE = Schema("elsewhere")
_PORT = _number(1, 65_535)
_PRIORITY = _number(0, 1000)
_NAME = Schema("string", most=100)

_SELECTOR = _object(
    matchLabels=Schema("object", each=_TEXT),
    matchExpressions=_list(_object("key operator", key=_TEXT, operator=_TEXT, values=_list(_TEXT))),
)
"""A label selector; the server checks its structure alone."""

_CONDITION = dict.fromkeys(
    ("lastTransitionTime", "message", "observedGeneration", "reason", "status", "type"), Schema("")
)

_STATUS = Schema("", {"conditions": Schema("", each=Schema("", _CONDITION))})
"""The names in a status; nothing else of it counts."""

_IS_CIDR = Condition(
    "Invalid CIDR format provided",
    is_network,
    hint="write a block such as 10.9.8.0/24; that of one address ends in /32",
)

_CIDR = Schema("string", most=43, conditions=(_IS_CIDR,))

_NETWORKS = replace(_list(_CIDR, 1, 25), unique=True)

_DOMAIN = Schema(
    "string",
    # A-z lets through [ \ ] ^ _ and the backtick; it is what the server asks for.
    pattern=r"^(\*\.)?([a-zA-z0-9]([-a-zA-Z0-9_]*[a-zA-Z0-9])?\.)+[a-zA-z0-9]([-a-zA-Z0-9_]*[a-zA-Z0-9])?\.?$",
)

_DOMAINS = _experimental(replace(_list(_DOMAIN, 1, 25), unique=True))
_NODES = _experimental(_SELECTOR)


def _rule(actions: str, peers: dict[str, Schema], ports: dict[str, Schema], condition: Condition | None) -> Schema:
    (direction,) = peers
    choices = Schema("string", choices=tuple(actions.split()))
    rule = _object(f"action {direction}", name=_NAME, action=choices, **peers, **ports)
    return replace(rule, conditions=(condition,) if condition else ())


def _named_on_addresses(ports: str, name: str, *peers: str) -> Condition:
    """Refuse a rule that names a port for peers whose ports have no names."""

    def holds(rule: Any) -> bool:
        given = any(peer.get(each) is not None for peer in rule["to"] for each in peers)
        return not (given and any(port.get(name) is not None for port in rule.get(ports) or ()))

    spoken = "/".join(peers)
    return Condition(
        f"{spoken} peer cannot be set with namedPorts since there are no namedPorts for {spoken}",
        holds,
        experimental=True,
        hint="write a number; the standard channel takes the rule, and matches nothing there by the name",
        clear=True,
    )


def _root(spec: Schema, *conditions: Condition) -> Schema:
    head = dict.fromkeys(("apiVersion", "kind", "metadata"), _ELSEWHERE)
    return replace(_object("spec", **head, spec=spec, status=_STATUS), conditions=conditions)


def _in_order(ports: Any) -> bool:
    first, last = ports["start"], ports["end"]
    return bool(first < last)


def _cluster_network_policy() -> Schema:
    pods = _object("podSelector", namespaceSelector=_SELECTOR, podSelector=_SELECTOR)
    of_pods = {"namespaces": _SELECTOR, "pods": pods}
    everything = {**of_pods, "nodes": _NODES, "networks": _NETWORKS, "domainNames": _DOMAINS}
    ordered = Condition(
        "Start port must be less than End port", _in_order, hint="write number for one port, or swap the two"
    )
    ports = replace(_object("start end", start=_PORT, end=_PORT), conditions=(ordered,))
    protocol = replace(_object(destinationPort=_one_of(number=_PORT, range=ports)), least=1)
    protocols = {
        "protocols": _list(_one_of(tcp=protocol, udp=protocol, sctp=protocol, destinationNamedPort=_TEXT), 1, 25)
    }
    named = _named_on_addresses("protocols", "destinationNamedPort", "networks", "nodes", "domainNames")
    actions = "Accept Deny Pass"
    return _root(
        _object(
            "tier priority subject",
            tier=Schema("string", choices=("Admin", "Baseline")),
            priority=_PRIORITY,
            subject=_one_of(**of_pods),
            ingress=_list(_rule(actions, {"from": _list(_one_of(**of_pods), 1, 25)}, protocols, None), most=25),
            egress=_list(_rule(actions, {"to": _list(_one_of(**everything), 1, 25)}, protocols, named), most=25),
        )
    )


def _v1alpha1(actions: str, addresses: dict[str, Schema], **members: Schema) -> Schema:
    """Return the spec that both kinds of v1alpha1 have, but for what differs."""
    pods = _object("namespaceSelector podSelector", namespaceSelector=_SELECTOR, podSelector=_SELECTOR)
    of_pods = {"namespaces": _SELECTOR, "pods": pods}
    protocol = replace(_TEXT, filled=True)
    port = _one_of(
        portNumber=_object("port protocol", port=_PORT, protocol=protocol),
        portRange=_object("start end", start=_PORT, end=_PORT, protocol=protocol),
        namedPort=_experimental(_TEXT),
    )
    ports = {"ports": _list(port, 1, 100)}
    named = _named_on_addresses("ports", "namedPort", *addresses)
    everything = _one_of(**of_pods, **addresses)
    return _object(
        " ".join((*members, "subject")),
        **members,
        subject=_one_of(**of_pods),
        ingress=_list(_rule(actions, {"from": _list(_one_of(**of_pods), 1, 100)}, ports, None), most=100),
        egress=_list(_rule(actions, {"to": _list(everything, 1, 100)}, ports, named), most=100),
    )


def _named_default(root: Any) -> bool:
    metadata = root.get("metadata")
    named = isinstance(metadata, dict) and (metadata.get("name") or metadata.get("generateName"))
    return not named or metadata.get("name") == "default"


CLUSTER_NETWORK_POLICY = _cluster_network_policy()
"""ClusterNetworkPolicy of ``v1alpha2``."""

_ADDRESSES = {"networks": _NETWORKS, "nodes": _NODES}

ADMIN_NETWORK_POLICY = _root(_v1alpha1("Allow Deny Pass", {**_ADDRESSES, "domainNames": _DOMAINS}, priority=_PRIORITY))
"""AdminNetworkPolicy of ``v1alpha1``."""

BASELINE_ADMIN_NETWORK_POLICY = _root(
    _v1alpha1("Allow Deny", _ADDRESSES),
    Condition(
        'Only one baseline admin network policy with metadata.name="default" can be created in the cluster',
        _named_default,
        hint="name it default",
    ),
)
"""BaselineAdminNetworkPolicy of ``v1alpha1``."""
