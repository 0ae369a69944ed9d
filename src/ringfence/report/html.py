"""The map as one page: a matrix to fold, filter and ask for reasons, without a network.

The page holds data of its own, a style and a script; a policy in its head lets it load
nothing else, and run nothing but that script.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from typing import TYPE_CHECKING, TypedDict

import msgspec

from ringfence.algebra.traffic import ALL, render_traffic
from ringfence.model.policy import Direction
from ringfence.semantics.verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ringfence.algebra.intervals import Intervals
    from ringfence.analysis.matrix import Area, Judge, Matrix, Named
    from ringfence.model.origin import Origin

Runs = list[int]
"""Numbers in order, as the first and last of each run."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the page is made of, besides the map.

    Attributes:
        frame: HTML with the marks ``{{policy}}``, ``{{style}}``, ``{{title}}``, ``{{data}}`` and ``{{script}}``.
        style: CSS.
        script: JavaScript.
    """

    frame: str
    style: str
    script: str


class _Area(TypedDict):
    clients: Runs
    servers: Runs
    traffic: int
    all: bool
    verdict: str
    families: list[int]
    near: bool


class _Rule(TypedDict):
    name: str
    place: str
    action: str
    traffic: int
    kinds: Runs
    perhaps: Runs


class _Judge(TypedDict):
    name: str
    kind: str
    tier: str
    place: str
    isolates: bool
    rules: list[_Rule]


class _Data(TypedDict):
    """What the script reads; numbers stand for the place in a list.

    Members are ``[namespace, name, kind, lone]``; panels have judges by class, for egress and ingress.
    """

    title: str
    remarks: list[str]
    members: list[tuple[str, str, int, int]]
    traffic: list[str]
    areas: list[_Area]
    judges: list[_Judge]
    panels: dict[str, list[list[int]]]
    dual: bool


def render_page(matrix: Matrix, parts: Parts, remarks: Iterable[str], title: str = "Who reaches whom") -> str:
    """Return the page.

    Args:
        matrix: The map.
        parts: What the page is made of.
        remarks: What a reader must know besides, one clause each.
        title: What it is called.
    """
    policy = (
        f"default-src 'none'; style-src '{_hash(parts.style)}'; script-src '{_hash(parts.script)}';"
        " base-uri 'none'; form-action 'none'"
    )
    # In a script element only these end it or begin a comment, and none is in JSON but within strings.
    data = msgspec.json.encode(_data(matrix, remarks, title)).decode().replace("<", r"\u003c")
    filled = {"policy": policy, "title": escape(title), "style": parts.style, "data": data, "script": parts.script}
    first, *rest = parts.frame.split("{{")
    return first + "".join(filled[name] + text for name, _, text in (part.partition("}}") for part in rest))


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _data(matrix: Matrix, remarks: Iterable[str], title: str) -> _Data:
    words: dict[Intervals, int] = {}

    def numbered(traffic: Intervals) -> int:
        return words.setdefault(traffic, len(words))

    areas = [_area(each, numbered(each.line.traffic)) for each in matrix.areas]
    judges = [_judge(each, [_rule(rule, numbered(rule.traffic)) for rule in each.rules]) for each in matrix.judges]
    return {
        "title": title,
        "remarks": list(remarks),
        "members": [(each.namespace, each.name, each.kind, int(each.lone)) for each in matrix.members],
        "traffic": [render_traffic(traffic) for traffic in words],
        "areas": areas,
        "judges": judges,
        "panels": {
            direction.value.lower(): [list(each) for each in matrix.panels[direction]] for direction in Direction
        },
        "dual": len({area.line.families for area in matrix.areas}) > 1,
    }


def _area(area: Area, traffic: int) -> _Area:
    line = area.line
    return {
        "clients": _runs(area.clients),
        "servers": _runs(area.servers),
        "traffic": traffic,
        "all": line.traffic == ALL,
        "verdict": "undecided" if line.outcome is Outcome.UNDECIDED else "allowed",
        "families": [family.value for family in line.families],
        "near": line.own_node,
    }


def _judge(judge: Judge, rules: list[_Rule]) -> _Judge:
    policy = judge.policy
    return {
        "name": policy.name,
        "kind": policy.kind,
        "tier": policy.tier.value,
        "place": _place(policy.origin),
        "isolates": bool(policy.isolates),
        "rules": rules,
    }


def _rule(rule: Named, traffic: int) -> _Rule:
    return {
        "name": rule.origin.rule_words,
        "place": _place(rule.origin),
        "action": rule.action.value,
        "traffic": traffic,
        "kinds": _runs(rule.kinds),
        "perhaps": _runs(rule.perhaps),
    }


def _place(origin: Origin) -> str:
    return f"{origin} {origin.pointer}".rstrip()


def _runs(numbers: Iterable[int]) -> Runs:
    """Return numbers in order as the first and last of each run."""
    found: Runs = []
    for number in numbers:
        if found and number == found[-1] + 1:
            found[-1] = number
        else:
            found += (number, number)
    return found
