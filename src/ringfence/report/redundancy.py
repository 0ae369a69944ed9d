"""What could be left out, as rows of words, which text, CSV and Markdown share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.analysis.redundancy import Lack
from ringfence.report.counting import counted
from ringfence.report.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ringfence.analysis.redundancy import Idle
    from ringfence.model.snapshot import Snapshot


def tabulate_redundancy(found: Sequence[Idle], snapshot: Snapshot, *, partial: bool = False) -> Table:
    """Return what could be left out, each alone, a row each; ``partial`` when part of the input was not read."""
    rows = tuple(
        (
            f"{each.policy.kind} {each.policy.name}",
            f"{each.direction.value.lower()} {each.rule.origin.rule_words}" if each.rule and each.direction else "",
            each.lack.value,
            _beside(each),
            str((each.rule or each.policy).origin),
        )
        for each in found
    )
    policies = counted(len(snapshot.policies), "policy", "policies")
    whole = sum(each.rule is None for each in found)
    said = [f"of {policies}, {whole} and {counted(len(found) - whole, 'rule')} could be left out, each alone"]
    said += ["part of the input was not read or is in error"] if partial else []
    return Table(("policy", "rule", "what", "beside it", "place"), rows, tuple(said))


def _beside(each: Idle) -> str:
    """Return what says the same, where that is why something could be left out."""
    if each.lack is not Lack.ROW:
        return ""
    return ", ".join(ground.words for ground in each.instead.deciding) or "others isolate the same pods"
