"""Keeps one table what it should be: reads it once, and from then on sends differences.

Where the table has an owner, nobody else can change it. Where it has none, every change of
ours says what generation of the rules it rests on; the kernel refuses it when somebody
else has changed any, and then the table is read again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.dataplane.commands import AddTable, DeleteTable
from ringfence.dataplane.delta import delta, replacement
from ringfence.dataplane.names import HISTORIC, TABLE
from ringfence.dataplane.netlink.dump import read_dump
from ringfence.dataplane.netlink.requests import PERSISTENT
from ringfence.dataplane.quarantine import quarantine
from ringfence.errors import NftablesError, OutdatedError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ringfence.dataplane.commands import Command
    from ringfence.dataplane.netlink.dump import Dump
    from ringfence.dataplane.nft import Program
    from ringfence.edges.nftables import Nftables

_ATTEMPTS = 20
"""How often a change is made anew because somebody else has changed the rules meanwhile."""

_GENERATIONS = 1 << 32


@dataclass(frozen=True, slots=True)
class Applied:
    """What came of a program.

    Attributes:
        program: What the kernel holds now; sets and maps may have other names.
        quarantined: What the kernel refused, and why: whoever needed it is denied
            everything in that direction. Empty when the program is enforced as it is.
        mended: Whether somebody else had changed the table since the last program: what it
            let through meanwhile is not known.
    """

    program: Program
    quarantined: tuple[NftablesError, ...] = ()
    mended: bool = False


class Enforcer:
    """Brings the table of one network namespace from any program to any other."""

    def __init__(self, kernel: Nftables) -> None:
        self._kernel = kernel
        self._held: Program | None = None
        self._is_known = self._mended = False
        self._generation = 0

    def apply(self, desired: Program) -> Applied:
        """Let the kernel hold a program.

        The change is one transaction, or as few as this user may send; what nothing names any
        more is deleted in another. What is there already is left as it is.

        Raises:
            NftablesError: the kernel refused what every packet meets, or somebody else
                changes the rules all the time; the table is what it was, or further on the
                way where the change had to be divided.
        """
        quarantined: list[NftablesError] = []
        outdated, self._mended = 0, False
        while True:
            try:
                return Applied(self._bring(desired), tuple(quarantined), self._mended)
            except OutdatedError:
                self._is_known, outdated = False, outdated + 1
                if outdated == _ATTEMPTS:
                    raise
            except NftablesError as error:
                self._is_known = False
                closed = quarantine(desired, _own_name(desired, error.name))
                if closed is None:
                    raise
                desired = closed
                quarantined.append(error)

    def forget(self) -> None:
        """Read the table before the next change, because somebody may have changed it."""
        self._is_known = False

    def _bring(self, desired: Program) -> Program:
        """Make the difference, or the whole table when it cannot be had by differences."""
        if self._is_known and not self._kernel.owns and self._kernel.generation() != self._generation:
            # Nothing may have to be sent, so nobody else would say that somebody has changed the rules.
            self._is_known = False
        if not self._is_known or self._held is None:
            found, self._generation = self._kernel.dump(desired.table)
            held = self._adopted(found) if found else None
            self._mended |= self._held is not None and not (held and _are_alike(self._held, held))
            if held is None:
                # Whoever made the table that is there, it is deleted before ours is made.
                self._send(replacement(desired)[1 if found else 0 :])
            self._held, self._is_known = held or desired, True
        needed = delta(self._held, desired)
        self._send(needed.change)
        self._held = needed.program
        self._send(needed.tidying)
        return needed.program

    def _adopted(self, found: Dump) -> Program | None:
        """Take over a table as it is; None when it has to be made anew."""
        held = read_dump(found)
        if not held.repairable or (self._kernel.owns and not found.flags & PERSISTENT):
            return None
        if self._kernel.owns:
            self._kernel.apply([AddTable(found.table)])
        return held.program

    def _send(self, commands: Iterable[Command]) -> None:
        commands = tuple(commands)
        if not commands:
            return
        sent = self._kernel.apply(commands, None if self._kernel.owns else self._generation)
        self._generation = (self._generation + sent) % _GENERATIONS


def uninstall(kernel: Nftables) -> tuple[str, ...]:
    """Take every table of a family away that is ours or was that of an earlier release; nothing else ever does.

    Args:
        kernel: A socket to the nftables of the node, for this family.

    Returns:
        The tables that were there; from then on everything passes that this family sees.

    Raises:
        NftablesError: another process owns one.
    """
    there = tuple(table for table in (TABLE, *HISTORIC) if kernel.dump(table)[0])
    kernel.apply([DeleteTable(table) for table in there])
    return there


def _are_alike(one: Program, other: Program) -> bool:
    """Tell whether two programs are the same, whatever the order of their parts."""
    return not delta(one, other).transactions()


def _own_name(desired: Program, name: str) -> str:
    """Return the name that a set has in a program, whatever it is called in the kernel."""
    own, _, number = name.rpartition(".")
    return own if number.isdigit() and own in desired.set_by_name else name
