"""Which addresses the lab gives out: ranges for pods, nodes and Services, and the outside.

Pods that get their address from the lab must not match an ``ipBlock`` by accident, so a
range is looked for that no block of the policies matches. Blocks that cover a whole family
match every address and are left aside.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import (
    EVERY,
    IPV6_BASE,
    Address,
    Family,
    cidrs,
    family_of,
    read_address,
    read_cidr,
    render_address,
    render_addresses,
)
from ringfence.algebra.intervals import EMPTY, Intervals, atoms
from ringfence.errors import InputError
from ringfence.report.counting import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

GATEWAY = {Family.IPV4: "169.254.1.1", Family.IPV6: "fe80::1"}
"""Next hop of every default route in the lab; nobody owns it, a permanent neighbor entry stands for it."""

UNUSABLE = Intervals.union(
    read_cidr(text)
    for text in (
        "0.0.0.0/8",  # this network, RFC 791
        "127.0.0.0/8",  # loopback
        f"{GATEWAY[Family.IPV4]}/32",
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
        "::/32",  # unspecified, loopback and IPv4 addresses in disguise
        "fe80::/10",  # means nothing beyond its link
        "ff00::/8",  # multicast
    )
)
"""Addresses that no pod, node, Service or outsider of a lab can have."""


class Use(Enum):
    """What a range is for; the value is its name in messages."""

    NODES = "nodes"
    PODS = "pods"
    SERVICES = "Services"


_USUAL = {
    (Use.NODES, Family.IPV4): "172.18.0.0/16",
    (Use.PODS, Family.IPV4): "10.244.0.0/16",
    (Use.SERVICES, Family.IPV4): "10.96.0.0/16",
    (Use.NODES, Family.IPV6): "fd00:172:18::/112",
    (Use.PODS, Family.IPV6): "fd00:10:244::/112",
    (Use.SERVICES, Family.IPV6): "fd00:10:96::/112",
}
"""What people know from small clusters; taken where no policy speaks of it."""

_PLACES = {
    Family.IPV4: ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "198.18.0.0/15", "0.0.0.0/0"),
    Family.IPV6: ("fd00::/8", "fc00::/7", "2001:db8::/32", "::/0"),
}
"""Where to look next, in this order: RFC 1918, 6598, 2544, 4193, 3849, then anywhere."""

_LARGEST_BITS = 16
_ANY_OUTSIDER = {Family.IPV4: read_address("203.0.113.7"), Family.IPV6: read_address("2001:db8:ffff::7")}


@dataclass(frozen=True, slots=True)
class Claim:
    """Somebody who must have addresses.

    Attributes:
        use: What for.
        name: Whose, unique in its use.
        kept: Those that the manifests give.
        families: The families in which one is needed when none of ``kept`` can be.
    """

    use: Use
    name: str
    kept: tuple[Address, ...]
    families: tuple[Family, ...]


@dataclass(frozen=True, slots=True)
class Allotment:
    """Who has which addresses.

    Attributes:
        owners: The addresses of each use and name, in the order in which they were claimed.
        taken: All of them, and the whole of every range that they were taken from.
        notes: What was decided against the rules, for people.
    """

    owners: Mapping[tuple[Use, str], tuple[Address, ...]]
    taken: Intervals
    notes: tuple[str, ...]

    @classmethod
    def of(cls, claims: Sequence[Claim], blocks: Sequence[Intervals], asked: Intervals = EMPTY) -> Allotment:
        """Keep what the manifests give where it can be, and give the others what no block names.

        Args:
            claims: Who must have addresses.
            blocks: What the policies name.
            asked: Where pods are to get theirs, whatever the policies name; in a family in
                which it is empty, a range is chosen.

        Raises:
            InputError: a family has no room.
        """
        owners, notes = _keep(claims)
        used = Intervals.of((address, address) for addresses in owners.values() for address in addresses)
        empty_handed = [claim for claim in claims if not owners[claim.use, claim.name]]
        ranges = asked
        for use in Use:
            for family in Family:
                wanting = [claim for claim in empty_handed if claim.use is use and family in claim.families]
                if wanting:
                    given = asked & EVERY[family] if use is Use.PODS else EMPTY
                    count = len(wanting)
                    chosen = (
                        _asked_range(given, count, used)
                        if given
                        else choose_range(use, family, count, blocks, (used, ranges))
                    )
                    notes += [_note(use, chosen)] * chosen.matched
                    for claim, address in zip(wanting, chosen.addresses, strict=False):
                        owners[use, claim.name] += (address,)
                    ranges |= chosen.whole
        return cls(owners, used | ranges, tuple(notes))

    def addresses(self, use: Use, name: str) -> tuple[Address, ...]:
        """Return the addresses of an owner, in the order in which they were claimed."""
        return self.owners[use, name]

    def by_family(self, use: Use, name: str) -> dict[Family, Address]:
        """Return the addresses of an owner who has at most one of each family."""
        return {family_of(address): address for address in self.owners[use, name]}


@dataclass(frozen=True, slots=True)
class Range:
    """Addresses to give out.

    Attributes:
        whole: The range.
        free: What nobody has of it; the range's own zero is nobody's.
        matched: Whether a block of the policies may match them: there was no other room.
    """

    whole: Intervals
    free: Intervals
    matched: bool

    @property
    def addresses(self) -> Iterator[Address]:
        """Those that nobody has, in order."""
        return (Address(value) for first, last in self.free for value in range(first, last + 1))


def _asked_range(asked: Intervals, count: int, used: Intervals) -> Range:
    """Return the range that the user wants; the blocks of the policies do not matter then."""
    zero = Intervals.point(asked.ranges[0][0])
    free = asked - UNUSABLE - used - zero
    if free.count() < count:
        message = f"{render_addresses(asked)} has no room for {counted(count, 'pod')}"
        raise InputError(message, "give a larger --pod-cidr")
    return Range(asked, free, matched=False)


def choose_range(
    use: Use, family: Family, count: int, blocks: Iterable[Intervals], taken: tuple[Intervals, Intervals]
) -> Range:
    """Choose a range with room for a number of addresses.

    Args:
        use: What it is for.
        family: The family.
        count: How many addresses are needed.
        blocks: What the policies name.
        taken: Single addresses that have an owner, and ranges chosen before.

    Raises:
        InputError: the family has no room.
    """
    everything = EVERY[family]
    named = Intervals.union(block & everything for block in blocks if not everything <= block)
    usual, smallest = read_cidr(_USUAL[use, family]), (count + 1).bit_length()
    used, ranges = taken
    open_to_all = everything - UNUSABLE - ranges
    for places, matched in ((open_to_all - named, False), (open_to_all, True)):
        for place in (usual, *map(read_cidr, _PLACES[family])):
            for bits in range(max(_LARGEST_BITS, smallest), smallest - 1, -1):
                whole = _aligned(places & place, 1 << bits)
                free = (whole or EMPTY) - used
                if whole and free.count() > count:
                    zero = Intervals.point(whole.ranges[0][0])
                    return Range(whole, free - zero, matched)
    message = f"the cluster's {use.value} have no room in IPv{family.value}"
    raise InputError(message)


def outside_addresses(family: Family, blocks: Iterable[Intervals], inside: Intervals) -> tuple[Address, ...]:
    """Return the addresses that stand for everybody outside the cluster, in order.

    They are the addresses on both sides of every place where a block begins or ends, or the
    nearest ones that can be used, and one address that is in no block; where every address is
    in one, there is somebody all the same.

    Args:
        family: The family.
        blocks: What the policies name.
        inside: Every address that belongs to the cluster.
    """
    everything, usable = EVERY[family], EVERY[family] - UNUSABLE - inside
    named = Intervals.union(block & everything for block in blocks)
    found: set[int] = set()
    for first, last in atoms(everything, blocks):
        part = (usable & Intervals(((first, last),))).ranges
        if part and first != everything.ranges[0][0]:
            found.add(part[0][0])
        if part and last != everything.ranges[-1][1]:
            found.add(part[-1][1])
    rest = usable - named or (EMPTY if found else usable)
    if not any(address in rest for address in found):
        usual = _ANY_OUTSIDER[family]
        found |= {usual} if usual in rest else {first for first, _ in rest.ranges[:1]}
    return tuple(sorted(map(Address, found)))


def _aligned(free: Intervals, size: int) -> Intervals | None:
    """Return the first range of a size that begins at a multiple of it, so that it is a CIDR."""
    for first, last in free:
        base = IPV6_BASE if first >= IPV6_BASE else 0
        start = base + -(-(first - base) // size) * size
        if start + size - 1 <= last:
            return Intervals(((start, start + size - 1),))
    return None


def _keep(claims: Iterable[Claim]) -> tuple[dict[tuple[Use, str], tuple[Address, ...]], list[str]]:
    """Return what each claimant keeps, and a note for what it cannot."""
    owners: dict[tuple[Use, str], tuple[Address, ...]] = {}
    used: set[Address] = set()
    notes = []
    for claim in claims:
        wrong = {address for address in claim.kept if address in UNUSABLE or address in used}
        for address in sorted(wrong):
            why = "is taken already" if address in used else "cannot be used"
            notes.append(f"{claim.name} cannot have its address: {render_address(address)} {why}")
        owners[claim.use, claim.name] = tuple(dict.fromkeys(each for each in claim.kept if each not in wrong))
        used.update(owners[claim.use, claim.name])
    return owners, notes


def _note(use: Use, chosen: Range) -> str:
    return f"an ipBlock matches the addresses of {use.value}, {cidrs(chosen.whole)[0]}: there is no other room"
