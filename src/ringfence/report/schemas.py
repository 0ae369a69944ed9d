"""The published JSON Schemas of the documents, made of their shapes."""

from __future__ import annotations

from ringfence.report.json import Answer, Brief, Reachability, Refusal
from ringfence.report.json_describing import DescriptionDocument
from ringfence.report.json_difference import Difference
from ringfence.report.json_explanation import ExplanationDocument
from ringfence.report.json_exposure import ExposureDocument
from ringfence.report.json_flows import FlowLine, FlowsMissed
from ringfence.report.json_intents import IntentsDocument
from ringfence.report.json_parts import schema
from ringfence.report.json_reach import Reach
from ringfence.report.json_redundancy import Redundancy
from ringfence.report.node import NodeExamination
from ringfence.report.preview import Preview


def schemas() -> dict[str, bytes]:
    """Return the JSON Schema of each kind of document, by the name of its file."""
    return {
        "verdict.json": schema(Answer, Brief, Refusal),
        "reachability.json": schema(Reachability),
        "reach.json": schema(Reach),
        "description.json": schema(DescriptionDocument),
        "exposure.json": schema(ExposureDocument),
        "intents.json": schema(IntentsDocument),
        "difference.json": schema(Difference),
        "redundancy.json": schema(Redundancy),
        "node.json": schema(NodeExamination),
        "preview.json": schema(Preview),
        "flow.json": schema(FlowLine, FlowsMissed),
        "explanation.json": schema(ExplanationDocument),
    }
