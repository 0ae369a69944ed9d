"""``diff``: what connectivity changes between two worlds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ringfence.analysis.difference import accounts, difference
from ringfence.analysis.reach import reasons
from ringfence.cli import output
from ringfence.cli.codes import Code
from ringfence.cli.collector import keep_what_was_read
from ringfence.cli.dialect import dialect
from ringfence.cli.engines import engines_for
from ringfence.cli.forms import note_unsaid, refuse_beside_netpol_analyzer, render_table
from ringfence.cli.inputs import Input, inputs
from ringfence.cli.reach import rows_form
from ringfence.cli.worlds import find_worlds
from ringfence.semantics.summary import lines

if TYPE_CHECKING:
    from ringfence.analysis.difference import Difference
    from ringfence.model.snapshot import Snapshot
    from ringfence.readers import Reading
    from ringfence.semantics.dialects import Dialect
    from ringfence.semantics.engine import Engine


@click.command()
@click.argument("names", metavar="OLD [NEW]", nargs=-1, required=True)
@inputs
@dialect
@rows_form
@click.option(
    "--forbid-new-exposure", is_flag=True, help="Exit with 1 only where somebody outside reaches more pods or ports."
)
@click.option(
    "--netpol-analyzer",
    "as_netpol_analyzer",
    is_flag=True,
    help="Exactly the lines that netpol-analyzer's diff prints.",
)
def diff(
    given: Input,
    dialect: Dialect,
    names: tuple[str, ...],
    form: str,
    *,
    forbid_new_exposure: bool,
    as_netpol_analyzer: bool,
) -> Code:
    """What connectivity changes from OLD to NEW?

    Connections are compared, not texts: who gains or loses which ports to whom. Pods are those
    of the same name or workload; what passes to and from pods that only one side has is told
    apart. OLD and NEW are files or directories of manifests, snapshots, revisions of git, or
    cluster: for the live cluster, cluster:CONTEXT for another. main..HEAD is two revisions,
    main...HEAD what HEAD has changed since it left main. Without NEW, the manifests of -f as
    they lie here. Of a revision, -f names the manifests; without it those of this directory.

    Exits with 1 if anything differs. -o wide and -o json say which rules decide on either side.

    \b
    Examples:
      ringfence diff main..HEAD -f k8s/
      ringfence diff old/ new/ -o md
      ringfence diff cluster: k8s/ --forbid-new-exposure
    """  # noqa: D301 - click's mark for lines that stay as they are
    if as_netpol_analyzer:
        refuse_beside_netpol_analyzer(form)
    before, after = (world.read(dialect) for world in find_worlds(given, names))
    keep_what_was_read()
    if as_netpol_analyzer:
        found, text = _as_netpol_analyzer((before.snapshot, after.snapshot), dialect)
        differs = bool(text) or bool(found)
    else:
        engines = engines_for(before.snapshot, after.snapshot, dialect)
        with output.patience("comparing all pairs"):
            found = difference(*engines)
        with output.patience("writing what differs"):
            text, differs = _rendered(found, engines, (before, after), form), bool(found)
    output.answer(text)
    if before.partial or after.partial:
        return Code.INPUT
    return Code.DENIED if (found.exposures if forbid_new_exposure else differs) else Code.OK


def _rendered(found: Difference, engines: tuple[Engine, Engine], read: tuple[Reading, Reading], form: str) -> bytes:
    from ringfence.report.difference import in_order, tabulate_difference, with_accounts  # noqa: PLC0415 - slow to import

    worlds = read[0].snapshot, read[1].snapshot
    if form in {"json", "wide"}:
        told = accounts(*engines, in_order(found.shifts))
        rows = reasons(engines[0], found.gone), reasons(engines[1], found.new)
    if form == "json":
        from ringfence.report.json_difference import render_difference  # noqa: PLC0415

        errors, notes = ((*read[0].errors, *read[1].errors), (*read[0].notes, *read[1].notes))
        return render_difference(told, rows, worlds, exposes=bool(found.exposures), errors=errors, notes=notes)

    table = tabulate_difference(found, *worlds, partial=read[0].partial or read[1].partial)
    if form == "wide":
        table = with_accounts(table, told, *rows[::-1])
    return render_table(table, form)


def _as_netpol_analyzer(worlds: tuple[Snapshot, Snapshot], dialect: Dialect) -> tuple[Difference, bytes]:
    """Return the difference, and in that tool's words; say on standard error what it has no words for."""
    from ringfence.report.netpol_analyzer import connections, with_controller  # noqa: PLC0415
    from ringfence.report.netpol_analyzer_diff import render_differences, unsaid, without_controller  # noqa: PLC0415

    before, after = map(with_controller, worlds)
    engines = engines_for(before, after, dialect)
    with output.patience("comparing all pairs"):
        found = without_controller(difference(*engines))
        told = [connections(lines(engine), engine.snapshot) for engine in engines]
    note_unsaid(unsaid(found), "diff", "in no line here, or not as they are")
    return found, render_differences(told[0], told[1], (before, after)).encode()
