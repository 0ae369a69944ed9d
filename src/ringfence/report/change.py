"""What would turn an answer, in words, and as the lines of YAML to write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.algebra.traffic import render_traffic
from ringfence.analysis.describing import Meaning
from ringfence.analysis.edits import Does
from ringfence.model.policy import Action, Tier
from ringfence.report.describing import name_peer, name_pods, name_traffic
from ringfence.report.difference import in_order, word
from ringfence.report.rule_yaml import PEERS, write_peers, write_policy, write_ports, write_rule
from ringfence.report.table import name_ends

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.analysis.edits import Edit
    from ringfence.analysis.weighing import Change
    from ringfence.model.naming import Directory
    from ringfence.model.policy import Direction, Rule

_SHOWN = 3
"""So many rows of what else changes are told; more are counted."""

_VERBS = {Action.ACCEPT: "accept", Action.DENY: "deny", Action.PASS: "pass on"}


def tell_edit(edit: Edit) -> str:
    """Return what an edit does, and to what, in one clause."""
    name, section = edit.policy.name, edit.direction.value.lower()
    what = "; ".join(tell_rule(rule, edit.direction) for rule in edit.written)
    match edit.does:
        case Does.ADDS_PEERS | Does.ADDS_PORTS:
            return f"add to {name} {section} rule {edit.index}: {what}"
        case Does.NARROWS_RULE:
            return f"narrow {name} {section} {_rule(edit)} to: {what}"
        case Does.REMOVES_RULE:
            return f"remove {name} {section} {_rule(edit)}"
        case Does.ADDS_RULE:
            return f"add to {name} one more {section} rule: {what}"
        case Does.LEAVES_OUT:
            whom = name_pods(edit.subject) if edit.subject else ""
            return f"let {name} be for {whom}"
        case Does.ADDS_POLICY:
            return _tell_policy(edit, what)


def tell_writer(edit: Edit) -> str:
    """Return who alone may make an edit; empty where whoever may write policies of the namespace can."""
    policy = edit.policy
    if policy.tier is Tier.NETWORK_POLICY:
        return ""
    kinds = policy.kind.removesuffix("y") + "ies"
    return f"the {policy.tier.value} tier is for all namespaces: only who may write {kinds} can do this"


def tell_rule(rule: Rule, direction: Direction) -> str:
    """Return peers and ports of a rule in one clause; of one list alone where the other is empty."""
    peers = ", ".join(name_peer(Meaning(peer)) for peer in rule.peers)
    said = [f"{PEERS[direction]} {peers}"] if peers else []
    said += [name_traffic(rule)] if rule.traffic or rule.named else []
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
    """Return the lines of YAML to write, each ended by a newline.

    Items of a list that is there, the rules in place of one that is narrowed, or a whole policy;
    of a policy that leaves pods out the new selector, and nothing of a rule that is removed.
    """
    kind = edit.policy.kind
    match edit.does:
        case Does.ADDS_PEERS:
            lines = [line for rule in edit.written for line in write_peers(rule, kind)]
        case Does.ADDS_PORTS:
            lines = [line for rule in edit.written for line in write_ports(rule, kind)]
        case Does.ADDS_RULE | Does.NARROWS_RULE | Does.REMOVES_RULE:
            lines = [line for rule in edit.written for line in write_rule(rule, edit.direction, kind)]
        case Does.LEAVES_OUT:
            lines = write_policy(edit.after)[4:5]
        case Does.ADDS_POLICY:
            lines = write_policy(edit.policy)
    return "".join(f"{line.strip() if edit.does is Does.LEAVES_OUT else line}\n" for line in lines)


def _rule(edit: Edit) -> str:
    """Return what to call a rule that is there."""
    return edit.place.rule_words if edit.place and edit.place.rule_name else f"rule {edit.index}"


def _tell_policy(edit: Edit, what: str) -> str:
    """Return what a policy more says, in one clause."""
    policy, section = edit.policy, edit.direction.value.lower()
    whom = name_pods(policy.subject)
    if policy.tier is not Tier.NETWORK_POLICY:
        article = "an" if policy.kind[0] in "AEIOU" else "a"
        verb = _VERBS[edit.written[0].action]
        start = f"add {article} {policy.kind} {policy.name} of priority {policy.priority} for {whom}"
        return f"{start} with one {section} rule: {verb} {what}"
    counted = {0: f"no {section} rule", 1: f"one {section} rule: {what}"}
    rules = counted.get(len(edit.written), f"{len(edit.written)} {section} rules: {what}")
    return f"add a NetworkPolicy {policy.name} for {whom} with {rules}"
