"""What ``helm template`` says between the manifests that it renders.

It writes ``# Source: chart/templates/file.yaml`` above each object. Whoever has to mend the
object has to mend that file, so the name is kept as part of every origin.

Source: helm ``cmd/helm/template.go`` and ``pkg/action/action.go``.
"""

from __future__ import annotations

import re

_SOURCE = re.compile(r"^# Source: ([^\s:]+/[^\s:]+)[ \t]*\r?$", re.MULTILINE)
"""The comment; no scalar of an object goes on in the first column, so it is none of its text."""

_BETWEEN = re.compile(r"(?:(?:[ \t]*|---[ \t]+|---|\.\.\.[ \t]*)(?:#.*)?(?:\r?\n|\Z)|%.*\n)*")
"""What stands between the contents of two documents."""

_RELEASE = re.compile(r"^(?:HOOKS|MANIFEST|NOTES):", re.MULTILINE)
"""What helm prints between manifests when it is not asked for them alone."""


def templates(text: str, before: str) -> tuple[str, str]:
    """Return the template that a document was rendered from, and that of what follows.

    Args:
        text: The document with the comments around it.
        before: The last template that was named before it; empty when there is none.

    Returns:
        Paths as helm writes them. A comment after the content is for the next document.
    """
    begin = _end(text, 0)
    own = before
    for found in _SOURCE.finditer(text):
        if found.start() < begin:
            own = found[1]
        elif _end(text, found.start()) == len(text):
            return own, found[1]
    return own, own


def hint(text: str) -> str:
    """Return how to get manifests alone when a text holds what else helm prints; else empty."""
    return "give what helm template or helm get manifest prints" if _RELEASE.search(text) else ""


def _end(text: str, start: int) -> int:
    """Return where content begins, from the start of a line on."""
    found = _BETWEEN.match(text, start)
    return found.end() if found else start
