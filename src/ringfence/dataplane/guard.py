"""Whose packets they are: a pod's address is bound to the link that leads to the pod.

::

    hook_prerouting ──▶ from_pod ──▶ neighbor discovery     what comes by a link of pods
                          └───────▶ drop                   no address of the pod at that link
    hook_prerouting ──▶ drop                               a pod's address from anywhere else
    hook_forward ──▶ drop                                  to nobody who is known at that link
    fwd_o        ──▶ to_node ──▶ tunnel ──▶ drop           a tunnel that a pod opens to a node
    hook_input   ──▶ tunnel                                to its own

Policies know pods by their addresses, so nobody may speak from an address that is not his,
and a pod that is not known yet neither sends nor receives. Addresses are judged before
conntrack sees the packet, or a forged one could end somebody's connection.

A tunnel's outer packet says nothing of who is in it: a node would unpack a packet with any
source, behind the rules that it should have met.

There is no ARP here, nor anything else of a bridge: where each link leads to one pod, what it
claims there goes no further, and where pods are ports of a bridge :mod:`ringfence.dataplane.bridged`
holds them to their addresses.

Sources: RFC 4861 and RFC 3590 for what a host says before it has an address; IANA's numbers
for protocols and ports of tunnels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.algebra.addresses import Family, family_of, read_cidr
from ringfence.algebra.intervals import Intervals
from ringfence.dataplane import names
from ringfence.dataplane.expressions import (
    DESTINATION,
    SOURCE,
    Counter,
    Field,
    Goto,
    Jump,
    Lookup,
    Rule,
    Within,
    Word,
)
from ringfence.dataplane.links import link_number, links_named
from ringfence.dataplane.nft import ADDRESS, Chain, Datatype, Hook, Set

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.dataplane.expressions import Expression
    from ringfence.dataplane.plan import Guard

TUNNEL_PORTS = {"VXLAN": 4789, "VXLAN before it had a number": 8472, "Geneve": 6081}
"""UDP ports by which nodes unpack what others packed."""

TUNNEL_PROTOCOLS = {"IPv4 in IP": 4, "IPv6 in IP": 41, "GRE": 47}
"""Likewise protocols."""

LINK_LOCAL = read_cidr("fe80::/10")
"""Addresses of IPv6 that are good on one link alone, where no policy knows them."""

DISCOVERY = (
    Within(Field.ICMPV6_TYPE, Intervals.of([(133, 133), (135, 136)])),
    Within(Field.IP6_HOPLIMIT, Intervals.point(255)),
)
"""What a host says and asks to find its neighbors; it is genuine only with an undiminished hop limit.

Never what a router says, 134 and 137: a pod could lead its node's packets astray.
"""

REPORT = (
    Within(Field.ICMPV6_TYPE, Intervals.of([(131, 132), (143, 143)])),
    Within(Field.IP6_HOPLIMIT, Intervals.point(1)),
)
"""What a host says of the groups that it listens to; it goes no further than one link."""

_UDP = 17


def guard_sets(guard: Guard) -> Iterator[Set]:
    """Yield the pairs of link and address, the addresses alone, those of nodes, and what tunnels use."""
    for family in Family:
        pairs = sorted((link_number(link), a) for link, a in guard.bound if family_of(a) is family)
        own = sorted({address for _, address in pairs})
        nodes = sorted(a for a in guard.nodes if family_of(a) is family)
        key = (Datatype.IFNAME, ADDRESS[family])
        yield Set(names.bound_set(family), key, tuple(((link, link), (a, a)) for link, a in pairs))
        yield Set(names.own_set(family), (ADDRESS[family],), tuple(((a, a),) for a in own))
        yield Set(names.node_set(family), (ADDRESS[family],), tuple(((a, a),) for a in nodes))
    ports = sorted(TUNNEL_PORTS.values())
    yield Set(
        names.TUNNEL_PORTS, (Datatype.INET_PROTO, Datatype.INET_SERVICE), tuple(((_UDP, _UDP), (p, p)) for p in ports)
    )


def guard_chains(guard: Guard) -> Iterator[Chain]:
    """Yield the chains of :mod:`this module <ringfence.dataplane.guard>`."""
    pods = links_named(guard.prefix)
    by_pod = Within(Field.IIFNAME, pods)
    drop = (Counter(), Word.DROP)
    strangers = [Rule((Lookup((SOURCE[f],), names.own_set(f)), *drop)) for f in Family]
    yield Chain(names.PREROUTING, (Rule((by_pod, Goto(names.FROM_POD))), *strangers), Hook.PREROUTING)
    bound = [Rule((Lookup((Field.IIFNAME, SOURCE[f]), names.bound_set(f)), Word.ACCEPT)) for f in Family]
    without_address = [
        Rule((*what, Within(Field.IP6_SADDR, source), Word.ACCEPT))
        for source in (LINK_LOCAL, read_cidr("::/128"))
        for what in (DISCOVERY, REPORT)
    ]
    yield Chain(names.FROM_POD, (*bound, *without_address, Rule(drop)))
    to_node = [Rule((Lookup((DESTINATION[f],), names.node_set(f)), Goto(names.TUNNEL))) for f in Family]
    yield Chain(names.TO_NODE, tuple(to_node))
    protocols = Intervals.of((number, number) for number in TUNNEL_PROTOCOLS.values())
    tunnels: list[Expression] = [
        Lookup((Field.L4PROTO, Field.DPORT), names.TUNNEL_PORTS),
        Within(Field.L4PROTO, protocols),
    ]
    yield Chain(names.TUNNEL, tuple(Rule((each, *drop)) for each in tunnels))


def gate(guard: Guard) -> Iterator[Rule]:
    """Yield the rules by which nothing goes on to a pod that is not known; they come before all others in forward."""
    to_pod = Within(Field.OIFNAME, links_named(guard.prefix))
    for family in Family:
        unknown = Lookup((Field.OIFNAME, DESTINATION[family]), names.bound_set(family), negated=True)
        yield Rule((to_pod, unknown, Counter(), Word.DROP))


def refuse_tunnels(guard: Guard, hook: Hook) -> Rule:
    """Return the rule that leads what a pod sends to where tunnels are refused."""
    chain = names.TUNNEL if hook is Hook.INPUT else names.TO_NODE
    return Rule((Within(Field.IIFNAME, links_named(guard.prefix)), Jump(chain)))
