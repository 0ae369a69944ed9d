"""Runs ``nft``: one transaction in, all or nothing."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from ringfence.edges.programs import find_program
from ringfence.errors import NftablesError

if TYPE_CHECKING:
    from ringfence.edges.netns import Network


def apply(network: Network, transaction: str) -> None:
    """Apply a transaction, as ``nft -f`` reads it, in a network namespace.

    Raises:
        WorldError: ``nft`` is not installed.
        NftablesError: ``nft`` or the kernel refused; nothing has changed.
    """
    _run(network, transaction, "-f", "-")


def check(network: Network, transaction: str) -> None:
    """Ask whether a transaction would be applied; raises as :func:`apply` does."""
    _run(network, transaction, "-c", "-f", "-")


def list_ruleset(network: Network) -> str:
    """Return what a network namespace holds, as ``nft`` prints it; empty for nothing."""
    return _run(network, "", "list", "ruleset")


def _run(network: Network, text: str, *arguments: str) -> str:
    with network.entered():
        done = subprocess.run(  # noqa: S603 - the program is found by us, the arguments are ours
            [find_program("nft"), *arguments], input=text, capture_output=True, text=True, check=False
        )
    if done.returncode == 0:
        return done.stdout
    words = done.stderr.strip() or f"exit status {done.returncode}"
    if "Message too long" in words:
        hint = "run as root, or raise net.core.wmem_default: the transaction is larger than one message may be"
        message = "the transaction is too large for an ordinary user"
        raise NftablesError(message, text, hint)
    message = f"nft refused a transaction: {words.splitlines()[0]}"
    raise NftablesError(message, text)
