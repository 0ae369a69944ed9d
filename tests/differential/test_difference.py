"""The rows of a difference against the engine in both worlds, pair by pair."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given

from ringfence.algebra.intervals import EMPTY, Intervals
from ringfence.algebra.traffic import ALL
from ringfence.analysis.difference import Where, difference
from ringfence.model.cluster import Pod
from ringfence.semantics.engine import Engine, PairTraffic
from ringfence.semantics.verdict import Outcome
from tests.differential.test_comparison import common_pairs, edits
from tests.differential.test_engine import holds
from tests.worlds import pairs

if TYPE_CHECKING:
    from ringfence.algebra.addresses import Family
    from ringfence.analysis.difference import Shift
    from ringfence.model.connection import End
    from ringfence.model.snapshot import Snapshot


def holds_pair(shift: Shift, pair: tuple[End, End], family: Family, *, near: bool) -> bool:
    """Whether a row speaks of a pair that shares a node, or does not."""
    where = Where.OTHER_NODES if near else Where.OWN_NODE
    meant = family in shift.families and shift.where is not where
    return meant and holds(shift.clients, pair[0]) and holds(shift.servers, pair[1])


@given(edits())
def test_rows_say_what_changed_for_every_pair(edit: tuple[Snapshot, Snapshot]):
    """One row says what was answered and is, where that differs; no row speaks of anything else."""
    before, after = edit
    engines = Engine(before), Engine(after)
    shifts = difference(*engines).shifts
    for old, new, family in common_pairs(before, after):
        near = engines[1].share_node(*new)
        if engines[0].share_node(*old) != near:
            continue
        rows = [shift for shift in shifts if holds_pair(shift, new, family, near=near)]
        one, other = (by_outcome(e.allowed(*pair, family)) for e, pair in zip(engines, (old, new), strict=True))
        for said in ((a, b) for a in Outcome for b in Outcome if a is not b):
            told = Intervals.union(row.traffic for row in rows if (row.before, row.after) == said)
            assert told == one[said[0]] & other[said[1]]


def by_outcome(passes: PairTraffic) -> dict[Outcome, Intervals]:
    """All traffic by what is answered."""
    denied = ALL - passes.allowed - passes.undecided
    return {Outcome.ALLOWED: passes.allowed, Outcome.UNDECIDED: passes.undecided, Outcome.DENIED: denied}


@given(edits())
def test_rows_of_new_and_gone_pods_are_what_passes_there(edit: tuple[Snapshot, Snapshot]):
    """Whatever passes to or from a pod that only one world has is in a row of that world, and nothing else is."""
    found = difference(Engine(edit[0]), Engine(edit[1]))
    for world, other, lines in ((*edit, found.gone), (*edit[::-1], found.new)):
        engine = Engine(world)
        for client, server, family, via in pairs(world):
            ends = (client, server)
            if client == server or via or any(not isinstance(end, Pod) and world.pod_at(end) for end in ends):
                continue
            alone = any(isinstance(end, Pod) and missing(other, end, family) for end in ends)
            near = engine.share_node(client, server)
            rows = [
                line
                for line in lines
                if family in line.families and (near or not line.own_node)
                if holds(line.clients, client) and holds(line.servers, server)
            ]
            told = dict.fromkeys((Outcome.ALLOWED, Outcome.UNDECIDED), EMPTY)
            for row in sorted(rows, key=lambda row: not row.own_node):
                told[row.outcome] |= row.traffic - Intervals.union(told.values())
            passes = engine.allowed(client, server, family) if alone else PairTraffic()
            assert PairTraffic(told[Outcome.ALLOWED], told[Outcome.UNDECIDED]) == passes


def missing(world: Snapshot, pod: Pod, family: Family) -> bool:
    """Whether a world has no live pod of that name with an address of the family."""
    found = world.pod_named(pod.namespace, pod.name)
    return not found or found.terminal or family not in world.families_of(found)
