"""One field of a policy kind, in our own words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ApiField:
    """What a field means.

    Attributes:
        path: The kind, then the names that lead to the field, joined by dots; indexes are left out.
        type: What its value is.
        about: What it means.
        absent: What it means when absent, null or empty.
        refused: What an API server refuses in it; empty when nothing beyond its type.
        traps: What surprises people; empty when nothing does.
        topics: The open points that bear on it.
    """

    path: str
    type: str
    about: str
    absent: str
    refused: str = ""
    traps: str = ""
    topics: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """The kind alone."""
        return self.path.partition(".")[0]
