"""Loads programs into nodes, in parts where one message to the kernel could not hold them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ringfence.dataplane.delta import delta
from ringfence.dataplane.nft import Program

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LARGEST = 30_000
"""Characters in one transaction.

An ordinary user may not enlarge the socket that carries it, so the message must fit into
the kernel's default of ``net.core.wmem_default``, 212,992 bytes. Rules take the most room:
up to six bytes for each character of their text.
"""


def transactions(program: Program) -> Iterator[str]:
    """Yield the transactions that load a program where no packet can pass yet.

    A small program is one transaction. A large one is loaded piece by piece, its elements
    last, and must not be relied on until all of it is there.
    """
    whole = program.render()
    if len(whole) <= LARGEST:
        yield whole
        return
    part = ""
    for command in _commands(program):
        if part and len(part) + len(command) > LARGEST:
            yield part
            part = ""
        part += command
    yield part


def _commands(program: Program) -> Iterator[str]:
    """Yield commands that can be applied one by one, none longer than a transaction may be."""
    yield f"add table inet {program.table}\n"
    nothing = Program(program.table, (), (), ())
    bare = replace(program, sets=tuple(replace(each, elements=()) for each in program.sets))
    yield from delta(nothing, bare).splitlines(keepends=True)
    for each in program.sets:
        for part in _parts(each.texts().values()):
            yield f"add element inet {program.table} {each.name} {{ {', '.join(part)} }}\n"


def _parts(elements: Iterable[str]) -> Iterator[list[str]]:
    part: list[str] = []
    length = 0
    for element in elements:
        if length + len(element) > LARGEST // 2:
            yield part
            part, length = [], 0
        part.append(element)
        length += len(element) + 2
    if part:
        yield part
