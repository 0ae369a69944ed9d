"""What a demonstration shows of a verified lab: who reached whom, and one refusal worth explaining."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from ringfence.lab.documents import LabConnection, named, plain
from ringfence.lab.telling import DropTeller
from ringfence.lab.trying import Attempt, question_of
from ringfence.lab.words import tell_verification
from ringfence.model.cluster import Pod
from ringfence.semantics.dialects import RINGFENCE
from ringfence.semantics.spec import verdict
from ringfence.semantics.verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ringfence.lab.cluster import Cluster
    from ringfence.lab.judge import Comparison
    from ringfence.lab.verification import Verification
    from ringfence.lab.words import Words
    from ringfence.model.connection import End
    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics.verdict import Half

OUTSIDE = "outside"
"""Everybody who is no pod: nodes are left out, they always reach their own pods."""

_ALL, _SOME, _NONE, _SELF = "*", "+", ".", ""
LEGEND = f"{_ALL} everything that was tried arrived   {_SOME} some of it did   {_NONE} nothing did"


def matrix(snapshot: Snapshot, comparisons: Iterable[Comparison]) -> str:
    """Return who reached whom in the kernel: clients down, servers across by their number."""
    arrived: dict[tuple[str, str], set[bool]] = defaultdict(set)
    for each in comparisons:
        asked = each.connection
        client, server = _party(snapshot, asked.client), _party(snapshot, asked.server)
        if client and server and not each.through:
            arrived[client, server].add(each.kernel is True)
    parties = sorted({name for pair in arrived for name in pair}, key=lambda name: (name == OUTSIDE, name))
    width = max(map(len, parties), default=0)
    numbers = [f"{number:>3}" for number in range(1, len(parties) + 1)]
    lines = [f"{'':{width + 4}}{''.join(numbers)}"]
    for number, client in enumerate(parties, 1):
        cells = "".join(f"{_cell(arrived.get((client, server), set())):>3}" for server in parties)
        lines.append(f"{number:>3} {client:{width}}{cells}")
    return "".join(f"{line.rstrip()}\n" for line in (*lines, LEGEND))


def worth_explaining(snapshot: Snapshot, comparisons: Sequence[Comparison]) -> Comparison | None:
    """Return the refusal that most looks like a mistake; None when nothing was refused.

    That is a connection to a port that the server declares, which a rule allows at one end,
    and which rules at the other end miss by the peer alone or by the port alone.
    """
    denied = [each for each in comparisons if each.kernel is False and not each.through]
    return max(denied, key=lambda each: _strangeness(snapshot, each), default=None)


def _strangeness(snapshot: Snapshot, comparison: Comparison) -> tuple[bool, bool, bool]:
    asked = comparison.connection
    if not (isinstance(asked.client, Pod) and isinstance(asked.server, Pod)):
        return False, False, False
    declared = any(p.protocol is asked.protocol and p.number == asked.port for p in asked.server.ports)
    halves = verdict(snapshot, asked, RINGFENCE).halves
    half_open = any(_allowed_by_rule(half) for half in halves)
    missed = any(half.nearest for half in halves if half.outcome is Outcome.DENIED)
    return declared and half_open and missed, declared, missed


def _allowed_by_rule(half: Half) -> bool:
    return half.outcome is Outcome.ALLOWED and any(origin.rule is not None for origin in half.origins)


def _party(snapshot: Snapshot, end: End) -> str:
    """Return the workload, or the pod that has none; empty for a node."""
    if isinstance(end, Pod):
        return f"{end.namespace}/{end.workload.partition('/')[2] or end.name}"
    return "" if snapshot.node_at(end) else OUTSIDE


def _cell(arrived: set[bool]) -> str:
    if not arrived:
        return _SELF
    if arrived == {True}:
        return _ALL
    return _SOME if True in arrived else _NONE


def demonstrate(cluster: Cluster, found: Verification, *, color: bool) -> Words:
    """Say who reached whom, whether all agree, and why one connection was refused."""
    snapshot = cluster.topology.snapshot
    verified = tell_verification(cluster.ends, found)
    parts = [matrix(snapshot, found.comparisons), "\n", verified.text]
    chosen = worth_explaining(snapshot, found.comparisons)
    if chosen:
        # Sent once more, so that the drop stands at the end of the log.
        attempt = Attempt(question_of(chosen.connection), "default").carry_out(cluster, color=color)
        parts += ["\n", attempt.text]
        sent = plain(LabConnection(**named(chosen.connection)))
        drops = map(DropTeller(cluster.drops).tell, reversed(cluster.drops.remembered))
        parts += ["\n", next((told.text for told in drops if sent.items() <= told.document.items()), "")]
    return replace(verified, text="".join(parts))
