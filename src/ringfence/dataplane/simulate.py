"""Runs a program on a packet as the kernel would: the fake kernel.

It interprets chains, rules, sets and maps and knows nothing of plans, pods or policies. A
new expression in :mod:`ringfence.dataplane.nft` needs its meaning here.

Source: ``net/netfilter/nf_tables_core.c``, ``nft_do_chain``: a rule ends where an
expression does not hold or cannot be evaluated; ``return`` goes back to the last jump; a
base chain accepts what comes to its end.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
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
    """Run the base chain of the packet's hook; a program without one accepts."""
    fields = _fields(packet)
    prefix, trail = "", [chain.name for chain in program.chains if chain.hook is packet.hook]
    frames = [iter(program.chain_by_name[name].rules) for name in trail]
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
    mark = fields.get(Field.CT_MARK, packet.mark)
    return Passage(accepted is not False, prefix, tuple(trail), mark, bool(reset))


_Fields = dict[Field, Any]
"""What can be read of a packet: a number or address, or what conntrack says."""


def _fields(packet: Packet) -> _Fields:
    """Return the fields that a packet has; a rule that reads another does not match."""
    fields: _Fields = {Field.L4PROTO: packet.protocol, Field.CT_STATE: packet.state}
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
    if packet.state in _TRACKED:
        fields |= {Field.CT_DIRECTION: packet.ct_direction, Field.CT_MARK: packet.mark}
    return fields


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
