"""One policy by itself: whom it selects, whom its rules mean, what it changes, and what it may not be meant to say."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from ringfence.analysis.difference import Difference, difference
from ringfence.errors import InputError
from ringfence.model.policy import Anyone, BlockPeer, Direction, PodPeer, Tier, resolve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.model.cluster import Pod
    from ringfence.model.origin import Origin
    from ringfence.model.policy import NamedPort, Peer, PodSelector, Policy, Rule
    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics.engine import Engine

KINDS = {
    "netpol": "NetworkPolicy",
    "cnp": "ClusterNetworkPolicy",
    "anp": "AdminNetworkPolicy",
    "banp": "BaselineAdminNetworkPolicy",
}
"""How kinds of policies are written in short, as kubectl does."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """Whom one peer of a rule means.

    Attributes:
        peer: The peer.
        pods: The pods that it means now by their labels; empty for addresses, nodes and names.
    """

    peer: Peer
    pods: tuple[Pod, ...] = ()


@dataclass(frozen=True, slots=True)
class Clause:
    """One rule and whom it means.

    Attributes:
        direction: The direction it is in.
        rule: The rule.
        peers: What its peers mean, in the order written.
    """

    direction: Direction
    rule: Rule
    peers: tuple[Meaning, ...]


@dataclass(frozen=True, slots=True)
class Trap:
    """Something that a policy says and its author may not mean.

    Attributes:
        text: One clause for people.
        origin: Where it is written.
    """

    text: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class Description:
    """One policy.

    Attributes:
        policy: The policy.
        selected: The pods that it selects now, in the snapshot's order.
        clauses: Its rules, those of ingress first.
        traps: What its author may not mean, in the order of the text.
        without: An engine of the snapshot without it.
        change: What differs between that and the snapshot with it.
    """

    policy: Policy
    selected: tuple[Pod, ...]
    clauses: tuple[Clause, ...]
    traps: tuple[Trap, ...]
    without: Engine
    change: Difference


def find_policy(snapshot: Snapshot, text: str, namespace: str) -> Policy:
    """Return the policy of a name: ``netpol/shop/web``, ``cnp/admin``, or ``shop/web`` where one kind alone has it.

    Args:
        snapshot: Where it is.
        text: The name; the kind in any case, short or in the plural.
        namespace: The namespace of a name that has none.

    Raises:
        InputError: nobody has the name, or several kinds do.
    """
    head, slash, rest = text.partition("/")
    kind = _kind(head) if slash else ""
    name = rest if kind else text
    names = {name, f"{namespace}/{name}"} if "/" not in name else {name}
    found = [policy for policy in snapshot.policies if policy.name in names and kind in {"", policy.kind}]
    if len(found) == 1:
        return found[0]
    known = {f"{_short(policy.kind)}/{policy.name}" for policy in (found or snapshot.policies)}
    if found:
        message = f"{text} is the name of several policies"
        raise InputError(message, f"write {' or '.join(sorted(known))}")
    near = get_close_matches(f"{_short(kind)}/{name}" if kind else name, sorted(known), 3, 0.5)
    near = near or [each for each in sorted(known) if each.endswith(f"/{name.rpartition('/')[2]}")]
    hint = f"try {' or '.join(near)}" if near else f"write KIND/NAME, KIND one of {', '.join(KINDS)}"
    message = f"no policy is named {text}"
    raise InputError(message, hint)


def describe(engine: Engine, policy: Policy) -> Description:
    """Describe one policy of an engine's snapshot."""
    snapshot = engine.snapshot
    clauses = tuple(
        Clause(direction, rule, tuple(_meaning(snapshot, peer) for peer in rule.peers))
        for direction in (Direction.INGRESS, Direction.EGRESS)
        for rule in policy.rules(direction)
    )
    selected = _selected(snapshot, policy.subject)
    without = engine.revised(each for each in snapshot.policies if each is not policy)
    change = difference(without, engine)
    traps = (*_traps(policy, selected, clauses), *_idle(policy, selected, change))
    return Description(policy, selected, clauses, tuple(traps), without, change)


def _traps(policy: Policy, selected: tuple[Pod, ...], clauses: tuple[Clause, ...]) -> Iterator[Trap]:
    """Yield what the text of a policy may not be meant to say."""
    if not selected:
        yield Trap("selects no pod", policy.origin)
    for clause in clauses:
        place, rule = f"{clause.direction.value.lower()} {clause.rule.origin.rule_words}", clause.rule
        if policy.tier is Tier.NETWORK_POLICY and clause.direction not in policy.isolates:
            yield Trap(f"{place} has no effect: policyTypes leave {clause.direction.value} out", rule.origin)
        if not rule.peers and not rule.fault:
            yield Trap(f"{place} matches nobody", rule.origin)
        for meaning in clause.peers:
            match meaning.peer:
                case PodPeer(origin=origin) if not meaning.pods:
                    yield Trap(f"{place} has a peer that matches no pod", origin)
                case BlockPeer(origin=origin, addresses=addresses) if not addresses:
                    yield Trap(f"{place} has a block that its exceptions leave empty", origin)
        for port in rule.named:
            if said := _unknown_port(clause, port, selected):
                yield Trap(f"{place} names port {port.name}, which {said} has", rule.origin)


def _unknown_port(clause: Clause, port: NamedPort, selected: tuple[Pod, ...]) -> str:
    """Return who should have a port of a name, if nobody of them has."""
    servers = list(selected)
    whose = "no selected pod"
    if clause.direction is Direction.EGRESS:
        if any(isinstance(meaning.peer, Anyone) for meaning in clause.peers):
            return ""
        servers, whose = [pod for meaning in clause.peers for pod in meaning.pods], "no peer"
    return "" if any(resolve((port,), pod.ports) for pod in servers) else whose


def _idle(policy: Policy, selected: tuple[Pod, ...], change: Difference) -> Iterator[Trap]:
    """Yield that a policy changes nothing, given all the others."""
    if selected and not change:
        yield Trap("changes no connection, given all the other policies", policy.origin)


def _meaning(snapshot: Snapshot, peer: Peer) -> Meaning:
    return Meaning(peer, _selected(snapshot, peer.pods)) if isinstance(peer, PodPeer) else Meaning(peer)


def _selected(snapshot: Snapshot, selector: PodSelector) -> tuple[Pod, ...]:
    return tuple(pod for pod in snapshot.pods if selector.selects(pod, snapshot.namespace_labels(pod.namespace)))


def _kind(text: str) -> str:
    """Return the kind that a word means; empty for none."""
    spoken = text.lower()
    for short, kind in KINDS.items():
        if spoken in {short, f"{short}s", kind.lower(), f"{kind.lower()[:-1]}ies"}:
            return kind
    return ""


def _short(kind: str) -> str:
    return next((short for short, known in KINDS.items() if known == kind), kind.lower())
