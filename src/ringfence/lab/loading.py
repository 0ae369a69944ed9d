"""Loads programs into nodes, in parts where one message to the kernel could not hold them."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.dataplane.nft import Program

LARGEST = 2_000
"""Elements in one transaction.

An ordinary user may not enlarge the socket that carries it: 4,000 elements of three
fields pass with the kernel's default ``net.core.wmem_max``, 20,000 do not.
"""


def transactions(program: Program) -> Iterator[str]:
    """Yield the transactions that load a program where no packet can pass yet.

    A small program is one transaction. A large one is loaded without elements first: it
    must not be relied on until all of it is there.
    """
    if sum(len(each.elements) for each in program.sets) <= LARGEST:
        yield program.render()
        return
    yield replace(program, sets=tuple(replace(each, elements=()) for each in program.sets)).render()
    for each in program.sets:
        texts = iter(each.texts().values())
        while part := list(islice(texts, LARGEST)):
            yield f"add element inet {program.table} {each.name} {{ {', '.join(part)} }}\n"
