"""What would change of recorded flows, as rows of words, and for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import Meta

from ringfence.algebra.addresses import Family, family_of, render_address
from ringfence.algebra.traffic import Protocol
from ringfence.report.counting import counted
from ringfence.report.json import Half, as_half
from ringfence.report.json_parts import API_VERSION, ApiVersion, Faults, Notes, Partial, of_input, render_document
from ringfence.report.table import Table
from ringfence.semantics.verdict import Outcome, origins_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ringfence.analysis.preview import Change, RecordedEnd
    from ringfence.errors import ManifestError
    from ringfence.report.flow_file import FlowFile
    from ringfence.semantics import verdict as verdicts


class ChangedFlows(msgspec.Struct, kw_only=True):
    """Flows of which the other policies say otherwise."""

    change: Annotated[Literal["opened", "closed"], Meta(description="opened: they were denied and would pass.")]
    count: Annotated[int, Meta(description="How many lines tell of such a flow.")]
    client: Annotated[str, Meta(description="Workload or pod by namespace/name, or an address.")]
    server: Annotated[str, Meta(description="Likewise.")]
    protocol: Protocol
    ports: Annotated[list[int], Meta(description="The server's; empty for a protocol without ports.")]
    families: list[Family]
    egress: Annotated[Half, Meta(description="What the other policies say.")]
    ingress: Half


class Preview(msgspec.Struct, kw_only=True):
    """What other policies would have said of recorded flows."""

    api_version: ApiVersion = msgspec.field(name="apiVersion")
    kind: Literal["Preview"]
    flows: Annotated[int, Meta(description="How many lines tell of a flow.")]
    missed: Annotated[int, Meta(description="How many flows no line tells of.")]
    changes: list[ChangedFlows]
    partial: Partial = msgspec.UNSET
    errors: Faults = msgspec.UNSET
    notes: Notes = msgspec.UNSET


class _Row:
    """Flows that would change alike between the same workloads."""

    def __init__(self, first: Change) -> None:
        self.first, self.count = first, 0
        self.ports: set[int] = set()
        self.families: set[Family] = set()

    def add(self, change: Change) -> None:
        """Count flows."""
        recorded = change.recorded
        self.count += recorded.count
        self.families.add(family_of(recorded.client.address))
        if recorded.protocol is not Protocol.ICMP:
            self.ports.add(recorded.port)

    @property
    def halves(self) -> tuple[verdicts.Half, ...]:
        """What decides: every half that is not allowed, or else those of which policies speak, or else both."""
        halves = self.first.verdict.halves
        denied = tuple(half for half in halves if half.outcome is not Outcome.ALLOWED)
        return denied or tuple(half for half in halves if half.origins) or halves


def _rows(changes: Iterable[Change]) -> list[_Row]:
    """Unite changes with the same reasons between the same workloads, in the order of the first of each."""
    found: dict[tuple[object, ...], _Row] = {}
    for change in changes:
        recorded, verdict = change.recorded, change.verdict
        reasons = tuple((half.outcome, half.origins) for half in verdict.halves)
        key = (change.opened, _name(recorded.client), _name(recorded.server), recorded.protocol, reasons)
        found.setdefault(key, _Row(change)).add(change)
    return list(found.values())


def _name(end: RecordedEnd) -> str:
    return "/".join(end.name) if end.name else render_address(end.address)


def _word(change: Change) -> Literal["opened", "closed"]:
    return "opened" if change.opened else "closed"


def tabulate_preview(changes: Sequence[Change], file: FlowFile, *, partial: bool = False) -> Table:
    """Return what would change, a row for each two workloads and reason."""
    rows = []
    for row in _rows(changes):
        recorded = row.first.recorded
        ports = f" {', '.join(map(str, sorted(row.ports)))}" if row.ports else ""
        because = "; ".join(f"{half.direction.value.lower()} {half.reason}" for half in row.halves)
        places = ", ".join(map(str, origins_of(row.halves)))
        rows.append(
            (
                _word(row.first),
                f"{row.count:,}",
                _name(recorded.client),
                _name(recorded.server),
                f"{recorded.protocol.value}{ports}",
                because + (f" ({places})" if places else ""),
            )
        )
    changed = sum(change.recorded.count for change in changes)
    said = [f"of {counted(file.lines, 'recorded flow')}, {changed:,} would be answered otherwise"]
    if file.missed:
        said.append(f"{counted(file.missed, 'more flow was', 'more flows were')} not recorded")
    said += ["part of the input was not read or is in error"] if partial else []
    return Table(("change", "flows", "client", "server", "traffic", "because"), tuple(rows), tuple(said))


def render_preview(
    changes: Sequence[Change], file: FlowFile, errors: Iterable[ManifestError], notes: Iterable[str]
) -> bytes:
    """Return the whole document, indented."""
    found = [
        ChangedFlows(
            change=_word(row.first),
            count=row.count,
            client=_name(row.first.recorded.client),
            server=_name(row.first.recorded.server),
            protocol=row.first.recorded.protocol,
            ports=sorted(row.ports),
            families=sorted(row.families),
            egress=as_half((row.first.verdict.egress,)),
            ingress=as_half((row.first.verdict.ingress,)),
        )
        for row in _rows(changes)
    ]
    return render_document(
        Preview(
            api_version=API_VERSION,
            kind="Preview",
            flows=file.lines,
            missed=file.missed,
            changes=found,
            **of_input(errors, notes),
        )
    )
