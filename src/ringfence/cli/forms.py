"""How an answer is printed: the option that says so, and the forms that tables have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ringfence.cli import output
from ringfence.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ringfence.report.table import Table


def form(*names: str, about: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the option that says how the answer is printed, which a command gets as ``form``.

    Args:
        names: The forms; the first is the default.
        about: What they are, for the help.
    """
    return click.option(
        "-o", "--output", "form", type=click.Choice(names), default=names[0], show_default=True, help=about
    )


def render_table(table: Table, form: str) -> bytes:
    """Return a table as ``csv`` or ``md``, or in columns in any other form."""
    from ringfence.report.columns import render_columns  # noqa: PLC0415 - slow to import, and not needed for JSON
    from ringfence.report.csv import render_csv  # noqa: PLC0415
    from ringfence.report.markdown import render_markdown  # noqa: PLC0415

    return {"csv": render_csv, "md": render_markdown}.get(form, render_columns)(table).encode()


def refuse_beside_netpol_analyzer(form: str) -> None:
    """Refuse a form beside that tool's own.

    Raises:
        InputError: it is another than text.
    """
    if form != "text":
        message = f"--netpol-analyzer is a text format, and -o {form} asks for another"
        raise InputError(message, "leave one of them out")


def note_unsaid(rows: int, command: str, how: str) -> None:
    """Say on standard error how many rows of a command that tool has no words for, and how they are told instead."""
    if rows:
        counted = f"1 row of {command} is" if rows == 1 else f"{rows} rows of {command} are"
        output.say("note", f"{counted} {how}: undecided, on the own node alone or without ports")
