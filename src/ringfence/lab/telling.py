"""What a lab tells of its nodes while it runs: packets that were dropped, and flows that were let through."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from heapq import merge
from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from ringfence.algebra.addresses import family_of, render_address
from ringfence.algebra.traffic import Protocol
from ringfence.dataplane.connections import PORTED, protocol_name
from ringfence.edges.packets import read_five_tuple
from ringfence.lab.documents import DropEntry, named, plain
from ringfence.lab.drops import Drop
from ringfence.lab.ends import render_end
from ringfence.lab.journal import Missed
from ringfence.lab.words import Words
from ringfence.report.counting import counted
from ringfence.report.json_flows import (
    Amount,
    Dialed,
    FlowLine,
    FlowsMissed,
    as_audit,
    as_flow_end,
    as_halves,
    port_names,
)
from ringfence.report.json_parts import VerdictWord, origins_of
from ringfence.semantics.verdict import Outcome, combine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ringfence.algebra.addresses import Address
    from ringfence.dataplane import flows as dataplane
    from ringfence.dataplane.attribution import Attribution
    from ringfence.lab.drops import DropLog
    from ringfence.lab.flows import FlowLog, Seen
    from ringfence.model.connection import Connection
    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics.verdict import Half


class DropTeller:
    """Tells what a drop log holds."""

    def __init__(self, log: DropLog) -> None:
        self._log = log

    def remembered(self) -> Iterable[Drop | Missed]:
        """Return what is known already, oldest first."""
        return tuple(self._log.remembered)

    def follow(self, follower: Callable[[Drop | Missed], None]) -> None:
        """Call somebody with whatever comes."""
        self._log.follow(follower)

    def unfollow(self, follower: Callable[[Drop | Missed], None]) -> None:
        """Stop calling somebody."""
        self._log.unfollow(follower)

    def tell(self, entry: Drop | Missed) -> Words:
        """Say what an entry tells."""
        return tell_missed(entry) if isinstance(entry, Missed) else tell_drop(entry, self._log.explain(entry))

    def unread(self, when: float, count: int) -> Words:
        """Say how many entries were left out for somebody who reads slowly."""
        return _timed(when, "", _left_out(count), unread=count)


class FlowTeller:
    """Tells which flows were let through, and what was dropped: who reads both knows what was tried."""

    def __init__(self, flows: FlowLog, drops: DropLog) -> None:
        self._flows, self._drops = flows, drops

    def remembered(self) -> Iterable[Seen | Drop | Missed]:
        """Return what is known already, oldest first."""
        return tuple(merge(self._flows.remembered, self._drops.remembered, key=lambda entry: entry.time))

    def follow(self, follower: Callable[[Any], None]) -> None:
        """Call somebody with whatever comes."""
        self._flows.follow(follower)
        self._drops.follow(follower)

    def unfollow(self, follower: Callable[[Any], None]) -> None:
        """Stop calling somebody."""
        self._flows.unfollow(follower)
        self._drops.unfollow(follower)

    def tell(self, entry: Seen | Drop | Missed) -> Words:
        """Say what an entry tells."""
        if isinstance(entry, Missed):
            events = counted(entry.count, "event is", "events are")
            return self._missed(entry.time, entry.node, f"{events} not known: the kernel threw them away", entry.count)
        if isinstance(entry, Drop):
            return self._dropped(entry)
        return self._seen(entry)

    def unread(self, when: float, count: int) -> Words:
        """Say how many entries were left out for somebody who reads slowly."""
        return self._missed(when, "", _left_out(count), count)

    def _missed(self, when: float, node: str, what: str, count: int) -> Words:
        clock, stamp = _times(when)
        text = "  ".join(filter(None, (clock, node, what)))
        return Words(f"{text}\n", plain(FlowsMissed(time=stamp, node=node or UNSET, missed=count)))

    def _seen(self, seen: Seen) -> Words:
        flow = seen.flow
        judged = [(judge, found) for judge in seen.judges if (found := judge.enforced(flow))]
        judge, enforced = next((each for each in judged if not each[1].denied), judged[-1])
        halves = judge.halves(flow)
        # What ended may have begun under other policies.
        mismatch = bool(enforced.denied) and not flow.ended
        addresses, ports = (flow.client, flow.server), (flow.client_port, flow.server_port)
        document = FlowLine(
            **self._head(seen.time, seen.node, halves, mismatch=mismatch),
            revision=judge.revision,
            **_ends(judge.snapshot, enforced.connection, flow.number, addresses, ports),
            event="ended" if flow.ended else "opened",
            dialed=self._dialed(flow),
            **as_halves(halves),
            id=flow.id,
            tcp_state=flow.state or UNSET,
        )
        if flow.ended:
            _finish(document, flow)
        said = "; ".join(f"{half.direction.value.lower()} {half.reason}" for half in halves)
        places = ", ".join(dict.fromkeys(str(place) for half in halves for place in half.places))
        why = f"{said} ({places})" if places else said
        turned = () if flow.ended else judge.turned(flow)
        document.audit = as_audit(turned)
        what = f"{_connection(enforced.connection, flow.number)}: {_happened(flow)}"
        what = f"alarm: {what} although denied" if mismatch else what
        return _line(seen.time, seen.node, f"{what}: {why}{_would(turned)}", document, good=not mismatch)

    def _dropped(self, drop: Drop) -> Words:
        found, packet = self._drops.explain(drop), read_five_tuple(drop.logged.packet)
        if found is None or packet is None:
            return self._missed(drop.time, drop.node, _unexplained(drop), 1)
        ports = packet.source_port, packet.destination_port
        if packet.source != found.client:  # it is a reply
            ports = ports[::-1]
        document = FlowLine(
            **self._head(drop.time, drop.node, (found.half,), mismatch=not found.agrees),
            revision=found.revision,
            **_ends(found.snapshot, found.connection, found.number, (found.client, found.server), ports),
            event="denied",
            **as_halves((found.half,)),
            audit=as_audit(found.turned),
        )
        return _line(drop.time, drop.node, _said(found), document, good=found.agrees)

    def _head(self, when: float, node: str, halves: Iterable[Half], *, mismatch: bool) -> dict[str, Any]:
        outcomes = [half.outcome for half in halves]
        verdict = combine(outcomes[0], outcomes[-1]) if outcomes else Outcome.ALLOWED
        return {
            "time": _times(when)[1],
            "node": node,
            "verdict": VerdictWord(verdict.value),
            "mismatch": True if mismatch else UNSET,
        }

    def _dialed(self, flow: dataplane.Flow) -> Any:
        if (flow.dialed, flow.dialed_port) == (flow.server, flow.server_port):
            return UNSET
        port = flow.dialed_port if flow.number in PORTED else UNSET
        return Dialed(address=render_address(flow.dialed), port=port, service=self._flows.service(flow) or UNSET)


def _ends(
    snapshot: Snapshot,
    connection: Connection,
    number: int,
    addresses: tuple[Address, Address],
    ports: tuple[int, int],
) -> dict[str, Any]:
    """Return the ends of a flow, and its protocol, by the names that they have in a line."""
    ported = number in PORTED
    client, server = (
        as_flow_end(snapshot, end, address, port if ported else None)
        for end, address, port in zip((connection.client, connection.server), addresses, ports, strict=True)
    )
    server.port_names = port_names(connection.server, connection.protocol, connection.port)
    return {"client": client, "server": server, "protocol": protocol_name(number), "family": family_of(addresses[0])}


def tell_missed(missed: Missed) -> Words:
    """Say how many drops nobody can tell of."""
    dropped = counted(missed.count, "packet was", "packets were")
    why = f"{dropped} dropped of which nothing is known: the kernel threw their log entries away"
    return _timed(missed.time, missed.node, why, missed=missed.count)


def tell_drop(drop: Drop, attribution: Attribution | None) -> Words:
    """Say when and where a packet was dropped, and why."""
    if attribution is None:
        return _timed(drop.time, drop.node, _unexplained(drop))
    half = attribution.half
    document = named(attribution.connection) | {
        "protocol": attribution.protocol,
        "pod": str(attribution.pod),
        "direction": half.direction,
        "verdict": VerdictWord(half.outcome.value),
        "mismatch": UNSET if attribution.agrees else True,
        "reason": half.reason,
        "origins": origins_of(half.origins),
        "nearest": origins_of(half.nearest),
        "passed": origins_of(half.passed),
        "audit": as_audit(attribution.turned),
    }
    return _timed(drop.time, drop.node, _said(attribution), good=attribution.agrees, **document)


def _said(attribution: Attribution) -> str:
    alarm = "" if attribution.agrees else "alarm: "
    return f"{alarm}{attribution}{_would(attribution.turned)}"


def _would(turned: Iterable[Half]) -> str:
    """Say what policies in audit would do with what was done without them; nothing where that is the same."""
    said = ""
    for half in turned:
        said += f"; in audit: {half.direction.value.lower()} would be {half.outcome.value}: {half.reason}"
        said += f" ({', '.join(map(str, half.places))})" if half.places else ""
        said += f"; nearest {', '.join(map(str, half.nearest))}" if half.nearest else ""
    return said


def _unexplained(drop: Drop) -> str:
    return f"no policy is known for the packet, logged as {drop.logged.prefix.strip()!r}"


def _left_out(count: int) -> str:
    return f"{counted(count, 'entry is', 'entries are')} left out here, because they were not read in time"


def _connection(connection: Connection, number: int) -> str:
    port = "" if connection.protocol is Protocol.ICMP else f"/{connection.port}"
    return f"{render_end(connection.client)} -> {render_end(connection.server)} {protocol_name(number)}{port}"


def _happened(flow: dataplane.Flow) -> str:
    if not flow.ended:
        return "opened"
    if flow.sent is None or flow.returned is None:
        return "ended"
    there, back = (f"{each.packets:,} packets of {each.octets:,} bytes" for each in (flow.sent, flow.returned))
    return f"ended with {there} sent and {back} returned"


def _finish(document: FlowLine, flow: dataplane.Flow) -> None:
    """Add what is known when a flow has ended."""
    if flow.sent and flow.returned:
        document.sent, document.returned = (
            Amount(packets=each.packets, bytes=each.octets) for each in (flow.sent, flow.returned)
        )
    document.start, document.end = (
        UNSET if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds")
        for at in (flow.opened_at, flow.ended_at)
    )


def _times(when: float) -> tuple[str, str]:
    """Return the time of the day for people, and the whole of it for programs."""
    local = time.localtime(when)
    return time.strftime("%H:%M:%S", local), time.strftime("%Y-%m-%dT%H:%M:%S%z", local)


def _line(when: float, node: str, what: str, document: FlowLine, *, good: bool) -> Words:
    return Words(f"{_times(when)[0]}  {node}  {what}\n", plain(document), good=good)


def _timed(when: float, node: str, what: str, *, good: bool = True, **known: Any) -> Words:
    """Say what happened when, and at which node; empty when it is of none."""
    clock, stamp = _times(when)
    head = "  ".join(filter(None, (clock, node, what)))
    return Words(f"{head}\n", plain(DropEntry(time=stamp, node=node or UNSET, **known)), good=good)
