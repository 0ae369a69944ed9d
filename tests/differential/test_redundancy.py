"""What could be left out, against a new engine without it, pair by pair."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from ringfence.analysis.redundancy import Lack, redundancy
from ringfence.semantics.engine import Engine
from tests.differential.test_engine import dialects, worlds
from tests.differential.test_omission import parts
from tests.worlds import pairs

if TYPE_CHECKING:
    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics.dialects import Dialect


@given(worlds, dialects, st.data())
def test_only_what_is_told_changes_no_connection(world: Snapshot, dialect: Dialect, data: st.DataObject):
    """Without it everything passes as before; without anything else something does not."""
    engine = Engine(world, dialect)
    told = {(id(each.policy), id(each.rule)): each.lack for each in redundancy(engine, pairs=True)}
    whole = {policy for policy, rule in told if rule == id(None)}
    policy, rule, without = data.draw(st.sampled_from(list(parts(world))))
    lack = told.get((id(policy), id(rule)))
    if rule and id(policy) in whole:  # of which nothing is told but that it could go
        return
    other = Engine(without, dialect)
    same = all(
        engine.allowed(client, server, family) == other.allowed(client, server, family)
        for client, server, family, via in pairs(world)
        if via is None and client != server
    )
    assert same if lack else not same or lack is Lack.ROW, (policy.name, rule and rule.origin, lack)
