"""What a lab says: each answer as text for people and as a document for programs."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from ringfence.algebra.addresses import render_address
from ringfence.algebra.traffic import Protocol
from ringfence.lab.documents import (
    DeniedFlow,
    Difference,
    FamilyTally,
    FloodTally,
    Lab,
    LabNode,
    LabPlay,
    LabVerification,
    NodeFlows,
    NodeRules,
    PlayedStep,
    answers,
    named,
    plain,
)
from ringfence.lab.ends import render_end
from ringfence.report.columns import render_columns
from ringfence.report.counting import counted
from ringfence.report.json_flows import as_halves
from ringfence.report.json_parts import API_VERSION
from ringfence.report.table import Table
from ringfence.semantics.verdict import origins_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ringfence.lab import held
    from ringfence.lab.ends import Ends
    from ringfence.lab.floods import Tally
    from ringfence.lab.judge import Comparison
    from ringfence.lab.play import Played
    from ringfence.lab.topology import Topology
    from ringfence.lab.verification import Verification
    from ringfence.model.snapshot import Snapshot

_SHOWN = 20
"""Differences that are printed; the others are counted."""


@dataclass(frozen=True, slots=True)
class Words:
    """An answer.

    Attributes:
        text: For people; every line ended by a newline.
        document: For programs.
        good: False for a denied connection or a difference.
        notes: For people, beside the answer.
    """

    text: str
    document: dict[str, Any]
    good: bool = True
    notes: tuple[str, ...] = ()


def summarize(topology: Topology, name: str) -> Words:
    """Say what a lab consists of."""
    snapshot = topology.snapshot
    living = [pod for pod in snapshot.pods if not pod.terminal]
    addresses_of = {str(pod): [*map(render_address, snapshot.addresses_of(pod).values())] for pod in living}
    rows, nodes = [], []
    for node in snapshot.nodes.values():
        addresses = [render_address(address) for address in node.addresses]
        there = [str(pod) for pod in living if pod.node == node.name]
        rows.append((node.name, ", ".join(addresses), str(len(there))))
        nodes.append(LabNode(name=node.name, addresses=addresses, pods=there))
    services = {str(each): [*map(render_address, each.addresses.values())] for each in snapshot.services}
    reachable = {service: addresses for service, addresses in services.items() if addresses}
    remark = (
        f"lab {name}: {counted(len(topology.pods), 'pod')} on {counted(len(nodes), 'node')}, "
        f"{counted(len(reachable), 'Service')}, {count_policies(snapshot)}, "
        f"{counted(len(topology.outside), 'address', 'addresses')} outside"
    )
    tables = [Table(("node", "addresses", "pods"), tuple(rows), ())]
    if reachable:
        named = tuple((service, ", ".join(addresses)) for service, addresses in reachable.items())
        tables.append(Table(("service", "addresses"), named, ()))
    tables[-1] = replace(tables[-1], remarks=(remark,))
    text = "".join(map(render_columns, tables))
    outside = [*map(render_address, topology.outside)]
    lab = Lab(
        api_version=API_VERSION,
        kind="Lab",
        name=name,
        nodes=nodes,
        pods=addresses_of,
        services=reachable,
        outside=outside,
    )
    return Words(text, plain(lab), notes=topology.notes)


def count_policies(snapshot: Snapshot) -> str:
    """Say how many policies there are, and how many of them are in audit."""
    policies = counted(len(snapshot.policies), "policy", "policies")
    return f"{policies}, {len(snapshot.audited):,} of them in audit" if snapshot.audited else policies


def tell_verification(ends: Ends, found: Verification) -> Words:
    """Say how many connections were tried, and where the three do not agree."""
    rows, families = [], []
    for family in ends.topology.snapshot.families:
        tally = found.tally(family)
        families.append(FamilyTally(family=family, **asdict(tally)))
        allowed = [f"{count:,} allowed" for count in (tally.engine, tally.program, tally.kernel)]
        rows.append((f"IPv{family.value}", f"{tally.tried:,}", *allowed, f"{tally.differences:,}"))
    head = ("family", "tried", "engine", "program", "kernel", "differences")
    remarks = [*_scope(found), f"{counted(len(found.differences), 'difference')} between engine, program and kernel"]
    differences = [_difference(ends, each) for each in found.differences]
    snapshot = ends.topology.snapshot
    nodes = [NodeRules(node=each.node, pods=each.proof.pods, wrong=[*each.lines(snapshot)]) for each in found.nodes]
    wrong = [line for each in nodes for line in each.wrong]
    if nodes:
        compared = f"{counted(sum(each.pods for each in nodes), 'pod')} with every address, protocol and port"
        remarks.append(f"{counted(len(wrong), 'difference')} between engine and what the nodes hold: {compared}")
    flows = [_judged(each) for each in found.flows or ()]
    denied = [line for each in found.flows or () for line in _going_on(each)]
    if found.flows is not None:
        remarks.append(_counts(flows))
    text = render_columns(Table(head, tuple(rows), tuple(remarks)))
    text += _listed([f"{each.text}\n  {each.packet}" for each in differences]) + _listed(wrong) + _listed(denied)
    document = LabVerification(
        api_version=API_VERSION,
        kind="LabVerification",
        tried=len(found.comparisons),
        total=found.total,
        through_services=found.through_services,
        undecided=found.undecided,
        missed=found.missed,
        families=families,
        differences=differences,
        nodes=nodes,
        flows=UNSET if found.flows is None else flows,
    )
    took = f"{counted(len(found.comparisons), 'connection')} took {found.seconds:.1f} s"
    return Words(text, plain(document), good=not (differences or wrong or denied), notes=(took,))


def _listed(lines: list[str]) -> str:
    """Return some lines below a table, and how many more there are."""
    more = len(lines) - _SHOWN
    return "".join(f"  {line}\n" for line in lines[:_SHOWN]) + (f"  and {more:,} more\n" if more > 0 else "")


def _judged(found: held.NodeFlows) -> NodeFlows:
    flows = found.flows
    denied = [
        DeniedFlow(**named(each.connection), flow=str(each.flow), **as_halves(each.halves)) for each in flows.denied
    ]
    return NodeFlows(
        node=found.node, read=flows.read, judged=flows.judged, others=flows.others, anew=flows.anew, denied=denied
    )


def _counts(nodes: list[NodeFlows]) -> str:
    read, judged, others, anew = (
        sum(each) for each in zip(*((node.read, node.judged, node.others, node.anew) for node in nodes), strict=True)
    )
    denied = counted(sum(len(node.denied) for node in nodes), "flow goes", "flows go")
    return (
        f"{denied} on although denied: of {read:,} that the nodes track {judged:,} were judged, "
        f"{others:,} are not of pods, {anew:,} are judged at their next packet"
    )


def _going_on(found: held.NodeFlows) -> Iterator[str]:
    for each in found.flows.denied:
        connection = each.connection
        port = "" if connection.protocol is Protocol.ICMP else f"/{connection.port}"
        ends = f"{render_end(connection.client)} -> {render_end(connection.server)} {connection.protocol.value}{port}"
        why = "; ".join(f"{h.direction.value.lower()} {h.outcome.value}: {h.reason}" for h in each.halves)
        places = ", ".join(map(str, origins_of(each.halves)))
        yield f"{found.node}: {ends} goes on: {each.flow} ({why}; {places})"


def tell_play(played: Sequence[Played], tallies: Mapping[str, Tally]) -> Words:
    """Say what came of each step of a play, and of each flood."""
    lines = [
        f"{'ok' if each.good else 'failed':6}  {each.step.origin}  {each.step.act}: {each.said}" for each in played
    ]
    failed = sum(not each.good for each in played)
    lines.append(f"{counted(len(played), 'step')}, {failed:,} failed")
    steps = [
        PlayedStep(
            source=each.step.origin.source,
            line=each.step.origin.line,
            step=str(each.step.act),
            said=each.said,
            good=each.good,
        )
        for each in played
    ]
    floods = [FloodTally(name=name, **asdict(tally)) for name, tally in tallies.items()]
    document = LabPlay(api_version=API_VERSION, kind="LabPlay", steps=steps, floods=floods)
    return Words("".join(f"{line}\n" for line in lines), plain(document), good=not failed)


def _scope(found: Verification) -> list[str]:
    tried, services = len(found.comparisons), found.through_services
    through = f", {services:,} of them through Services" if services else ""
    said = [f"{counted(tried, 'connection')}{through}, {found.undecided:,} undecided"]
    if tried < found.total:
        said.append(f"one pair stands for each two classes; --all tries all {counted(found.total, 'connection')}")
    if found.missed:
        entries = counted(found.missed, "log entry", "log entries")
        said.append(f"the kernel threw {entries} away, so what was dropped may count as lost")
    return said


def _difference(ends: Ends, comparison: Comparison) -> Difference:
    asked = comparison.connection
    addresses = [render_address(ends.address(end, asked.family)) for end in (asked.client, asked.server)]
    logged = comparison.result.logged
    by = f", logged as {logged.prefix.strip()!r}" if logged else ""
    packet = f"packet {addresses[0]} -> {addresses[1]}{by}"
    return Difference(**answers(comparison), text=str(comparison), packet=packet)
