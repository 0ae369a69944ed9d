"""Runs a program on a packet as the kernel would: the fake kernel.

It interprets chains, rules, sets and maps and knows nothing of plans, pods or policies. A
new expression in :mod:`ringfence.dataplane.nft` needs its meaning here.

Of what depends on the packets before it there is only the rate of logs: the simulation logs
every packet, as the kernel does with the first.

Source: ``net/netfilter/nf_tables_core.c``, ``nft_do_chain``: a rule ends where an
expression does not hold or cannot be evaluated; ``return`` goes back to the last jump; a
base chain accepts what comes to its end.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ringfence.algebra.addresses import Address, Family, family_of
from ringfence.dataplane.expressions import (
    Bits,
    CtDirection,
    CtState,
    Dispatch,
    Equals,
    Field,
    Goto,
    Jump,
    Log,
    Lookup,
    Reset,
    Stamp,
    Within,
    Word,
)
from ringfence.dataplane.links import link_number
from ringfence.dataplane.nft import Hook

if TYPE_CHECKING:
    from ringfence.dataplane.expressions import Expression, Rule, Statement
    from ringfence.dataplane.nft import Map, Program

_TCP, _ICMPV6 = 6, 58
SYN, RST, ACK = 0x02, 0x04, 0x10
"""Flags of TCP."""

_TRACKED = (CtState.NEW, CtState.ESTABLISHED, CtState.RELATED)


@dataclass(frozen=True, slots=True)
class Packet:
    """What the rules can read of a packet, after destination and before source translation.

    Attributes:
        source: Source address.
        destination: Destination address, of the same family.
        protocol: The number of the protocol above IP.
        source_port: The two bytes where a source port would stand, whatever the protocol;
            None when the packet ends before them.
        destination_port: Likewise for the destination port.
        hook: Where it is met.
        state: What conntrack makes of it.
        ct_direction: Whether its connection's opener sent it; without meaning when the
            packet is invalid or untracked.
        hop_limit: Hop limit of an IPv6 packet.
        icmp_type: Type of an ICMPv6 message; an echo request by default.
        tcp_flags: Flags of a TCP packet; by default those of one that opens a connection.
            None when the packet ends before them.
        mark: The mark of its connection, where it has one.
        link: The name of the interface that it came by; empty when that does not matter.
        out_link: The name of the one that it leaves by; empty likewise, or where it leaves by none.
    """

    source: Address
    destination: Address
    protocol: int
    source_port: int | None = 0
    destination_port: int | None = 0
    hook: Hook = Hook.FORWARD
    state: CtState = CtState.NEW
    ct_direction: CtDirection = CtDirection.ORIGINAL
    hop_limit: int = 64
    icmp_type: int = 128
    tcp_flags: int | None = SYN
    mark: int = 0
    link: str = ""
    out_link: str = ""


@dataclass(frozen=True, slots=True)
class Passage:
    """What became of a packet at one hook.

    Attributes:
        accepted: Whether it went on.
        log_prefix: The prefix under which it was logged; empty when it was not.
        trail: The chains it went through, in order.
        mark: The mark of its connection afterwards.
        reset: Whether its sender was told that there is no such connection.
    """

    accepted: bool
    log_prefix: str
    trail: tuple[str, ...]
    mark: int = 0
    reset: bool = False


def simulate(program: Program, packet: Packet) -> Passage:
    """Run the base chains of prerouting, and then of the packet's hook; without any it is accepted.

    Prerouting comes before destination translation, so no program of ours reads a destination there.
    """
    passage = Passage(accepted=True, log_prefix="", trail=(), mark=packet.mark)
    for hook in dict.fromkeys((Hook.PREROUTING, packet.hook)):
        fields = _fields(packet, hook)
        names = [chain.name for chain in program.chains if chain.hook is hook]
        if names and passage.accepted:
            found = _run(program, names, fields)
            passage = replace(found, trail=passage.trail + found.trail, mark=fields.get(Field.CT_MARK, packet.mark))
    return passage


def _run(program: Program, trail: list[str], fields: _Fields) -> Passage:
    """Run base chains of one hook, to begin a trail with."""
    prefix, frames = "", [iter(program.chain_by_name[name].rules) for name in trail]
    accepted = reset = None
    while frames and accepted is None:
        rule = next(frames[-1], None)
        if rule is None:
            frames.pop()
            continue
        logged, statement = _evaluate(program, rule, fields)
        prefix = logged or prefix
        match statement:
            case Word.ACCEPT | Word.DROP | Reset():
                accepted = statement is Word.ACCEPT
                reset = isinstance(statement, Reset)
            case Word.RETURN:
                frames.pop()
            case Jump(chain) | Goto(chain):
                if isinstance(statement, Goto):
                    frames.pop()
                trail.append(chain)
                frames.append(iter(program.chain_by_name[chain].rules))
    return Passage(accepted is not False, prefix, tuple(trail), reset=bool(reset))


_Fields = dict[Field, Any]
"""What can be read of a packet: a number or address, or what conntrack says."""


def _fields(packet: Packet, hook: Hook) -> _Fields:
    """Return the fields that a packet has at a hook; a rule that reads another does not match."""
    fields: _Fields = {Field.L4PROTO: packet.protocol}
    if packet.link:
        fields[Field.IIFNAME] = link_number(packet.link)
    if packet.out_link and hook is Hook.FORWARD:
        fields[Field.OIFNAME] = link_number(packet.out_link)
    if hook is not Hook.PREROUTING:
        fields |= _of_conntrack(packet)
    if family_of(packet.source) is Family.IPV4:
        fields |= {Field.IP_SADDR: packet.source, Field.IP_DADDR: packet.destination}
    else:
        fields |= {Field.IP6_SADDR: packet.source, Field.IP6_DADDR: packet.destination}
        fields[Field.IP6_HOPLIMIT] = packet.hop_limit
    if packet.protocol == _ICMPV6:
        fields[Field.ICMPV6_TYPE] = packet.icmp_type
    if packet.protocol == _TCP and packet.tcp_flags is not None:
        fields[Field.TCP_FLAGS] = packet.tcp_flags
    if packet.source_port is not None:
        fields[Field.SPORT] = packet.source_port
    if packet.destination_port is not None:
        fields[Field.DPORT] = packet.destination_port
    return fields


def _of_conntrack(packet: Packet) -> _Fields:
    """Return what conntrack says of a packet; nothing has seen it yet in prerouting."""
    if packet.state not in _TRACKED:
        return {Field.CT_STATE: packet.state}
    return {Field.CT_STATE: packet.state, Field.CT_DIRECTION: packet.ct_direction, Field.CT_MARK: packet.mark}


def _evaluate(program: Program, rule: Rule, fields: _Fields) -> tuple[str, Statement | Reset | None]:
    """Return what a rule logged and what it decided; None when the next rule is to be tried."""
    prefix = ""
    for expression in rule.expressions:
        match expression:
            case Log():
                prefix = expression.prefix
            case Dispatch():
                return prefix, _look_up(program.map_by_name[expression.map_name], _read(expression.fields, fields))
            case Word() | Jump() | Goto() | Reset():
                return prefix, expression
            case Stamp(mask, value) if Field.CT_MARK in fields:
                fields[Field.CT_MARK] = fields[Field.CT_MARK] & ~mask | value
            case _ if not _holds(program, expression, fields):
                break
    return prefix, None


def _holds(program: Program, expression: Expression, fields: _Fields) -> bool:
    match expression:
        case Equals(field, value):
            return fields.get(field) is value
        case Within(field, values):
            return field in fields and fields[field] in values
        case Bits(field, mask, value, negated):
            return field in fields and (fields[field] & mask == value) is not negated
        case Lookup(wanted, name, negated):
            read = _read(wanted, fields)
            return read is not None and _is_member(program, name, read) is not negated
        case _:
            return not isinstance(expression, Stamp)


def _read(wanted: tuple[Field, ...], fields: _Fields) -> tuple[int, ...] | None:
    """Return the value of each field; None when the packet lacks one."""
    try:
        return tuple([fields[field] for field in wanted])
    except KeyError:
        return None


def _is_member(program: Program, name: str, values: tuple[int, ...]) -> bool:
    """Look values up as the kernel does: by an index, however large the set is."""
    named = program.set_by_name[name]
    if named.interval:
        reaches = program.reaches_by_set[name]
        index = bisect_right(named.elements, values[0], key=lambda key: key[0][0]) - 1
        while index >= 0 and reaches[index] >= values[0]:
            if all(first <= value <= last for (first, last), value in zip(named.elements[index], values, strict=True)):
                return True
            index -= 1
        return False
    key = tuple((value, value) for value in values)
    index = bisect_left(named.elements, key)
    return named.elements[index : index + 1] == (key,)


def _look_up(named: Map, values: tuple[int, ...] | None) -> Statement | None:
    key = tuple((value, value) for value in values or ())
    index = bisect_left(named.elements, key, key=lambda element: element.key)
    found = named.elements[index : index + 1]
    return found[0].statement if found and found[0].key == key else None
