"""The nearest known word."""

from __future__ import annotations

import pytest

from ringfence.readers.spelling import nearest, suggestion


def test_a_slip_is_named():
    """The nearest word, whatever its case."""
    assert suggestion("fromm", ["to", "from", "ports"]) == 'did you mean "from"?'
    assert suggestion("endport", ["port", "endPort"]) == 'did you mean "endPort"?'
    assert suggestion("PODSELECTOR", ["podSelector"]) == 'did you mean "podSelector"?'


def test_a_word_that_is_near_to_none_gets_them_all():
    """In the order given."""
    assert suggestion("xyz", ["to", "from"]) == "known here: to, from"


def test_a_long_list_is_cut_short():
    """A hint is one line."""
    hint = suggestion("xyz", [f"namespace-{number}" for number in range(500)])

    assert hint.endswith("namespace-11 and 488 more")


@pytest.mark.parametrize(
    ("word", "known"),
    [
        ("hostnetwork", "hostNetwork"),
        ("host-network", "hostNetwork"),
        ("tmplate", "template"),
        ("lables", "labels"),
        ("portss", "ports"),
        ("typo", "type"),
        ("hostname", ""),
        ("label" * 1000, ""),
        ("", ""),
    ],
)
def test_a_word_is_near_but_for_case_punctuation_and_a_letter(word: str, known: str):
    """Further away it is another word."""
    assert nearest(word, ("hostNetwork", "template", "labels", "ports", "type", "nodeName")) == known
