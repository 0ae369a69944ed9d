"""Two worlds compared against the engine in each, pair by pair: that answers as the definition does."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from ringfence.algebra.addresses import Family, family_of
from ringfence.analysis.comparison import Comparison, Told
from ringfence.model.cluster import Pod
from ringfence.semantics.dialects import KUBERNETES, Dialect
from ringfence.semantics.engine import Engine, PairTraffic
from tests.differential.test_engine import dialects, holds, worlds
from tests.worlds import ends, pairs, snapshots

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.analysis.comparison import Change
    from ringfence.model.connection import End
    from ringfence.model.snapshot import Snapshot

NOTHING = Told(PairTraffic(), PairTraffic())


@st.composite
def edits(draw: st.DrawFn) -> tuple[Snapshot, Snapshot]:
    """A world, and the same with other policies, and perhaps with pods and namespaces of another."""
    before, other = draw(worlds), draw(snapshots())
    kept = [policy for policy in before.policies if draw(st.booleans())]
    names = {policy.name for policy in kept}
    more = [policy for policy in other.policies if policy.name not in names and draw(st.booleans())]
    policies = tuple(sorted([*kept, *more], key=lambda policy: (policy.kind, policy.name)))
    pods, namespaces = before.pods, before.namespaces
    if draw(st.booleans()):
        found = {(pod.namespace, pod.name): pod for pod in before.pods if draw(st.integers(0, 4))}
        found |= {(p.namespace, p.name): p for p in other.pods if draw(st.booleans()) and fits(p, before)}
        pods, namespaces = tuple(found[key] for key in sorted(found)), other.namespaces
    return before, replace(before, policies=policies, pods=pods, namespaces=namespaces)


def fits(pod: Pod, world: Snapshot) -> bool:
    """Whether a pod has no address of a family that a world does not have."""
    return set(pod.addresses) <= set(world.families)


def namesake(world: Snapshot, end: End, family: Family) -> End | None:
    """Who an end is in another world, if anybody."""
    if not isinstance(end, Pod):
        return None if world.pod_at(end) or family_of(end) is not family else end
    pod = world.pod_named(end.namespace, end.name)
    return pod if pod and not pod.terminal and family in world.families_of(pod) else None


def common_pairs(before: Snapshot, after: Snapshot) -> Iterator[tuple[tuple[End, End], tuple[End, End], Family]]:
    """Every pair of ends that both worlds have, as it is in each; none of a pod with itself."""
    more = [replace(after, policies=before.policies), after]
    for client, server, family, _ in (pair for world in more for pair in pairs(world)):
        olds = namesake(before, client, family), namesake(before, server, family)
        itself = client == server or any(not isinstance(e, Pod) and after.pod_at(e) for e in (client, server))
        if olds[0] is not None and olds[1] is not None and not itself:
            yield (olds[0], olds[1]), (client, server), family


def said_of(comparison: Comparison, changes: list[Change], pair: tuple[End, End]) -> list[Change]:
    """The changes that hold a pair."""
    sides = [(comparison.ends(change.clients), comparison.ends(change.servers)) for change in changes]
    return [c for c, (one, other) in zip(changes, sides, strict=True) if holds(one, pair[0]) and holds(other, pair[1])]


@given(edits(), dialects | st.just(KUBERNETES))
def test_a_pair_is_in_a_change_if_something_changed(edit: tuple[Snapshot, Snapshot], dialect: Dialect):
    """A change says of both worlds what passes there; between a pair in no change the same passes in both."""
    compare(edit, Engine(edit[0], dialect), Engine(edit[1], dialect))


@st.composite
def revisions(draw: st.DrawFn) -> tuple[Snapshot, Snapshot, Snapshot]:
    """A world under all of its policies, and under two choices of them and of a few others."""
    world, other = draw(worlds), draw(snapshots())
    every = [
        *world.policies,
        *(replace(each, name=f"{each.name}-too") for each in other.policies if draw(st.booleans())),
    ]
    chosen = [[policy for policy in every if draw(st.booleans())] for _ in range(2)]
    worlds_of = [replace(world, policies=tuple(sorted(each, key=lambda p: (p.kind, p.name)))) for each in chosen]
    return world, *worlds_of


@given(revisions(), dialects | st.just(KUBERNETES))
def test_revised_policies_mean_what_they_mean_afresh(edit: tuple[Snapshot, Snapshot, Snapshot], dialect: Dialect):
    """Whatever is shared with the engine that was revised, the answers are those of a new one."""
    world, before, after = edit
    first = Engine(world, dialect).revised(before.policies)
    compare((before, after), first, first.revised(after.policies))


def compare(edit: tuple[Snapshot, Snapshot], *engines: Engine) -> None:
    """Hold the changes between two engines against what new ones answer of each pair."""
    before, after = edit
    afresh = [Engine(world, engine.dialect) for world, engine in zip(edit, engines, strict=True)]
    compared = {family: Comparison(*engines, family) for family in Family}
    changes = {family: list(each.changes()) for family, each in compared.items()}
    for old, new, family in common_pairs(before, after):
        found = said_of(compared[family], changes[family], new)
        assert len(found) <= 1
        near = engines[1].share_node(*new)
        if engines[0].share_node(*old) != near:
            continue
        passes = [engine.allowed(*pair, family) for engine, pair in zip(afresh, (old, new), strict=True)]
        if found:
            told = [each.own_node if near else each.traffic for each in (found[0].before, found[0].after)]
            assert told == passes
        else:
            assert passes[0] == passes[1], (old, new)


@given(edits())
def test_a_change_changes_something_for_somebody(edit: tuple[Snapshot, Snapshot]):
    """No change is empty, or says the same of both worlds, or of outsiders alone."""
    before, after = edit
    for family in Family:
        comparison = Comparison(Engine(before), Engine(after), family)
        for change in comparison.changes():
            clients, servers = comparison.ends(change.clients), comparison.ends(change.servers)
            assert change.before != change.after
            assert change.before.traffic != change.after.traffic or any(comparison.own_node_ends(change))
            assert clients.pods or (clients.addresses and not servers.addresses)
            assert servers.pods or servers.addresses


@given(edits())
def test_every_pod_is_new_or_gone_or_common(edit: tuple[Snapshot, Snapshot]):
    """A pod that stands beside nobody is told apart."""
    before, after = edit
    engines = Engine(before), Engine(after)
    for family in Family:
        comparison = Comparison(*engines, family)
        old, new = ({str(end) for end, f in ends(world) if isinstance(end, Pod) and f is family} for world in edit)
        assert [str(pod) for pod in comparison.gone()] == sorted(old - new)
        assert [str(pod) for pod in comparison.new()] == sorted(new - old)
