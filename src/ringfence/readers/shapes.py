"""The types that the API server decodes objects into, as data.

Source: k8s.io/api ``networking/v1/types.go``, k8s.io/apimachinery ``meta/v1/types.go``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

INT32 = range(-(1 << 31), 1 << 31)
INT64 = range(-(1 << 63), 1 << 63)

_TIME = re.compile(
    r"([0-9]{4})-(0[1-9]|1[0-2])-([0-9]{2})T(?:[01]?[0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:[.,][0-9]+)?"
    r"(?:Z|[-+](?:[01][0-9]|2[0-4]):[0-5][0-9])"
)

_REMEMBERED = 1 << 12

_FEBRUARY = 2
_SHORT = frozenset({4, 6, 9, 11})
"""Months of 30 days."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value.

    Attributes:
        types: What it may be in Python; none of them for anything at all.
        words: What to call it in a message.
        fatal: Whether decoding ends at one in error, whatever was wrong before: the types
            that decode themselves, such as IntOrString.
        numbers: The whole numbers that it holds.
    """

    types: tuple[type, ...]
    words: str
    fatal: bool = False
    numbers: range = INT64

    def takes(self, value: Any) -> bool:
        """Tell whether a value can be decoded into it."""
        kind = type(value)
        return not self.types or (kind in self.types and (kind is not int or value in self.numbers))


@dataclass(frozen=True, slots=True)
class Time(Scalar):
    """A moment as RFC 3339 writes it; Go takes an hour of one digit, too."""

    def takes(self, value: Any) -> bool:
        """Tell whether a text is a moment."""
        return isinstance(value, str) and _is_time(value)


@lru_cache(_REMEMBERED)
def _is_time(text: str) -> bool:
    """Tell whether a text is a moment; many objects are of the same one."""
    parts = _TIME.fullmatch(text)
    return parts is not None and 0 < int(parts[3]) <= _days(int(parts[1]), int(parts[2]))


def _days(year: int, month: int) -> int:
    """Return how many days a month has."""
    if month == _FEBRUARY:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in _SHORT else 31


@dataclass(frozen=True, slots=True)
class Items:
    """A list.

    Attributes:
        of: What its items are.
    """

    of: Shape


@dataclass(frozen=True, slots=True)
class Members:
    """A mapping with any names.

    Attributes:
        of: What they name.
    """

    of: Shape


@dataclass(frozen=True, slots=True)
class Struct:
    """A mapping with these names only.

    Attributes:
        fields: What each names.
        elsewhere: Names that other releases know, each with the hint for whoever writes it.
    """

    fields: dict[str, Shape]
    elsewhere: dict[str, str] = field(default_factory=dict, repr=False)


Shape = Scalar | Items | Members | Struct

ANYTHING = Scalar((), "anything")
TEXT = Scalar((str,), "a string")
BOOLEAN = Scalar((bool,), "true or false")
NUMBER32 = Scalar((int,), "a whole number", numbers=INT32)
NUMBER64 = Scalar((int,), "a whole number")
NUMBER_OR_TEXT = Scalar((int, str), "a whole number", fatal=True, numbers=INT32)
TIME = Time((str,), "a time such as 2026-01-31T12:00:00Z", fatal=True)
TEXTS = Members(TEXT)

_OWNER = Struct(
    {
        **dict.fromkeys(("apiVersion", "kind", "name", "uid"), TEXT),
        **dict.fromkeys(("controller", "blockOwnerDeletion"), BOOLEAN),
    }
)
_MANAGED = Struct(
    {
        **dict.fromkeys(("manager", "operation", "apiVersion", "fieldsType", "subresource"), TEXT),
        "time": TIME,
        "fieldsV1": ANYTHING,
    }
)

OBJECT_META = Struct(
    {
        **dict.fromkeys(("name", "generateName", "namespace", "selfLink", "uid", "resourceVersion"), TEXT),
        "generation": NUMBER64,
        "creationTimestamp": TIME,
        "deletionTimestamp": TIME,
        "deletionGracePeriodSeconds": NUMBER64,
        "labels": TEXTS,
        "annotations": TEXTS,
        "ownerReferences": Items(_OWNER),
        "finalizers": Items(TEXT),
        "managedFields": Items(_MANAGED),
    }
)

LABEL_SELECTOR = Struct(
    {
        "matchLabels": TEXTS,
        "matchExpressions": Items(Struct({"key": TEXT, "operator": TEXT, "values": Items(TEXT)})),
    }
)


_END_PORT_HINT = "remove it, or mean a newer release: Kubernetes has endPort since 1.21, and heeds it since 1.22"


def network_policy(*, end_port: bool = True, status: bool = False) -> Struct:
    """Return the type of a NetworkPolicy.

    Args:
        end_port: Whether a port may have an end.
        status: Whether there is a status.
    """
    port = Struct({"protocol": TEXT, "port": NUMBER_OR_TEXT}, {"endPort": _END_PORT_HINT})
    if end_port:
        port = Struct({**port.fields, "endPort": NUMBER32})
    peers = Items(
        Struct(
            {
                "podSelector": LABEL_SELECTOR,
                "namespaceSelector": LABEL_SELECTOR,
                "ipBlock": Struct({"cidr": TEXT, "except": Items(TEXT)}),
            }
        )
    )
    ports = Items(port)
    spec = Struct(
        {
            "podSelector": LABEL_SELECTOR,
            "policyTypes": Items(TEXT),
            "ingress": Items(Struct({"ports": ports, "from": peers})),
            "egress": Items(Struct({"ports": ports, "to": peers})),
        }
    )
    object_fields: dict[str, Shape] = {"apiVersion": TEXT, "kind": TEXT, "metadata": OBJECT_META, "spec": spec}
    if status:
        object_fields["status"] = ANYTHING
    return Struct(object_fields)
