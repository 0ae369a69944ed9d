"""The CustomResourceDefinitions of the policy APIs, put into a server one channel at a time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import yaml

from tests.cluster.build import definitions
from tests.cluster.kinds import DEFINED, Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cluster.client import Client

_PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_SECONDS = 60.0
_PAUSE = 0.02


def install(client: Client, channel: str) -> dict[Kind, dict[str, Any]]:
    """Put the definitions of one channel into the server in place of what is there, and return them by kind."""
    found = {}
    for version in ("v1alpha1", "v1alpha2"):
        for text in definitions(version, channel):
            definition = yaml.safe_load(text)
            (kind,) = (each for each in DEFINED if each.name == definition["spec"]["names"]["kind"])
            _replace(client, definition["metadata"]["name"], kind, text)
            found[kind] = definition
    return found


def _replace(client: Client, name: str, kind: Kind, text: bytes) -> None:
    """Delete a definition and create it: an update would be served some time later, and nobody would know when."""
    status, answer = client.ask("DELETE", f"{_PATH}/{name}")
    assert status in {200, 404}, answer
    _wait(lambda: client.ask("GET", f"{_PATH}/{name}")[0] == client.ask("GET", kind.path)[0] == 404)
    status, answer = client.ask("POST", _PATH, text, "application/yaml")
    assert status == 201, answer
    _wait(lambda: client.ask("GET", kind.path)[0] == 200)


def _wait(is_done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _SECONDS
    while not is_done():
        assert time.monotonic() < deadline
        time.sleep(_PAUSE)
