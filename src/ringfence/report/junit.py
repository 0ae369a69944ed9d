"""How intents stand as JUnit's XML, which build servers show as tests: one case for each intent.

Source: the JUnit XML format as Jenkins and GitLab read it: ``failure`` for what is broken, ``error`` for what
could not be decided.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from ringfence.analysis.proving import Standing
from ringfence.errors import one_line
from ringfence.report.intents import describe, name_connection, reasons

if TYPE_CHECKING:
    from ringfence.analysis.proving import Finding


def render_junit(findings: tuple[Finding, ...]) -> bytes:
    """Return a document with one suite."""
    counts = [sum(each.standing is standing for each in findings) for standing in (Standing.BROKEN, Standing.UNDECIDED)]
    head = f'tests="{len(findings)}" failures="{counts[0]}" errors="{counts[1]}"'
    cases = "".join(_case(each) for each in findings)
    suite = f'  <testsuite name="ringfence assert" {head}>\n{cases}  </testsuite>\n'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites {head}>\n{suite}</testsuites>\n'.encode()


def _case(finding: Finding) -> str:
    origin = finding.intent.origin
    place = f'file={_quoted(origin.source)} line="{origin.line}"'
    case = f"    <testcase classname={_quoted(origin.source)} name={_quoted(describe(finding))} {place}"
    if not finding.counterexample:
        return f"{case}/>\n"
    element = "failure" if finding.standing is Standing.BROKEN else "error"
    lines = [", ".join([text, *map(str, half.places)]) for half, text in reasons(finding.counterexample)]
    body = escape("\n".join(one_line(line) for line in lines))
    what = (
        f"{element} message={_quoted(name_connection(finding.counterexample))} type={_quoted(finding.standing.value)}"
    )
    return f"{case}>\n      <{what}>{body}</{element}>\n    </testcase>\n"


def _quoted(text: str) -> str:
    return quoteattr(one_line(text))
