"""From one plan to the next: whether connections that are known have to be judged again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ringfence.dataplane.handling import Epoch, Mode

if TYPE_CHECKING:
    from collections.abc import Collection

    from ringfence.dataplane.handling import Handling
    from ringfence.dataplane.plan import LocalClass, NodePlan, Row


def next_handling(handling: Handling, before: NodePlan, after: NodePlan, marks: Collection[int]) -> Handling:
    """Return what is to be done about connections under a new plan.

    Args:
        handling: What was done under the plan before.
        before: That plan.
        after: The new one.
        marks: The marks of all connections of the node, as conntrack has them.

    Returns:
        The same, where the new plan allows everything that the old one did; otherwise with
        another epoch, or with every packet judged when all numbers are in use.
    """
    if not isinstance(handling.established, Epoch) or not allows_less(after, before):
        return handling
    return replace(handling, established=handling.established.next(marks) or Mode.ALWAYS)


def allows_less(after: NodePlan, before: NodePlan) -> bool:
    """Tell whether a plan denies anything that another one allows."""
    known = {(*_kind(each), address): each for each in before.judged for address in each.addresses}
    for each in after.judged:
        found = {id(old): old for a in each.addresses if (old := known.get((*_kind(each), a)))}
        # Whoever is in no class is denied nothing, and a class denies something.
        if any((*_kind(each), a) not in known for a in each.addresses):
            return True
        if any(_lose(each.rows, old.rows) for old in found.values()):
            return True
    return False


def _kind(local_class: LocalClass) -> tuple[object, ...]:
    return local_class.direction, local_class.family, local_class.hairpin


def _lose(after: tuple[Row, ...], before: tuple[Row, ...]) -> bool:
    """Tell whether any peer loses traffic from one set of rows to another."""
    return after != before and any(
        bool(had - has) and bool(theirs & addresses) for addresses, has in after for theirs, had in before
    )
