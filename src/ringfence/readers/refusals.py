"""The API server's words for what it refuses, so that ours are equal to them.

A refusal has the ``reason`` and the ``message`` of a cause in the server's answer. The
constants are details: what stands in a message behind the value. Everything here is of
v1.36.3, which always counts bytes and calls them characters here and there.

Source: k8s.io/apimachinery ``util/validation/field/errors.go``, ``api/validate/content``,
``util/validation``, ``meta/v1/validation`` and ``api/validation/objectmeta.go``;
k8s.io/kubernetes ``apis/networking/validation`` and ``apis/core/validation``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

# Selectors.
VALUES_REQUIRED = "must be specified when `operator` is 'In' or 'NotIn'"
VALUES_FORBIDDEN = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
NO_OPERATOR = "not a valid selector operator"

# Ports.
PORT_RANGE = "must be between 1 and 65535, inclusive"
PORT_LETTERS = "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"
PORT_ONE_LETTER = "must contain at least one letter (a-z)"
PORT_HYPHENS = "must not contain consecutive hyphens"
PORT_EDGES = "must not begin or end with a hyphen"
END_BEFORE_PORT = "must be greater than or equal to `port`"
END_OF_NAME = "may not be specified when `port` is non-numeric"
END_ALONE = "may not be specified when `port` is not specified"

# Peers.
NO_PEER = "must specify a peer"
TWO_PEERS = "may not specify both ipBlock and another peer"
NO_CIDR = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
CIDR_ZEROS = "must not have leading 0s in IP or prefix length"
CIDR_MAPPED = "must not have an IPv4-mapped IPv6 address"
CIDR_BITS = "must not have bits set beyond the prefix length"
NO_SUBSET = "must be a strict subset of `cidr`"
MANY_TYPES = "may not specify more than two policyTypes"

# Metadata.
NO_NAME = "name or generateName is required"
EMPTY = "must not be empty"
NO_VERSION = "version must not be empty"
NO_FINALIZER = "name is neither a standard finalizer name nor is it fully qualified"
TWO_FINALIZERS = "finalizer orphan and foregroundDeletion cannot be both set"
EVENT_OWNER = "/v1, Kind=Event is disallowed from being an owner"

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_KEY = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_KEY_LETTERS = (
    "must consist of alphanumeric characters, '-', '_' or '.', "
    "and must start and end with an alphanumeric character "
    f"(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '{_KEY}')"
)

LABEL_LETTERS = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
    "and must start and end with an alphanumeric character "
    f"(e.g. 'my-name',  or '123-abc', regex used for validation is '{_LABEL}')"
)
LABEL_DOTS = "must not contain dots"
SUBDOMAIN_LETTERS = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
    "and must start and end with an alphanumeric character "
    rf"(e.g. 'example.com', regex used for validation is '{_LABEL}(\.{_LABEL})*')"
)
KEY_SLASHES = (
    f"a valid label key {_KEY_LETTERS} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
)
KEY_NAME_LETTERS = f"name part {_KEY_LETTERS}"
KEY_NO_NAME = "name part must be non-empty"
KEY_NO_PREFIX = "prefix part must be non-empty"
VALUE_LETTERS = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
    "and must start and end with an alphanumeric character "
    f"(e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '({_KEY})?')"
)


class Named(str):
    """A text of a Go type of its own, such as a protocol: the server shows it as JSON, not in Go's quotes."""

    __slots__ = ()


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
    """Refuse a value that is none of a few, which are named in the order given."""
    names = ", ".join(f'"{each}"' for each in supported)
    return Refusal("FieldValueNotSupported", _joined("Unsupported value", quoted(value), f"supported values: {names}"))


def forbidden(detail: str) -> Refusal:
    """Refuse a part that must not be there."""
    return Refusal("FieldValueForbidden", _joined("Forbidden", detail))


def duplicate(value: Any) -> Refusal:
    """Refuse a value that stands there already."""
    return Refusal("FieldValueDuplicate", _joined("Duplicate value", quoted(value)))


def too_long(limit: int) -> Refusal:
    """Refuse a value of more bytes than a limit; the value is not shown."""
    return Refusal("FieldValueTooLong", f"Too long: may not be more than {limit} bytes")


def unknown_field(field: str) -> str:
    """Return what strict decoding says of a field that there is not; it is no cause of its own."""
    return f"strict decoding error: unknown field {quoted(field)}"


def longer_than(limit: int, unit: str) -> str:
    """Return the detail about a text that is too long."""
    return f"must be no more than {limit} {unit}"


def two_controllers(first: str, second: str) -> str:
    """Return the detail about two owners that are both the controller, each as kind and name."""
    both = f'Found "true" in references for {first} and {second}'
    return f"Only one reference can have Controller set to true. {both}"


def unprintable(letter: str, position: int) -> str:
    """Return the detail about a letter at a position, in bytes, that cannot be printed."""
    return f"invalid character U+{ord(letter):04X} (at position {position})"


def quoted(value: Any) -> str:
    """Write a value as the server does: text in Go's quotes, numbers plain, all else as JSON."""
    if type(value) is str:
        return '"' + "".join(_ESCAPES.get(each) or _escaped(each) for each in value) + '"'
    if isinstance(value, float) or (type(value) is int and not -_INT64 <= value < _INT64):
        return _float(float(value))
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.translate(_JSON_ESCAPES)


_INT64 = 1 << 63
"""Integers from here on are floats to the server."""


def _float(number: float) -> str:
    """Write a float as Go's ``%v`` does: in the fewest digits, from a million on with an exponent."""
    exact = Decimal(repr(number)).normalize()
    exponent = exact.adjusted()
    if -5 < exponent < 6:
        return f"{exact:f}"
    first, *others = exact.as_tuple().digits
    digits = f"{first}.{''.join(map(str, others))}" if others else str(first)
    return f"{'-' * exact.is_signed()}{digits}e{exponent:+03}"


_ESCAPES = {'"': '\\"', "\\": "\\\\"} | dict(zip("\a\b\f\n\r\t\v", map("\\{}".format, "abfnrtv"), strict=True))
"""Of Go's ``strconv.Quote``."""

_JSON_ESCAPES = {ord(each): f"\\u{ord(each):04x}" for each in "<>&\u2028\u2029"}
"""What Go's ``json.Marshal`` escapes beside what JSON asks for, so that HTML may hold it."""


def _escaped(letter: str) -> str:
    number = ord(letter)
    if letter.isprintable():
        return letter
    if number < 0x80:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _joined(*parts: str) -> str:
    return ": ".join(part for part in parts if part)
