"""How much the engine works for clusters of many kinds: counts, which no machine changes.

Fewer are welcome; more are a slower engine.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from bench.extremes import a_class_of_each_pod, many_blocks, many_namespaces, many_ports, many_rules
from bench.fleet import Size, fleet
from ringfence.readers import Source, read
from ringfence.semantics.engine import Engine
from ringfence.semantics.sets import Integers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ringfence.model.snapshot import Snapshot

Manifest = dict[str, Any]


class Counted(int):
    """A set that counts how often two sets are taken together."""

    done = 0

    def __and__(self, other: int) -> Counted:
        Counted.done += 1
        return Counted(int(self) & int(other))

    def __or__(self, other: int) -> Counted:
        Counted.done += 1
        return Counted(int(self) | int(other))

    __hash__ = int.__hash__


class Counting(Integers):
    """Integers, every operation on two of them counted."""

    empty = Counted(0)

    def of(self, members: Iterable[int]) -> Counted:
        """Return a set that counts."""
        return Counted(super().of(members))

    def sub(self, one: int, other: int) -> Counted:
        """Count, and return a set that counts."""
        Counted.done += 1
        return Counted(super().sub(int(one), int(other)))


def decoded(manifests: Iterator[Manifest]) -> Snapshot:
    """The snapshot of a generated cluster."""
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(manifests)})
    return read([Source("cluster.json", [text.encode()])]).snapshot


def work(snapshot: Snapshot) -> tuple[int, ...]:
    """Classes, programs, rows, blocks and operations on two sets, for all pairs of a snapshot."""
    Counted.done = 0
    engine = Engine(snapshot, sets=Counting())
    blocks = sum(1 for family in snapshot.families for _ in engine.blocks(family))
    return (*engine.counts().values(), blocks, Counted.done)


@pytest.mark.parametrize(
    ("manifests", "expected"),
    [
        pytest.param(fleet(1, Size(3_000, 300), slim=True), (443, 369, 126, 63, 20_283), id="a fleet"),
        pytest.param(
            fleet(1, Size(3_000, 300, 0.5), slim=True), (671, 377, 152, 142, 22_547), id="half of the rules wide"
        ),
        pytest.param(a_class_of_each_pod(500), (500, 2, 2, 1, 1_019), id="each pod in a class of its own"),
        pytest.param(many_namespaces(500), (51, 52, 11, 12, 358), id="as many namespaces as pods"),
        pytest.param(many_rules(500), (50, 2, 2, 51, 26_934), id="many rules in one policy"),
        pytest.param(many_blocks(500), (1, 2, 2, 2, 1_042), id="many blocks of addresses"),
        pytest.param(many_ports(100), (1, 2, 2, 2, 613), id="many ports in each pod"),
    ],
)
def test_a_cluster_takes_no_more_work_than_it_did(manifests: Iterator[Manifest], expected: tuple[int, ...]):
    """Whether it is large in every respect, or in one alone."""
    assert work(decoded(manifests)) == expected
