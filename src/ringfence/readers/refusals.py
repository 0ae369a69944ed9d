"""The API server's words for what it refuses, so that ours are equal to them.

A refusal has the ``reason`` and the ``message`` of a cause in the server's answer.

Source: k8s.io/apimachinery ``util/validation/field/errors.go``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a server refuses a part of an object.

    Attributes:
        reason: The cause's reason, e.g. ``FieldValueInvalid``.
        message: The cause's message, e.g. ``Invalid value: 0: must be between 1 and 65535, inclusive``.
    """

    reason: str
    message: str


def required(detail: str = "") -> Refusal:
    """Refuse a part that is absent or empty."""
    return Refusal("FieldValueRequired", _joined("Required value", detail))


def invalid(value: Any, detail: str) -> Refusal:
    """Refuse a value."""
    return Refusal("FieldValueInvalid", _joined("Invalid value", quoted(value), detail))


def unsupported(value: Any, supported: Iterable[str]) -> Refusal:
    """Refuse a value that is none of a few."""
    names = ", ".join(f'"{each}"' for each in sorted(supported))
    return Refusal("FieldValueNotSupported", _joined("Unsupported value", quoted(value), f"supported values: {names}"))


def forbidden(detail: str) -> Refusal:
    """Refuse a part that must not be there."""
    return Refusal("FieldValueForbidden", _joined("Forbidden", detail))


def quoted(value: Any) -> str:
    """Write a value as the server does: text in Go's quotes, numbers plain."""
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value).lower() if isinstance(value, bool) else str(value)


def _joined(*parts: str) -> str:
    return ": ".join(part for part in parts if part)
