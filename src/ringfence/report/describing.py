"""One policy in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.algebra.selectors import EVERYTHING
from ringfence.algebra.traffic import render_traffic
from ringfence.errors import one_line
from ringfence.model.cluster import NAME_LABEL
from ringfence.model.policy import Action, Anyone, BlockPeer, Direction, DomainPeer, NodePeer, PodPeer, Tier
from ringfence.report.columns import render_columns
from ringfence.report.difference import tabulate_difference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.algebra.selectors import Selector
    from ringfence.analysis.describing import Clause, Description, Meaning
    from ringfence.model.naming import Directory
    from ringfence.model.policy import PodSelector, Policy, Rule

_VERBS = {Action.ACCEPT: "accepts", Action.DENY: "denies", Action.PASS: "passes on"}


def render_description(found: Description, directory: Directory, *, partial: bool = False) -> str:
    """Return a policy in plain words, a line each."""
    policy = found.policy
    lines = [f"{policy.kind} {policy.name}  {policy.origin}", *(f"  {line}" for line in _scope(policy))]
    now = directory.render(found.selected) if found.selected else "no pod"
    lines.append(f"  selects {name_pods(policy.subject)}: now {now}")
    for direction in (Direction.INGRESS, Direction.EGRESS):
        clauses = [clause for clause in found.clauses if clause.direction is direction]
        lines += (f"  {line}" for line in _of_direction(policy, direction, clauses, directory))
    lines += (f"  mind: {trap.text}  {trap.origin}" for trap in found.traps)
    lines += ["  part of the input was not read or is in error"] if partial else []
    text = "".join(f"{one_line(line)}\n" for line in lines)
    if not found.change:
        return text
    change = tabulate_difference(found.change, directory.snapshot, directory.snapshot)
    return f"{text}\nwhat it changes, given all the others\n{render_columns(change)}"


def name_pods(selector: PodSelector) -> str:
    """Return whom a selector means, in words."""
    pods = f"pods with {selector.pods}" if selector.pods != EVERYTHING else "every pod"
    return f"{pods} {_in_scope(selector.scope)}"


def name_peer(meaning: Meaning) -> str:
    """Return whom a peer means, in words."""
    match meaning.peer:
        case Anyone():
            return "anyone, inside the cluster and out"
        case PodPeer(pods=pods):
            return name_pods(pods)
        case BlockPeer(text=text):
            return f"addresses in {text}"
        case NodePeer(nodes=nodes):
            return f"nodes with {nodes}" if nodes != EVERYTHING else "every node"
        case DomainPeer(names=names):
            return f"the addresses of {', '.join(names)}"


def name_traffic(rule: Rule) -> str:
    """Return what traffic a rule means, port names as they are."""
    named = [f"{port.protocol.value} {port.name}" if port.protocol else f"port {port.name}" for port in rule.named]
    return " ".join([render_traffic(rule.traffic), *named] if rule.traffic else named) or "no traffic"


def _scope(policy: Policy) -> Iterator[str]:
    """Yield where a policy stands among others."""
    if policy.audited:
        yield "in audit: ringfence's own enforcement tells what it would change, and does not enforce it"
    if policy.tier is not Tier.NETWORK_POLICY:
        yield f"tier {policy.tier.value}, priority {policy.priority}: the first rule that matches decides"


def _in_scope(scope: str | Selector) -> str:
    if isinstance(scope, str):
        return f"in namespace {scope}"
    named = {requirement.key for requirement in scope.requirements} == {NAME_LABEL}
    if named and str(scope).startswith(f"{NAME_LABEL}="):
        return f"in namespace {str(scope).removeprefix(f'{NAME_LABEL}=')}"
    return f"in namespaces with {scope}" if scope != EVERYTHING else "in every namespace"


def _of_direction(policy: Policy, direction: Direction, clauses: list[Clause], directory: Directory) -> Iterator[str]:
    """Yield what a policy says in one direction."""
    word = direction.value.lower()
    if policy.tier is Tier.NETWORK_POLICY:
        if direction in policy.isolates:
            rest = "no rule of any NetworkPolicy accepts" if clauses else "other NetworkPolicies do not accept"
            closed = ", as it is in error" if policy.in_error else ""
            yield f"{word}: isolates{closed}; denies what {rest}"
        else:
            yield f"{word}: says nothing"
    elif clauses:
        yield f"{word}:"
    for clause in clauses:
        origin = clause.rule.origin
        words = f"{clause.rule.words}," if clause.rule.fault else origin.rule_words
        verb = f"  {words} {_VERBS[clause.rule.action]} {name_traffic(clause.rule)}"
        yield f"{verb}  {origin}"
        where = "from" if direction is Direction.INGRESS else "to"
        if not clause.peers:
            yield f"    {where} nobody"
        for meaning in clause.peers:
            now = f": now {directory.render(meaning.pods)}" if meaning.pods else ""
            yield f"    {where} {name_peer(meaning)}{now}"
