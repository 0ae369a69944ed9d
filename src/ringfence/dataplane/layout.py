"""The chains that packets meet first: the same in every program, whatever the policies are.

::

    hook_forward ──▶ fwd_o ──▶ self4, eg4, in4          maps: to the chains of local classes
                       └─────▶ allow                    what no class denied and one judged
    hook_forward ──▶ fwd_r ──▶ self4_r, eg4_r, in4_r    the same for replies
    hook_input   ──▶ inp_o ──▶ eg4                      from a pod to its own node
    either hook  ──▶ drop_invalid, midstream            what no connection explains
                 ──▶ fwd_related, inp_related           errors about connections, and what they announce

There is no output hook: a node always reaches its pods.

Source: ``net/netfilter/nf_conntrack_proto_tcp.c`` for connections that are picked up in
mid-stream.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.algebra.addresses import Family
from ringfence.algebra.intervals import Intervals
from ringfence.dataplane import names
from ringfence.dataplane.expressions import (
    DESTINATION,
    SOURCE,
    Bits,
    Counter,
    CtDirection,
    CtState,
    Dispatch,
    Equals,
    Field,
    Goto,
    Lookup,
    Reset,
    Rule,
    Stamp,
    Within,
    Word,
)
from ringfence.dataplane.guard import DISCOVERY, LINK_LOCAL, REPORT, gate, guard_chains, refuse_tunnels
from ringfence.dataplane.handling import Epoch, Mode
from ringfence.dataplane.nft import Chain, Hook
from ringfence.model.policy import Direction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.dataplane.expressions import Expression
    from ringfence.dataplane.handling import Handling
    from ringfence.dataplane.plan import Guard

_STATE, _WAY = Field.CT_STATE, Field.CT_DIRECTION
_ERRORS = Intervals.of([(1, 1), (58, 58)])
"""ICMP and ICMPv6: of what is related to a connection, only errors about it follow its verdict."""

_OPENING, _SYN = 0x17, 0x02
"""The flags FIN, SYN, RST and ACK, and what they are in a packet that opens a connection."""


def rule(*expressions: Expression) -> Rule:
    """Return the rule of these expressions."""
    return Rule(expressions)


def fixed_chains(handling: Handling, guard: Guard | None) -> Iterator[Chain]:
    """Yield the chains of :mod:`this module <ringfence.dataplane.layout>`, and those of the guard."""
    unopened = Bits(Field.TCP_FLAGS, _OPENING, _SYN, negated=True)
    # A connection that another one announces begins with that one's mark, so it must not come further.
    related = Equals(_STATE, CtState.RELATED)
    known = list(_known(handling.established))
    midstream = rule(Equals(_STATE, CtState.NEW), unopened, Goto(names.MIDSTREAM))
    original = Equals(_WAY, CtDirection.ORIGINAL)
    by_way = [
        rule(original, Goto(names.FORWARD_ORIGINAL)),
        rule(Equals(_WAY, CtDirection.REPLY), Goto(names.FORWARD_REPLY)),
    ]
    # Only what has no connection goes neither way; it is rare, so it is looked for last.
    untracked = Equals(_STATE, CtState.UNTRACKED)
    invalid = rule(Equals(_STATE, CtState.INVALID), Goto(names.DROP_INVALID))
    forward = [
        # On a bridge neighbors find each other here; a router would have lowered the hop limit.
        *([rule(*DISCOVERY, Word.ACCEPT)] if guard and guard.bridged else ()),
        *(gate(guard) if guard else ()),
        rule(related, Goto(names.FORWARD_RELATED)),
        *known,
        midstream,
        *by_way,
        # Nobody knows who opened it, so it is judged as if this packet did.
        rule(untracked, Goto(names.FORWARD_ORIGINAL)),
        invalid,
    ]
    # A reply of a pod to its own node is let through: the node opened that connection.
    to_node = [
        *([refuse_tunnels(guard, Hook.INPUT)] if guard else []),
        rule(related, Goto(names.INPUT_RELATED)),
        *known,
        rule(*DISCOVERY, Word.ACCEPT),
        rule(*REPORT, Within(Field.IP6_SADDR, LINK_LOCAL), Word.ACCEPT),
        midstream,
        rule(original, Goto(names.INPUT_ORIGINAL)),
        rule(untracked, Goto(names.INPUT_ORIGINAL)),
        invalid,
    ]
    yield from guard_chains(guard) if guard else ()
    yield Chain(names.FORWARD, tuple(forward), Hook.FORWARD)
    yield Chain(names.INPUT, tuple(to_node), Hook.INPUT)
    error = rule(Within(Field.L4PROTO, _ERRORS), Word.ACCEPT)
    yield Chain(names.FORWARD_RELATED, (error, *by_way))
    yield Chain(names.INPUT_RELATED, (error, rule(original, Goto(names.INPUT_ORIGINAL))))
    outgoing = [refuse_tunnels(guard, Hook.FORWARD)] if guard else []
    yield Chain(names.FORWARD_ORIGINAL, (*outgoing, *_dispatch(CtDirection.ORIGINAL)))
    yield Chain(names.FORWARD_REPLY, tuple(_dispatch(CtDirection.REPLY)))
    egress = [Dispatch((SOURCE[f],), names.dispatch_map(Direction.EGRESS, f, CtDirection.ORIGINAL)) for f in Family]
    yield Chain(names.INPUT_ORIGINAL, (*map(rule, egress), *_allow_judged(CtDirection.ORIGINAL)))
    touched = [Lookup((side[f],), names.judged_set(f)) for f in Family for side in (SOURCE, DESTINATION)]
    yield Chain(names.DROP_INVALID, tuple(rule(each, Counter(), Word.DROP) for each in touched))
    yield Chain(names.MIDSTREAM, tuple(_refuse(touched)))
    yield Chain(names.ALLOW, (*_stamp(handling.established), rule(Word.ACCEPT)))


def _known(established: Epoch | Mode) -> Iterator[Rule]:
    """Let through what need not be judged again, be it answered or not."""
    if isinstance(established, Epoch):
        yield rule(Bits(Field.CT_MARK, established.mask, established.value), Word.ACCEPT)
    elif established is Mode.TRUST:
        yield rule(Equals(_STATE, CtState.ESTABLISHED), Word.ACCEPT)


def _stamp(established: Epoch | Mode) -> Iterator[Rule]:
    """Remember that a connection was judged, where it is one: hence in a rule of its own."""
    if isinstance(established, Epoch):
        yield rule(Stamp(established.mask, established.value))


def _refuse(touched: list[Lookup]) -> Iterator[Rule]:
    """Refuse what claims to belong to a connection that nobody saw opened.

    Conntrack takes the sender for the client, whoever it was: a server that goes on speaking
    would turn a denied connection into an allowed one that it seems to have opened itself.
    """
    for each in touched:
        yield rule(Within(Field.L4PROTO, Intervals.point(6)), each, Counter(), Reset())


def _dispatch(way: CtDirection) -> Iterator[Rule]:
    """Yield the rules that find the local pods at both ends: itself, then the client, then the server."""
    for family in Family:
        ends = (SOURCE[family], DESTINATION[family])
        client, server = ends if way is CtDirection.ORIGINAL else reversed(ends)
        yield rule(Dispatch(ends, names.self_map(family, way)))
        yield rule(Dispatch((client,), names.dispatch_map(Direction.EGRESS, family, way)))
        yield rule(Dispatch((server,), names.dispatch_map(Direction.INGRESS, family, way)))
    yield from _allow_judged(way)


def _allow_judged(way: CtDirection) -> Iterator[Rule]:
    """Allow what came back from the egress of its client; what no class judged is left alone, and its mark too."""
    client = SOURCE if way is CtDirection.ORIGINAL else DESTINATION
    return (rule(Lookup((client[family],), names.judged_set(family)), Goto(names.ALLOW)) for family in Family)
