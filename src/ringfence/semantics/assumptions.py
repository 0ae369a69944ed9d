"""What is taken for granted of a whole snapshot because its input does not say it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.algebra.addresses import EVERY
from ringfence.algebra.intervals import EMPTY
from ringfence.model.policy import BlockPeer, Direction
from ringfence.semantics.verdict import Assumption

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ringfence.model.origin import Origin
    from ringfence.model.policy import Policy, Rule
    from ringfence.model.snapshot import Snapshot


def assume_families(snapshot: Snapshot, rules: Iterable[Rule]) -> tuple[Assumption, ...]:
    """Return that IPv4 is all there is, where nothing shows a family and one of these rules names addresses."""
    return () if shows_families(snapshot) else family_premise(named_blocks(rules))


def family_premise(blocks: Iterable[Origin]) -> tuple[Assumption, ...]:
    """Return that IPv4 is all there is, where addresses are named at any of these places and nothing shows a family."""
    origins = tuple(dict.fromkeys(blocks))
    text = "IPv4 is the only family, for the input shows none"
    return (Assumption("family", text, origins),) if origins else ()


def shows_families(snapshot: Snapshot) -> bool:
    """Tell whether anything in a snapshot shows an address family."""
    return (
        any(pod.addresses for pod in snapshot.pods)
        or any(node.addresses for node in snapshot.nodes.values())
        or any(service.families for service in snapshot.services)
        or bool(snapshot.pod_ranges)
    )


def named_blocks(rules: Iterable[Rule]) -> tuple[Origin, ...]:
    """Return where rules name addresses, each place once, in order."""
    return tuple(dict.fromkeys(peer.origin for peer in _block_peers(rules)))


def assume_addresses(snapshot: Snapshot) -> tuple[Assumption, ...]:
    """Return that pods without an address lie outside every block, where a block could hold one."""
    unknown = {f for pod in snapshot.pods if pod.selectable and not pod.addresses for f in snapshot.families}
    unknown -= {family for family in unknown if snapshot.pod_ranges & EVERY[family]}
    peers = _block_peers(rules_of(snapshot.policies))
    origins = [p.origin for p in peers if any(p.addresses & EVERY[f] not in (EMPTY, EVERY[f]) for f in unknown)]
    text = "pods without an address are taken to lie outside every block that a rule names"
    return (Assumption("pod-address", text, tuple(dict.fromkeys(origins))),) if origins else ()


def rules_of(policies: Iterable[Policy], *directions: Direction) -> Iterator[Rule]:
    """Yield the rules of policies, in order; of both directions when none is given."""
    for policy in policies:
        for direction in directions or Direction:
            yield from policy.rules(direction)


def _block_peers(rules: Iterable[Rule]) -> list[BlockPeer]:
    return [peer for rule in rules for peer in rule.peers if isinstance(peer, BlockPeer)]
