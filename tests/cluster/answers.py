"""What the API server says of an object, and what ringfence says, in one form."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ringfence.readers import Source, read

if TYPE_CHECKING:
    from ringfence.errors import ManifestError
    from tests.cluster.client import Client
    from tests.cluster.kinds import Kind

DRY_RUN = "?dryRun=All&fieldValidation=Strict"

Cause = tuple[str, str, str]
"""The field, the reason and the message of a refusal."""

_UNDECODABLE = re.compile(r"Go struct field [^ .]+\.([^ ]+) of type|(?:unknown|duplicate) field \"((?:[^\"\\]|\\.)*)\"")
"""Where the server names the field that it cannot decode."""

_REST = """
apiVersion: v1
kind: Pod
metadata: {name: some}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: some-other}
"""
"""What no snapshot should lack; it is without errors."""


@dataclass(frozen=True)
class Answer:
    """What is said of an object.

    Attributes:
        accepted: It is taken.
        undecodable: The first field that cannot be decoded, without indices; empty when none is named, None
            when all can be.
        causes: Everything that is refused in an object that can be decoded.
    """

    accepted: bool
    undecodable: str | None = None
    causes: frozenset[Cause] = frozenset()


def of_server(client: Client, kind: Kind, text: bytes) -> Answer:
    """Ask the server, by creating the object without keeping it."""
    status, answer = client.ask("POST", kind.path + DRY_RUN, text)
    if status == 201:
        return Answer(accepted=True)
    if status == 422:
        causes = answer["details"].get("causes", ())
        found = {(each["field"], each["reason"], each["message"]) for each in causes}
        return Answer(accepted=False, causes=frozenset(found))
    assert status in {400, 500}, answer
    field = _UNDECODABLE.search(answer["message"])
    return Answer(accepted=False, undecodable=_without_indices(field[1] or field[2]) if field else "")


def of_ringfence(text: bytes) -> Answer:
    """Read the object."""
    errors = errors_of(text)
    if not errors:
        return Answer(accepted=True)
    undecodable = [error for error in errors if not error.reason]
    if undecodable:
        first = min(undecodable, key=_order)
        return Answer(accepted=False, undecodable=_without_indices(first.field))
    return Answer(accepted=False, causes=frozenset((each.field, each.reason, _message(each)) for each in errors))


def errors_of(text: bytes) -> list[ManifestError]:
    """Return everything that ringfence finds wrong with an object."""
    found = read([Source("object.json", [text]), Source("rest.yaml", [_REST.encode()])])
    return list(found.errors)


def written(kind: Kind, made: dict[str, Any]) -> bytes:
    """Return an object as JSON."""
    return json.dumps({"apiVersion": kind.version, "kind": kind.name, **made}).encode()


def _message(error: ManifestError) -> str:
    return error.message.removeprefix(f"{error.field}: ")


def _order(error: ManifestError) -> tuple[bool, int, int]:
    """Sort as the server finds things: values of a wrong type, then unknown fields, each in the order of the text."""
    return "unknown field" in error.message, error.origin.line, error.origin.column


def _without_indices(field: str) -> str:
    return re.sub(r"\[\d+\]", "", field)
