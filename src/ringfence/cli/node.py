"""``node``: the rules of the node that this runs on, before and after anybody keeps them."""

from __future__ import annotations

import re

import click

from ringfence.cli import output
from ringfence.cli.codes import Code
from ringfence.errors import InputError

_LINK = re.compile(r"[A-Za-z0-9_.-]{1,14}")
"""What the name of a link may begin with: it has at most 15 bytes, and nft gives some signs a meaning."""


@click.group()
def node() -> None:
    """The rules of this node, before and after anybody keeps them.

    \b
    Examples:
      ringfence node boot --links cali > /etc/nftables.d/ringfence.nft
      ringfence node uninstall
    """  # noqa: D301 - click's mark for lines that stay as they are


@node.command()
@click.option("--links", required=True, help="What the names of links to pods begin with, and of no other: cali, veth.")
def boot(links: str) -> Code:
    """Print rules for nft that keep pods closed until a node is told what policies say.

    Pods neither send nor receive, but the node reaches them. Load the rules early when a
    machine starts, with `nft -f`. Where a table of ringfence is there already nft refuses
    them, so what is enforced is never made less.

    \b
    Examples:
      ringfence node boot --links cali | nft -f -
    """  # noqa: D301 - click's mark for lines that stay as they are
    from ringfence.dataplane.compile import compile_program  # noqa: PLC0415 - slow to import
    from ringfence.dataplane.plan import closed_node  # noqa: PLC0415

    if not _LINK.fullmatch(links):
        message = f"--links {links}: no link has a name that begins so"
        raise InputError(message, "give letters, digits, _, . and -, without a star: at most 14 in all")
    output.answer(compile_program(closed_node("", links)).render_boot().encode())
    return Code.OK


@node.command()
def uninstall() -> Code:
    """Take away every table of ringfence on this node; from then on no policy is enforced.

    Nothing else ever does: rules stay when the process that made them ends. A table that a
    running process owns is left to that process. It needs root, or CAP_NET_ADMIN.
    """
    from ringfence.dataplane.nft import TableFamily  # noqa: PLC0415 - slow to import
    from ringfence.edges.enforcement import uninstall as take_away  # noqa: PLC0415
    from ringfence.edges.netns import Network  # noqa: PLC0415
    from ringfence.edges.nftables import Nftables  # noqa: PLC0415

    network, is_any = Network.current(), False
    for family in TableFamily:
        for table in take_away(Nftables(network, family=family)):
            output.answer(f"{family} {table} is gone\n".encode())
            is_any = True
    if not is_any:
        output.answer(b"no table of ringfence is here\n")
    return Code.OK
