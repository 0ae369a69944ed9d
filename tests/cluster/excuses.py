"""The differences from the API server that are known and left, each with its cause; docs/limits.md names them too."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.cluster.kinds import NETWORK_POLICY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.cluster.kinds import Kind


@dataclass(frozen=True)
class Excuse:
    """A difference that is known.

    Attributes:
        lines: A regular expression for whole lines of the difference; the first word of each says who says it.
        cause: Why it is left.
        kind: A kind that shows it.
        example: An object of that kind that does.
    """

    lines: str
    cause: str
    kind: Kind
    example: Mapping[str, Any]

    def without(self, difference: str) -> str:
        """Return the lines of a difference that it does not excuse."""
        return re.sub(self.lines, "", difference, flags=re.MULTILINE)


OWNS_NOTHING = {
    "manager": "a\tb",
    "operation": "Update",
    "apiVersion": "networking.k8s.io/v1",
    "fieldsType": "FieldsV1",
}

EXCUSES = (
    Excuse(
        lines=r'^server metadata\.name: FieldValueInvalid: Invalid value: ".*[bcdfghjklmnpqrstvwxz2456789]{5}": .*\n',
        cause="the server makes a random name out of generateName and refuses both; we know no such name",
        kind=NETWORK_POLICY,
        example={"metadata": {"generateName": "A"}, "spec": {}},
    ),
    Excuse(
        lines=r"(^(ringfence|server) metadata\.managedFields\[.*\n)+(^ringfence refused\nserver accepted\n)?",
        cause="the server sorts and merges managedFields and drops what owns nothing before it looks at them",
        kind=NETWORK_POLICY,
        example={"metadata": {"name": "x", "managedFields": [OWNS_NOTHING]}, "spec": {}},
    ),
)


def unexcused(lines: list[str]) -> str:
    """Return the lines of a difference that nothing excuses, as one text."""
    difference = "".join(f"{line}\n" for line in lines)
    for excuse in EXCUSES:
        difference = excuse.without(difference)
    return difference
