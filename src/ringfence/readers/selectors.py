"""``metav1.LabelSelector`` as a selector, and what the API server refuses in one.

Source: k8s.io/apimachinery ``meta/v1/validation/validation.go``.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ringfence.algebra.selectors import Operator, Requirement, Selector
from ringfence.readers import refusals
from ringfence.readers.decoding import decode
from ringfence.readers.places import dotted
from ringfence.readers.refusals import Named
from ringfence.readers.release import VERIFIED
from ringfence.readers.shapes import LABEL_SELECTOR
from ringfence.readers.syntax import label_key, label_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ringfence.readers.fields import Field
    from ringfence.readers.manifest import Manifest
    from ringfence.readers.places import Path
    from ringfence.readers.release import Release

_OPERATORS = {operator.value: operator for operator in Operator}

_REMEMBERED = 1 << 12

_LETTERS = "use letters, digits, -, _ and ., at most 63, with a letter or digit at both ends"


def read_selector(selector: Field) -> Selector:
    """Read a label selector; one that is absent or empty matches everything.

    A requirement in error is left out, so what is returned matches at least what was
    meant; whoever asks must look at the errors before it grants anything by it.
    """
    manifest, path = selector.manifest, selector.path
    before = len(manifest.wrong)
    decoded = decode(manifest, selector.value, LABEL_SELECTOR, path) or {}
    check_selector(manifest, decoded, path, VERIFIED)
    return build_selector(decoded, [wrong[len(path) :] for wrong in manifest.wrong[before:]])


def build_selector(selector: dict[str, Any], wrong: Iterable[Path] = ()) -> Selector:
    """Translate a label selector that was decoded.

    Args:
        selector: Its members; empty matches everything.
        wrong: Paths within it of what is wrong; a requirement with such a part is left out.
    """
    left_out = {path[:2] for path in wrong}
    labels = selector.get("matchLabels") or {}
    required = [
        _labeled(key, value or "")
        for key, value in labels.items()
        if not left_out or ("matchLabels", key) not in left_out
    ]
    for index, expression in enumerate(selector.get("matchExpressions") or ()):
        if ("matchExpressions", index) not in left_out:
            values = {value or "" for value in expression.get("values") or ()}
            operator = _OPERATORS[expression["operator"]]
            required.append(Requirement(expression["key"], operator, tuple(sorted(values))))
    return Selector.of(required)


@lru_cache(_REMEMBERED)
def _labeled(key: str, value: str) -> Requirement:
    """Return what one of ``matchLabels`` asks; the same few stand in every policy."""
    return Requirement(key, Operator.IN, (value,))


def check_selector(manifest: Manifest, selector: dict[str, Any] | None, path: Path, release: Release) -> None:
    """Add what an API server refuses in a selector that was decoded; there is nothing in none."""
    if not selector:
        return
    if labels := selector.get("matchLabels"):
        check_labels(manifest, labels, (*path, "matchLabels"))
    for index, expression in enumerate(selector.get("matchExpressions") or ()):
        _check_expression(manifest, expression or {}, (*path, "matchExpressions", index), release)


def check_labels(manifest: Manifest, labels: dict[str, str | None], path: Path, at: str = "") -> None:
    """Add what an API server refuses in labels: keys and values that are none.

    Args:
        manifest: The object.
        labels: Values by key; a null is an empty value.
        path: Where they are.
        at: The path that the server names; ``path`` by default.
    """
    for key, value in labels.items():
        wrong = [(key, detail) for detail in label_key(key)]
        wrong += [(value, detail) for detail in label_value(value)] if value else []
        for text, detail in wrong:
            manifest.refuse(refusals.invalid(text, detail), (*path, key), _LETTERS, at or dotted(path))


def are_labels(labels: Mapping[str, str]) -> bool:
    """Tell whether :func:`check_labels` has nothing to add."""
    return not (any(map(label_key, labels)) or any(map(label_value, labels.values())))


def _check_expression(manifest: Manifest, expression: dict[str, Any], path: Path, release: Release) -> None:
    operator, values = expression.get("operator") or "", expression.get("values") or ()
    if operator in {"In", "NotIn"}:
        if not values:
            manifest.refuse(refusals.required(refusals.VALUES_REQUIRED), (*path, "values"), "add values")
    elif operator in {"Exists", "DoesNotExist"}:
        if values:
            manifest.refuse(refusals.forbidden(refusals.VALUES_FORBIDDEN), (*path, "values"), "remove the values")
    else:
        meant = {name.lower(): name for name in _OPERATORS}.get(operator.lower()) or ", ".join(_OPERATORS)
        refusal = refusals.invalid(Named(operator), refusals.NO_OPERATOR)
        manifest.refuse(refusal, (*path, "operator"), f"write {meant}")
    key = expression.get("key") or ""
    for detail in label_key(key):
        hint = _LETTERS if key else "write the name of a label"
        manifest.refuse(refusals.invalid(key, detail), (*path, "key"), hint)
    if release.checks_selector_values:
        for index, value in enumerate(values):
            for detail in label_value(value or ""):
                manifest.refuse(refusals.invalid(value, detail), (*path, "values", index), _LETTERS)
