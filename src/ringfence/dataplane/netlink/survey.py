"""What else a kernel's nftables hold: other people's chains that may drop, and what goes past us.

Rules are looked at for what they could do, never for when they do it: a chain that may drop
something is told as one, whatever it drops.

Sources: ``linux/netfilter/nf_tables.h``; ``linux/netfilter/xt_connmark.h`` for rules of iptables.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from ringfence.dataplane.expressions import Goto, Jump, Word
from ringfence.dataplane.handling import MASK
from ringfence.dataplane.names import TABLE
from ringfence.dataplane.netlink.messages import read_attributes, read_number, read_text
from ringfence.dataplane.netlink.steps import CT_MARK, Ct, Decide, Find, Mask, Refuse, SetCt, Unknown, decode_steps
from ringfence.dataplane.nft import TableFamily

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ringfence.dataplane.netlink.steps import Step

_HOOKS = ("prerouting", "input", "forward", "output", "postrouting", "ingress")
_DEVICE_HOOKS = ("ingress", "egress")
_DROP_POLICY = 0
_XT_DROPS = frozenset({"DROP", "REJECT", "NFQUEUE", "TARPIT"})
_NUMBER = struct.Struct("=I")
_CONNMARK = struct.Struct("=III3B")
_CONNMARK_RESTORE = 2
_SHIFTS_SINCE = 2
"""The revision of the target in which the mode comes after a shift."""


@dataclass(frozen=True, slots=True)
class Listing:
    """Answers of the kernel about all tables of one family, as they came.

    Attributes:
        family: Its name.
        chains: The attributes of each chain.
        rules: The attributes of each rule.
        flowtables: The attributes of each flowtable.
    """

    family: str
    chains: tuple[bytes, ...]
    rules: tuple[bytes, ...]
    flowtables: tuple[bytes, ...]


class BaseChain(NamedTuple):
    """Somebody else's chain that meets packets by itself.

    Attributes:
        place: Its family, table and name.
        hook: Where it meets them, by nft's name.
        priority: In which order among others there.
    """

    place: str
    hook: str
    priority: int


@dataclass(frozen=True, slots=True)
class Survey:
    """What there is beside our own table, each in the kernel's order.

    Attributes:
        dropping: Base chains that may drop a packet, by themselves or in a chain they lead to.
        untracking: Places of chains with a rule that keeps conntrack from a packet.
        marking: Places of chains with a rule that may write our bits of conntrack's mark.
        flowtables: Places of flowtables.
    """

    dropping: tuple[BaseChain, ...] = ()
    untracking: tuple[str, ...] = ()
    marking: tuple[str, ...] = ()
    flowtables: tuple[str, ...] = ()


@dataclass(slots=True)
class _Acts:
    """What the rules of one chain may do."""

    drops: bool = False
    untracks: bool = False
    marks: bool = False
    leads: set[str] = field(default_factory=set)


def read_survey(listings: Iterable[Listing]) -> Survey:
    """Return what listings say of other people's tables."""
    dropping: list[BaseChain] = []
    untracking: list[str] = []
    marking: list[str] = []
    flowtables: list[str] = []
    for each in listings:
        acts = _acts_by_chain(each)
        for attributes in map(read_attributes, each.chains):
            table, name = read_text(attributes[1]), read_text(attributes[3])
            if _is_ours(each.family, table):
                continue
            place = f"{each.family} {table} {name}"
            untracking += [place] * acts[table, name].untracks
            marking += [place] * acts[table, name].marks
            if 4 in attributes:
                refuses = 5 in attributes and read_number(attributes[5]) == _DROP_POLICY
                if refuses or _drops(table, name, acts):
                    dropping.append(BaseChain(place, *_hook(each.family, attributes[4])))
        named = ((read_text(found[1]), read_text(found[2])) for found in map(read_attributes, each.flowtables))
        flowtables += (f"{each.family} {table} {name}" for table, name in named)
    return Survey(tuple(dropping), tuple(untracking), tuple(marking), tuple(flowtables))


def _is_ours(family: str, table: str) -> bool:
    return family in set(TableFamily) and table == TABLE


def _hook(family: str, data: bytes) -> tuple[str, int]:
    place = read_attributes(data)
    names, number = _DEVICE_HOOKS if family == "netdev" else _HOOKS, read_number(place.get(1))
    return names[number] if number < len(names) else "", int.from_bytes(place.get(2, b""), signed=True)


def _drops(table: str, name: str, acts: Mapping[tuple[str, str], _Acts]) -> bool:
    """Tell whether a packet that is in a chain may be dropped there or wherever it leads."""
    seen, waiting = {name}, [name]
    while waiting:
        act = acts[table, waiting.pop()]
        if act.drops:
            return True
        waiting += act.leads - seen
        seen |= act.leads
    return False


def _acts_by_chain(listing: Listing) -> defaultdict[tuple[str, str], _Acts]:
    found: defaultdict[tuple[str, str], _Acts] = defaultdict(_Acts)
    for attributes in map(read_attributes, listing.rules):
        acts = found[read_text(attributes[1]), read_text(attributes[2])]
        steps = tuple(decode_steps(attributes.get(4, b"")))
        acts.marks |= any(_marks(steps))
        for step in steps:
            match step:
                case Decide(Jump(chain) | Goto(chain)):
                    acts.leads.add(chain)
                # What a map of verdicts says is not looked up: it may be anything.
                case Decide(Word.DROP) | Refuse() | Find(is_map=True) | Unknown("queue" | "reject" | "synproxy"):
                    acts.drops = True
                case Unknown("notrack"):
                    acts.untracks = True
                case Unknown("target", data):
                    name = read_text(read_attributes(data).get(1, b""))
                    acts.drops |= name in _XT_DROPS
                    acts.untracks |= name == "NOTRACK"
    return found


def _marks(steps: Iterable[Step]) -> Iterator[bool]:
    """Yield for each write of conntrack's mark whether it may touch our bits."""
    keeps: dict[int, bool] = {}
    for step in steps:
        match step:
            case Ct(key, register):
                keeps[register] = key == CT_MARK
            case Mask(register, mask, flips) if len(mask) == 4:
                (kept,), (turned,) = map(_NUMBER.unpack, (mask, flips or bytes(4)))
                keeps[register] = keeps.get(register, False) and kept & MASK == MASK and not turned & MASK
            case SetCt(key, register) if key == CT_MARK:
                yield not keeps.get(register, False)
            case Unknown("target", data):
                target = read_attributes(data)
                if read_text(target.get(1, b"")) == "CONNMARK":
                    yield _connmark(read_number(target.get(2)), target.get(3, b""))


def _connmark(revision: int, info: bytes) -> bool:
    """Tell whether iptables' target may write our bits of conntrack's mark."""
    if len(info) < _CONNMARK.size:
        return True
    value, mask, packet_mask, *others = _CONNMARK.unpack_from(info)
    shift, mode = (0, others[0]) if revision < _SHIFTS_SINCE else (others[1], others[2])
    if mode == _CONNMARK_RESTORE:
        return False
    return bool(shift or (mask | (packet_mask if mode else value)) & MASK)
