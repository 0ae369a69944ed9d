"""What is open to the outside, for which cause."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.analysis.exposure import Exposure, expose
from ringfence.analysis.whom import Names
from ringfence.semantics.dialects import KUBERNETES
from ringfence.semantics.engine import Engine
from tests.parts import block, network_policy, pod, pods, rule, service, snapshot, tcp

if TYPE_CHECKING:
    from ringfence.analysis.reach import Row
    from ringfence.model.snapshot import Snapshot


def exposed(world: Snapshot) -> Exposure:
    """How a world and its outside reach each other."""
    return expose(Engine(world), Names(world, "x"), KUBERNETES)


def shown(rows: tuple[Row, ...]) -> list[tuple[str, bool]]:
    """The pods of each row, and whether nothing isolates them."""
    found = []
    for row in rows:
        inward = bool(row.line.servers.pods)
        grounds = row.ingress if inward else row.egress
        members = row.line.servers.pods if inward else row.line.clients.pods
        found.append((" ".join(map(str, members)), grounds.unjudged and not grounds.deciding))
    return found


def test_pods_that_nothing_isolates_are_in_rows_of_their_own():
    """Also where rules open others as widely, in either direction."""
    wide = network_policy("x/wide", "app=a", ingress=(rule(),), egress=(rule(),))
    found = exposed(snapshot(pod("x/a", "app=a"), pod("x/b"), wide))

    assert shown(found.inward) == [("x/b", True), ("x/a", False)]
    assert shown(found.outward) == [("x/b", True), ("x/a", False)]


def test_a_door_names_those_who_get_in():
    """By address, on the way through its Service; one that leads nobody in is told too."""
    policy = network_policy("x/a", "app=a", ingress=(rule(block("198.51.100.0/24"), traffic=tcp(8080)),))
    closed = network_policy("x/b", "app=b", ingress=())
    facts = {"kind": "NodePort", "local_from_outside": True}
    doors = tuple(service(f"x/{name}", f"app={name}", **facts) for name in "ab")
    world = snapshot(pod("x/a", "app=a"), pod("x/b", "app=b"), policy, closed, services=doors)
    first, second = exposed(world).doors

    assert [(part.client, part.server) for part in first.parts] == [("198.51.100.0/24", "svc:x/a")]
    assert second.parts == ()


def test_a_service_inside_the_cluster_is_no_door():
    """Its address leads nobody in."""
    policy = network_policy("x/a", "", ingress=(rule(pods()),))
    world = snapshot(pod("x/a", "app=a"), policy, services=(service("x/a", "app=a"),))

    assert exposed(world).doors == ()
    assert shown(exposed(world).inward) == []
