"""The pages: links lead somewhere, guarantees name real tests, the README's answers are true."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest

from ringfence.report.open_points import render_page
from tests.console import ROOT, Command, commands, run

if TYPE_CHECKING:
    from pathlib import Path

PAGES = sorted(page for pattern in ("*.md", "docs/**/*.md", "examples/**/*.md") for page in ROOT.glob(pattern))
LINK = re.compile(r"\[(?P<text>[^\]]*)\]\((?P<target>[^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
GUARANTEES = ROOT / "docs" / "guarantees.md"


def links(page: Path) -> list[tuple[str, str]]:
    """Return the text and target of every link that stays in the repository."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    return [(link["text"], link["target"]) for link in LINK.finditer(text) if "://" not in link["target"]]


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as code forges make them."""
    headings = HEADING.findall(page.read_text())
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def name(page: Path) -> str:
    """Name a test after the page it looks at."""
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path):
    """A link to a file that moved, or to a heading that was reworded, helps nobody."""
    broken = []
    for _, target in links(page):
        path, _, anchor = target.partition("#")
        file = page.parent / path if path else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(target)

    assert broken == []


def test_every_guarantee_names_tests_that_exist():
    """A guarantee is worth as much as the test that holds it."""
    held = [(text.strip("`"), target) for text, target in links(GUARANTEES) if text.startswith("`test_")]
    missing = [
        (test, target)
        for test, target in held
        if test not in {node.name for node in ast.walk(_tree(target)) if isinstance(node, ast.FunctionDef)}
    ]

    assert held
    assert missing == []


def test_every_guarantee_is_held_by_a_test():
    """A numbered guarantee without a test is a wish."""
    sections = re.split(r"^## ", GUARANTEES.read_text(), flags=re.MULTILINE)[1:]

    assert [section.splitlines()[0] for section in sections if "[`test_" not in section] == []


def test_paths_named_in_the_architecture_exist():
    """The map shows what is there, not what is planned."""
    named = re.findall(r"^\| `([^`]+)` \|", (ROOT / "ARCHITECTURE.md").read_text(), flags=re.MULTILINE)

    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("command", commands(ROOT / "README.md"), ids=str)
def test_a_command_of_the_readme_prints_what_it_says(command: Command):
    """The first answer that anybody sees is a true one."""
    assert run(command) == command.output


def test_the_page_of_open_points_is_what_the_table_says():
    """``ringfence explain-api -o md > docs/open-points.md`` writes it anew."""
    assert (ROOT / "docs" / "open-points.md").read_text() == render_page()


def test_every_change_of_a_verdict_names_what_shows_it():
    """A case, or a script where no table of pods can show it; that it is there is checked with all links."""
    entries = [line for line in (ROOT / "CHANGELOG.md").read_text().splitlines() if line.startswith("- **(verdict)**")]

    assert entries
    assert [entry for entry in entries if not re.search(r"\]\(tests/(cases|scripts)/[^)]+\)", entry)] == []


def _tree(target: str) -> ast.Module:
    return ast.parse((GUARANTEES.parent / target).read_text())
