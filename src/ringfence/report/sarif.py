"""How intents stand as SARIF 2.1.0, which code hosts show beside the lines of a change.

A result stands at its intent; the policies that decide about its connection are related places.

Source: docs.oasis-open.org/sarif/sarif/v2.1.0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ringfence.analysis.intents import Aim
from ringfence.analysis.proving import Standing
from ringfence.report.intents import describe, name_connection, reasons
from ringfence.report.json_parts import render_document

if TYPE_CHECKING:
    from ringfence.analysis.proving import Finding
    from ringfence.model.origin import Origin

_ABOUT = {
    Aim.ALLOW: "Every client reaches every server.",
    Aim.DENY: "No client reaches any server.",
    Aim.ONLY: "Nobody else is at the other end.",
    Aim.ISOLATED: "No group reaches another.",
}


def render_sarif(findings: tuple[Finding, ...], version: str) -> bytes:
    """Return a log with one run; intents that hold are in no result.

    Args:
        findings: How intents stand.
        version: The version of the program.
    """
    rules = [{"id": aim.value, "shortDescription": {"text": about}} for aim, about in _ABOUT.items()]
    results = [_result(each) for each in findings if each.standing is not Standing.HELD]
    driver = {"name": "ringfence", "version": version, "rules": rules}
    return render_document(
        {
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": [{"tool": {"driver": driver}, "results": results}],
        }
    )


def _result(finding: Finding) -> dict[str, Any]:
    example = finding.counterexample
    told = [f"{describe(finding)} is {finding.standing.value}"]
    origins: dict[Origin, None] = {}
    if example:
        told += [name_connection(example), *(text for _, text in reasons(example))]
        origins = dict.fromkeys(origin for half in example.verdict.halves for origin in half.places)
    return {
        "ruleId": finding.intent.aim.value,
        "level": "error" if finding.standing is Standing.BROKEN else "warning",
        "message": {"text": "; ".join(told)},
        "locations": [_location(finding.intent.origin)],
        "relatedLocations": [_location(each) for each in origins],
    }


def _location(origin: Origin) -> dict[str, Any]:
    # A URI reference: a colon in its first part would else end a scheme, and # and ? a path.
    place: dict[str, Any] = {"artifactLocation": {"uri": quote(origin.source)}}
    if origin.line:
        place["region"] = {"startLine": origin.line, "startColumn": origin.column}
    return {"physicalLocation": place, "message": {"text": f"{origin.object} {origin.pointer}".rstrip()}}
