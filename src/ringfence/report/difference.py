"""What differs between two worlds as rows of words, which text, CSV and Markdown share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.algebra.traffic import render_traffic
from ringfence.analysis.difference import Where
from ringfence.model.naming import Directory
from ringfence.report.counting import counted
from ringfence.report.reasons import name_grounds
from ringfence.report.table import Table, name_ends
from ringfence.semantics.summary import assumptions
from ringfence.semantics.verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ringfence.algebra.addresses import Family
    from ringfence.analysis.difference import Account, Difference, Shift
    from ringfence.analysis.reach import Row
    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics.grounds import Grounds
    from ringfence.semantics.summary import Line

OPENED, CLOSED, NEW, GONE = "opened", "closed", "new", "gone"

_WORDS = {(Outcome.DENIED, Outcome.ALLOWED): OPENED, (Outcome.ALLOWED, Outcome.DENIED): CLOSED}

_Cells = tuple[str, ...]


def tabulate_difference(found: Difference, before: Snapshot, after: Snapshot, *, partial: bool = False) -> Table:
    """Return a difference in words: first what opened, then what else differs, then pods that are new or gone.

    Args:
        found: The difference.
        before: The world before.
        after: The world after.
        partial: Whether part of the input was not read.
    """
    worlds = Directory(before), Directory(after)
    families = len({*before.families, *after.families}) > 1
    near = any(shift.where is not Where.ANYWHERE for shift in found.shifts)
    near = near or any(line.own_node for line in (*found.new, *found.gone))
    rows = [_shift_cells(worlds[1], shift) for shift in in_order(found.shifts)]
    rows += [_line_cells(worlds[1], NEW, line) for line in found.new]
    rows += [_line_cells(worlds[0], GONE, line) for line in found.gone]
    head = ("change", "client", "server", "traffic", *(("where",) if near else ()), *(("family",) if families else ()))
    taken = [place for place, wanted in enumerate((True,) * 4 + (near, families)) if wanted]
    assumed = dict.fromkeys(each.text for world in (before, after) for each in assumptions(world))
    said = (_counts(found), *(f"assuming that {text}; give --pod-cidr to check" for text in assumed))
    said += ("own node: where one end is on the network of the node that the other is on",) if near else ()
    said += ("part of the input was not read or is in error",) if partial else ()
    return Table(head, tuple(tuple(row[place] for place in taken) for row in rows), said)


def with_accounts(table: Table, accounts: Sequence[Account], new: Sequence[Row], gone: Sequence[Row]) -> Table:
    """Return a table of as many rows with two columns more: what decided before, and what decides after.

    Args:
        table: Of a difference.
        accounts: Of its shifts, in the order of :func:`in_order`.
        new: Its new lines, with what decides.
        gone: Its lines that are gone, likewise.
    """
    told = [(_name_both(each.before), _name_both(each.after)) for each in accounts]
    told += [("", _name_both((row.egress, row.ingress))) for row in new]
    told += [(_name_both((row.egress, row.ingress)), "") for row in gone]
    rows = tuple((*cells, *more) for cells, more in zip(table.rows, told, strict=True))
    return Table((*table.head, "before", "after"), rows, table.remarks)


def in_order(shifts: Sequence[Shift]) -> list[Shift]:
    """Return shifts in the order in which people want them: what opens first."""
    return sorted(shifts, key=lambda shift: (not shift.opens, word(shift) not in (OPENED, CLOSED)))


def word(shift: Shift) -> str:
    """Return what became of some traffic: ``opened``, ``closed``, or ``allowed -> undecided`` and the like."""
    return _WORDS.get((shift.before, shift.after), f"{shift.before.value} -> {shift.after.value}")


def _shift_cells(directory: Directory, shift: Shift) -> _Cells:
    ends = name_ends(directory, shift.clients), name_ends(directory, shift.servers)
    return word(shift), *ends, render_traffic(shift.traffic), shift.where.value, _families(shift.families)


def _line_cells(directory: Directory, change: str, line: Line) -> _Cells:
    ends = name_ends(directory, line.clients), name_ends(directory, line.servers)
    said = change if line.outcome is Outcome.ALLOWED else f"{change}, {line.outcome.value}"
    where = Where.OWN_NODE if line.own_node else Where.ANYWHERE
    return said, *ends, render_traffic(line.traffic), where.value, _families(line.families)


def _families(families: Sequence[Family]) -> str:
    return " ".join(f"IPv{family.value}" for family in families)


def _name_both(grounds: tuple[Grounds, Grounds]) -> str:
    egress, ingress = map(name_grounds, grounds)
    return f"egress: {egress}, ingress: {ingress}"


def _counts(found: Difference) -> str:
    """Say how much differs, in one clause."""
    if not found:
        return "no connection differs"
    opened = sum(shift.opens for shift in found.shifts)
    said = [f"{counted(opened, 'row')} opened, {len(found.shifts) - opened} closed"] if found.shifts else []
    said += [f"{counted(len(found.new), 'row')} of new pods"] if found.new else []
    said += [f"{counted(len(found.gone), 'row')} of pods that are gone"] if found.gone else []
    return "; ".join(said)
