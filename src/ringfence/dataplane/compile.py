"""A node's plan as a program for nftables.

The chains that packets meet first are always the same, see :mod:`ringfence.dataplane.layout`.
They find the local pods at either end of a packet in small maps and hand it to one chain for
each local class: first that of the client's egress, which comes back when it allows, then
that of the server's ingress. A class's chain looks a packet up in sets and has nothing to do
with how many policies there are. Replies have chains of their own over the same sets, with
source and destination exchanged, so a packet is always judged by who opened its connection.

::

    fwd_o ──▶ h_* ──▶ e_*, i_*               a pod that meets itself
      ├─────▶ e_* ──▶ e_*_deny               jump: comes back when allowed
      └─────▶ i_* ──▶ i_*_deny or allow      goto: the last word
    fwd_r ──▶ h_*_r, e_*_r, i_*_r            the same for replies
    inp_o ──▶ e_*

The table must list in nft 1.0.6, which is why nothing is looked up through registers and no
key reads the conntrack tuple.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, TypeVar

from ringfence.algebra.addresses import Family
from ringfence.algebra.intervals import Intervals
from ringfence.algebra.traffic import ALL, PORTLESS, Protocol, by_protocol
from ringfence.dataplane import names
from ringfence.dataplane.expressions import (
    DESTINATION,
    SOURCE,
    Counter,
    CtDirection,
    Field,
    Goto,
    Jump,
    Limit,
    Log,
    Lookup,
    Reset,
    Within,
    Word,
)
from ringfence.dataplane.guard import guard_sets
from ringfence.dataplane.handling import HANDLING, Handling
from ringfence.dataplane.layout import fixed_chains, rule
from ringfence.dataplane.nft import ADDRESS, NUMBERS, Chain, Datatype, Element, Map, Program, Set
from ringfence.dataplane.recall import Recall
from ringfence.dataplane.shared import Written, share
from ringfence.model.policy import Direction

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ringfence.dataplane.expressions import Expression, Statement
    from ringfence.dataplane.nft import Key
    from ringfence.dataplane.plan import Guard, Hairpin, LocalClass, NodePlan, Row
    from ringfence.dataplane.shared import Share, Shared

_Part = TypeVar("_Part", Datatype, Field)

SNAPLEN = 128
"""Bytes of a dropped packet that are logged: enough for its headers."""

SPELLED_OUT = 16
"""How many single elements a range is worth: a box that holds no more of them is spelled out.

A hash set answers equally fast however large it is; a set of ranges does not.
"""

LARGE = 256
"""Ranges of addresses from which on peers that several classes name are kept once."""

_TCP = Intervals.point(NUMBERS[Protocol.TCP])
_PORT = {CtDirection.ORIGINAL: Field.DPORT, CtDirection.REPLY: Field.SPORT}


def compile_program(
    plan: NodePlan, handling: Handling = HANDLING, large: int = LARGE, recall: Recall | None = None
) -> Program:
    """Compile a plan; equal plans that are handled alike give equal programs.

    Args:
        plan: What the node must enforce.
        handling: What is done about its connections.
        large: How many ranges of addresses a set of peers has that several classes share.
        recall: What programs of this node have been made of before: of classes that are the
            same objects, sets and chains are taken over.
    """
    recall = recall or Recall()
    recall.begin()
    sets, chains = list(_fixed_sets(plan, recall)), [*recall(_fixed_chains, handling, plan.guard)]
    written = [recall(_written, each) for each in plan.judged]
    shares = share(written, large, recall)
    shared = {each.shared.digest: each.shared for of_class in shares for each in of_class}
    sets += [recall(_shared_set, each) for each in shared.values()]
    for each, its_shares in zip(written, shares, strict=True):
        of_class = recall(_of_class, each, *its_shares)
        sets += of_class.sets
        chains += [*of_class.chains, recall(_deny_chain, each.local_class, handling.logs, handling.reset)]
    chains += [recall(_hairpin_chain, each, way) for each in plan.hairpins if each.classes for way in CtDirection]
    return Program(names.TABLE, tuple(sets), tuple(_maps(plan, recall)), tuple(chains))


def _fixed_chains(handling: Handling, guard: Guard | None) -> tuple[Chain, ...]:
    return tuple(fixed_chains(handling, guard))


def _fixed_sets(plan: NodePlan, recall: Recall) -> Iterator[Set]:
    numbers = sorted(NUMBERS.values())
    yield Set(names.PORTED, (Datatype.INET_PROTO,), tuple(((number, number),) for number in numbers))
    yield from recall(_guard_sets, plan.guard)
    for family in Family:
        judged = sorted({a for each in plan.judged if each.family is family for a in each.addresses})
        yield Set(names.judged_set(family), (ADDRESS[family],), tuple(((a, a),) for a in judged))


def _guard_sets(guard: Guard | None) -> tuple[Set, ...]:
    return tuple(guard_sets(guard)) if guard else ()


@dataclass(frozen=True, slots=True)
class _OfClass:
    """What a program has of one class, but for the chain that denies: its sets, and its chains in both directions."""

    sets: tuple[Set, ...]
    chains: tuple[Chain, ...]


def _of_class(written: Written, *shares: Share) -> _OfClass:
    contents = _collect(written.without(shares), accepts=written.accepts)
    chains = (_class_chain(written.local_class, contents, shares, way) for way in CtDirection)
    return _OfClass(tuple(_class_sets(written.local_class, contents, shares)), tuple(chains))


def _maps(plan: NodePlan, recall: Recall) -> Iterator[Map]:
    """Yield the small maps that find the chains of a local pod: at most one element for each pod."""
    for way, family in product(CtDirection, Family):
        for direction in (Direction.EGRESS, Direction.INGRESS):
            led = (each for each in plan.classes if each.direction is direction and each.family is family)
            elements = [element for each in led for element in recall(_dispatched, each, way)]
            yield Map(names.dispatch_map(direction, family, way), (ADDRESS[family],), _sorted(elements))
        themselves = (each for each in plan.hairpins if each.family is family)
        elements = [element for each in themselves for element in recall(_met_by_themselves, each, way)]
        yield Map(names.self_map(family, way), (ADDRESS[family],) * 2, _sorted(elements))


def _dispatched(local_class: LocalClass, way: CtDirection) -> list[Element]:
    chain = names.chain(local_class.direction, local_class.name, way)
    statement = Jump(chain) if local_class.direction is Direction.EGRESS else Goto(chain)
    return [Element(((a, a),), statement) for a in local_class.addresses]


def _met_by_themselves(hairpin: Hairpin, way: CtDirection) -> list[Element]:
    statement = Goto(names.hairpin_chain(hairpin.name, way) if hairpin.classes else names.ALLOW)
    return [Element(((a, a), (a, a)), statement) for a in hairpin.addresses]


def _sorted(elements: Iterable[Element]) -> tuple[Element, ...]:
    return tuple(sorted(elements, key=lambda element: element.key))


@dataclass(frozen=True, slots=True)
class _Contents:
    """Everything that a class accepts, or everything that it denies, as elements of sets.

    Attributes:
        accepts: Which of the two; what is in no set is the other.
        sets: The elements of each kind of set; a kind without elements is absent.
        portless: Whether all traffic without ports belongs to it, whoever the peer is.
    """

    accepts: bool
    sets: dict[names.Kind, tuple[Key, ...]]
    portless: bool

    @property
    def cost(self) -> int:
        return sum(len(keys) * (1 if kind is names.Kind.EXACT else SPELLED_OUT) for kind, keys in self.sets.items())


def _written(local_class: LocalClass) -> Written:
    """Choose what to write down, the accepted or the denied: whichever costs less; the accepted if equal."""
    denied = tuple((addresses, ALL - traffic) for addresses, traffic in local_class.rows)
    both = Written(local_class, local_class.rows, accepts=True), Written(local_class, denied, accepts=False)
    return min(both, key=lambda each: _collect(each.rows, accepts=each.accepts).cost)


def _collect(rows: Iterable[Row], *, accepts: bool) -> _Contents:
    """Sort traffic into kinds of sets: any peer, all traffic, no ports, single values, ranges."""
    common = ALL
    for _, traffic in rows:
        common &= traffic
    peers = Intervals.union(addresses for addresses, traffic in rows if traffic == ALL)
    rest = [(addresses, traffic - common) for addresses, traffic in rows if traffic != ALL]
    portless = Intervals.union(addresses for addresses, traffic in rest if PORTLESS in traffic)
    exact: list[Key] = []
    ranges: list[Key] = []
    for box in (box for addresses, traffic in rest for box in _boxes(addresses, traffic)):
        (first, last), number, (low, high) = box
        if (last - first + 1) * (high - low + 1) <= SPELLED_OUT:
            exact += [((a, a), number, (p, p)) for a in range(first, last + 1) for p in range(low, high + 1)]
        else:
            ranges.append(box)
    sets: dict[names.Kind, list[Key]] = {
        names.Kind.EXACT: exact,
        names.Kind.RANGES: ranges,
        names.Kind.PEERS: [(pair,) for pair in peers],
        names.Kind.PORTS: [(number, pair) for number, pair in _port_ranges(common)],
        names.Kind.PORTLESS: [(pair,) for pair in portless],
    }
    return _Contents(accepts, {kind: tuple(sorted(keys)) for kind, keys in sets.items() if keys}, PORTLESS in common)


def _port_ranges(traffic: Intervals) -> Iterator[Key]:
    """Yield protocol number and port range of whatever has ports."""
    for protocol, pairs in by_protocol(traffic).items():
        if protocol is not Protocol.ICMP:
            number = NUMBERS[protocol]
            yield from (((number, number), pair) for pair in pairs)


def _boxes(addresses: Intervals, traffic: Intervals) -> Iterator[Key]:
    """Yield disjoint boxes of address range, protocol number and port range."""
    return ((pair, *ports) for ports in _port_ranges(traffic) for pair in addresses)


def _shared_set(shared: Shared) -> Set:
    """Return a shared set: of single values unless there are long ranges."""
    name, key = names.shared_set(shared.family, shared.digest), (ADDRESS[shared.family],)
    if shared.peers.count() <= SPELLED_OUT * len(shared.peers.ranges):
        addresses = (a for first, last in shared.peers for a in range(first, last + 1))
        return Set(name, key, tuple(((a, a),) for a in addresses))
    return Set(name, key, tuple((pair,) for pair in shared.peers), interval=True)


def _class_sets(local_class: LocalClass, contents: _Contents, shares: Iterable[Share]) -> Iterator[Set]:
    for kind, elements in contents.sets.items():
        name = names.class_set(local_class.direction, local_class.name, kind, accepts=contents.accepts)
        key = _key(kind, ADDRESS[local_class.family], Datatype.INET_PROTO, Datatype.INET_SERVICE)
        yield Set(name, key, elements, interval=kind is not names.Kind.EXACT)
    for each in shares:
        if each.traffic != ALL:
            ports = tuple(sorted(_port_ranges(each.traffic)))
            name = _ports_of(local_class, each, contents)
            single = all(low == high for _, (low, high) in ports)
            yield Set(name, (Datatype.INET_PROTO, Datatype.INET_SERVICE), ports, interval=not single)


def _ports_of(local_class: LocalClass, share: Share, contents: _Contents) -> str:
    name = local_class.name
    return names.shared_ports(local_class.direction, name, share.shared.digest, accepts=contents.accepts)


def _key(kind: names.Kind, peer: _Part, protocol: _Part, port: _Part) -> tuple[_Part, ...]:
    """Choose what the key of a kind of set is made of, be it types or the fields to look up."""
    match kind:
        case names.Kind.EXACT | names.Kind.RANGES:
            return (peer, protocol, port)
        case names.Kind.PORTS:
            return (protocol, port)
        case names.Kind.PEERS | names.Kind.PORTLESS:
            return (peer,)


def _class_chain(local_class: LocalClass, contents: _Contents, shares: Iterable[Share], way: CtDirection) -> Chain:
    """Look a packet up in the sets of its class, in one direction of the connection.

    The peer is at the destination of what a client sends and of what a server answers.
    """
    direction, name = local_class.direction, local_class.name
    peer_is_destination = (direction is Direction.EGRESS) == (way is CtDirection.ORIGINAL)
    peer = (DESTINATION if peer_is_destination else SOURCE)[local_class.family]
    # Egress that is allowed goes on to the server's ingress; ingress is the last word.
    allow: Statement = Word.RETURN if direction is Direction.EGRESS else Goto(names.ALLOW)
    deny: Statement = Goto(names.deny_chain(direction, name))
    found, otherwise = (allow, deny) if contents.accepts else (deny, allow)
    # A packet may end before ports, and then no key that has them is ever found: protocols
    # without ports are told by their number alone.
    no_ports = Lookup((Field.L4PROTO,), names.PORTED, negated=True)
    rules = [rule(no_ports, found)] if contents.portless else []
    for each in shares:
        looked_up: list[Expression] = [Lookup((peer,), names.shared_set(each.shared.family, each.shared.digest))]
        if each.traffic != ALL:
            looked_up.insert(0, Lookup((Field.L4PROTO, _PORT[way]), _ports_of(local_class, each, contents)))
        rules.append(rule(*looked_up, found))
    for kind in contents.sets:
        held_in = names.class_set(direction, name, kind, accepts=contents.accepts)
        lookup = Lookup(_key(kind, peer, Field.L4PROTO, _PORT[way]), held_in)
        rules.append(rule(no_ports, lookup, found) if kind is names.Kind.PORTLESS else rule(lookup, found))
    return Chain(names.chain(direction, name, way), (*rules, rule(otherwise)))


def _deny_chain(local_class: LocalClass, logs: int | None, reset: bool) -> Chain:  # noqa: FBT001 - recalled by place
    """Log and drop; counters stand apart from the log, so they are exact however much is logged."""
    direction, name = local_class.direction, local_class.name
    limits = [Limit(logs, logs)] if logs else []
    log = rule(*limits, Log(names.log_prefix(direction, name), names.LOG_GROUP, SNAPLEN))
    refuse = [rule(Within(Field.L4PROTO, _TCP), Counter(), Reset())] if reset else []
    return Chain(names.deny_chain(direction, name), (log, *refuse, rule(Counter(), Word.DROP)))


def _hairpin_chain(hairpin: Hairpin, way: CtDirection) -> Chain:
    """Judge both halves of what a pod sends to itself, where one of them denies something."""
    rules = []
    for each in hairpin.classes:
        chain = names.chain(each.direction, each.name, way)
        rules.append(rule(Jump(chain) if each.direction is Direction.EGRESS else Goto(chain)))
    if hairpin.classes[-1].direction is Direction.EGRESS:
        rules.append(rule(Goto(names.ALLOW)))
    return Chain(names.hairpin_chain(hairpin.name, way), tuple(rules))
