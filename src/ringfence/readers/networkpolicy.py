"""``networking.k8s.io/v1`` NetworkPolicy.

INVARIANT: an error never widens what is allowed. A peer or a port in error is left out;
a rule in error matches nobody; an error outside the rules leaves open whom the policy is
for, so it isolates in both directions and none of its rules matches anybody.

Source: ``k8s.io/api/networking/v1/types.go`` and the defaults of
``pkg/apis/networking/v1/defaults.go``.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import read_cidr
from ringfence.algebra.intervals import EMPTY, Intervals
from ringfence.algebra.selectors import EVERYTHING
from ringfence.algebra.traffic import ALL, ports
from ringfence.model.policy import (
    Action,
    Anyone,
    BlockPeer,
    Direction,
    NamedPort,
    PodPeer,
    PodSelector,
    Policy,
    Rule,
    Tier,
)
from ringfence.readers.fields import Field
from ringfence.readers.ports import read_port, read_protocol
from ringfence.readers.selectors import read_selector

if TYPE_CHECKING:
    from ringfence.algebra.traffic import Protocol
    from ringfence.model.origin import Origin
    from ringfence.model.policy import Peer
    from ringfence.readers.manifest import Manifest

_BOTH = frozenset(Direction)

_PEERS = {Direction.INGRESS: "from", Direction.EGRESS: "to"}
"""What a rule calls its peers."""

_PORT_NAME = re.compile(r"(?=.{1,15}\Z)(?!.*--)(?=.*[a-z])[a-z0-9](?:[-a-z0-9]*[a-z0-9])?")
"""A port's name: at most 15 of ``a-z0-9-``, at least one letter, no hyphen at an end or doubled."""

_CIDR = re.compile(r"[0-9a-fA-F:.]+/[0-9]{1,3}")
"""The form of a CIDR: the standard library would take a netmask or a scope as well."""


def read_network_policy(manifest: Manifest) -> Policy:
    """Translate one NetworkPolicy, its errors added to the manifest."""
    root = Field(manifest)
    for texts in (root["metadata"]["labels"], root["metadata"]["annotations"]):
        texts.strings()
    spec = root["spec"]
    spec.known(("podSelector", "policyTypes", "ingress", "egress"))
    subject = PodSelector(manifest.namespace, read_selector(spec["podSelector"]))
    sections = {direction: spec[direction.value.lower()].items() for direction in Direction}
    isolates = _isolates(spec["policyTypes"], with_egress=bool(sections[Direction.EGRESS]))
    damaged = bool(manifest.errors)
    rules = {direction: tuple(_rule(each, direction) for each in sections[direction]) for direction in Direction}
    if damaged:
        rules = {direction: tuple(_matching_nobody(rule) for rule in rules[direction]) for direction in Direction}
    return Policy(
        kind=manifest.kind,
        name=manifest.qualified_name,
        tier=Tier.NETWORK_POLICY,
        subject=subject,
        isolates=_BOTH if damaged else isolates,
        ingress=rules[Direction.INGRESS],
        egress=rules[Direction.EGRESS],
        origin=manifest.origin(),
    )


def _isolates(types: Field, *, with_egress: bool) -> frozenset[Direction]:
    """Read ``policyTypes``; when there are none, Ingress, and Egress if there are egress rules."""
    named = {direction.value: direction for direction in Direction}
    found = set()
    for each in types.items():
        text = each.string()
        if text in named:
            found.add(named[text])
        elif each.value is None or isinstance(each.value, str):
            hint = f"write {text.capitalize()}" if text.capitalize() in named else "write Ingress or Egress"
            each.error(f'Unsupported value: "{text}": supported values: "Egress", "Ingress"', hint)
    if types.value:
        return frozenset(found)
    return _BOTH if with_egress else frozenset({Direction.INGRESS})


def _matching_nobody(rule: Rule) -> Rule:
    return replace(rule, peers=(), traffic=EMPTY, named=())


def _rule(rule: Field, direction: Direction) -> Rule:
    errors = rule.manifest.errors
    before = len(errors)
    rule.known((_PEERS[direction], "ports"))
    peers, port_fields = rule[_PEERS[direction]].items(), rule["ports"].items()
    if len(errors) > before:
        return Rule(Action.ACCEPT, (), EMPTY, rule.origin)
    traffic, named = _traffic(port_fields)
    found = tuple(peer for each in peers if (peer := _peer(each))) if peers else (Anyone(),)
    return Rule(Action.ACCEPT, found, traffic, rule.origin, named)


def _peer(peer: Field) -> Peer | None:
    errors = peer.manifest.errors
    before = len(errors)
    peer.known(("podSelector", "namespaceSelector", "ipBlock"))
    pods, namespaces, block = peer["podSelector"], peer["namespaceSelector"], peer["ipBlock"]
    found: Peer | None = None
    if block.given and (pods.given or namespaces.given):
        peer.error(
            "Forbidden: may not specify both ipBlock and another peer", "write two peers, each with its own dash"
        )
    elif block.given:
        found = _block(block, peer.origin)
    elif pods.given or namespaces.given:
        scope = read_selector(namespaces) if namespaces.given else peer.manifest.namespace
        found = PodPeer(PodSelector(scope, read_selector(pods) if pods.given else EVERYTHING), peer.origin)
    elif len(errors) == before:
        peer.error("Required value: must specify a peer", "write podSelector: {} for every pod of the namespace")
    return found if len(errors) == before else None


def _block(block: Field, origin: Origin) -> BlockPeer:
    block.known(("cidr", "except"))
    whole, text = _cidr(block["cidr"]), str(block["cidr"].value)
    addresses, holes = whole, []
    for each in block["except"].items():
        hole = _cidr(each)
        if hole and whole and not (hole <= whole and hole != whole):
            each.error(f'Invalid value: "{each.value}": must be a strict subset of `cidr`', f"name a part of {text}")
        addresses -= hole
        holes.append(str(each.value))
    return BlockPeer(addresses, f"{text} except {', '.join(holes)}" if holes else text, origin)


def _cidr(cidr: Field) -> Intervals:
    """Read a block of addresses; empty when it is in error."""
    text = cidr.string()
    if _CIDR.fullmatch(text):
        try:
            return read_cidr(text)
        except ValueError:
            pass  # reported below
    if not cidr.value:
        cidr.error("Required value", "write a block such as 10.9.8.0/24")
    elif text:
        hint = f"write {text}/{128 if ':' in text else 32} for one address" if "/" not in text else ""
        message = f'Invalid value: "{text}": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'
        cidr.error(message, hint or "correct the block")
    return EMPTY


def _traffic(fields: list[Field]) -> tuple[Intervals, tuple[NamedPort, ...]]:
    """Read the ports of a rule: those by number, and those by name. No ports mean all traffic."""
    if not fields:
        return ALL, ()
    found = [port for field in fields if (port := _port(field))]
    numbered = Intervals.union(port for port in found if isinstance(port, Intervals))
    return numbered, tuple(dict.fromkeys(port for port in found if isinstance(port, NamedPort)))


def _port(port: Field) -> Intervals | NamedPort | None:
    errors = port.manifest.errors
    before = len(errors)
    port.known(("protocol", "port", "endPort"))
    protocol, first, last = read_protocol(port["protocol"]), port["port"], port["endPort"]
    found: Intervals | NamedPort | None = None
    if protocol is None:
        return None
    if isinstance(first.value, str):
        found = _named_port(first, last, protocol)
    elif first.given:
        start = read_port(first)
        end = read_port(last) if last.given else start
        if start and end and end < start:
            last.error(f"Invalid value: {end}: must be greater than or equal to `port`", "swap the two")
        elif start and end:
            found = ports(protocol, start, end)
    elif last.given:
        last.error(f"Invalid value: {last.value}: may not be specified when `port` is not specified", "add port")
    else:
        found = ports(protocol)
    return found if len(errors) == before else None


def _named_port(port: Field, last: Field, protocol: Protocol) -> NamedPort:
    name = port.string()
    if not _PORT_NAME.fullmatch(name):
        hint = "write the number without quotes" if name.isdigit() else "write a port number or a port's name"
        port.error(f'Invalid value: "{name}": must be at most 15 of a-z, 0-9 and single inner -, one a letter', hint)
    if last.given:
        last.error(f"Invalid value: {last.value}: may not be specified when `port` is non-numeric", "remove endPort")
    return NamedPort(name, protocol)
