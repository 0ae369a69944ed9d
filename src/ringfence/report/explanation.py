"""Fields and open points by name, and in words for people."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from ringfence.report.columns import render_columns
from ringfence.report.namespaced_fields import NAMESPACED
from ringfence.report.open_points import render_section, stance_rows
from ringfence.report.table import Table
from ringfence.report.tiered_fields import TIERED
from ringfence.semantics.open_points import OPEN_POINTS

if TYPE_CHECKING:
    from ringfence.report.api_field import ApiField
    from ringfence.semantics.point import OpenPoint

API_FIELDS = (*NAMESPACED, *TIERED)
"""Every field, kind by kind."""

DECIDED_IN = {
    "networkpolicy": ("readers/networkpolicy.py", "readers/validation.py", "semantics/spec.py"),
    "clusternetworkpolicy": ("readers/clusternetworkpolicy.py", "readers/schemas.py", "semantics/spec.py"),
    "adminnetworkpolicy": ("readers/adminnetworkpolicy.py", "readers/schemas.py", "semantics/spec.py"),
    "baselineadminnetworkpolicy": ("readers/adminnetworkpolicy.py", "readers/schemas.py", "semantics/spec.py"),
}
"""The modules that read a kind and say what it means, under ``src/ringfence``."""

_SHORT = {
    "netpol": "networkpolicy",
    "cnp": "clusternetworkpolicy",
    "anp": "adminnetworkpolicy",
    "banp": "baselineadminnetworkpolicy",
}

_WIDTH = 100


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a name stands for.

    Attributes:
        fields: The field itself; of an open point, the fields that it bears on.
        points: The open point itself; of a field, those that bear on it.
    """

    fields: tuple[ApiField, ...]
    points: tuple[OpenPoint, ...]


EVERYTHING = Explanation(API_FIELDS, OPEN_POINTS)
"""What there is to explain."""

_FIELDS = {field.path.lower(): field for field in API_FIELDS}
_POINTS = {point.topic: point for point in OPEN_POINTS}


def explained(name: str) -> Explanation | None:
    """Find a field by its path, or an open point by its topic.

    Args:
        name: In any case; a kind may be short, stand alone for its spec or be plural, and indexes do not count.
    """
    spoken = _spoken(name)
    if spoken in _POINTS:
        return Explanation(tuple(each for each in API_FIELDS if spoken in each.topics), (_POINTS[spoken],))
    field = _FIELDS.get(spoken)
    return Explanation((field,), tuple(map(_POINTS.__getitem__, field.topics))) if field else None


def nearest(name: str) -> str:
    """Return the path or topic that is most like a name; empty when none is."""
    spoken = _spoken(name)
    found = get_close_matches(spoken, [*_POINTS, *_FIELDS], 1)
    if not found:
        last = spoken.rpartition(".")[2]
        found = [path for path in _FIELDS if path.endswith(f".{last}")]
    return _FIELDS[found[0]].path if found and found[0] in _FIELDS else "".join(found[:1])


def _spoken(name: str) -> str:
    head, dot, rest = re.sub(r"\[\d*\]", "", name.strip(".").lower()).partition(".")
    kind = _SHORT.get(head, head)
    kind = f"{kind[:-3]}y" if f"{kind[:-3]}y" in _SHORT.values() else kind
    return f"{kind}{dot}{rest}" if dot or kind not in _SHORT.values() else f"{kind}.spec"


def field_members(field: ApiField) -> tuple[str, ...]:
    """Return the names of the fields in a field."""
    start = f"{field.path}."
    below = (each.path.removeprefix(start) for each in API_FIELDS if each.path.startswith(start))
    return tuple(path for path in below if "." not in path)


def render_overview() -> str:
    """Return every topic and every field, a line each."""
    points = tuple((each.topic, each.choices[0], ", ".join(each.otherwise) or "-") for each in OPEN_POINTS)
    fields = tuple((each.path, each.type) for each in API_FIELDS)
    more = "ringfence explain-api NAME says more of one"
    tables = (Table(("open point", "by default", "otherwise"), points, ()), Table(("field", "type"), fields, (more,)))
    return "\n".join(render_columns(each).rstrip("\n") + "\n" for each in tables)


def render_text(found: Explanation, name: str) -> str:
    """Return what a name stands for, for people."""
    return _point_text(found) if _spoken(name) in _POINTS else _field_text(found)


def render_markdown(found: Explanation, name: str) -> str:
    """Return what a name stands for as sections of a page."""
    if _spoken(name) in _POINTS:
        return "\n".join(map(render_section, found.points))
    (field,) = found.fields
    facts = (f"- {label.capitalize()}: {text}" for label, text in _facts(field))
    head = [f"### {field.path}", "", *facts, ""]
    return "\n".join([*head, *map(render_section, found.points)])


def _facts(field: ApiField) -> tuple[tuple[str, str], ...]:
    facts = (
        ("type", field.type),
        ("means", field.about),
        ("absent", field.absent),
        ("refused", field.refused),
        ("mind", field.traps),
        ("fields", ", ".join(field_members(field))),
        ("decided", ", ".join(DECIDED_IN[field.kind])),
    )
    return tuple((label, text) for label, text in facts if text)


def _field_text(found: Explanation) -> str:
    (field,) = found.fields
    lines = [field.path, *(line for label, text in _facts(field) for line in _folded(label, text))]
    for point in found.points:
        chosen = f"by default {point.choices[0]}"
        others = (f"{dialect}: {point.choice_of(dialect)}" for dialect in point.otherwise)
        lines += _folded("open", f"{point.topic}: {point.about}; {'; '.join((chosen, *others))}")
    return "\n".join([*lines, ""])


def _point_text(found: Explanation) -> str:
    (point,) = found.points
    lines = [
        point.topic,
        *_folded("open", point.about),
        *_folded("upstream", point.upstream),
        *_folded("choices", ", ".join((f"{point.choices[0]} (the default)", *point.choices[1:]))),
        *_folded("fields", ", ".join(each.path for each in found.fields)),
        *(line for row in stance_rows(point) for line in _folded(row[0], _stance(*row[1:]))),
        "",
    ]
    return "\n".join(lines)


def _stance(choice: str, certainty: str, source: str, remark: str) -> str:
    return f"{choice} ({certainty}: {source}){remark and '; '}{remark}"


def _folded(label: str, text: str) -> list[str]:
    """Return a fact under its label, on as many lines as it needs."""
    start = f"  {label:10}"
    return textwrap.wrap(text, _WIDTH, initial_indent=start, subsequent_indent=" " * len(start), break_on_hyphens=False)
