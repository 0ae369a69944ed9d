"""``metav1.LabelSelector`` as a selector."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.algebra.selectors import Operator, Requirement, Selector

if TYPE_CHECKING:
    from ringfence.readers.fields import Field

_OPERATORS = {operator.value: operator for operator in Operator}

_WITH_VALUES = (Operator.IN, Operator.NOT_IN)


def read_selector(selector: Field) -> Selector:
    """Read a label selector; one that is absent or empty matches everything.

    A requirement in error is left out, so what is returned matches at least what was
    meant; whoever asks must look at the errors before it grants anything by it.
    """
    selector.known(("matchLabels", "matchExpressions"))
    labels = selector["matchLabels"].strings()
    required = [Requirement(key, Operator.IN, (value,)) for key, value in labels.items()]
    required += [found for each in selector["matchExpressions"].items() if (found := _requirement(each))]
    return Selector.of(required)


def _requirement(expression: Field) -> Requirement | None:
    errors = len(expression.manifest.errors)
    expression.known(("key", "operator", "values"))
    key, values = expression["key"].string(), [value.string() for value in expression["values"].items()]
    operator = _OPERATORS.get(expression["operator"].string())
    if not expression["key"].value:
        expression["key"].error("Required value: name of a label", "write the name of a label")
    if operator is None:
        _wrong_operator(expression["operator"])
    elif operator in _WITH_VALUES and not values:
        expression["values"].error("Required value: must be specified when `operator` is 'In' or 'NotIn'", "add values")
    elif operator not in _WITH_VALUES and values:
        message = "Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
        expression["values"].error(message, "remove the values")
    if operator is None or len(expression.manifest.errors) > errors:
        return None
    return Requirement(key, operator, tuple(sorted(set(values))))


def _wrong_operator(operator: Field) -> None:
    names = {name.lower(): name for name in _OPERATORS}
    meant = names.get(operator.string().lower())
    hint = f"write {meant or ', '.join(_OPERATORS)}"
    operator.error(f'Invalid value: "{operator.string()}": not a valid selector operator', hint)
