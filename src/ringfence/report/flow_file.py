"""Reads back the lines that :mod:`ringfence.report.json_flows` has the shapes of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
from msgspec import UNSET

from ringfence.algebra.addresses import family_of, read_address
from ringfence.algebra.traffic import Protocol
from ringfence.analysis.preview import Recorded, RecordedEnd
from ringfence.errors import InputError
from ringfence.model.cluster import ContainerPort, Pod
from ringfence.model.origin import Origin
from ringfence.report.json_flows import FlowEnd, FlowLine, FlowsMissed

if TYPE_CHECKING:
    from collections.abc import Iterable

_PROTOCOLS = {each.value: each for each in Protocol}
_HINT = "record flows with `ringfence lab flows -o json`"


@dataclass(frozen=True, slots=True)
class FlowFile:
    """What a file of flows holds.

    Attributes:
        flows: Its flows, those that policies cannot tell apart together; in the order of the first of each.
        lines: How many lines tell of a flow.
        missed: How many flows no line tells of.
    """

    flows: tuple[Recorded, ...]
    lines: int
    missed: int


def read_flow_file(source: str, lines: Iterable[bytes]) -> FlowFile:
    """Read a file of flows.

    A flow that one node let through and another denied was denied; a client that tries again
    later, and gets another answer, is told by the last.

    Args:
        source: Its name, for errors.
        lines: Its lines; empty ones are passed over.

    Raises:
        InputError: a line is none of those that are written.
    """
    halves: dict[bytes, dict[str, bool]] = {}
    first: dict[bytes, FlowLine] = {}
    counts: dict[bytes, int] = {}
    missed = 0
    for number, text in enumerate(lines, 1):
        if not text.strip():
            continue
        line = _read_line(source, number, text)
        if isinstance(line, FlowsMissed):
            missed += line.missed
            continue
        key = _key(line)
        first.setdefault(key, line)
        counts[key] = counts.get(key, 0) + 1
        known = halves.setdefault(key, {})
        for name, half in (("egress", line.egress), ("ingress", line.ingress)):
            if half is not UNSET:
                known[name] = line.event != "denied"
    flows = tuple(
        _recorded(first[key], allowed=all(halves[key].values()), count=count) for key, count in counts.items()
    )
    return FlowFile(flows, sum(counts.values()), missed)


def _read_line(source: str, number: int, text: bytes) -> FlowLine | FlowsMissed:
    place = Origin(source, number, 1, "", "")
    try:
        if msgspec.json.decode(text, type=_Kind).kind == "FlowsMissed":
            return msgspec.json.decode(text, type=FlowsMissed)
        line = msgspec.json.decode(text, type=FlowLine)
        for end in (line.client, line.server):
            read_address(end.address)
    except (msgspec.MsgspecError, ValueError) as error:
        message = f"{place}: this is no line of a flow: {error}"
        raise InputError(message, _HINT) from None
    return line


class _Kind(msgspec.Struct):
    kind: str


def _key(line: FlowLine) -> bytes:
    """Return all that policies can tell of a flow."""
    ends = [{**msgspec.to_builtins(end), "port": None} for end in (line.client, line.server)]
    port = None if line.server.port is UNSET else line.server.port
    return msgspec.json.encode((*ends, port, line.protocol), order="sorted")


def _recorded(line: FlowLine, *, allowed: bool, count: int) -> Recorded:
    protocol = _PROTOCOLS.get(line.protocol, Protocol.ICMP)
    port = 0 if line.server.port is UNSET or protocol is Protocol.ICMP else line.server.port
    return Recorded(_end(line.client, protocol), _end(line.server, protocol), protocol, port, allowed, count)


def _end(end: FlowEnd, protocol: Protocol) -> RecordedEnd:
    address = read_address(end.address)
    node = None if end.node is UNSET else end.node
    if end.pod is UNSET:
        return RecordedEnd(address, None, {}, node)
    namespace, _, name = end.pod.partition("/")
    names = () if end.port_names is UNSET or end.port is UNSET else end.port_names
    port = 0 if end.port is UNSET else end.port
    pod = Pod(
        namespace,
        name,
        {} if end.labels is UNSET else end.labels,
        Origin("", 0, 0, "", f"Pod/{end.pod}"),
        addresses={family_of(address): address},
        node=node,
        ports=tuple(ContainerPort(each, protocol, port) for each in names),
        workload="" if end.workload is UNSET else end.workload,
    )
    return RecordedEnd(address, pod, {} if end.namespace_labels is UNSET else end.namespace_labels, None)
