"""Explanations for programs."""

from __future__ import annotations

import json

from ringfence.report.explanation import EVERYTHING, explained
from ringfence.report.json_explanation import render_explanation


def test_a_field_comes_with_its_open_points():
    """And these with what is known of each dialect."""
    found = explained("netpol.spec.policyTypes")
    assert found
    document = json.loads(render_explanation(found))

    assert document["kind"] == "Explanation"
    (field,), (point,) = document["fields"], document["open_points"]
    assert field["open_points"] == [point["topic"]] == ["baseline-per-direction"]
    assert field["decided_in"][0] == "readers/networkpolicy.py"
    aws = next(each for each in point["dialects"] if each["dialect"] == "aws")
    assert (aws["choice"], aws["certainty"]) == ("not consulted", "inferred")


def test_everything_is_one_document():
    """Every field and every point."""
    document = json.loads(render_explanation(EVERYTHING))

    assert len(document["fields"]) == len(EVERYTHING.fields)
    assert len(document["open_points"]) == len(EVERYTHING.points)
