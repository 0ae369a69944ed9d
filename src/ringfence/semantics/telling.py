"""Stand-ins: what is judged of one end is told of many, under their own names."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ringfence.model.cluster import Pod
from ringfence.semantics.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringfence.model.connection import End
    from ringfence.semantics.verdict import Half

CLIENT, SERVER, NODE = "{client}", "{server}", "{node}"
"""Stand-ins for names in what is said; no Kubernetes name has braces."""


def stand_in(end: End, name: str) -> End:
    """Return a pod under another name, which no policy looks at."""
    return end.called(name) if isinstance(end, Pod) else end


def tell(text: str, names: Mapping[str, str]) -> str:
    """Return a text that speaks of others."""
    for old, new in names.items():
        text = text.replace(old, new)
    return text


def told(answer: Verdict, names: Mapping[str, str]) -> Verdict:
    """Return a verdict whose texts speak of others."""
    return Verdict(*(told_half(half, names) for half in answer.halves))


def told_half(half: Half, names: Mapping[str, str]) -> Half:
    """Return a half whose texts speak of others; the same object where they speak of none of these."""
    if not half.assumptions and not any(name in half.reason for name in names):
        return half
    assumptions = tuple(replace(each, text=tell(each.text, names)) for each in half.assumptions)
    return replace(half, reason=tell(half.reason, names), assumptions=assumptions)
