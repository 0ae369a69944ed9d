"""What an API server refuses in the spec of a NetworkPolicy, in the server's order.

Source: k8s.io/kubernetes ``pkg/apis/networking/validation/validation.go``. From 1.37 on,
part of it is declared in the types as well; what a server then says is the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringfence.algebra.traffic import PORTS
from ringfence.readers import refusals
from ringfence.readers.cidrs import parse_cidr
from ringfence.readers.refusals import Named, invalid
from ringfence.readers.selectors import check_selector
from ringfence.readers.syntax import port_name

if TYPE_CHECKING:
    from ringfence.readers.cidrs import Cidr
    from ringfence.readers.manifest import Manifest
    from ringfence.readers.places import Path
    from ringfence.readers.release import Release

PROTOCOLS = ("TCP", "UDP", "SCTP")
POLICY_TYPES = ("Ingress", "Egress")

_SECTIONS = (("ingress", "from"), ("egress", "to"))
"""The lists of rules, and what a rule of each calls its peers."""


def check_network_policy(manifest: Manifest, spec: dict[str, Any], release: Release) -> None:
    """Add what a server refuses.

    Args:
        manifest: The policy.
        spec: Its spec, decoded.
        release: Of the server.
    """
    check_selector(manifest, spec.get("podSelector"), ("spec", "podSelector"), release)
    for section, peers in _SECTIONS:
        for number, rule in enumerate(spec.get(section) or ()):
            members = rule or {}
            for index, port in enumerate(members.get("ports") or ()):
                _check_port(manifest, port or {}, ("spec", section, number, "ports", index), release)
            for index, peer in enumerate(members.get(peers) or ()):
                _check_peer(manifest, peer or {}, ("spec", section, number, peers, index), release)
    _check_types(manifest, spec.get("policyTypes") or [])


def _check_types(manifest: Manifest, types: list[str | None]) -> None:
    path = ("spec", "policyTypes")
    if len(types) > len(POLICY_TYPES):
        refusal = invalid([each or "" for each in types], refusals.MANY_TYPES)
        manifest.refuse(refusal, path, "write each of Ingress and Egress once")
        return
    for index, written in enumerate(types):
        text = written or ""
        if text not in POLICY_TYPES:
            meant = text.capitalize()
            hint = f"write {meant}" if meant in POLICY_TYPES else "write Ingress or Egress"
            manifest.refuse(refusals.unsupported(Named(text), POLICY_TYPES), (*path, index), hint)


def _check_port(manifest: Manifest, port: dict[str, Any], path: Path, release: Release) -> None:
    protocol, first = port.get("protocol"), port.get("port")
    # A server that drops the field does so before it validates (registry/networking/networkpolicy/strategy.go).
    last = port.get("endPort") if release.keeps_end_port else None
    if protocol is not None and protocol not in PROTOCOLS:
        hint = f"write {protocol.upper()}" if protocol.upper() in PROTOCOLS else "write TCP, UDP or SCTP"
        manifest.refuse(refusals.unsupported(Named(protocol), PROTOCOLS), (*path, "protocol"), hint)
    if type(first) is int:
        if not 0 < first < PORTS:
            manifest.refuse(invalid(first, refusals.PORT_RANGE), (*path, "port"), "correct the number")
        if last is not None:
            _check_end(manifest, first, last, (*path, "endPort"))
    elif first is None:
        if last is not None:
            manifest.refuse(invalid(last, refusals.END_ALONE), (*path, "endPort"), "add port")
    else:
        if last is not None:
            manifest.refuse(invalid(last, refusals.END_OF_NAME), (*path, "endPort"), "remove endPort")
        hint = "write the number without quotes" if first.isdigit() else "write a port number or a port's name"
        for detail in port_name(first):
            manifest.refuse(invalid(first, detail), (*path, "port"), hint)


def _check_end(manifest: Manifest, first: int, last: int, path: Path) -> None:
    if last < first:  # the server shows the first port, not the last
        manifest.refuse(invalid(first, refusals.END_BEFORE_PORT), path, f"swap {last} and {first}")
    if not 0 < last < PORTS:
        manifest.refuse(invalid(last, refusals.PORT_RANGE), path, "correct the number")


def _check_peer(manifest: Manifest, peer: dict[str, Any], path: Path, release: Release) -> None:
    pods, namespaces, block = peer.get("podSelector"), peer.get("namespaceSelector"), peer.get("ipBlock")
    check_selector(manifest, pods, (*path, "podSelector"), release)
    check_selector(manifest, namespaces, (*path, "namespaceSelector"), release)
    if block is not None:
        _check_block(manifest, block, (*path, "ipBlock"), release)
        if pods is not None or namespaces is not None:
            refusal = refusals.forbidden(refusals.TWO_PEERS)
            manifest.refuse(refusal, path, "write two peers, each with its own dash")
    elif pods is None and namespaces is None:
        refusal = refusals.required(refusals.NO_PEER)
        manifest.refuse(refusal, path, "write podSelector: {} for every pod of the namespace")


def _check_block(manifest: Manifest, block: dict[str, Any], path: Path, release: Release) -> None:
    text = block.get("cidr")
    if not text:
        manifest.refuse(refusals.required(), (*path, "cidr"), "write a block such as 10.9.8.0/24")
        return
    whole = _check_cidr(manifest, text, (*path, "cidr"), release)
    if not whole:
        return
    for index, written in enumerate(block.get("except") or ()):
        where = (*path, "except", index)
        hole = _check_cidr(manifest, written or "", where, release)
        # The server asks for the hole's first address alone; with a longer prefix that is enough.
        if hole and not (hole.length > whole.length and hole.first in whole.addresses):
            manifest.refuse(invalid(written, refusals.NO_SUBSET), where, f"name a part of {text}")


def _check_cidr(manifest: Manifest, text: str, path: Path, release: Release) -> Cidr | None:
    found = parse_cidr(text)
    if not found:
        address = text and "/" not in text
        hint = f"write {text}/{128 if ':' in text else 32} for one address" if address else "correct the block"
        manifest.refuse(invalid(text, refusals.NO_CIDR), path, hint)
    elif release.strict_cidrs:
        for fault in found.faults:
            alone = f", or {text.partition('/')[0]}/{128 if ':' in text else 32} for one address"
            hint = f"write {found}{alone if fault == refusals.CIDR_BITS else ''}"
            manifest.refuse(invalid(text, fault), path, hint)
    return found
