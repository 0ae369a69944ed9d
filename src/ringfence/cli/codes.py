"""Exit codes: where several apply, the first of them here is given."""

from __future__ import annotations

from enum import IntEnum


class Code(IntEnum):
    """How the program ends; in the order in which one goes before the other."""

    BUG = 70
    """Something that must never happen; the traceback is on standard error."""
    WORLD = 3
    """The machine refused."""
    INPUT = 2
    """Bad input or usage, or part of the input was not read or is in error: the answer is printed all the same."""
    UNDECIDED = 4
    """The input does not settle the answer, or a part of it."""
    DENIED = 1
    """Denied or mixed; a difference."""
    OK = 0
    """Everything else."""
    INTERRUPTED = 130
    """Ctrl-C."""
    NOBODY_READS = 141
    """Whoever read our output has gone, as ``head`` does: what a shell shows for SIGPIPE."""
