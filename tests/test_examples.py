"""The examples: every command of their pages prints what the page says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.console import ROOT, Command, commands, run

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLES = sorted(folder for folder in (ROOT / "examples").iterdir() if folder.is_dir())
COMMANDS = [command for folder in EXAMPLES for command in commands(folder / "README.md")]


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda folder: folder.name)
def test_an_example_has_manifests_and_commands(folder: Path):
    """A folder without either would show nothing."""
    assert list((folder / "manifests").glob("*.yaml"))
    assert commands(folder / "README.md")


@pytest.mark.parametrize("command", COMMANDS, ids=str)
def test_a_command_prints_what_its_page_says(command: Command):
    """Readers compare what they see with what they read."""
    assert run(command) == command.output
