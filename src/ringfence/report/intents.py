"""How intents stand, for people: those that do not hold first come with a connection and what decides about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.algebra.addresses import render_address
from ringfence.algebra.traffic import Protocol
from ringfence.analysis.proving import Standing
from ringfence.errors import one_line
from ringfence.model.cluster import Pod
from ringfence.report.counting import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.analysis.proving import Counterexample, Finding
    from ringfence.model.connection import End
    from ringfence.semantics.verdict import Half

_COLORS = {Standing.HELD: "32", Standing.BROKEN: "31", Standing.UNDECIDED: "33"}


def render_findings(
    findings: tuple[Finding, ...], *, wide: bool = False, partial: bool = False, color: bool = False
) -> str:
    """Return findings as lines, each ended by a newline.

    Args:
        findings: In the order of their file.
        wide: Whether to say which policies keep isolated groups apart.
        partial: Whether part of the input was not read.
        color: Whether words are colored.
    """
    lines = []
    for finding in findings:
        word = finding.standing.value
        shown = f"\x1b[{_COLORS[finding.standing]}m{word}\x1b[0m" if color else word
        lines.append(f"{shown}  {one_line(describe(finding))}  {one_line(str(finding.intent.origin))}")
        lines += (f"  {one_line(line)}" for line in _told(finding))
        if wide:
            lines += (f"  apart: {one_line(each.words)}  {one_line(str(each.origin))}" for each in finding.grounds)
    counts = {standing: sum(each.standing is standing for each in findings) for standing in Standing}
    said = ", ".join(f"{count} {standing.value}" for standing, count in counts.items() if count)
    lines += ["", f"{counted(len(findings), 'intent')}: {said}"]
    lines += ["part of the input was not read or is in error"] if partial else []
    return "".join(f"{line}\n" for line in lines)


def describe(finding: Finding) -> str:
    """Return what an intent says, after its name where it has one."""
    intent = finding.intent
    return f"{intent.name}: {intent}" if intent.name else str(intent)


def name_connection(example: Counterexample) -> str:
    """Return a connection as it is asked about: ``shop/web -> shop/db  TCP 5432``."""
    asked = example.connection
    port = "" if asked.protocol is Protocol.ICMP else f" {asked.port}"
    outcome = example.verdict.outcome.value
    return f"{outcome} {name_end(asked.client)} -> {name_end(asked.server)} {asked.protocol.value}{port}"


def name_end(end: End) -> str:
    """Return a pod's name, or an address."""
    return str(end) if isinstance(end, Pod) else render_address(end)


def reasons(example: Counterexample) -> Iterator[tuple[Half, str]]:
    """Yield both halves of a connection's verdict, in words."""
    for half in example.verdict.halves:
        yield half, f"{half.direction.value.lower()} {half.outcome.value}: {half.reason}"


def _told(finding: Finding) -> Iterator[str]:
    if finding.counterexample:
        yield name_connection(finding.counterexample)
        for half, text in reasons(finding.counterexample):
            yield f"  {text}"
            yield from (f"    {origin} {origin.pointer}".rstrip() for origin in half.places)
            yield from (f"    assuming {each.text}" for each in half.assumptions)
