"""Which label makes classes of pods many, and who names it: what a map costs grows with classes."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from ringfence.semantics.matching import scoped_selectors

if TYPE_CHECKING:
    from ringfence.model.policy import Policy
    from ringfence.model.snapshot import Snapshot

MANY = 10_000
"""Classes of pods that are judged in a second or two."""


def finest_label(snapshot: Snapshot, classes: int, many: int = MANY) -> str:
    """Return a sentence about the label by which policies tell most pods apart, and the policy that does it most.

    Args:
        snapshot: The snapshot.
        classes: How many classes its policies make of its pods.
        many: How many are worth a word.

    Returns:
        The sentence; empty where classes are few, or where no single label explains half of them.
    """
    if classes < many:
        return ""
    named: dict[str, set[str]] = defaultdict(set)
    most: dict[str, tuple[int, Policy]] = {}
    for policy in snapshot.policies:
        for key, values in _named_by(policy).items():
            named[key] |= values
            if key not in most or len(values) > most[key][0]:
                most[key] = (len(values), policy)
    key = max(named, key=lambda each: len(named[each]), default="")
    if 2 * len(named[key]) < classes:
        return ""
    share, policy = most[key]
    part = "them all" if share == len(named[key]) else f"{share:,} of them"
    return (
        f"pods are judged in {classes:,} classes, for policies name {len(named[key]):,} values of the label {key}: "
        f"{policy.kind} {policy.name} names {part}"
    )


def _named_by(policy: Policy) -> dict[str, set[str]]:
    """Return the values of each label of pods that a policy names."""
    found: dict[str, set[str]] = defaultdict(set)
    for selector in scoped_selectors((policy,)):
        for requirement in selector.pods.requirements:
            found[requirement.key].update(requirement.values)
    return found
