"""``redundant``: which policies and rules change nothing?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ringfence.analysis.redundancy import redundancy
from ringfence.cli import output
from ringfence.cli.codes import Code
from ringfence.cli.dialect import dialect
from ringfence.cli.engines import engine_for
from ringfence.cli.forms import form as form_of
from ringfence.cli.forms import render_table
from ringfence.cli.inputs import Input, inputs

if TYPE_CHECKING:
    from ringfence.analysis.redundancy import Idle
    from ringfence.readers import Reading
    from ringfence.semantics.dialects import Dialect


@click.command()
@inputs
@dialect
@form_of(*("text", "json", "csv", "md"), about="Columns for people, JSON, comma-separated values or a Markdown table.")
@click.option("--pairs", is_flag=True, help="Also what changes no connection, as the other sides' policies stand now.")
def redundant(given: Input, dialect: Dialect, form: str, *, pairs: bool) -> Code:
    """Which policies and rules could be left out, and nothing would be answered otherwise?

    Told are those that select no pod, that match nobody, and those without which the policies
    of every pod would say the same of everybody, with what decides beside them. Each could go
    alone: of two that say the same, both are told. With --pairs, also those without which no
    connection would be answered otherwise, because the policies at its other end deny it all
    the same or nobody is there; they matter again when that changes.

    \b
    Examples:
      ringfence redundant -f manifests/
      ringfence redundant --pairs -o md -f manifests/
    """  # noqa: D301 - click's mark for lines that stay as they are
    reading = given.read(dialect)
    engine = engine_for(reading.snapshot, dialect)
    with output.patience("leaving out one after the other"):
        text = _rendered(tuple(redundancy(engine, pairs=pairs)), reading, form)
    output.answer(text)
    return Code.INPUT if reading.partial else Code.OK


def _rendered(found: tuple[Idle, ...], reading: Reading, form: str) -> bytes:
    if form == "json":
        from ringfence.report.json_redundancy import render_redundancy  # noqa: PLC0415 - slow to import

        return render_redundancy(found, reading.errors, reading.notes)
    from ringfence.report.redundancy import tabulate_redundancy  # noqa: PLC0415

    return render_table(tabulate_redundancy(found, reading.snapshot, partial=reading.partial), form)
