"""One object, and the places of its parts."""

from __future__ import annotations

import pytest

from ringfence.model.origin import Origin
from ringfence.readers.manifest import Manifest
from ringfence.readers.places import Path, Place, Span

SPAN = Span(
    Place(3, 1),
    {"spec": Span(Place(4, 3), {"egress": Span(Place(5, 3), [Span(Place(5, 5))])}, {"egress": Place(4, 3)})},
    {"spec": Place(3, 1)},
)


def made(namespace: str = "x") -> Manifest:
    """A policy by name alone."""
    found = Manifest("a.yaml", {}, Place(3, 1), lambda: SPAN, "NetworkPolicy", "networking.k8s.io/v1")
    found.name, found.namespace = "p", namespace
    return found


@pytest.mark.parametrize(
    ("path", "origin"),
    [
        ((), Origin("a.yaml", 3, 1, "", "NetworkPolicy/x/p")),
        (("spec",), Origin("a.yaml", 3, 1, "/spec", "NetworkPolicy/x/p")),
        (("spec", "egress"), Origin("a.yaml", 4, 3, "/spec/egress", "NetworkPolicy/x/p")),
        (("spec", "egress", 0), Origin("a.yaml", 5, 5, "/spec/egress/0", "NetworkPolicy/x/p", rule=0)),
        (("spec", "egress", 0, "to"), Origin("a.yaml", 5, 5, "/spec/egress/0/to", "NetworkPolicy/x/p", rule=0)),
        (("spec", "other", 0), Origin("a.yaml", 3, 1, "/spec/other/0", "NetworkPolicy/x/p")),
    ],
)
def test_every_part_has_an_origin(path: Path, origin: Origin):
    """Within a rule, with its index."""
    assert made().origin(path) == origin


def test_an_object_is_called_by_its_namespace_and_name():
    """By its kind alone before it has a name."""
    nameless = Manifest("a.yaml", {}, Place(1, 1), lambda: SPAN, "Pod", "v1")

    assert made().qualified_name == "x/p"
    assert made(namespace="").origin().object == "NetworkPolicy/p"
    assert nameless.origin().object == "Pod"


def test_its_own_place_costs_nothing():
    """Places of parts are read when the first is asked for, and once."""
    asked = []
    found = Manifest("a.yaml", {}, Place(3, 1), lambda: asked.append(1) or SPAN)
    found.origin()
    before = list(asked)
    found.origin(("spec",))
    found.origin(("spec", "egress"))

    assert (before, asked) == ([], [1])


def test_a_report_is_an_error_with_a_place():
    """Said once."""
    found = made()
    for _ in range(2):
        found.report("spec.egress: too wide", ("spec", "egress"), "narrow it")

    assert [(str(error), error.hint) for error in found.errors] == [("a.yaml:4: spec.egress: too wide", "narrow it")]
