"""``networking.k8s.io/v1`` NetworkPolicy.

INVARIANT: an error never widens what is allowed. A peer or a port in error is left out;
a rule in error matches nobody; an error outside the rules leaves open whom the policy is
for, so it isolates in both directions and none of its rules matches anybody.

Source: ``k8s.io/api/networking/v1/types.go`` and the defaults of
``pkg/apis/networking/v1/defaults.go``.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from ringfence.algebra.intervals import EMPTY, Intervals
from ringfence.algebra.selectors import EVERYTHING
from ringfence.algebra.traffic import ALL, Protocol, ports
from ringfence.model.policy import (
    Action,
    Anyone,
    BlockPeer,
    Direction,
    Fault,
    NamedPort,
    PodPeer,
    PodSelector,
    Policy,
    Rule,
    Tier,
)
from ringfence.readers.cidrs import parse_cidr
from ringfence.readers.selectors import build_selector
from ringfence.readers.shapes import network_policy
from ringfence.readers.validation import check_network_policy

if TYPE_CHECKING:
    from ringfence.model.origin import Origin
    from ringfence.model.policy import Peer
    from ringfence.readers.manifest import Manifest
    from ringfence.readers.places import Path
    from ringfence.readers.release import Release
    from ringfence.readers.shapes import Struct

_BOTH = frozenset(Direction)

_TYPES = {direction.value: direction for direction in Direction}

_SECTIONS = {Direction.INGRESS: "ingress", Direction.EGRESS: "egress"}
"""What a spec calls its rules."""

_PEERS = {Direction.INGRESS: "from", Direction.EGRESS: "to"}
"""What a rule calls its peers."""

_PARTS = frozenset({"from", "to", "ports"})
"""The lists in a rule of which an item in error is left out alone."""

_REMEMBERED = 1 << 12

_shape = lru_cache(network_policy)


def network_policy_shape(release: Release) -> Struct:
    """Return the type of a NetworkPolicy in a release."""
    return _shape(end_port=release.knows_end_port, status=release.knows_status)


class _Reading(NamedTuple):
    """A policy being translated.

    Attributes:
        manifest: The policy.
        release: Of the API server that takes it.
        spoiled: Paths of what an error spoils: of items of peers or ports, of rules, and the
            empty path when it is the whole policy.
    """

    manifest: Manifest
    release: Release
    spoiled: frozenset[Path]


def read_network_policy(manifest: Manifest, release: Release) -> Policy:
    """Translate one NetworkPolicy that was decoded, what a server refuses in its spec added to the manifest."""
    spec = manifest.value.get("spec") or {}
    check_network_policy(manifest, spec, release)
    reading = _Reading(manifest, release, frozenset(map(_spoiled, manifest.wrong)))
    subject_path = ("spec", "podSelector")
    wrong = [path[2:] for path in manifest.wrong if path[:2] == subject_path]
    egress = _rules(reading, spec, Direction.EGRESS)
    return Policy(
        kind=manifest.kind,
        name=manifest.qualified_name,
        tier=Tier.NETWORK_POLICY,
        subject=PodSelector(manifest.namespace, build_selector(spec.get("podSelector") or {}, wrong)),
        isolates=_BOTH if () in reading.spoiled else _isolates(spec.get("policyTypes"), with_egress=bool(egress)),
        ingress=_rules(reading, spec, Direction.INGRESS),
        egress=egress,
        origin=manifest.origin(),
        in_error=() in reading.spoiled,
    )


def _spoiled(path: Path) -> Path:
    """Return the path of what goes when there is an error at a path."""
    if len(path) > 2 and path[:2] in {("spec", "ingress"), ("spec", "egress")}:
        return path[:5] if len(path) > 4 and path[3] in _PARTS else path[:3]
    return ()


def _isolates(types: list[str] | None, *, with_egress: bool) -> frozenset[Direction]:
    """Translate ``policyTypes``; when there are none, Ingress, and Egress if there are egress rules."""
    if types:
        return frozenset(_TYPES[each] for each in types)
    return _BOTH if with_egress else frozenset({Direction.INGRESS})


def _rules(reading: _Reading, spec: dict[str, Any], direction: Direction) -> tuple[Rule, ...]:
    section = _SECTIONS[direction]
    written = enumerate(spec.get(section) or ())
    return tuple(_rule(reading, rule or {}, direction, ("spec", section, index)) for index, rule in written)


def _rule(reading: _Reading, rule: dict[str, Any], direction: Direction, path: Path) -> Rule:
    origin = reading.manifest.origin(path)
    if () in reading.spoiled or path in reading.spoiled:
        return Rule(Action.ACCEPT, (), EMPTY, origin, fault=Fault.POLICY if () in reading.spoiled else Fault.RULE)
    fault = Fault.RULE if any(part[: len(path)] == path for part in reading.spoiled) else None
    traffic, named = _traffic(reading, rule.get("ports") or [], (*path, "ports"))
    where = (*path, _PEERS[direction])
    written = rule.get(_PEERS[direction])
    if not written:
        return Rule(Action.ACCEPT, (Anyone(),), traffic, origin, named, fault)
    sound = [(index, peer) for index, peer in enumerate(written) if (*where, index) not in reading.spoiled]
    peers = tuple(_peer(reading.manifest, peer, (*where, index)) for index, peer in sound)
    return Rule(Action.ACCEPT, peers, traffic, origin, named, fault)


def _peer(manifest: Manifest, peer: dict[str, Any], path: Path) -> Peer:
    origin = manifest.origin(path)
    pods, namespaces, block = peer.get("podSelector"), peer.get("namespaceSelector"), peer.get("ipBlock")
    if block is not None:
        return _block(block, origin)
    scope = manifest.namespace if namespaces is None else build_selector(namespaces)
    return PodPeer(PodSelector(scope, build_selector(pods) if pods else EVERYTHING), origin, pods is not None)


def _block(block: dict[str, Any], origin: Origin) -> BlockPeer:
    text, excepted = block["cidr"], block.get("except") or []
    addresses = _addresses(text)
    for hole in excepted:
        addresses -= _addresses(hole)
    return BlockPeer(addresses, f"{text} except {', '.join(excepted)}" if excepted else text, origin)


def _addresses(text: str) -> Intervals:
    found = parse_cidr(text)
    return found.addresses if found else EMPTY


def _traffic(
    reading: _Reading, written: list[dict[str, Any] | None], path: Path
) -> tuple[Intervals, tuple[NamedPort, ...]]:
    """Translate the ports of a rule: those by number, and those by name. No ports mean all traffic."""
    if not written:
        return ALL, ()
    numbered: list[Intervals] = []
    named: list[NamedPort] = []
    for index, port in enumerate(written):
        if (*path, index) not in reading.spoiled:
            found = _port(reading, port or {}, (*path, index))
            if isinstance(found, NamedPort):
                named.append(found)
            else:
                numbered.append(found)
    return Intervals.union(numbered), tuple(dict.fromkeys(named))


def _port(reading: _Reading, port: dict[str, Any], path: Path) -> Intervals | NamedPort:
    protocol, first, last = Protocol(port.get("protocol") or "TCP"), port.get("port"), port.get("endPort")
    if last is not None and not reading.release.keeps_end_port:
        place = reading.manifest.origin((*path, "endPort"))
        meant = "every port is meant" if first is None else f"port {first} is meant alone"
        reading.manifest.notes.append(f"{place}: Kubernetes {reading.release} drops endPort: {meant}")
        last = None
    if isinstance(first, str):
        return NamedPort(first, protocol)
    return _numbers(protocol, first, last)


@lru_cache(_REMEMBERED)
def _numbers(protocol: Protocol, first: int | None, last: int | None) -> Intervals:
    return ports(protocol) if first is None else ports(protocol, first, first if last is None else last)
