"""What kubectl makes of a file before it sends it."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cluster.control_plane import ControlPlane

_SECONDS = 60.0

_NOTHING = "no objects passed"
"""What kubectl says when it has read a file that holds nothing."""


def sent(plane: ControlPlane, path: Path) -> tuple[list[Any], str]:
    """Return the objects that kubectl would send, and why it refuses the rest; empty when it refuses nothing."""
    command = ["create", "--dry-run=client", "--validate=false", "--output=json", f"--filename={path}"]
    settings = [f"--kubeconfig={plane.kubeconfig}", f"--cache-dir={plane.kubeconfig.parent / 'discovery'}"]
    done = subprocess.run(  # noqa: S603 - built here
        [str(plane.programs / "kubectl"), *settings, *command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=_SECONDS,
    )
    complaint = done.stderr.decode()
    return list(_objects(done.stdout.decode())), "" if _NOTHING in complaint else complaint


def _objects(text: str) -> list[Any]:
    """Decode the objects that are printed, as they were before kubectl gave them a namespace."""
    decoder, at, found = json.JSONDecoder(), 0, []
    while at < len(text):
        value, end = decoder.raw_decode(text, at)
        at = end + len(text[end:]) - len(text[end:].lstrip())
        found += value["items"] if value["kind"] == "List" else [value]
    for each in found:
        each["metadata"].pop("namespace", None)
    return found


def listed(plane: ControlPlane, kinds: str) -> bytes:
    """Return what kubectl prints of all objects of some kinds, as JSON."""
    settings = [f"--kubeconfig={plane.kubeconfig}", f"--cache-dir={plane.kubeconfig.parent / 'discovery'}"]
    return subprocess.run(  # noqa: S603 - built here
        [str(plane.programs / "kubectl"), *settings, "get", kinds, "--all-namespaces", "--output=json"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
        timeout=_SECONDS,
    ).stdout
