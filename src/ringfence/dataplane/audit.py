"""What the policies in audit would change of a connection that was let through, or dropped, without them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.semantics.verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ringfence.model.connection import Connection
    from ringfence.semantics.judging import Judge
    from ringfence.semantics.verdict import Half


def turned(halves: Iterable[Half], connection: Connection, audit: Judge | None) -> tuple[Half, ...]:
    """Return what would be said of each half that would be treated otherwise, in the order of the halves.

    What is undecided is dropped, as what is denied is.

    Args:
        halves: What is said without the policies in audit.
        connection: What they are halves of.
        audit: Who judges with them; None where there are none.
    """
    if audit is None:
        return ()
    pairs = ((half, audit.half(half.direction, connection)) for half in halves)
    return tuple(would for half, would in pairs if _passes(half) is not _passes(would))


def _passes(half: Half) -> bool:
    return half.outcome is Outcome.ALLOWED
