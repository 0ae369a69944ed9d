"""The options that say who decides what the APIs leave open."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from ringfence.semantics.dialects import DIALECTS, KUBERNETES

if TYPE_CHECKING:
    from collections.abc import Callable


def dialect(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command, which gets them as one argument ``dialect``."""

    @click.option(
        "--dialect",
        "name",
        type=click.Choice(list(DIALECTS)),
        default=KUBERNETES.name,
        show_default=True,
        help="Whose choice counts where the API leaves something open.",
    )
    @click.option("--strict", is_flag=True, help="Leave undecided what the API leaves open.")
    @functools.wraps(command)
    def wrapped(name: str, *, strict: bool, **others: Any) -> Any:
        return command(dialect=replace(DIALECTS[name], strict=strict), **others)

    return wrapped
