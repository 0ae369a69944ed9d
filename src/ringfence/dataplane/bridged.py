"""Whose frames they are, where pods are ports of a bridge: an address is bound to the port that leads to the pod.

::

    hook_prerouting ──▶ port_<link>            the pod's hardware address, at its port
                          ├─────▶ arp_<link>, nd_<link>   who has which hardware address
                          └─────▶ drop         an address that is not the pod's
    hook_prerouting ──▶ drop                   a tag, or another hardware address, at a port of a pod

On a bridge pods meet each other before any node does, so the node's own table comes too
late: a pod that says in ARP or neighbor discovery that another's address is its own gets
the other's packets, and so does a frame with the other's hardware address, from which a
bridge learns where to send what is for it. This table sees frames before the bridge learns
anything. It holds nobody to a policy: ``br_netfilter`` sends what it lets through to the
hooks of IP, where the node's other table stands.

A message of neighbor discovery has one option at most, with the pod's hardware address, and
is as long as that; in fragments it is never valid (RFC 6980).

A frame with a tag of a VLAN goes past ``br_netfilter``, and one of no VLAN in particular is
taken as if it had none.

Sources: IEEE 802.1Q, 9.6; RFC 826; RFC 4861, 4.1 to 4.4; RFC 4291, appendix A; ``net/bridge/br_input.c``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import Address, Family, family_of, read_cidr
from ringfence.algebra.intervals import Intervals
from ringfence.dataplane import names
from ringfence.dataplane.expressions import SOURCE, Counter, Dispatch, Field, Goto, Rule, Within, Word
from ringfence.dataplane.guard import LINK_LOCAL, REPORT
from ringfence.dataplane.links import link_number, links_named
from ringfence.dataplane.nft import Chain, Datatype, Element, Hook, Map, Program, TableFamily

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ringfence.dataplane.expressions import Expression
    from ringfence.dataplane.nft import Key

_SOLICITATION, _ADVERTISEMENT = 135, 136
_OF_SOURCE, _OF_TARGET = 0x0101, 0x0201
"""Kind and length of the options with the hardware address of who asks, and of who is asked for."""

_DISCOVERY = Intervals.of([(133, 137)])
_BARE, _WITH_OPTION = 24, 32
"""Bytes of a message without an option and with one."""

_TAGS = (0x8100, 0x88A8)
"""What a frame with a tag of a VLAN seems to hold."""

_UNSPECIFIED = read_cidr("::/128")
_NOBODY = Intervals.point(0)
"""The sender of an ARP request that asks whether anybody has an address: RFC 5227."""


@dataclass(frozen=True, slots=True)
class Port:
    """A port of a bridge that leads to a pod.

    Attributes:
        link: The name of the port.
        hardware: The hardware address of the pod's end, as a number of 48 bits.
        addresses: The addresses of the pod.
    """

    link: str
    hardware: int
    addresses: tuple[Address, ...]

    @property
    def link_local(self) -> Address:
        """The address that the pod has on its link alone, when it makes it of the hardware address."""
        high, low = self.hardware >> 24 ^ 0x020000, self.hardware & 0xFFFFFF
        return Address(LINK_LOCAL.ranges[0][0] + (high << 40 | 0xFFFE << 24 | low))


def bridge_program(prefix: str, ports: Iterable[Port]) -> Program:
    """Return the table of a node whose pods are ports of a bridge.

    Args:
        prefix: What the name of every port begins with that leads to a pod, and of no other.
        ports: The ports of the pods that are known.
    """
    ordered = sorted(ports, key=lambda port: link_number(port.link))
    elements = tuple(Element(_place(port), Goto(names.port_chain(port.link))) for port in ordered)
    known = Map(names.PORTS, (Datatype.IFNAME, Datatype.ETHER_ADDR), elements)
    by_pod = Within(Field.IIFNAME, links_named(prefix))
    hook = (
        *(_drop(by_pod, Within(Field.ETHER_TYPE, Intervals.point(tag))) for tag in _TAGS),
        Rule((Dispatch((Field.IIFNAME, Field.ETHER_SADDR), names.PORTS),)),
        _drop(by_pod),
    )
    chains = [Chain(names.PREROUTING, hook, Hook.PREROUTING)]
    for port in ordered:
        chains += [
            Chain(names.port_chain(port.link), tuple(_of_port(port))),
            Chain(names.arp_chain(port.link), tuple(_of_arp(port))),
            Chain(names.discovery_chain(port.link), tuple(_of_discovery(port))),
        ]
    return Program(names.TABLE, (), (known,), tuple(chains), TableFamily.BRIDGE)


def _place(port: Port) -> Key:
    number = link_number(port.link)
    return (number, number), (port.hardware, port.hardware)


def _drop(*expressions: Expression) -> Rule:
    return Rule((*expressions, Counter(), Word.DROP))


def _of_port(port: Port) -> Iterator[Rule]:
    """Yield the rules for what comes from a pod with its hardware address."""
    yield Rule((Within(Field.ARP_ETHER, Intervals.point(port.hardware)), Goto(names.arp_chain(port.link))))
    yield Rule((Within(Field.ICMPV6_TYPE, _DISCOVERY), Goto(names.discovery_chain(port.link))))
    for address in port.addresses:
        yield Rule((Within(SOURCE[family_of(address)], Intervals.point(address)), Word.ACCEPT))
    for source in (LINK_LOCAL, _UNSPECIFIED):
        yield Rule((*REPORT, Within(Field.IP6_SADDR, source), Word.ACCEPT))
    yield _drop()


def _of_arp(port: Port) -> Iterator[Rule]:
    """Yield the rules for ARP that tells the pod's own hardware address."""
    own = [Intervals.point(address) for address in port.addresses if family_of(address) is Family.IPV4]
    yield from (Rule((Within(Field.ARP_IP, sender), Word.ACCEPT)) for sender in (*own, _NOBODY))
    yield _drop()


def _of_discovery(port: Port) -> Iterator[Rule]:
    """Yield the rules for neighbor discovery: who asks says who it is, who answers is asked for."""
    own = [Intervals.point(a) for a in (*port.addresses, port.link_local) if family_of(a) is Family.IPV6]
    for kind, option in ((_SOLICITATION, _OF_SOURCE), (_ADVERTISEMENT, _OF_TARGET)):
        for point in own:
            said: list[Expression] = [*_message(kind), Within(Field.IP6_SADDR, point)]
            about = [Within(Field.ND_TARGET, point)] if kind == _ADVERTISEMENT else []
            with_hardware = Within(Field.ND_OPTION, Intervals.point(option << 48 | port.hardware))
            yield Rule((*said, Within(Field.IP6_LENGTH, Intervals.point(_BARE)), *about, Word.ACCEPT))
            length = Within(Field.IP6_LENGTH, Intervals.point(_WITH_OPTION))
            yield Rule((*said, length, *about, with_hardware, Word.ACCEPT))
    # Whether anybody has an address is asked by nobody, who has no hardware address to tell.
    yield Rule((*_message(_SOLICITATION), Within(Field.IP6_SADDR, _UNSPECIFIED), Word.ACCEPT))
    yield _drop()


def _message(kind: int) -> tuple[Expression, ...]:
    """Return what a genuine message of this kind is: one that no router has forwarded."""
    return Within(Field.ICMPV6_TYPE, Intervals.point(kind)), Within(Field.IP6_HOPLIMIT, Intervals.point(255))
