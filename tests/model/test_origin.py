"""How places are written."""

from __future__ import annotations

from ringfence.model.origin import Origin


def test_a_place_is_written_as_compilers_do():
    """File and line; the file alone where there is no line."""
    assert str(Origin("a.yaml", 3, 5, "/spec", "NetworkPolicy/x/p")) == "a.yaml:3"
    assert str(Origin("-", 0, 0, "", "NetworkPolicy/x/p")) == "-"
