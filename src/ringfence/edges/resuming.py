"""What a node enforces when it starts, before anybody can be asked: what it knew last, or nothing for pods.

Source of what it knew is a file that :func:`ringfence.edges.snapshots.replace_snapshot`
writes whenever what is enforced has changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.dataplane.plan import closed_node, plan_node
from ringfence.edges.snapshots import load_snapshot
from ringfence.errors import InputError
from ringfence.readers import read_listing
from ringfence.semantics.engine import Engine

if TYPE_CHECKING:
    from pathlib import Path

    from ringfence.dataplane.plan import Wiring
    from ringfence.edges.enforcement import Applied
    from ringfence.edges.upkeep import Upkeep
    from ringfence.readers import Reading


@dataclass(frozen=True, slots=True)
class Resumed:
    """How a node has started.

    Attributes:
        reading: What it enforces; None where its pods neither send nor receive.
        closed: Why they do not, in one clause; empty where they do.
        applied: What came of it in the kernel.
    """

    reading: Reading | None
    closed: str
    applied: Applied


def resume(upkeep: Upkeep, path: Path, node: str, wiring: Wiring) -> Resumed:
    """Let a node enforce what a file remembers.

    Where there is none, or none that is whole, and where it was written by somebody who could
    not list everything, its pods stay closed: a policy that is not there denies nothing.

    Args:
        upkeep: Keeps the node; raises as :meth:`Upkeep.apply` does.
        path: The file.
        node: The node's name.
        wiring: How its pods hang on it, as the node itself shows.
    """
    try:
        listing = load_snapshot(path)
    except InputError as error:
        return Resumed(None, str(error), upkeep.apply(closed_node(node, wiring.prefix)))
    if lacking := listing.header.missing:
        reason = f"{path}: lacks {', '.join(each.resource for each in lacking)}"
        return Resumed(None, reason, upkeep.apply(closed_node(node, wiring.prefix)))
    reading = read_listing(listing)
    return Resumed(reading, "", upkeep.apply(plan_node(Engine(reading.snapshot.enforced), node, wiring)))
