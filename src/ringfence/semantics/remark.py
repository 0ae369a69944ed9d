"""What an answer says beside its verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ringfence.model.origin import Origin


@dataclass(frozen=True, slots=True)
class Remark:
    """Something worth knowing beside a verdict, which does not rest on it.

    Attributes:
        topic: What it is about.
        text: One clause for people.
        origins: Where that is written.
    """

    topic: str
    text: str
    origins: tuple[Origin, ...] = ()
