"""Numbers with what they count."""

from __future__ import annotations


def counted(number: int, one: str, several: str = "") -> str:
    """Return ``1 pod`` or ``1,000 pods``.

    Args:
        number: How many.
        one: The word for one.
        several: The word for any other number; that for one with an s by default.
    """
    return f"{number:,} {one if number == 1 else several or f'{one}s'}"
