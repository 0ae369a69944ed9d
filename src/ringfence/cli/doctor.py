"""``doctor``: whether policies can be enforced here, and what lets packets past them."""

from __future__ import annotations

import click

from ringfence.cli import output
from ringfence.cli.codes import Code
from ringfence.cli.forms import form as form_of
from ringfence.errors import InputError
from ringfence.model.finding import Weight


@click.command()
@click.option("--node", is_flag=True, help="Examine the node that this runs on.")
@form_of(*("text", "json"), about="Lines for people, or JSON.")
def doctor(form: str, *, node: bool) -> Code:
    """Can policies be enforced here, and what lets packets past them?

    With --node the kernel is asked for each feature that the rules need, and whatever else
    is on the node is looked at: other tables, bridges, flowtables, links that no rule sees.
    Nothing is changed. It needs root, or CAP_NET_ADMIN.

    A fault means that what policies deny may pass, or that nothing can be enforced; it ends
    with exit code 1. A note means that more may be denied, or that something is not seen.

    \b
    Examples:
      ringfence doctor --node
      ringfence doctor --node -o json
    """  # noqa: D301 - click's mark for lines that stay as they are
    from ringfence.dataplane.node import examine  # noqa: PLC0415 - slow to import
    from ringfence.edges.netns import Network  # noqa: PLC0415
    from ringfence.edges.node import look  # noqa: PLC0415
    from ringfence.report.node import render_node, render_node_document  # noqa: PLC0415

    if not node:
        message = "doctor examines a node, and none was asked for"
        raise InputError(message, "run `ringfence doctor --node` on the node")
    facts = look(Network.current())
    found = examine(facts)
    render = render_node_document if form == "json" else render_node
    output.answer(render(facts.kernel, ".".join(map(str, facts.nft)), found))
    return Code.DENIED if any(each.weight is Weight.FAULT for each in found) else Code.OK
