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
        line: A regular expression for one line of the difference; its first word says who says it.
        cause: Why it is left.
        kind: A kind that shows it.
        example: An object of that kind that does.
    """

    line: str
    cause: str
    kind: Kind
    example: Mapping[str, Any]

    def excuses(self, line: str) -> bool:
        """Tell whether a line of a difference is meant."""
        return re.fullmatch(self.line, line, re.DOTALL) is not None


EXCUSES = (
    Excuse(
        line=r'server metadata\.name: FieldValueInvalid: Invalid value: ".*[bcdfghjklmnpqrstvwxz2456789]{5}": .*',
        cause="the server makes a random name out of generateName and refuses both; we know no such name",
        kind=NETWORK_POLICY,
        example={"metadata": {"generateName": "A"}, "spec": {}},
    ),
)
