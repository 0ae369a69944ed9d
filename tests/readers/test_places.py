"""Paths to parts, and the places they lead to."""

from __future__ import annotations

import pytest

from ringfence.readers.places import Doubled, Path, Place, Span, dotted, pointer

SPAN = Span(
    Place(1, 1),
    {"spec": Span(Place(2, 3), {"ingress": Span(Place(3, 5), [Span(Place(3, 7))])}, {"ingress": Place(2, 3)})},
    {"spec": Place(1, 1)},
)


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ((), Place(1, 1)),
        (("spec",), Place(1, 1)),
        (("spec", "ingress"), Place(2, 3)),
        (("spec", "ingress", 0), Place(3, 7)),
    ],
)
def test_a_path_leads_to_a_name_or_to_an_item(path: Path, place: Place):
    """A member is where its name is; an item is where it begins."""
    assert SPAN.find(path) == place


@pytest.mark.parametrize("path", [("spec", "egress"), ("spec", "ingress", 1), ("spec", "ingress", "x"), ("spec", 0)])
def test_a_path_that_leads_nowhere_ends_at_what_should_hold_it(path: Path):
    """A missing field has no place of its own."""
    assert SPAN.find(path) == SPAN.find(path[:-1])


def test_pointers_follow_rfc_6901():
    """``/`` and ``~`` within a name are escaped."""
    assert pointer(("metadata", "labels", "a/b~c", 0)) == "/metadata/labels/a~1b~0c/0"


def test_the_pointer_of_the_object_itself_is_empty():
    """Not ``/``, which would be its member without a name."""
    assert pointer(()) == ""


def test_dotted_paths_are_the_api_server_s():
    """Names that are no identifiers stand in brackets, as indexes do, where there is something before them."""
    assert dotted(("spec", "ingress", 0, "from")) == "spec.ingress[0].from"
    assert dotted(("metadata", "labels", "app.kubernetes.io/name")) == "metadata.labels[app.kubernetes.io/name]"
    assert dotted(("x-l", "a")) == "x-l.a"


def test_a_key_given_twice_names_both_lines():
    """The error stands at the second, and the message says where the first is."""
    error = Doubled("name", Place(4, 3), Place(7, 3)).error("a.yaml")

    assert str(error) == 'a.yaml:7: key "name" is given twice, first at line 4; the last one counts'
