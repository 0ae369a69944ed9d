"""What nftables is told to do: the commands of a transaction, each knowing its text.

They are written in two ways: as text for ``nft -f``, here, and as the kernel's own messages,
in :mod:`ringfence.dataplane.netlink.requests`.

Source: nft(8).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ringfence.dataplane.nft import Chain, Map, Set


@dataclass(frozen=True, slots=True)
class AddTable:
    """Make a table of family ``inet``; nothing when it is there."""

    table: str

    def __str__(self) -> str:
        """Return nft's text."""
        return f"add table inet {self.table}"


@dataclass(frozen=True, slots=True)
class DeleteTable:
    """Delete a table that is there, with everything in it."""

    table: str

    def __str__(self) -> str:
        """Return nft's text."""
        return f"delete table inet {self.table}"


@dataclass(frozen=True, slots=True)
class AddChain:
    """Make a chain without its rules."""

    table: str
    chain: Chain

    def __str__(self) -> str:
        """Return nft's text."""
        header = f" {{ {self.chain.header} }}" if self.chain.hook else ""
        return f"add chain inet {self.table} {self.chain.name}{header}"


@dataclass(frozen=True, slots=True)
class AddSet:
    """Make a set or map without its elements."""

    table: str
    named: Set | Map

    def __str__(self) -> str:
        """Return nft's text."""
        return f"add {self.named.noun} inet {self.table} {self.named.name} {{ {self.named.header} }}"


@dataclass(frozen=True, slots=True)
class AddElements:
    """Add the elements of a set or map to those that it has; there is at least one, and none is there."""

    table: str
    named: Set | Map

    def __str__(self) -> str:
        """Return nft's text."""
        return f"add element inet {self.table} {self.named.name} {{ {', '.join(self.named.texts().values())} }}"


@dataclass(frozen=True, slots=True)
class DeleteElements:
    """Delete the elements of a set or map from those that it has; there is at least one, and each is there."""

    table: str
    named: Set | Map

    def __str__(self) -> str:
        """Return nft's text."""
        return f"delete element inet {self.table} {self.named.name} {{ {', '.join(self.named.texts())} }}"


@dataclass(frozen=True, slots=True)
class FillChain:
    """Put these rules in the place of those that a chain has, in one go.

    Attributes:
        table: Its table.
        chain: The chain with its rules.
    """

    table: str
    chain: Chain

    def __str__(self) -> str:
        """Return nft's text."""
        place = f"inet {self.table} {self.chain.name}"
        return "\n".join((f"flush chain {place}", *(f"add rule {place} {rule}" for rule in self.chain.rules)))


@dataclass(frozen=True, slots=True)
class DeleteSet:
    """Delete a set or map that no rule names."""

    table: str
    named: Set | Map

    def __str__(self) -> str:
        """Return nft's text."""
        return f"delete {self.named.noun} inet {self.table} {self.named.name}"


@dataclass(frozen=True, slots=True)
class DeleteChain:
    """Delete an empty chain that nothing leads to."""

    table: str
    name: str

    def __str__(self) -> str:
        """Return nft's text."""
        return f"delete chain inet {self.table} {self.name}"


Command = (
    AddTable | DeleteTable | AddChain | AddSet | AddElements | DeleteElements | FillChain | DeleteSet | DeleteChain
)
