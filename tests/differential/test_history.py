"""An engine that follows a cluster through its history answers as one that is made afresh."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from ringfence.algebra.addresses import Family
from ringfence.model.cluster import NAME_LABEL, Namespace, Pod
from ringfence.model.policy import Direction
from ringfence.semantics.dialects import KUBERNETES
from ringfence.semantics.engine import Engine
from tests.differential.test_engine import dialects, forms, told, worlds
from tests.worlds import ends, pairs, snapshots

if TYPE_CHECKING:
    from ringfence.model.policy import Policy
    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics.dialects import Dialect
    from ringfence.semantics.sets import Sets

ANY = snapshots()
LABELS = st.dictionaries(st.sampled_from(("app", "tier")), st.sampled_from(("a", "b")), max_size=2)


@st.composite
def changed_pods(draw: st.DrawFn, world: Snapshot, others: tuple[Pod, ...]) -> Snapshot:
    """A pod gone, or with other labels; or a pod of another world, in place of its namesake if there is one."""
    pods = {(pod.namespace, pod.name): pod for pod in world.pods}
    known = st.sampled_from(world.pods) if world.pods else st.nothing()
    pod = draw(
        known | st.sampled_from([each for each in others if set(each.addresses) <= set(world.families)] or others)
    )
    if not set(pod.addresses) <= set(world.families):
        return world
    kind = draw(st.sampled_from(("gone", "labels", "as it is", "ports")))
    if kind == "gone":
        pods.pop((pod.namespace, pod.name), None)
    elif kind == "labels":
        pods[pod.namespace, pod.name] = replace(pod, labels=draw(LABELS))
    elif kind == "ports":
        pods[pod.namespace, pod.name] = replace(pod, ports=draw(st.sampled_from(others)).ports)
    else:
        pods[pod.namespace, pod.name] = pod
    return replace(world, pods=tuple(pods[key] for key in sorted(pods)))


@st.composite
def changed_policies(draw: st.DrawFn, world: Snapshot, others: tuple[Policy, ...]) -> Snapshot:
    """Policies gone, and policies of another world, in place of their namesakes if there are any."""
    kept = {(each.kind, each.name): each for each in world.policies if draw(st.integers(0, 3))}
    kept |= {(each.kind, each.name): each for each in draw(st.lists(st.sampled_from(others), max_size=2))}
    return replace(world, policies=tuple(kept[key] for key in sorted(kept)))


@st.composite
def changed_namespaces(draw: st.DrawFn, world: Snapshot) -> Snapshot:
    """A namespace with another label."""
    name = draw(st.sampled_from(sorted(world.namespaces)))
    labels = {NAME_LABEL: name, "env": draw(st.sampled_from(("a", "b")))}
    return replace(world, namespaces={**world.namespaces, name: Namespace(name, labels)})


@st.composite
def histories(
    draw: st.DrawFn, starts: st.SearchStrategy[Snapshot] = worlds, others: st.SearchStrategy[Snapshot] = ANY
) -> list[Snapshot]:
    """A world and what becomes of it, step by step."""
    found, other = [draw(starts)], draw(others)
    for _ in range(draw(st.integers(1, 4))):
        world = found[-1]
        if draw(st.booleans()):
            world = draw(changed_policies(world, other.policies))
        elif draw(st.integers(0, 3)):
            world = draw(changed_pods(world, other.pods))
        else:
            world = draw(changed_namespaces(world))
        found.append(world)
    return found


def answers(engine: Engine) -> dict[Any, Any]:
    """All that an engine says of its snapshot, in words that do not depend on how it tells ends apart."""
    world, found = engine.snapshot, dict[Any, Any]()
    blocks = {family: list(engine.blocks(family)) for family in Family}
    sides = [engine.ends(side) for each in blocks.values() for block in each for side in (block.clients, block.servers)]
    assert all(side.pods or side.addresses for side in sides)
    for client, server, family, via in pairs(world):
        key = (str(client), str(server), family, via)
        found[key] = engine.allowed(client, server, family, via)
        if isinstance(client, Pod):
            found[key, Direction.EGRESS] = engine.half(Direction.EGRESS, client, server, family, via)
        if isinstance(server, Pod):
            found[key, Direction.INGRESS] = engine.half(Direction.INGRESS, server, client, family, via)
        if client != server and not any(not isinstance(end, Pod) and world.pod_at(end) for end in (client, server)):
            found[key, "block"] = told(engine, blocks[family], client, server)
    for end, family in ends(world):
        if isinstance(end, Pod):
            for direction in Direction:
                permitted = engine.permitted(end, direction, family)
                found[str(end), family, direction] = frozenset(permitted), engine.is_isolated(end, direction)
    for policy in world.policies:
        rules = [rule for direction in Direction for rule in policy.rules(direction)]
        found[policy.kind, policy.name] = (
            engine.selects_anybody(policy),
            engine.changes_without(policy),
            *(engine.matches_anybody(policy, rule) for rule in rules),
            *(engine.changes_without(policy, rule) for rule in rules),
        )
    return found


@given(histories(), forms, dialects | st.just(KUBERNETES))
def test_whatever_happens_to_a_cluster_it_is_judged_as_if_it_had_always_been_so(
    history: list[Snapshot], form: Sets, dialect: Dialect
):
    """After each change of pods, namespaces and policies; and an engine that was followed still answers as it did."""
    first = engine = Engine(history[0], dialect, form)
    before = answers(first)
    for world in history[1:]:
        engine = engine.after(world)
        assert answers(engine) == answers(Engine(world, dialect, form))
    assert answers(first.after(history[-1])) == answers(engine)
    assert answers(first) == before
