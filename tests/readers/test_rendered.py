"""What is said around rendered manifests: the template of each document."""

from __future__ import annotations

import pytest

from ringfence.readers.rendered import hint, templates

from .texts import manifests, reading


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a: 1\n", ("x/old.yaml", "x/old.yaml")),
        ("---\n# Source: x/new.yaml\na: 1\n", ("x/new.yaml", "x/new.yaml")),
        ("# Source: x/new.yaml\r\n---\r\na: 1\r\n", ("x/new.yaml", "x/new.yaml")),
        ("# Source: x/1.yaml\n--- # more\n\n# Source: x/2.yaml\n# and a remark\na: 1\n", ("x/2.yaml", "x/2.yaml")),
        ("---\na: 1\n# Source: x/next.yaml\n", ("x/old.yaml", "x/next.yaml")),
        ("---\na: 1\n...\n\n# Source: x/next.yaml", ("x/old.yaml", "x/next.yaml")),
        ("---\n# Source: x/new.yaml\na: 1\n# Source: x/not.yaml\nb: 1\n", ("x/new.yaml", "x/new.yaml")),
        ("---\na: |\n  # Source: x/not.yaml\n", ("x/old.yaml", "x/old.yaml")),
        ("---\n# Source: https://example.com/a.yaml\na: 1\n", ("x/old.yaml", "x/old.yaml")),
        ("---\n# Source: the internet\na: 1\n", ("x/old.yaml", "x/old.yaml")),
        ("--- {a: 1}\n# Source: x/next.yaml\n", ("x/old.yaml", "x/next.yaml")),
        ("---\n# Source: x/new.yaml\n", ("x/new.yaml", "x/new.yaml")),
    ],
)
def test_a_document_has_the_last_template_named_before_its_content(text: str, found: tuple[str, str]):
    """The comment may stand before or after the marker; one after the content is for the next document."""
    assert templates(text, "x/old.yaml") == found


RENDERED = """\
---
# Source: shop/templates/db.yaml
apiVersion: v1
kind: Pod
metadata: {name: a}
---
apiVersion: v1
kind: Pod
metadata: {name: b}
# Source: shop/templates/web.yaml
---
apiVersion: v1
kind: PodList
items:
- metadata: {name: c}
"""


def test_every_object_knows_its_template():
    """All documents of one template, and the items of a List."""
    found, errors = manifests(RENDERED)

    assert [str(each.origin(("metadata",))) for each in found] == [
        "a.yaml:5 (shop/templates/db.yaml)",
        "a.yaml:9 (shop/templates/db.yaml)",
        "a.yaml:15 (shop/templates/web.yaml)",
    ]
    assert errors == []


@pytest.mark.parametrize(
    "broken", ["a: b: c", "a: *x", "a: \x01", "kind: 5", "5", "apiVersion: v1\nkind: List\nitems: 5", "a: 1\na: 1"]
)
def test_every_error_names_the_template(broken: str):
    """Whoever reads it has to mend that file, not what came out of it."""
    errors = reading(f"---\n# Source: shop/templates/a.yaml\n{broken}\n").errors

    assert {error.origin.template for error in errors} == {"shop/templates/a.yaml"}


def test_a_text_is_said_to_be_more_than_manifests():
    """Of helm's reports, the parts that it prints between manifests are known."""
    assert hint("kind: Pod\nNOTES:\n1. Say hello\n") == "give what helm template or helm get manifest prints"
    assert hint("kind: Pod\nnotes:\n  NOTES: x\n") == ""
