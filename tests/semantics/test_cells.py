"""Cells: what is decided alike is put together, along one axis at a time."""

from __future__ import annotations

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from ringfence.algebra.addresses import Family
from ringfence.algebra.intervals import Intervals
from ringfence.model.policy import Direction
from ringfence.semantics.cells import Cell, gather, unite_halves
from ringfence.semantics.verdict import Assumption, Half, Outcome, Undefined, Verdict
from tests.parts import place


def half(direction: Direction = Direction.EGRESS, reason: str = "r", **remarks: tuple[object, ...]) -> Half:
    """A denying half with remarks."""
    return Half(direction, Outcome.DENIED, None, reason, **remarks)


def cell(client: int, server: int, family: Family, first: int, reason: str, near: str = "") -> Cell:
    """A cell of one connection."""
    verdict = Verdict(half(reason=reason, nearest=(place(near),) if near else ()), half(Direction.INGRESS))
    return Cell(frozenset({client}), frozenset({server}), frozenset({family}), Intervals.point(first), verdict)


POINTS = list(product(range(2), range(2), Family, range(2)))


@given(st.lists(st.sampled_from("ab"), min_size=len(POINTS), max_size=len(POINTS)))
def test_gathered_cells_are_disjoint_and_say_what_each_said(reasons: list[str]):
    """No connection is lost, doubled or answered otherwise."""
    together = gather([cell(*where, reason) for where, reason in zip(POINTS, reasons, strict=True)])
    said = [
        (where, each.verdict.egress.reason)
        for each in together
        for where in product(each.clients, each.servers, each.families, (p for p in range(2) if p in each.traffic))
    ]
    assert sorted(said) == sorted(zip(POINTS, reasons, strict=True))


def test_cells_that_say_the_same_become_one():
    """A whole rectangle is one cell."""
    (only,) = gather([cell(*where, "a") for where in POINTS])
    assert (only.clients, only.servers, only.families) == ({0, 1}, {0, 1}, set(Family))


def test_remarks_do_not_keep_cells_apart_and_are_not_lost():
    """What was nearest for one client is nearest for the part that holds it."""
    (only,) = gather([cell(0, 0, Family.IPV4, 0, "a", "x"), cell(1, 0, Family.IPV4, 0, "a", "y")])
    assert only.verdict.egress.nearest == (place("x"), place("y"))


def test_halves_that_were_decided_alike_become_one():
    """Every remark is kept, each once."""
    assumption, point = Assumption("pod-address", "somewhere"), Undefined("icmp", "ringfence")
    halves = [half(nearest=(place("x"),)), half(reason="other"), half(assumptions=(assumption,), undefined=(point,))]

    assert unite_halves(halves) == (
        half(nearest=(place("x"),), assumptions=(assumption,), undefined=(point,)),
        half(reason="other"),
    )
