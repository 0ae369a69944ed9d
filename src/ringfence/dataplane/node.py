"""Whether a node can enforce policies, and what on it could let packets past them or take more.

Facts are gathered by whoever can see the node; what they mean is here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import Family
from ringfence.dataplane.handling import MASK
from ringfence.dataplane.names import TABLE
from ringfence.dataplane.netlink.requests import PRIORITIES
from ringfence.dataplane.netlink.survey import Survey
from ringfence.model.finding import Finding, Weight

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ringfence.dataplane.features import Feature
    from ringfence.dataplane.netlink.survey import BaseChain

NFT_TRIED = (1, 0, 6)
"""The version of nft that is known to print our tables."""

BRIDGE_SWITCHES = {Family.IPV4: "bridge-nf-call-iptables", Family.IPV6: "bridge-nf-call-ip6tables"}
"""The kernel settings that send a bridge's packets through the hooks, below ``net.bridge``."""

_BEFORE_HOOKS = frozenset({"ipvlan", "macvlan"})
"""Kinds of links whose packets go from one to another without meeting a hook of the node."""

_OURS = {str(hook): priority for hook, priority in PRIORITIES.items()}


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """What is known of a node.

    Attributes:
        kernel: The kernel's release.
        nft: The version of the program ``nft``; empty where there is none.
        refused: Features that the kernel refused, with its words.
        connections: Whether conntrack shows its connections.
        owners: Whether a table may have an owner and outlive it.
        survey: What nftables hold beside our table.
        held: Whether our table is there.
        links: The kind of each link, by name; links without a kind are left out.
        bridged: Whether packets between the ports of a bridge are sent through the hooks, by family;
            empty where ``br_netfilter`` is not there.
        legacy: Tables of iptables' own that are in use, as the kernel names them.
        virtual_servers: Whether IPVS has a Service.
    """

    kernel: str
    nft: tuple[int, ...] = NFT_TRIED
    refused: tuple[tuple[Feature, str], ...] = ()
    connections: bool = True
    owners: bool = True
    survey: Survey = field(default_factory=Survey)
    held: bool = True
    links: Mapping[str, str] = field(default_factory=dict)
    bridged: Mapping[Family, bool] = field(default_factory=dict)
    legacy: tuple[str, ...] = ()
    virtual_servers: bool = False


def examine(facts: NodeFacts) -> tuple[Finding, ...]:
    """Say what stands in the way of policies on a node, faults first; nothing when all is well."""
    found = [*_lacks(facts), *_bypasses(facts), *_others(facts.survey), *_programs(facts)]
    return tuple(sorted(found, key=lambda each: each.weight is not Weight.FAULT))


def _fault(topic: str, what: str, consequence: str, remedy: str) -> Finding:
    return Finding(Weight.FAULT, topic, what, consequence, remedy)


def _note(topic: str, what: str, consequence: str, remedy: str) -> Finding:
    return Finding(Weight.NOTE, topic, what, consequence, remedy)


def _lacks(facts: NodeFacts) -> Iterator[Finding]:
    for feature, words in facts.refused:
        say = _fault if feature.needed else _note
        yield say("kernel", f"the kernel has no {feature.name} ({words})", feature.consequence, feature.remedy)
    if not facts.connections:
        what = "the kernel does not show the connections that it tracks"
        yield _fault(
            *("conntrack", what, "nobody knows which connections were allowed by which rules"),
            "load the module nf_conntrack_netlink, or run a kernel that has it",
        )
    if not facts.owners:
        what = "the kernel cannot keep a table for one owner"
        consequence = "whoever administrates the node can change or flush the rules, and `nft flush ruleset` does"
        yield _note(
            "owner", what, consequence, "run Linux 6.9 or newer, or keep other programs from flushing all tables"
        )


def _bypasses(facts: NodeFacts) -> Iterator[Finding]:
    for place in facts.survey.flowtables:
        yield _fault(
            *(
                "flowtable",
                f"there is a flowtable, {place}",
                "what it forwards is not judged again when policies change",
            ),
            f"delete it with `nft delete flowtable {place}`, or keep pods' connections out of it",
        )
    bridges = [name for name, kind in facts.links.items() if kind == "bridge"]
    closed = [family for family in Family if not facts.bridged.get(family)]
    if bridges and closed:
        what = f"{', '.join(bridges)} bridges packets past the hooks"
        families = " and ".join(f"IPv{family.value}" for family in closed)
        switches = " and ".join(f"net.bridge.{BRIDGE_SWITCHES[family]}=1" for family in closed)
        load = "" if facts.bridged else "load the module br_netfilter and "
        consequence = f"{families} between pods on one bridge is not judged"
        yield _fault("bridge", what, consequence, f"{load}set {switches}")
    for kind in sorted(_BEFORE_HOOKS):
        if names := [name for name, each in facts.links.items() if each == kind]:
            yield _fault(
                *(
                    "link",
                    f"there are links of the kind {kind}: {', '.join(names)}",
                    "what pods send by them is not judged",
                ),
                "use a network plugin that routes, or see that they lead to no pod",
            )
    if facts.virtual_servers:
        yield _fault(
            *("ipvs", "IPVS translates addresses of Services", "what it translates is not judged by the pod's address"),
            "run kube-proxy in the mode nftables or iptables",
        )
    for place in facts.survey.marking:
        yield _fault(
            *(
                "mark",
                f"a rule of {place} may write the bits {MASK:#x} of conntrack's mark",
                "a connection may pass unjudged",
            ),
            "let it keep to other bits",
        )


def _others(survey: Survey) -> Iterator[Finding]:
    for chain in survey.dropping:
        if when := _when(chain):
            yield _note(
                *("table", f"{chain.place} may drop {when} ({chain.hook} {chain.priority})", _UNTOLD),
                f"see `nft list chain {chain.place}`",
            )
    for place in survey.untracking:
        consequence = "each packet of such a connection is judged as if it opened one, answers too"
        yield _note(
            "untracked", f"a rule of {place} keeps conntrack from packets", consequence, f"see `nft list chain {place}`"
        )


_UNTOLD = "what policies allow may be denied, and nothing here tells why"


def _when(chain: BaseChain) -> str:
    """Return when a chain meets packets that policies are about; empty when it does not."""
    if chain.hook in {"ingress", "egress"}:
        return "before us" if chain.hook == "ingress" else "after us"
    if chain.hook in _OURS:
        return "before us" if chain.priority < _OURS[chain.hook] else "after us"
    return {"output": "", "postrouting": "after us"}.get(chain.hook, "")


def _programs(facts: NodeFacts) -> Iterator[Finding]:
    if facts.legacy:
        what = f"iptables-legacy has the tables {', '.join(facts.legacy)}"
        yield _note("iptables-legacy", what, _UNTOLD, "see `iptables-legacy-save`, or move to iptables-nft")
    if not facts.nft:
        what = "nft is not installed"
        yield _note("nft", what, "the rules are enforced, and nobody can list them", "install the package nftables")
    elif facts.nft[:2] != NFT_TRIED[:2] or facts.nft < NFT_TRIED:
        age = "older" if facts.nft < NFT_TRIED else "newer"
        what = f"nft is {'.'.join(map(str, facts.nft))}, {age} than the one that was tried"
        consequence = "the rules are enforced without it, but its listing may be wrong"
        yield _note("nft", what, consequence, f"look at the rules with nft {'.'.join(map(str, NFT_TRIED))}")
    if not facts.held:
        what = f"there is no table inet {TABLE}"
        yield _note("held", what, "nothing of ours is enforced on this node", "apply policies, and look again")
