"""From one plan to the next: whether connections that are known have to be judged again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ringfence.dataplane.plan import LocalClass, NodePlan, Row


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
