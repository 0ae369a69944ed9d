"""``reached-by``: who reaches somebody, on what."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ringfence.cli.dialect import dialect
from ringfence.cli.inputs import Input, inputs
from ringfence.cli.reach import answer, rows_form

if TYPE_CHECKING:
    from ringfence.cli.codes import Code
    from ringfence.semantics.dialects import Dialect


@click.command("reached-by")
@click.argument("server", metavar="TO")
@inputs
@dialect
@rows_form
def reached_by(given: Input, dialect: Dialect, server: str, form: str) -> Code:
    """Who reaches TO, on what?

    What is in no row is denied; a pod always reaches itself. TO is named as FROM of reach is;
    a Service is taken as the pods behind it, on the ports that it leads to.

    -o wide and -o json say which rules decide on either side of each row, and where they stand.

    \b
    Examples:
      ringfence reached-by shop/db
      ringfence reached-by shop/db -o wide -f manifests/
      ringfence reached-by 203.0.113.0/24 -f manifests/
    """  # noqa: D301 - click's mark for lines that stay as they are
    return answer(given, dialect, form, server=server)
