"""What an unquoted YAML scalar means to kubectl, once it has passed through JSON.

Source: sigs.k8s.io/yaml ``goyaml.v2/resolve.go`` and ``yaml.go``; the tables of the tests
were compared with ``kubectl annotate --local -o json`` 1.32.
"""

from __future__ import annotations

import re
from binascii import a2b_base64
from decimal import Decimal
from struct import pack, unpack

Scalar = str | int | float | bool | None

_TAG = "tag:yaml.org,2002:"

_FIRST = frozenset("+-.0123456789")
"""What every number begins with."""

_WORDS: dict[str, Scalar] = (
    dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True)
    | dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False)
    | dict.fromkeys(("", "~", "null", "Null", "NULL"), None)
)

_BEYOND_JSON = frozenset((".nan", ".NaN", ".NAN")) | {
    f"{sign}.{word}" for sign in ("", "+", "-") for word in ("inf", "Inf", "INF")
}
"""Numbers of YAML that cannot pass through JSON."""

_CLOCK = r"[0-2]?[0-9]:[0-5]?[0-9]:[0-5]?[0-9](?:\.[0-9]+)?"

_TIME = re.compile(
    r"[0-9]{4}-(?:0?[1-9]|1[0-2])-(?:0?[1-9]|[12][0-9]|3[01])"
    rf"(?:[Tt]{_CLOCK}(?:Z|[-+][0-2][0-9]:[0-5][0-9])| {_CLOCK})?"
)

_INTEGER = re.compile(
    r"""(?P<sign>[-+]?)
    (?: 0[xX](?P<hex>[0-9a-fA-F]{1,16})
      | 0[bB](?P<binary>[01]{1,64})
      | (?<![-+])0b(?P<signed>[-+][01]{1,64})
      | 0[oO]?(?P<octal>[0-7]{1,22})
      | (?P<decimal>0|[1-9][0-9]{0,19}))""",
    re.VERBOSE,
)

_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")

_BETWEEN_DIGITS = re.compile(r"(?<=[0-9])_(?=[0-9])")

_BASES = {"hex": 16, "binary": 2, "signed": 2, "octal": 8, "decimal": 10}

_SMALLEST, _LARGEST = -(1 << 63), (1 << 64) - 1
"""The integers of Go; digits beyond them become a float."""

EXACT = 1e21
"""Below it Go writes a whole float into JSON without a point, so it is an integer again."""


class UnwritableError(ValueError):
    """A number that kubectl could read and not send.

    Attributes:
        text: The number as it was written.
    """

    def __init__(self, text: str) -> None:
        super().__init__(f"{text} is a number that JSON cannot write")
        self.text = text


def plain(text: str) -> Scalar:
    """Return what an unquoted scalar without a tag means.

    Raises:
        UnwritableError: it is an infinity, or no number at all.
    """
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
            if kind not in _kinds(value, text):
                message = f"{text!r} is no {kind}"
                raise ValueError(message)
            return value
        case "timestamp" if not _TIME.fullmatch(text):
            message = f"{text!r} is no timestamp"
            raise ValueError(message)
        case "binary":
            digits = text.replace("\r", "").replace("\n", "")
            return a2b_base64(digits, strict_mode=True).decode(errors="replace")
    return text


def key(value: Scalar, text: str) -> str:
    """Return the name of a member whose key is this scalar.

    Args:
        value: What the key means.
        text: The key as it is written; empty when it is an alias.

    Raises:
        ValueError: the key is null, which JSON cannot write, or an integer that kubectl does not take.
    """
    if isinstance(value, str):
        return value
    if value is None:
        message = "a key is null"
        raise ValueError(message)
    if isinstance(value, bool):
        return str(value).lower()
    digits = text.replace("_", "") or str(value)
    if _integer(digits) is None:
        return _short(float(digits))
    if value > _LARGEST >> 1:
        message = "a key is a number beyond 64 bits"
        raise ValueError(message)
    return str(value)


def _short(number: float) -> str:
    """Write a float as Go does in 32 bits: with as few digits as tell it from its neighbors."""
    try:
        (rounded,) = unpack("<f", pack("<f", number))
    except OverflowError:
        return ".inf" if number > 0 else "-.inf"
    digits = next(each for each in (f"{rounded:.{count}e}" for count in range(9)) if _is_close(each, rounded))
    mantissa, _, exponent = digits.partition("e")
    if -5 < int(exponent) < 6:
        return f"{Decimal(digits):f}"
    return f"{mantissa}e{exponent}"


def _is_close(digits: str, number: float) -> bool:
    """Tell whether digits mean a number when it is held in 32 bits."""
    try:
        return bool(unpack("<f", pack("<f", float(digits))) == (number,))
    except OverflowError:
        return False


def _number(text: str) -> int | float | None:
    """Return the number that a scalar writes, or None: it is a string then."""
    if text in _BEYOND_JSON:
        raise UnwritableError(text)
    digits = _BETWEEN_DIGITS.sub("", text) if text[0] == "." else text.replace("_", "")
    value = _integer(digits)
    if value is not None:
        return value
    if _FLOAT.fullmatch(digits):
        number = float(digits)
        if abs(number) == float("inf"):
            return None
        return int(number) if number.is_integer() and abs(number) < EXACT else number
    return None


def _integer(digits: str) -> int | None:
    """Return an integer of Go's, or None."""
    if found := _INTEGER.fullmatch(digits):
        base = str(found.lastgroup)
        value = int(found["sign"] + found[base], _BASES[base])
        if _SMALLEST <= value <= _LARGEST:
            return value
    return None


def _kinds(value: Scalar, text: str) -> tuple[str, ...]:
    """Return the tags that a text with this meaning may have."""
    if value is None:
        return ("null",)
    if isinstance(value, bool):
        return ("bool",)
    if isinstance(value, int):
        return ("int", "float") if _integer(text.replace("_", "")) is not None else ("float",)
    return ("float",) if isinstance(value, float) else ()
