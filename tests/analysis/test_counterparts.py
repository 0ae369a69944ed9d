"""Who corresponds to whom in two worlds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.algebra.addresses import Family
from ringfence.analysis.counterparts import Counterparts
from ringfence.semantics.engine import Engine
from tests.parts import network_policy, pod, snapshot

if TYPE_CHECKING:
    from ringfence.model.snapshot import Snapshot

CLOSED = network_policy("x/p", "app=a", ingress=())


def told(before: Snapshot, after: Snapshot) -> tuple[list[str], list[str], list[str]]:
    """The pods that both worlds have, those that are gone, and those that are new."""
    one, other = (Engine(world).universe for world in (before, after))
    found = Counterparts(one, other, Family.IPV4)
    common = sorted({str(pod) for each in found.common() for pod in each.pods})
    return common, [str(pod) for pod in found.gone()], [str(pod) for pod in found.new()]


def test_a_pod_is_the_one_of_its_name_else_stands_beside_its_workload():
    """Pods of a workload are made anew under other names; a pod of nobody is itself or nobody."""
    before = snapshot(
        pod("x/a-1", "app=a", workload="Deployment/a"), pod("x/bare", "app=a"), pod("x/db-0", workload="StatefulSet/db")
    )
    after = snapshot(
        pod("x/a-2", "app=a", workload="Deployment/a"),
        pod("x/naked", "app=a"),
        pod("x/db-0", workload="StatefulSet/db"),
    )

    assert told(before, after) == (["x/a-2", "x/db-0"], ["x/bare"], ["x/naked"])
    assert told(snapshot(pod("x/a", workload="Deployment/a")), snapshot(pod("y/a", workload="Deployment/a"))) == (
        [],
        ["x/a"],
        ["y/a"],
    )


def test_a_pod_that_is_gone_is_spoken_for_by_all_kinds_of_its_workload():
    """Its workload has had two kinds of pods, and has one: that one stands for both."""
    before = snapshot(
        pod("x/a-1", "app=a", workload="Deployment/a"), pod("x/a-2", "app=b", workload="Deployment/a"), CLOSED
    )
    after = snapshot(pod("x/a-1", "app=a", workload="Deployment/a"), CLOSED)
    one, other = (Engine(world).universe for world in (before, after))

    found = [each for each in Counterparts(one, other, Family.IPV4).common() if each.pods]
    assert [[str(pod) for pod in each.pods] for each in found] == [["x/a-1"], ["x/a-1"]]
    assert {one.atoms[each.atoms[0]].pod_class for each in found} == {0, 1}
    assert told(before, after) == (["x/a-1"], [], [])


def test_a_family_that_a_pod_gains_is_new():
    """What passes in it passed in no way before."""
    alone = pod("x/a", "", "10.0.0.1")
    both = pod("x/a", "", "10.0.0.1", "fd00::1")
    families = {"families": (Family.IPV4, Family.IPV6)}
    one, other = Engine(snapshot(alone, **families)).universe, Engine(snapshot(both, **families)).universe

    assert [str(pod) for pod in Counterparts(one, other, Family.IPV6).new()] == ["x/a"]
    assert Counterparts(one, other, Family.IPV4).new() == ()
