"""Numbers with what they count."""

from __future__ import annotations

import pytest

from ringfence.report.counting import counted


@pytest.mark.parametrize(
    ("number", "words", "said"),
    [
        (0, ("policy", "policies"), "0 policies"),
        (1, ("policy", "policies"), "1 policy"),
        (2, ("pod",), "2 pods"),
        (10_000, ("pod",), "10,000 pods"),
    ],
)
def test_one_is_singular(number: int, words: tuple[str, ...], said: str):
    """And thousands are set apart."""
    assert counted(number, *words) == said
