"""One field of a policy kind."""

from __future__ import annotations

from ringfence.report.api_field import ApiField


def test_a_field_knows_its_kind():
    """It is the first name of its path."""
    assert ApiField("networkpolicy.spec.ingress", "list", "Rules.", "None.").kind == "networkpolicy"
