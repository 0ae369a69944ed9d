"""One object, and the places of its parts."""

from __future__ import annotations

import pytest

from ringfence.model.origin import Origin
from ringfence.readers.manifest import Manifest
from ringfence.readers.places import Path, Place, Span
from ringfence.readers.refusals import invalid, required

SPAN = Span(
    Place(3, 1),
    {"spec": Span(Place(4, 3), {"egress": Span(Place(5, 3), [Span(Place(5, 5))])}, {"egress": Place(4, 3)})},
    {"spec": Place(3, 1)},
)


def made(namespace: str = "x") -> Manifest:
    """A policy by name alone."""
    found = Manifest("a.yaml", {}, Place(3, 1), SPAN, "NetworkPolicy", "networking.k8s.io/v1")
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
    nameless = Manifest("a.yaml", {}, Place(1, 1), SPAN, "Pod", "v1")

    assert made().qualified_name == "x/p"
    assert made(namespace="").origin().object == "NetworkPolicy/p"
    assert nameless.origin().object == "Pod"


def test_a_report_is_an_error_with_a_place():
    """Said once."""
    found = made()
    for _ in range(2):
        found.report("spec.egress: too wide", ("spec", "egress"), "narrow it")

    assert [(str(error), error.hint) for error in found.errors] == [("a.yaml:4: spec.egress: too wide", "narrow it")]


def test_an_error_is_said_once_for_a_part():
    """Two readers may look at one; another part in the same words is another error."""
    found = made()
    for path in (("spec", "a"), ("spec", "a"), ("spec", "b")):
        found.report("spec: wrong", path, "")

    assert [error.origin.pointer for error in found.errors] == ["/spec/a", "/spec/b"]
    assert found.wrong == [("spec", "a"), ("spec", "a"), ("spec", "b")]


def test_a_refusal_has_the_server_s_field_reason_and_words():
    """The field is the part's own unless the server names another."""
    found = made()
    found.refuse(required("a peer"), ("spec", "ingress", 0), "add one")
    found.refuse(invalid("b b", "no label"), ("spec", "labels", "a"), "", "spec.labels")

    assert [(error.field, error.reason, error.message, error.hint) for error in found.errors] == [
        ("spec.ingress[0]", "FieldValueRequired", "spec.ingress[0]: Required value: a peer", "add one"),
        ("spec.labels", "FieldValueInvalid", 'spec.labels: Invalid value: "b b": no label', ""),
    ]
    assert found.refused


def test_what_no_server_refuses_is_no_refusal():
    """It has no field."""
    found = made()
    found.report("not understood", ("spec",), "")

    assert not found.refused
    assert made().refused is False


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (("spec", "from", 0), False),
        (("spec", "from", 0, "x"), False),
        (("spec", "from", 0, "x", "y"), True),
        (("spec", "from", 1), True),
        (("spec", "from"), False),
        (("spec", "to"), True),
    ],
)
def test_what_may_follow_from_what_was_not_decoded_is_not_said(path: Path, said: bool):  # noqa: FBT001 - a column
    """But it counts as wrong all the same, so that nothing is granted by it."""
    found = made()
    found.report("strict decoding error", ("spec", "from", 0, "z"), "", field="spec.from[0].z")
    found.refuse(required(), path)

    assert len(found.errors) == 1 + said
    assert found.wrong[1:] == [path]


def test_an_item_of_a_list_explains_nothing_of_another():
    """Each is right or wrong by itself."""
    found = made()
    found.report("expected a mapping", ("spec", "from", 0), "", field="spec.from[0]")
    found.refuse(required(), ("spec", "from", 1))

    assert [error.field for error in found.errors] == ["spec.from[0]", "spec.from[1]"]
