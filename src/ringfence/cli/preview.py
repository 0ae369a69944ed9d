"""``preview``: what would other policies have said of flows that were recorded?"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from ringfence.analysis.preview import preview as preview_of
from ringfence.cli import output
from ringfence.cli.audit import judged
from ringfence.cli.codes import Code
from ringfence.cli.forms import form as form_of
from ringfence.cli.forms import render_table
from ringfence.cli.manifests import Manifests, manifests
from ringfence.errors import InputError
from ringfence.report.flow_file import read_flow_file
from ringfence.semantics.dialects import RINGFENCE

if TYPE_CHECKING:
    from typing import BinaryIO


@click.command()
@click.argument("flows", metavar="FLOWS", type=click.File("rb"))
@manifests
@form_of(*("text", "json", "csv", "md"), about="Columns for people, JSON, comma-separated values or a Markdown table.")
def preview(flows: BinaryIO, manifests: Manifests, form: str) -> Code:
    """Which recorded flows would these policies answer otherwise, and why?

    FLOWS is a file of lines as `ringfence lab flows -o json` writes them, or -. Of the
    manifests only policies and the labels of nodes count: who was at the ends of a flow, with
    labels, addresses and names of ports, is in its line. Exits with 1 if anything would change.

    \b
    Examples:
      ringfence preview flows.jsonl -f candidate/
      ringfence preview flows.jsonl -f candidate/ -o json
    """  # noqa: D301 - click's mark for lines that stay as they are
    if flows is sys.stdin.buffer and "-" in manifests.filenames:
        message = "standard input holds either flows or manifests"
        raise InputError(message, "put one of them into a file")
    reading = judged(manifests.read(part=True), RINGFENCE)
    found = read_flow_file(flows.name, flows)
    with output.patience("judging flows"):
        snapshot = reading.snapshot
        changes = preview_of(snapshot.policies, snapshot.nodes, found.flows, RINGFENCE)
        if form == "json":
            from ringfence.report.preview import render_preview  # noqa: PLC0415 - slow to import

            text = render_preview(changes, found, reading.errors, reading.notes)
        else:
            from ringfence.report.preview import tabulate_preview  # noqa: PLC0415

            text = render_table(tabulate_preview(changes, found, partial=reading.partial), form)
    output.answer(text)
    if reading.partial:
        return Code.INPUT
    return Code.DENIED if changes else Code.OK
