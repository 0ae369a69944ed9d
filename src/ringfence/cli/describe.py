"""``describe``: what does one policy say, and what does it change?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ringfence.analysis.describing import describe as description_of
from ringfence.analysis.describing import find_policy
from ringfence.analysis.difference import accounts
from ringfence.cli import output
from ringfence.cli.audit import judged
from ringfence.cli.codes import Code
from ringfence.cli.dialect import dialect
from ringfence.cli.engines import engine_for
from ringfence.cli.forms import form as form_of
from ringfence.cli.inputs import Input, inputs
from ringfence.model.naming import Directory

if TYPE_CHECKING:
    from ringfence.semantics.dialects import Dialect


@click.command()
@click.argument("policy", metavar="KIND/NAME")
@inputs
@dialect
@form_of("text", "json", about="Words for people, or JSON.")
def describe(given: Input, dialect: Dialect, policy: str, form: str) -> Code:
    """What does one policy say, and what does it change?

    Told are the pods that it selects now, what each of its rules does and whom it means, what
    its author may not mean, and which connections would be answered otherwise without it,
    given all the other policies.

    \b
    KIND is netpol, cnp, anp or banp; it may be left out where the name is no other policy's.

    \b
    Examples:
      ringfence describe netpol/shop/web
      ringfence describe cnp/default-deny -f manifests/
      ringfence describe shop/web -f manifests/
    """  # noqa: D301 - click's mark for lines that stay as they are
    everything = given.read_all()
    found = find_policy(everything.snapshot, policy, everything.namespace)
    reading = judged(everything, dialect, found)
    snapshot = reading.snapshot
    engine = engine_for(snapshot, dialect)
    with output.patience("comparing with and without it"):
        described = description_of(engine, found)
    directory = Directory(snapshot)
    if form == "json":
        from ringfence.report.json_describing import render_description as render_json  # noqa: PLC0415 - slow to import

        told = accounts(described.without, engine, described.change.shifts)
        output.answer(render_json(described, told, directory, reading.errors, reading.notes))
    else:
        from ringfence.report.describing import render_description  # noqa: PLC0415

        output.answer(render_description(described, directory, partial=reading.partial).encode())
    return Code.INPUT if reading.partial else Code.OK
