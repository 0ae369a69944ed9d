"""An answer for people: the verdict first, then who decided each half, and where it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.algebra.traffic import render_traffic
from ringfence.errors import one_line
from ringfence.model.policy import Direction
from ringfence.report.change import tell_edit, tell_others, tell_writer, write_edit
from ringfence.semantics.answer import MIXED
from ringfence.semantics.dialects import EQUAL_PRIORITY
from ringfence.semantics.open_points import OPEN_POINTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ringfence.algebra.addresses import Family
    from ringfence.analysis.weighing import Change
    from ringfence.model.naming import Directory
    from ringfence.model.origin import Origin
    from ringfence.semantics.answer import Answer
    from ringfence.semantics.remark import Remark
    from ringfence.semantics.verdict import Assumption, Half, Undefined
    from ringfence.semantics.ways import Hop

_COLORS = {"allowed": "32", "denied": "31", "undecided": "33", MIXED: "33"}

_OPEN = {point.topic: point.about for point in OPEN_POINTS}
"""What each open point is about."""

_CHECKED_BY = {
    "pod-address": "; give --pod-cidr to check",
    "node-address": "; give its Node and nodeName to check",
    "family": "; give --pod-cidr to check",
    "service-address": "; ask about their pods",
}
"""How to make sure of an assumption."""

_Row = tuple[str, str, str]
"""A direction, a word, and what is said; either of the first may be empty."""


def render_answer(
    answer: Answer,
    *,
    change: Change | None = None,
    cut: Change | None = None,
    wide: bool = False,
    partial: bool = False,
    color: bool = False,
) -> str:
    """Return an answer as lines, each ended by a newline.

    Args:
        answer: What to say.
        change: What would allow what it denies; None says nothing of it.
        cut: What would deny what it allows; likewise.
        wide: Whether the lines of that are written out.
        partial: Whether part of the input was not read.
        color: Whether verdicts are colored.
    """
    question = answer.question
    asked = render_traffic(answer.traffic)
    if isinstance(question.port, str) and question.protocol:
        asked = f"{question.protocol.value} {question.port} ({asked.removeprefix(f'{question.protocol.value} ')})"
    family = (question.family,) if question.family else ()
    lines = [_headline(answer.verdict, question.client, question.server, asked, family, color=color)]
    halves = (
        ()
        if answer.divided
        else (*_hops(answer.hops), *_halves(answer.egress, answer.ingress), *_undefined(answer.undefined))
    )
    premises = (row for each in answer.premises for row in _assumed(each))
    notes = _remarks(answer.notes if answer.divided else answer.remarks)
    missing = [("", "partial", "part of the input was not read or is in error")] if partial else []
    lines += _table((*halves, *premises, *notes, *missing), indent=2, color=color)
    for part in answer.parts if answer.divided else ():
        word = part.verdict.outcome.value
        families = part.families if part.families != answer.families else ()
        line = _headline(word, part.client, part.server, render_traffic(part.traffic), families, color=color)
        lines.append(f"  {line}")
        told = (*_halves((part.verdict.egress,), (part.verdict.ingress,)), *_undefined(part.verdict.undefined))
        lines += _table((*_hops(part.hops), *told, *_remarks(part.remarks)), indent=4, color=color)
    for label, turning in (("change", change), ("cut", cut)):
        if turning:
            lines += _table(_change(label, turning, answer.directory, wide=wide), indent=2, color=color)
    return "".join(f"{line}\n" for line in lines)


def _headline(word: str, client: str, server: str, traffic: str, families: tuple[Family, ...], *, color: bool) -> str:
    spoken = "".join(f"  IPv{family.value}" for family in families)
    return f"{_paint(word, color=color)}  {one_line(f'{client} -> {server}')}  {traffic}{spoken}"


def _halves(egress: tuple[Half, ...], ingress: tuple[Half, ...]) -> Iterator[_Row]:
    """Yield what is said of each half; one direction may have several reasons."""
    for direction, halves in ((Direction.EGRESS, egress), (Direction.INGRESS, ingress)):
        label = direction.value.lower()
        for half in halves:
            yield label, half.outcome.value, half.reason
            yield from (("", "", _place(origin)) for origin in half.origins)
            yield from (("", "passed", _place(origin)) for origin in half.passed)
            yield from (("", "nearest", _place(origin)) for origin in half.nearest)
            yield from (row for each in half.assumptions for row in _assumed(each))
            label = ""


def _undefined(points: tuple[Undefined, ...]) -> Iterator[_Row]:
    for point in points:
        yield "", "undefined", f"the API leaves open {_OPEN[point.topic]}{_decided(point)}"


def _decided(point: Undefined) -> str:
    if point.topic == EQUAL_PRIORITY:
        return ", in every dialect"
    others = f"; {', '.join(point.otherwise)} would answer otherwise" if point.otherwise else ""
    return f": dialect {point.dialect} decided{others}"


def _hops(hops: tuple[Hop, ...]) -> Iterator[_Row]:
    """Yield the way to a Service, a line for each hop."""
    label = "hops"
    for hop in hops:
        port = "" if hop.port is None else f" {hop.protocol.value} {hop.port}"
        yield label, "", f"{hop.at}{port}: {hop.text}"
        label = ""


def _remarks(remarks: tuple[Remark, ...]) -> Iterator[_Row]:
    for remark in remarks:
        yield "", "note", remark.text
        yield from (("", "", _place(origin)) for origin in remark.origins)


def _change(label: str, change: Change, directory: Directory, *, wide: bool) -> Iterator[_Row]:
    """Yield what would turn an answer, and what else that would change."""
    for edit in change.edits:
        yield label, edit.direction.value.lower(), tell_edit(edit)
        if edit.place:
            yield "", "", _place(edit.place)
        yield from (("", "", line) for line in write_edit(edit).splitlines() if wide)
        label = ""
    for writer in dict.fromkeys(tell_writer(edit) for edit in change.edits):
        yield from [("", "", writer)] if writer else []
    if not change.edits:
        yield label, "none", change.reason
        return
    if not change.others:
        yield "", "besides", "nothing"
    for said, text in tell_others(change, directory):
        yield "", said and f"besides {said}", text
    yield from (row for each in change.assumptions for row in _assumed(each))


def _assumed(assumption: Assumption) -> Iterator[_Row]:
    """Yield what is said of an assumption."""
    word = "left out" if assumption.topic == "port-name" else "assuming"
    check = _CHECKED_BY.get(assumption.topic, "")
    yield "", word, assumption.text + check
    yield from (("", "", _place(origin)) for origin in assumption.origins)


def _place(origin: Origin) -> str:
    """Return where something is written; of a live object also in which version, and by whom."""
    place = f"{origin} {origin.pointer}".rstrip()
    if not origin.resource_version:
        return place
    writer = f", by {origin.field_manager}" if origin.field_manager else ""
    return f"{place} (resourceVersion {origin.resource_version}{writer})"


def _table(rows: Iterable[_Row], indent: int, *, color: bool) -> Iterator[str]:
    """Yield rows as lines in three columns."""
    listed = list(rows)
    width = max((len(word) for _, word, _ in listed), default=0)
    for label, word, text in listed:
        yield f"{'':{indent}}{label:7}  {_paint(word, color=color)}{'':{width - len(word)}}  {one_line(text)}"


def _paint(word: str, *, color: bool) -> str:
    return f"\x1b[{_COLORS[word]}m{word}\x1b[0m" if color and word in _COLORS else word
