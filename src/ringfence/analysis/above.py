"""Edits of the tiers that are for all namespaces: a policy that is asked before another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.algebra.selectors import Selector
from ringfence.algebra.traffic import ALL
from ringfence.analysis.additions import called, free_name
from ringfence.analysis.edits import Does, Edit
from ringfence.analysis.selecting import narrowest, numbered, peers_of
from ringfence.model.cluster import NAME_LABEL
from ringfence.model.origin import Origin
from ringfence.model.policy import Action, BlockPeer, Direction, PodSelector, Policy, Rule, Tier

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ringfence.analysis.edits import Wanted
    from ringfence.model.snapshot import Snapshot

LAST_PRIORITY = 1000
"""The last priority of a tier, in every API that has priorities."""

_KINDS = {Tier.ADMIN: ("ClusterNetworkPolicy", "AdminNetworkPolicy"), Tier.BASELINE: ("ClusterNetworkPolicy",)}
"""The kinds of which a tier can have one more policy, first the newer; there is one BaselineAdminNetworkPolicy."""

_VERBS = {Action.ACCEPT: "allow", Action.DENY: "deny"}


def asked_first(
    snapshot: Snapshot, wanted: Wanted, action: Action, before: Iterable[Policy], tier: Tier = Tier.ADMIN
) -> Iterator[Edit]:
    """Yield the edit by which a connection is decided in a tier before some policies of it are asked.

    It is a policy more, of a kind that the cluster has, for the subjects alone and with a
    priority that no other has. There is none where no policy of such a kind was read (the
    cluster may not have the API), where no number is free, or where no rule can name the other end.

    Args:
        snapshot: The snapshot whose policies are edited.
        wanted: What is to be decided.
        action: How.
        before: The policies of the tier that have a say in it now.
        tier: Admin or Baseline.
    """
    had = {policy.kind for policy in snapshot.policies}
    kinds = [kind for kind in _KINDS[tier] if kind in had]
    peers = peers_of(snapshot, wanted.others, None)
    traffic = wanted.traffic if numbered(wanted.traffic) == wanted.traffic else ALL
    outside = any(isinstance(peer, BlockPeer) for peer in peers)
    if not kinds or not peers or (outside and wanted.direction is Direction.INGRESS):
        return  # rules of ingress name pods alone
    taken = {policy.priority for policy in snapshot.policies if policy.tier is tier}
    last = min([policy.priority for policy in before] + [LAST_PRIORITY + 1])
    free = [number for number in range(last) if number not in taken]
    if not free:
        return
    kind, namespace, pods = kinds[0], wanted.subjects[0].namespace, wanted.others.pods
    way = "to" if wanted.direction is Direction.EGRESS else "from"
    there = called(pods) if pods else "outside"
    name = free_name(snapshot, kind, f"{_VERBS[action]}-{called(wanted.subjects)}-{way}-{there}"[:240].rstrip("-."))
    section = wanted.direction.value.lower()
    rule = Rule(action, peers, traffic, Origin("", 0, 0, f"/spec/{section}/0", f"{kind}/{name}", 0))
    policy = Policy(
        kind=kind,
        name=name,
        tier=tier,
        subject=PodSelector(Selector.labels({NAME_LABEL: namespace}), narrowest(snapshot, wanted.subjects)),
        origin=Origin("", 0, 0, "", f"{kind}/{name}"),
        ingress=(rule,) if wanted.direction is Direction.INGRESS else (),
        egress=(rule,) if wanted.direction is Direction.EGRESS else (),
        priority=free[-1],
    )
    yield Edit(Does.ADDS_POLICY, wanted.direction, policy, (rule,))
