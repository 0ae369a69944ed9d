"""What an unquoted YAML scalar means to kubectl, once it has passed through JSON.

Source: sigs.k8s.io/yaml ``goyaml.v2/resolve.go`` and ``yaml.go``; the tables of the tests
were compared with ``kubectl annotate --local -o json`` 1.32.
"""

from __future__ import annotations

import re
from binascii import a2b_base64

Scalar = str | int | float | bool | None

_TAG = "tag:yaml.org,2002:"

_FIRST = frozenset("+-.0123456789")
"""What every number begins with."""

_WORDS: dict[str, Scalar] = (
    dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True)
    | dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False)
    | dict.fromkeys(("", "~", "null", "Null", "NULL"), None)
    | dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf"))
    | dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf"))
    | dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan"))
)

_INTEGER = re.compile(
    r"""(?P<sign>[-+]?)
    (?: 0[xX](?P<hex>[0-9a-fA-F]{1,16})
      | 0[bB](?P<binary>[01]{1,64})
      | 0[oO]?(?P<octal>[0-7]{1,22})
      | (?P<decimal>0|[1-9][0-9]{0,19}))""",
    re.VERBOSE,
)

_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")

_BETWEEN_DIGITS = re.compile(r"(?<=[0-9])_(?=[0-9])")

_BASES = {"hex": 16, "binary": 2, "octal": 8, "decimal": 10}

_SMALLEST, _LARGEST = -(1 << 63), (1 << 64) - 1
"""The integers of Go; digits beyond them become a float."""

_EXACT = 1e21
"""Below it Go writes a whole float into JSON without a point, so it is an integer again."""


def plain(text: str) -> Scalar:
    """Return what an unquoted scalar without a tag means."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in _FIRST:
        value = _number(text)
        return text if value is None else value
    return text


def tagged(tag: str, text: str) -> Scalar:
    """Return what a scalar with a tag means; a tag of nobody's leaves the text as it is.

    Raises:
        ValueError: the text is not what its tag says.
    """
    match tag.removeprefix(_TAG):
        case "int" | "bool" | "float" | "null" as kind:
            value = plain(text)
            if kind not in _kinds(value):
                message = f"{text!r} is no {kind}"
                raise ValueError(message)
            return value
        case "binary":
            return a2b_base64(text, strict_mode=False).decode(errors="replace")
    return text


def key(value: Scalar) -> str:
    """Return the name of a member whose key is this scalar.

    Raises:
        ValueError: the key is null, which JSON cannot write.
    """
    if isinstance(value, str):
        return value
    if value is None:
        message = "a key is null"
        raise ValueError(message)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _number(text: str) -> int | float | None:
    """Return the number that a scalar writes, or None: it is a string then."""
    digits = _BETWEEN_DIGITS.sub("", text) if text[0] == "." else text.replace("_", "")
    if found := _INTEGER.fullmatch(digits):
        base = str(found.lastgroup)
        value = int(found["sign"] + found[base], _BASES[base])
        if _SMALLEST <= value <= _LARGEST:
            return value
    if _FLOAT.fullmatch(digits):
        number = float(digits)
        if abs(number) == float("inf"):
            return None
        return int(number) if number.is_integer() and abs(number) < _EXACT else number
    return None


def _kinds(value: Scalar) -> tuple[str, ...]:
    if value is None:
        return ("null",)
    if isinstance(value, bool):
        return ("bool",)
    if isinstance(value, int):
        return ("int", "float")
    return ("float",) if isinstance(value, float) else ()
