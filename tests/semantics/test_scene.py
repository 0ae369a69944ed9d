"""Scenes: a part of a snapshot that answers like the whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given

from ringfence.algebra.traffic import Protocol
from ringfence.model.connection import Connection
from ringfence.semantics.scene import Scenes
from ringfence.semantics.spec import verdict
from tests.parts import network_policy, pod, snapshot
from tests.worlds import snapshots

if TYPE_CHECKING:
    from ringfence.model.snapshot import Snapshot


@given(snapshots())
def test_a_scene_answers_like_the_whole_snapshot(world: Snapshot):
    """Policies that select neither end have no say, down to the last word of a reason."""
    scenes = Scenes(world)
    living = [each for each in world.pods if not each.terminal]
    for client in living:
        for server in living:
            for family in set(world.families_of(client)) & set(world.families_of(server)):
                connection = Connection(client, server, Protocol.TCP, 80, family)

                assert verdict(scenes.around((client, server)), connection) == verdict(world, connection)


def test_a_scene_holds_the_policies_of_its_ends_in_the_snapshot_s_order():
    """Order decides which of several policies a reason names first."""
    policies = [network_policy(f"x/p{number}", f"app={app}") for number, app in enumerate("abca")]
    ends = pod("x/a", "app=a"), pod("x/b", "app=b"), pod("x/c", "app=c")
    scenes = Scenes(snapshot(*policies, *ends))

    assert [policy.name for policy in scenes.around(ends[:2]).policies] == ["x/p0", "x/p1", "x/p3"]
    assert scenes.around([]).policies == ()
