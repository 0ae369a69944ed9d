"""What the API server says of an object, and what ringfence says, in one form."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ringfence.readers import Source, read
from ringfence.readers.documents import read_manifests
from ringfence.readers.refusals import quoted
from ringfence.readers.schemas import ADMIN_NETWORK_POLICY, BASELINE_ADMIN_NETWORK_POLICY, CLUSTER_NETWORK_POLICY
from ringfence.readers.structural import Channel, check

if TYPE_CHECKING:
    from ringfence.errors import ManifestError
    from tests.cluster.client import Client
    from tests.cluster.kinds import Kind

DRY_RUN = "?dryRun=All&fieldValidation=Strict"

SCHEMAS = {
    "ClusterNetworkPolicy": CLUSTER_NETWORK_POLICY,
    "AdminNetworkPolicy": ADMIN_NETWORK_POLICY,
    "BaselineAdminNetworkPolicy": BASELINE_ADMIN_NETWORK_POLICY,
}

Cause = tuple[str, str, str]
"""The field, the reason and the message of a refusal."""

_MISTYPED = re.compile(r"Go struct field [^ .]+\.(?P<member>\S+) of type|Go value of type v1\.(?P<whole>ObjectMeta)")
"""Where the server names the field whose value has a wrong type."""

_UNKNOWN = re.compile(r"(?:unknown|duplicate) field (\"(?:[^\"\\]|\\.)*\")")
"""Where it names a field that it does not know."""

STOPPED = "some validation rules were not checked"
"""How the server says that it did not look at the conditions of an object of which something else is wrong."""


@dataclass(frozen=True)
class Answer:
    """What is said of an object.

    Attributes:
        accepted: It is taken.
        undecodable: The field of the first value of a wrong type, without indices; else the fields that are
            not known, in quotes. Empty when no field is named, None when all can be decoded.
        causes: Everything that is refused in an object that can be decoded.
    """

    accepted: bool
    undecodable: str | None = None
    causes: frozenset[Cause] = frozenset()

    @property
    def outcome(self) -> str:
        """``accepted``, ``undecodable`` or ``refused``."""
        if self.accepted:
            return "accepted"
        return "refused" if self.undecodable is None else "undecodable"

    def lines(self) -> frozenset[str]:
        """Return everything that is said, one line each."""
        what = self.outcome if self.undecodable is None else f"undecodable {self.undecodable or '?'}"
        return frozenset({what, *(": ".join(cause) for cause in self.causes)})

    def unlike(self, server: Answer) -> list[str]:
        """Return what only one of us says, and who."""
        if server.undecodable == "" and self.undecodable:
            return []  # it did not say which
        ours, theirs = self.lines(), server.lines()
        only = [("ringfence", each) for each in ours - theirs] + [("server", each) for each in theirs - ours]
        return sorted(f"{who} {what}" for who, what in only)


def of_server(client: Client, kind: Kind, text: bytes) -> Answer:
    """Ask the server, by creating the object without keeping it."""
    status, answer = client.ask("POST", kind.path + DRY_RUN, text)
    if status == 201:
        return Answer(accepted=True)
    if status == 422:
        causes = answer["details"].get("causes", ())
        found = {
            (each["field"], each["reason"], printable(each["message"]))
            for each in causes
            if STOPPED not in each["message"]
        }
        return Answer(accepted=False, causes=frozenset(found))
    assert status in {400, 500}, answer
    return Answer(accepted=False, undecodable=_undecodable(answer["message"], kind))


def printable(message: str) -> str:
    """Write a message as ringfence prints any: with escapes for what a terminal cannot show, or would obey."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in message)


def _undecodable(message: str, kind: Kind) -> str:
    """Return what cannot be decoded: the first value of a wrong type, else all fields that are not known."""
    if unknown := _UNKNOWN.findall(message):
        return " ".join(sorted(unknown))
    found = _MISTYPED.search(message)
    if not found:
        return ""
    if found["whole"]:
        return "metadata"
    # Of kinds that are no types of its own the server decodes metadata alone, and names fields within.
    return found["member"] if kind.namespaced else f"metadata.{found['member']}"


def of_ringfence(text: bytes, channel: Channel | None = None) -> Answer:
    """Read the object; what the server does not notice is none of its answers.

    Args:
        text: The object, as JSON.
        channel: That of the definition of its kind; None for a kind that is the server's own.
    """
    errors = [error for error in errors_of(text, channel) if error.field]
    if not errors:
        return Answer(accepted=True)
    undecodable = [error for error in errors if not error.reason]
    mistyped = [error for error in undecodable if "unknown field" not in error.message]
    if mistyped:
        first = min(mistyped, key=_alphabet) if channel else mistyped[0]
        return Answer(accepted=False, undecodable=re.sub(r"\[\d+\]", "", first.field))
    if undecodable:
        return Answer(accepted=False, undecodable=" ".join(sorted({quoted(error.field) for error in undecodable})))
    return Answer(accepted=False, causes=frozenset((each.field, each.reason, _message(each)) for each in errors))


def _alphabet(error: ManifestError) -> list[str]:
    """Sort as the server does what it decodes twice: in between, members are in the order of their names."""
    return [step.zfill(4) if step.isdigit() else step for step in error.origin.pointer.split("/")]


def errors_of(text: bytes, channel: Channel | None = None) -> list[ManifestError]:
    """Return everything that ringfence finds wrong with an object.

    Readers take whatever either channel knows, and note what only one does; what the
    standard channel refuses is asked of the schema alone.
    """
    whole = read([Source("object.json", [text])]).errors
    found = [error for error in whole if error.origin.line]  # the others miss what is beside a policy
    if channel is not Channel.STANDARD:
        return found
    unread: list[ManifestError] = []
    (manifest,) = read_manifests(Source("object.json", [text]), unread)
    manifest.errors += [error for error in found if error.field.startswith("metadata")]
    check(manifest, SCHEMAS[manifest.kind], channel)
    return manifest.errors


def written(kind: Kind, made: dict[str, Any]) -> bytes:
    """Return an object as the JSON that kubectl sends: it writes whole numbers without a point."""
    return json.dumps({"apiVersion": kind.version, "kind": kind.name, **_sent(made)}).encode()


def _sent(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sent(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_sent(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _message(error: ManifestError) -> str:
    return error.message.removeprefix(f"{error.field}: ")
