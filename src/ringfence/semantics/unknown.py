"""What no input tells and rules ask for: which addresses a domain name has, and what nodes there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ringfence.model.policy import DomainPeer, NodePeer

if TYPE_CHECKING:
    from collections.abc import Collection

    from ringfence.model.policy import Peer


@dataclass(frozen=True, slots=True, order=True)
class Unknown:
    """Something that is not known, and on which an undecided answer may depend.

    Attributes:
        topic: What it is about: ``domain-name`` or ``node``.
        words: What a sentence calls it.
    """

    topic: Literal["domain-name", "node"]
    words: str


NODES = Unknown("node", "the labels and addresses of some nodes")


@dataclass(frozen=True, slots=True)
class Known:
    """What it would be like to know: that all who may be meant are, or that none is.

    Attributes:
        unknown: What is not known.
        meant: Whether they are.
    """

    unknown: Unknown
    meant: bool


def ways_to_know(unknown: Unknown) -> tuple[Known, Known]:
    """Return what one may come to know: that nobody is meant, or that all are."""
    return Known(unknown, meant=False), Known(unknown, meant=True)


def unknown_of(peer: Peer) -> tuple[Unknown, ...]:
    """Return what would have to be known to tell whom a rule's peer means; nothing for most."""
    match peer:
        case NodePeer():
            return (NODES,)
        case DomainPeer(names=names):
            return tuple(Unknown("domain-name", f"the addresses of {name}") for name in names)
        case _:
            return ()


def is_meant(peer: Peer, choices: Collection[object]) -> bool | None:
    """Tell whether a peer means who it may mean, by what is taken to be known; None where that does not tell."""
    told = [next((known.meant for known in ways_to_know(each) if known in choices), None) for each in unknown_of(peer)]
    return True if True in told else (None if None in told else False)
