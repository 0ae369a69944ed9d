"""One point that the APIs leave open, and what is known of the dialects."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

DIALECTS = ("kubernetes", "calico", "cilium", "antrea", "ovn", "aws", "gke", "ringfence")
"""The name of every dialect; the first is the default."""

CERTAINTIES = ("documented", "source", "reported", "inferred")
"""How a choice is known: a project's documentation, its source, its discussions, or what follows from one of them."""


@dataclass(frozen=True, slots=True)
class Stance:
    """What one dialect chooses.

    Attributes:
        choice: One of the point's choices.
        certainty: How this is known: ``documented``, ``source``, ``reported`` or ``inferred``.
        source: Where it is written.
        remark: What the choice does not say; empty when it says all.
    """

    choice: str
    certainty: str
    source: str
    remark: str = ""


@dataclass(frozen=True, slots=True)
class OpenPoint:
    """One point that the APIs leave open.

    Attributes:
        topic: Its name.
        about: What is open, as the end of a sentence that begins "the API leaves open".
        upstream: What upstream's texts and tests say.
        choices: What may be chosen; the first is the default.
        stances: What is known of each dialect; one that is not known takes the default.
    """

    topic: str
    about: str
    upstream: str
    choices: tuple[str, ...]
    stances: Mapping[str, Stance] = field(default_factory=dict)

    def choice_of(self, dialect: str) -> str:
        """Return what a dialect chooses."""
        stance = self.stances.get(dialect)
        return stance.choice if stance else self.choices[0]

    @property
    def otherwise(self) -> tuple[str, ...]:
        """The dialects that do not take the default, in the order of their table."""
        return tuple(name for name in DIALECTS if self.choice_of(name) != self.choices[0])
