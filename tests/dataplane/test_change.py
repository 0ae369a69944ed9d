"""From one plan to the next: a connection is judged again exactly when something can be denied that was allowed."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.algebra.traffic import Protocol
from ringfence.dataplane.change import allows_less
from ringfence.dataplane.compile import compile_program
from ringfence.dataplane.nft import NUMBERS
from ringfence.dataplane.plan import plan_node
from ringfence.dataplane.simulate import Packet, simulate
from ringfence.semantics.engine import Engine
from tests.dataplane.small import MANIFESTS, small_plan
from tests.worlds import Limits, boundary_addresses, boundary_traffic, snapshots

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.model.snapshot import Snapshot

SMALL = small_plan()
WITHOUT_THE_LAST_POLICY = MANIFESTS.rpartition("---\n")[0]
SAMPLE = 7
"""Every so many packets are enough; no number of ports is a multiple of it."""

CHANGES = {
    "nothing": (MANIFESTS, False),
    "a policy less": (WITHOUT_THE_LAST_POLICY, False),
    "another peer": (MANIFESTS.replace("except: [172.16.0.0/24]", "except: []"), False),
    "a peer less": (MANIFESTS.replace("except: [172.16.0.0/24]", "except: [172.16.0.0/16]"), True),
    "another port": (MANIFESTS.replace("port: 5432", "port: 5433"), True),
    "a pod less": (MANIFESTS.replace("{name: web, namespace: shop, labels: {app: web}}", "{name: x}"), True),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_allows_no_less_leaves_connections_alone(change: str):
    """Anything that is denied from now on makes the difference."""
    manifests, less = CHANGES[change]
    after = small_plan(manifests=manifests)

    assert allows_less(after, SMALL) is less


def test_a_pod_that_comes_under_a_policy_is_judged_again():
    """Until then it was allowed everything."""
    assert allows_less(SMALL, small_plan(manifests=WITHOUT_THE_LAST_POLICY))


@st.composite
def changes(draw: st.DrawFn) -> tuple[Snapshot, Snapshot]:
    """One cluster, and the same pods under some of its policies and some others."""
    before, other = draw(snapshots(Limits(pods=6, addressed=True))), draw(snapshots(Limits(pods=6, addressed=True)))
    kept = [policy for policy in before.policies if draw(st.booleans())]
    more = [policy for policy in other.policies if draw(st.integers(0, 3)) == 0]
    return before, replace(before, policies=(*kept, *more))


@given(changes())
def test_an_allowed_connection_is_never_denied_within_one_epoch(change: tuple[Snapshot, Snapshot]):
    """Whatever passes under the plan before passes under the next one, or connections are judged again."""
    before, after = (plan_node(Engine(each), "n1") for each in change)
    if not allows_less(after, before):
        first, second = compile_program(before), compile_program(after)
        for packet in islice(packets(change[0]), 0, None, SAMPLE):
            assert simulate(second, packet).accepted or not simulate(first, packet).accepted, packet


def packets(snapshot: Snapshot) -> Iterator[Packet]:
    """What opens connections of a node's pods, at every boundary."""
    local = {a for pod in snapshot.pods if pod.node == "n1" for a in pod.addresses.values()}
    others = sorted({*boundary_addresses(snapshot), *local})
    for own in sorted(local):
        for other in others:
            if (own > 1 << 32) is not (other > 1 << 32):
                continue
            for protocol, port in boundary_traffic():
                number = 1 if protocol is Protocol.ICMP else NUMBERS[protocol]
                yield Packet(own, other, number, 30_000, port)
                yield Packet(other, own, number, 30_000, port)
