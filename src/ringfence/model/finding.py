"""What an examination finds, with what follows from it and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Weight(Enum):
    """What a finding means for the policies; the value is its word."""

    FAULT = "fault"
    """Something that policies deny may pass, or they cannot be enforced at all."""
    NOTE = "note"
    """More may be denied than policies deny, or something is not seen."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that an examination found.

    Attributes:
        weight: What it means for the policies.
        topic: What it is about, one word that programs may know it by.
        what: What was found.
        consequence: What follows from it.
        remedy: What to do, one imperative sentence.
    """

    weight: Weight
    topic: str
    what: str
    consequence: str
    remedy: str

    def __str__(self) -> str:
        """Return one line."""
        return f"{self.weight.value}  {self.what}: {self.consequence}; {self.remedy}"
