"""Policies of the Admin and Baseline tiers: what all their kinds and versions have in common.

INVARIANT: an error never widens what is allowed. The API texts say what to do with a peer
that is not understood, and the same is done with everything else in a rule: a rule that
accepts matches nothing, and one that denies or passes denies everything. Where whom a policy
is for, its tier or its priority is in error, it is taken to be for everybody that it may be
for, and to come first. Whatever is wrong outside a single rule, be it the name of the policy
or the number of its rules, leaves rules that only deny: no server has such a policy. Where it
is not known which rules a policy has, it denies everything.

Source: ``sigs.k8s.io/network-policy-api`` ``apis/v1alpha2/clusternetworkpolicy_types.go`` and
``apis/v1alpha1/shared_types.go``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ringfence.algebra.intervals import EMPTY, Intervals
from ringfence.algebra.selectors import Operator, Requirement, Selector
from ringfence.algebra.traffic import ALL
from ringfence.model.policy import (
    Action,
    Anyone,
    BlockPeer,
    Direction,
    DomainPeer,
    Fault,
    NamedPort,
    NodePeer,
    PodPeer,
    PodSelector,
    Policy,
    Rule,
    Tier,
)
from ringfence.readers.fields import Field
from ringfence.readers.networks import read_network
from ringfence.readers.structural import check
from ringfence.readers.syntax import label_key, label_value, port_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ringfence.model.origin import Origin
    from ringfence.model.policy import Peer
    from ringfence.readers.manifest import Manifest
    from ringfence.readers.places import Path
    from ringfence.readers.structural import Schema, Structure

_PEERS = {Direction.INGRESS: "from", Direction.EGRESS: "to"}
"""What a rule calls its peers."""

_SECTIONS = {("spec", direction.value.lower()) for direction in Direction}
"""Where rules stand."""

_OPERATORS = {operator.value: operator for operator in Operator}

_WITH_VALUES = (Operator.IN, Operator.NOT_IN)

_UNNOTICED = "which the API server does not notice"

_LETTERS = "use letters, digits, -, _ and ., at most 63, with a letter or digit at both ends"


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind writes what the others write otherwise.

    Attributes:
        schema: Its structure.
        actions: Its words for actions.
        ports: What a rule calls its traffic.
        read_port: Reads one item of that; None when it is in error.
        tier: The tier of all its policies; None when each says its own.
        priority: The priority of all its policies; likewise.
    """

    schema: Schema
    actions: Mapping[str, Action]
    ports: str
    read_port: Callable[[Field], Intervals | NamedPort | None]
    tier: Tier | None = None
    priority: int | None = None


def read_tiered(manifest: Manifest, kind: Kind) -> tuple[Policy, Mapping[str, Origin]]:
    """Translate one policy, its errors added to the manifest.

    Returns:
        The policy, and the members that only the experimental channel knows: by name the first of each.
    """
    structure = check(manifest, kind.schema)
    spec = Field(manifest)["spec"]
    if not isinstance(spec.value, dict):
        spec = Field(manifest, ("spec",), {})
    subject = _pods(spec["subject"]) if _is_clear(spec["subject"], structure) else PodSelector()
    tier, priority = _tier(spec["tier"], kind, structure), _priority(spec["priority"], kind, structure)
    rules = {direction: _section(spec, direction, kind, structure) for direction in Direction}
    if not all(map(_is_in_rule, manifest.wrong)):
        rules = {direction: tuple(_denying(rule, Fault.POLICY) for rule in rules[direction]) for direction in Direction}
    policy = Policy(
        kind=manifest.kind,
        name=manifest.qualified_name,
        tier=tier or Tier.ADMIN,
        priority=priority or 0,
        subject=subject,
        ingress=rules[Direction.INGRESS],
        egress=rules[Direction.EGRESS],
        origin=manifest.origin(),
    )
    return policy, {name: manifest.origin(path) for name, path in structure.experimental.items()}


def read_number(number: Field) -> int:
    """Read a number that has the structure of one; JSON may write it with a point."""
    return int(number.value)


def read_named_port(name: Field) -> NamedPort | None:
    """Read the name of a port, of any protocol; None when no port can have it."""
    if not port_name(name.value):
        return NamedPort(name.value, None)
    name.error(f'"{name.value}" is no name of a port, so it matches nothing', "write the name of a container's port")
    return None


def _tier(tier: Field, kind: Kind, structure: Structure) -> Tier | None:
    """Return a policy's tier; None when it is in error."""
    return kind.tier or (Tier(tier.value) if _is_clear(tier, structure) else None)


def _priority(priority: Field, kind: Kind, structure: Structure) -> int | None:
    """Return a policy's priority; None when it is in error."""
    if kind.priority is not None:
        return kind.priority
    return read_number(priority) if _is_clear(priority, structure) else None


def _is_clear(part: Field, structure: Structure) -> bool:
    """Tell whether a part is there and in order."""
    return part.given and part.path not in structure.unclear


def _is_in_rule(path: Path) -> bool:
    """Tell whether a path is that of a rule, or of a part of one."""
    return len(path) > 2 and path[:2] in _SECTIONS


def _pods(part: Field) -> PodSelector:
    """Read ``namespaces`` or ``pods``; namespaces that are not named are all of them."""
    if part["namespaces"].given:
        return PodSelector(_selector(part["namespaces"]))
    return PodSelector(_selector(part["pods"]["namespaceSelector"]), _selector(part["pods"]["podSelector"]))


def _section(spec: Field, direction: Direction, kind: Kind, structure: Structure) -> tuple[Rule, ...]:
    """Read the rules of one direction; deny everything when it is not known which there are."""
    section = spec[direction.value.lower()]
    if spec.path in structure.broken or section.path in structure.broken:
        return (_closed(None, section.origin),)
    return tuple(rule for each in section.items() for rule in _rules(each, direction, kind, structure))


def _rules(rule: Field, direction: Direction, kind: Kind, structure: Structure) -> tuple[Rule, ...]:
    """Read one rule; it becomes two when a name of a port is meant for some of its peers alone."""
    members = rule.value if isinstance(rule.value, dict) else {}
    name, action = members.get("name"), kind.actions.get(str(members.get("action")))
    origin = replace(rule.origin, rule_name=name if name and isinstance(name, str) else None)
    if action is None or rule.path in structure.unclear:
        return (_closed(action, origin),)
    errors = len(rule.manifest.errors)
    peers = tuple(peer for each in rule[_PEERS[direction]].items() for peer in _peers(each, action))
    traffic, named = _traffic(rule[kind.ports].items(), kind)
    if len(rule.manifest.errors) > errors:
        return (_closed(action, origin),)
    # Of the rule itself, only that is left of which the standard channel says nothing.
    if any(path[: len(rule.path)] == rule.path != path for path in rule.manifest.wrong):
        return (_denying(Rule(action, peers, traffic, origin, named), Fault.RULE),)
    # Ports of addresses have no names, even where an address is a pod's.
    pods = tuple(peer for peer in peers if isinstance(peer, PodPeer))
    addresses = tuple(peer for peer in peers if not isinstance(peer, PodPeer))
    if not named or not addresses:
        return (Rule(action, peers, traffic, origin, named),)
    of_pods = (Rule(action, pods, traffic, origin, named),) if pods else ()
    return (*of_pods, Rule(action, addresses, traffic, origin))


def _closed(action: Action | None, origin: Origin, fault: Fault = Fault.RULE) -> Rule:
    """Return what a rule means that is not understood."""
    if action is Action.ACCEPT:
        return Rule(Action.ACCEPT, (), EMPTY, origin, fault=fault)
    return Rule(Action.DENY, (Anyone(),), ALL, origin, fault=fault)


def _denying(rule: Rule, fault: Fault) -> Rule:
    """Return what a rule may mean at most when no server has it, or it is not known whom it is for."""
    if rule.action is Action.ACCEPT:
        return _closed(rule.action, rule.origin, rule.fault or fault)
    return replace(rule, action=Action.DENY, fault=rule.fault or fault)


def _peers(peer: Field, action: Action) -> tuple[Peer, ...]:
    """Read one peer: one for each block that it names, else one."""
    if peer["networks"].given:
        return tuple(BlockPeer(read_network(each.value), each.value, each.origin) for each in peer["networks"].items())
    if peer["nodes"].given:
        return (NodePeer(_selector(peer["nodes"]), peer.origin),)
    if peer["domainNames"].given:
        if action is not Action.ACCEPT:
            peer["domainNames"].error("domain names are only for rules that accept", "deny their addresses instead")
        return (DomainPeer(tuple(each.value for each in peer["domainNames"].items()), peer.origin),)
    return (PodPeer(_pods(peer), peer.origin),)


def _traffic(ports: list[Field], kind: Kind) -> tuple[Intervals, tuple[NamedPort, ...]]:
    """Read the traffic of a rule: by number, and by name. None is all traffic, without ports too."""
    if not ports:
        return ALL, ()
    found = [kind.read_port(each) for each in ports]
    numbered = Intervals.union(each for each in found if isinstance(each, Intervals))
    return numbered, tuple(dict.fromkeys(each for each in found if isinstance(each, NamedPort)))


def _selector(selector: Field) -> Selector:
    """Read a label selector, which the server does not check; one that is absent or empty matches everything.

    A requirement in error is left out, so what is returned matches at least what was meant.
    """
    required = []
    for key, value in selector["matchLabels"].mapping().items():
        label = selector["matchLabels"][key]
        if value is None:
            label.error("a label without a value, which the API server forgets", 'write ""')
        elif _is_label(label, key, (value,)):
            required.append(Requirement(key, Operator.IN, (value,)))
    required += [found for each in selector["matchExpressions"].items() if (found := _requirement(each))]
    return Selector.of(required)


def _requirement(expression: Field) -> Requirement | None:
    operator, values = expression["operator"], tuple(sorted({each.value for each in expression["values"].items()}))
    found = _OPERATORS.get(operator.value)
    if found is None:
        names = {name.lower(): name for name in _OPERATORS}
        hint = f"write {names.get(operator.value.lower()) or ', '.join(_OPERATORS)}"
        operator.error(f'"{operator.value}" is no operator, {_UNNOTICED}', hint)
        return None
    if bool(values) is not (found in _WITH_VALUES):
        message = f"{found.value} {'takes no values' if values else 'needs values'}, {_UNNOTICED}"
        expression["values"].error(message, "remove the values" if values else "add values")
        return None
    key = expression["key"].value
    return Requirement(key, found, values) if _is_label(expression, key, values) else None


def _is_label(part: Field, key: str, values: tuple[str, ...]) -> bool:
    """Check that there can be such a label; plugins cannot use a selector that names another."""
    if label_key(key):
        part.error(f'"{key}" is no key of a label, {_UNNOTICED}', _LETTERS)
        return False
    for value in values:
        if label_value(value):
            part.error(f'"{value}" is no value of a label, {_UNNOTICED}', _LETTERS)
            return False
    return True
