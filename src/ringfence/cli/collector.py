"""How often the cycle collector looks, in a process that reads, answers and ends."""

from __future__ import annotations

import gc

_SELDOM = (100_000, 50, 1_000)
"""Thresholds: what errors leave behind is found among what is new, and what is old is hardly ever walked."""


def keep_what_was_read() -> None:
    """Have the collector pass over what there is, and look seldom at what comes.

    The input stays until the answer is given, and answers are worked out without cycles: to
    walk them again and again takes a quarter of the time of all pairs, and finds nothing.
    """
    gc.freeze()
    gc.set_threshold(*_SELDOM)
