"""``exposure``: what is reachable from outside, and what outside is reachable."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ringfence.analysis.exposure import expose
from ringfence.analysis.whom import Names
from ringfence.cli import output
from ringfence.cli.codes import Code
from ringfence.cli.dialect import dialect
from ringfence.cli.engines import engine_for
from ringfence.cli.forms import form as form_of
from ringfence.cli.inputs import Input, inputs

if TYPE_CHECKING:
    from ringfence.semantics.dialects import Dialect


@click.command()
@inputs
@dialect
@form_of("text", "json", about="Columns for people, or JSON.")
def exposure(given: Input, dialect: Dialect, form: str) -> Code:
    """What is reachable from outside, and what outside is reachable?

    Outside are all addresses that are no pod's, node's or Service's. Three tables say which
    of them policies let reach pods; through which Services, Ingresses and routes one gets
    there, each judged by the client that its pods see; and which of them pods reach. Pods
    that no policy isolates are in rows of their own: isolated by nothing.

    \b
    Examples:
      ringfence exposure
      ringfence exposure -f manifests/
    """  # noqa: D301 - click's mark for lines that stay as they are
    reading = given.read(dialect)
    names = Names(reading.snapshot, reading.namespace)
    engine = engine_for(reading.snapshot, dialect)
    with output.patience("judging what is outside"):
        found = expose(engine, names, dialect)
    if form == "json":
        from ringfence.report.json_exposure import render_exposure as render_json  # noqa: PLC0415 - slow to import

        output.answer(render_json(found, names.directory, reading.errors, reading.notes))
    else:
        from ringfence.report.exposure import render_exposure  # noqa: PLC0415

        output.answer(render_exposure(found, names.directory, partial=reading.partial).encode())
    return Code.INPUT if reading.partial else Code.OK
