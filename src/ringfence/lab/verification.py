"""Engine, simulated programs and kernel, compared by real packets."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


Progress = Callable[[str], None]
"""Is told from time to time how far the work is."""

_TELL_EVERY_S = 0.5
