"""``reach``: whom somebody reaches, and for ``reached-by`` who reaches somebody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ringfence.analysis.reach import reach as lines_of
from ringfence.analysis.reach import reasons
from ringfence.analysis.whom import CLIENT, SERVER, Names
from ringfence.cli import output
from ringfence.cli.codes import Code
from ringfence.cli.dialect import dialect
from ringfence.cli.engines import engine_for
from ringfence.cli.forms import form as form_of
from ringfence.cli.forms import render_table
from ringfence.cli.inputs import Input, inputs

if TYPE_CHECKING:
    from ringfence.analysis.whom import Whom
    from ringfence.readers import Reading
    from ringfence.semantics.dialects import Dialect
    from ringfence.semantics.engine import Engine
    from ringfence.semantics.summary import Line

rows_form = form_of(
    *("text", "wide", "json", "csv", "md"),
    about="Columns, columns with what decides, JSON, comma-separated values or a Markdown table.",
)
"""The option of commands that print rows of a map with what decides about them."""


@click.command()
@click.argument("client", metavar="FROM")
@inputs
@dialect
@rows_form
def reach(given: Input, dialect: Dialect, client: str, form: str) -> Code:
    """Whom does FROM reach, on what?

    What is in no row is denied; a pod always reaches itself. Where several are meant by FROM
    and they reach different servers, there is a row for each. FROM is a pod or a workload
    (shop/web), a namespace (shop/), labels (shop:app=web), a Service (svc:shop/db), a node
    (node:worker-1), an address, a CIDR or internet.

    -o wide and -o json say which rules decide on either side of each row, and where they stand.

    \b
    Examples:
      ringfence reach shop/web
      ringfence reach shop/web -o wide -f manifests/
      ringfence reach shop:tier=backend -f manifests/
    """  # noqa: D301 - click's mark for lines that stay as they are
    return answer(given, dialect, form, client=client)


def answer(given: Input, dialect: Dialect, form: str, client: str = "", server: str = "") -> Code:
    """Print who reaches whom.

    Args:
        given: What is read.
        dialect: Who decides what the APIs leave open.
        form: How it is printed.
        client: Whom clients are named by; empty for everyone.
        server: Whom servers are named by; empty for everyone.
    """
    reading = given.read(dialect)
    names = Names(reading.snapshot, reading.namespace)
    clients = names.find(CLIENT, client) if client else None
    servers = names.find(SERVER, server) if server else None
    engine = engine_for(reading.snapshot, dialect)
    with output.patience("judging"):
        found = lines_of(engine, clients, servers)
    with output.patience("writing the rows"):
        text = _rendered(engine, found, reading, form, (clients, servers))
    output.answer(text)
    return Code.INPUT if reading.partial else Code.OK


def _rendered(
    engine: Engine, found: tuple[Line, ...], reading: Reading, form: str, sides: tuple[Whom | None, Whom | None]
) -> bytes:
    if form == "json":
        from ringfence.report.json_reach import render_reach  # noqa: PLC0415 - slow to import

        return render_reach(reasons(engine, found), reading.snapshot, sides, reading.errors, reading.notes)
    from ringfence.report.reasons import with_reasons  # noqa: PLC0415
    from ringfence.report.table import tabulate  # noqa: PLC0415

    remarks = tuple(remark.text for whom in sides if whom for remark in whom.remarks)
    table = tabulate(found, reading.snapshot, partial=reading.partial, remarks=remarks)
    if form == "wide":
        table = with_reasons(table, reasons(engine, found))
    return render_table(table, form)
