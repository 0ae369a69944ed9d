"""The options that say who decides."""

from __future__ import annotations

import click
import pytest

from ringfence.cli.dialect import dialect
from ringfence.semantics.dialects import DIALECTS, Dialect


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], Dialect("kubernetes")),
        (["--dialect", "aws"], DIALECTS["aws"]),
        (["--strict"], Dialect("kubernetes", strict=True)),
    ],
)
def test_a_command_gets_the_dialect_that_was_chosen(arguments: list[str], expected: Dialect):
    """Upstream's own by default."""
    got = []
    command = click.command()(dialect(lambda **given: got.append(given["dialect"])))

    command.main(arguments, standalone_mode=False)

    assert got == [expected]
