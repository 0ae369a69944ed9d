"""House rules that no linter knows."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "ringfence"
MODULES = sorted(SOURCE.rglob("*.py"))
PACKAGES = ("algebra", "model", "readers", "semantics", "analysis", "dataplane", "report", "edges", "cli", "lab")
LONGEST_MODULE = 500
LONGEST_FUNCTION = 60
DEFINITION = SOURCE / "semantics" / "spec.py"
LONGEST_DEFINITION = 200

NOT_OUR_WORDS = {
    r"\bis_ingress\b": "a Direction",
    r"\bwhitelist|\bblacklist": "allowed, denied",
    r"\b(permitted|blocked) by\b": "accepted by, denied by",
    r"\bclass \w*(Manager|Handler|Helper|Util)\w*\b": "the noun it stands for",
    r"\bdef get_": "a noun, or a verb that says what is done",
}


def module_name(path: Path) -> str:
    """Name a test after the module it looks at."""
    return str(path.relative_to(SOURCE))


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_a_module_is_small_and_says_what_it_is_for(path: Path):
    """A module over the ceiling is split by noun."""
    text = path.read_text()

    assert ast.get_docstring(ast.parse(text))
    assert len(text.splitlines()) <= LONGEST_MODULE


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_functions_fit_on_a_screen(path: Path):
    """A function over the ceiling hides a noun."""
    functions = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.FunctionDef)]

    assert [f.name for f in functions if f.end_lineno - f.lineno >= LONGEST_FUNCTION] == []


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_the_field_s_own_words_are_used(path: Path):
    """Every word of the glossary has one meaning, and that meaning has one word."""
    text = path.read_text()

    assert {pattern: say for pattern, say in NOT_OUR_WORDS.items() if re.search(pattern, text)} == {}


def test_the_definition_stays_short_enough_to_read():
    """What policies mean is one screen after another, not a program."""
    assert len(DEFINITION.read_text().splitlines()) < LONGEST_DEFINITION


@pytest.mark.parametrize("package", PACKAGES)
def test_no_package_is_empty(package: str):
    """A package comes with its content."""
    assert [path for path in (SOURCE / package).glob("*.py") if path.name != "__init__.py"]


def test_there_is_no_drawer_for_leftovers():
    """A module is named for one thing."""
    assert [path for path in MODULES if path.stem in {"utils", "helpers", "common", "misc", "base"}] == []


def test_every_test_has_a_sentence():
    """A test's docstring says the behavior it pins."""
    silent = [
        f"{path.relative_to(ROOT)}:{function.name}"
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.FunctionDef) and function.name.startswith("test_")
        if not ast.get_docstring(function)
    ]

    assert silent == []


def test_lock_files_hold_hashes_and_no_addresses():
    """Every dependency is pinned by hash, and any index may serve it."""
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text()

        assert "://" not in text
        assert "--index-url" not in text
        assert text.count("--hash=sha256:") >= text.count("==")
