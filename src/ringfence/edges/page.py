"""Reads what pages are made of: files that are installed beside the program."""

from __future__ import annotations

from importlib.resources import files

from ringfence.report.html import Parts


def load_parts() -> Parts:
    """Return the frame, the style and the script of the matrix."""
    folder = files("ringfence.report") / "page"
    return Parts(*((folder / f"matrix.{kind}").read_text(encoding="utf-8") for kind in ("html", "css", "js")))
