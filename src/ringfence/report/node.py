"""What an examination of a node found: lines for people, and a document for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import Meta

from ringfence.errors import one_line
from ringfence.model.finding import Finding, Weight
from ringfence.report.counting import counted
from ringfence.report.json_parts import API_VERSION, ApiVersion, render_document

if TYPE_CHECKING:
    from collections.abc import Sequence


class NodeFinding(msgspec.Struct, kw_only=True):
    """One thing that was found."""

    weight: Annotated[
        Weight,
        Meta(description="fault: what policies deny may pass, or nothing is enforced; note: anything else."),
    ]
    topic: Annotated[str, Meta(description="What it is about, in one word that stays.")]
    what: str
    consequence: str
    remedy: str


class NodeExamination(msgspec.Struct, kw_only=True):
    """A node, and what stands in the way of policies there."""

    api_version: ApiVersion = msgspec.field(name="apiVersion")
    kind: Literal["NodeExamination"]
    kernel: Annotated[str, Meta(description="The kernel's release.")]
    nft: Annotated[str, Meta(description="The version of nft; empty where it is not installed.")]
    findings: Annotated[list[NodeFinding], Meta(description="Faults first.")]


def render_node(kernel: str, nft: str, found: Sequence[Finding]) -> bytes:
    """Return a line for each finding, and one that sums up."""
    faults = sum(each.weight is Weight.FAULT for each in found)
    node = f"Linux {kernel}, {f'nft {nft}' if nft else 'no nft'}"
    told = f"{counted(faults, 'fault')}, {counted(len(found) - faults, 'note')}"
    return "".join(f"{one_line(str(line))}\n" for line in (*found, f"{node}: {told}")).encode()


def render_node_document(kernel: str, nft: str, found: Sequence[Finding]) -> bytes:
    """Return the same as JSON."""
    findings = [
        NodeFinding(
            weight=each.weight,
            topic=each.topic,
            what=each.what,
            consequence=each.consequence,
            remedy=each.remedy,
        )
        for each in found
    ]
    return render_document(
        NodeExamination(api_version=API_VERSION, kind="NodeExamination", kernel=kernel, nft=nft, findings=findings)
    )
