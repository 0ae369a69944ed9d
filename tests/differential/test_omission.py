"""What policies and rules are for, against a new engine without them, half by half."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from ringfence.model.cluster import Pod
from ringfence.model.policy import Direction, Tier
from ringfence.semantics.engine import Engine
from tests.differential.test_engine import dialects, worlds
from tests.worlds import pairs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.model.policy import Policy, Rule
    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics.dialects import Dialect
    from ringfence.semantics.engine import PairTraffic


def halves(engine: Engine, world: Snapshot) -> Iterator[PairTraffic]:
    """What each side's policies say of every pair of a world."""
    for client, server, family, via in pairs(world):
        if isinstance(client, Pod):
            yield engine.half(Direction.EGRESS, client, server, family, via)
        if isinstance(server, Pod):
            yield engine.half(Direction.INGRESS, server, client, family, via)


def parts(world: Snapshot) -> Iterator[tuple[Policy, Rule | None, Snapshot]]:
    """Every policy, and every rule of each, with the world without it."""
    for policy in world.policies:
        others = [other for other in world.policies if other is not policy]
        yield policy, None, replace(world, policies=tuple(others))
        for direction in Direction:
            for rule in policy.rules(direction):
                rest = tuple(other for other in policy.rules(direction) if other is not rule)
                shorter = replace(policy, **{direction.value.lower(): rest})
                yield (
                    policy,
                    rule,
                    replace(world, policies=tuple(shorter if p is policy else p for p in world.policies)),
                )


@given(worlds, dialects, st.data())
def test_what_changes_no_row_changes_no_half(world: Snapshot, dialect: Dialect, data: st.DataObject):
    """Without it, the policies of every pod say the same of everybody, in every dialect."""
    engine = Engine(world, dialect)
    idle = [each for each in parts(world) if not engine.changes_without(*each[:2])]
    if idle:
        policy, rule, without = data.draw(st.sampled_from(idle))
        same = list(halves(engine, world)) == list(halves(Engine(without, dialect), world))
        assert same, (policy.name, rule and rule.origin)
    for policy, rule, _ in parts(world):
        assert rule is None or engine.matches_anybody(policy, rule) or not engine.changes_without(policy, rule)


@given(worlds, st.data())
def test_what_changes_a_row_of_network_policies_changes_a_half(world: Snapshot, data: st.DataObject):
    """In the tier where neither own node nor hairpin is asked, a row that changes is somebody's."""
    engine = Engine(world)
    of_tier = (each for each in parts(world) if each[0].tier is Tier.NETWORK_POLICY)
    if busy := [each for each in of_tier if engine.changes_without(*each[:2])]:
        policy, rule, without = data.draw(st.sampled_from(busy))
        same = list(halves(engine, world)) == list(halves(Engine(without), world))
        assert not same, (policy.name, rule and rule.origin)
