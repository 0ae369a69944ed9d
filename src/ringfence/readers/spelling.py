"""The nearest known word to one that is not known."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_SHOWN = 12
"""Words that a hint lists at most."""

_LONGEST = 40
"""Letters of a word that are compared; no word that is known here has so many."""


def suggestion(word: str, known: Iterable[str], elsewhere: Iterable[str] = ()) -> str:
    """Return a hint that names the known word a word was meant to be, or else what is known.

    Args:
        word: The word that is not known.
        known: The words that are known in its place.
        elsewhere: Words that may be meant too, and are known in other places.
    """
    from difflib import get_close_matches  # noqa: PLC0415 - costs 7 ms, and most input has no errors

    words = list(known)
    meant = [*words, *elsewhere]
    near = get_close_matches(word.lower(), [each.lower() for each in meant], n=1)
    meant = [each for each in meant if each.lower() in near]
    if meant:
        return f'did you mean "{meant[0]}"?'
    more = f" and {len(words) - _SHOWN} more" if len(words) > _SHOWN else ""
    return f"known here: {', '.join(words[:_SHOWN])}{more}"


@lru_cache(maxsize=1024)  # the same few fields stand in every object
def nearest(word: str, known: tuple[str, ...]) -> str:
    """Return the known word that a word is but for case, punctuation and a letter; empty for none."""
    shapes = _shapes(word)
    return next((each for each in known if shapes & _shapes(each)), "")


def _shapes(word: str) -> set[str]:
    """Return a word's letters, and its letters without each one of them."""
    letters = "".join(each for each in word if each.isalnum())[:_LONGEST].lower()
    return {letters, *(letters[:at] + letters[at + 1 :] for at in range(len(letters)))}
