"""``explain-api``: what a field means, and what the APIs leave open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ringfence.cli import output
from ringfence.cli.codes import Code
from ringfence.cli.forms import form as form_of
from ringfence.errors import InputError
from ringfence.report.explanation import EVERYTHING, explained, nearest, render_markdown, render_overview, render_text
from ringfence.report.open_points import render_page

if TYPE_CHECKING:
    from ringfence.report.explanation import Explanation


@click.command("explain-api")
@click.argument("name", required=False, metavar="[FIELD|TOPIC]")
@form_of(
    *("text", "json", "md"), about="Words for people, JSON, or Markdown; without a name the page of all open points."
)
def explain_api(name: str | None, form: str) -> Code:
    """What a field of a policy means, and what the APIs leave open.

    A FIELD is a path as of kubectl explain, in a networkpolicy (netpol),
    clusternetworkpolicy (cnp), adminnetworkpolicy (anp) or
    baselineadminnetworkpolicy (banp). A TOPIC is the name of an open point, as answers
    have it. Without either, both are listed.

    \b
    Examples:
      ringfence explain-api
      ringfence explain-api networkpolicy.spec.ingress.from.ipBlock
      ringfence explain-api cnp.spec.egress.protocols
      ringfence explain-api hairpin
    """  # noqa: D301 - click's mark for lines that stay as they are
    output.answer(_rendered(name, form))
    return Code.OK


def _rendered(name: str | None, form: str) -> bytes:
    found = EVERYTHING if name is None else _explained(name)
    if form == "json":
        from ringfence.report.json_explanation import render_explanation  # noqa: PLC0415 - slow to import

        return render_explanation(found)
    if name is None:
        return (render_page() if form == "md" else render_overview()).encode()
    return (render_markdown if form == "md" else render_text)(found, name).encode()


def _explained(name: str) -> Explanation:
    """Find what a name stands for.

    Raises:
        InputError: it is no field and no open point.
    """
    if not name.strip():
        message = "the name of the field or open point is empty"
        raise InputError(message, "leave it out to see all of them")
    found = explained(name)
    if found is None:
        near = nearest(name)
        message = f"{name} is no field of a policy, and no open point"
        raise InputError(message, f"try {near}" if near else "see `ringfence explain-api` for all of them")
    return found
