"""What an API server refuses in metadata: metadata in, the causes of its answer out."""

from __future__ import annotations

import pytest

from ringfence.readers.metadata import check_identity, check_metadata
from ringfence.readers.refusals import (
    KEY_NAME_LETTERS,
    KEY_SLASHES,
    LABEL_DOTS,
    LABEL_LETTERS,
    SUBDOMAIN_LETTERS,
    VALUE_LETTERS,
)

from .texts import causes, manifest

INVALID, REQUIRED, TOO_LONG = "FieldValueInvalid", "FieldValueRequired", "FieldValueTooLong"

Causes = list[tuple[str, str, str]]


def refused(metadata: str, kind: str = "NetworkPolicy", namespace: str = "x") -> Causes:
    """The causes for which metadata are refused, in order."""
    found = manifest(f"apiVersion: v1\nkind: {kind}\nmetadata: {metadata}")
    found.namespace = namespace
    check_metadata(found, found.value["metadata"])
    return causes(found)


@pytest.mark.parametrize(
    ("metadata", "found"),
    [
        ("{name: a.b-1}", []),
        ("{generateName: a-}", []),
        ("{generateName: " + "a" * 253 + "}", []),
        (
            "{name: a, generateName: b.}",
            [("metadata.generateName", INVALID, f'Invalid value: "b.": {SUBDOMAIN_LETTERS}')],
        ),
        ("{}", [("metadata.name", REQUIRED, "Required value: name or generateName is required")]),
        (
            "{name: '', generateName: null}",
            [("metadata.name", REQUIRED, "Required value: name or generateName is required")],
        ),
        ("{name: Web}", [("metadata.name", INVALID, f'Invalid value: "Web": {SUBDOMAIN_LETTERS}')]),
        (
            "{name: " + "a" * 254 + "}",
            [("metadata.name", INVALID, f'Invalid value: "{"a" * 254}": must be no more than 253 characters')],
        ),
        ("{generateName: Web-}", [("metadata.generateName", INVALID, f'Invalid value: "Web-": {SUBDOMAIN_LETTERS}')]),
        ("{generateName: a.-}", [("metadata.name", INVALID, f'Invalid value: "a.-xxxxx": {SUBDOMAIN_LETTERS}')]),
    ],
)
def test_names(metadata: str, found: Causes):
    """A subdomain, or its beginning; of a hyphen at the end of a beginning the server looks at less."""
    assert refused(metadata) == found


@pytest.mark.parametrize(
    ("kind", "takes"), [("Pod", True), ("Node", True), ("Namespace", False), ("StatefulSet", False)]
)
def test_some_names_have_no_dots(kind: str, takes: bool):  # noqa: FBT001 - a column of the table
    """Those of namespaces, Services and StatefulSets."""
    expected = [] if takes else [("metadata.name", INVALID, f'Invalid value: "a.b": {LABEL_DOTS}')]

    assert refused("{name: a.b}", kind) == expected


def test_the_namespace_is_a_label():
    """What is in no namespace has none to look at."""
    assert refused("{name: a}", namespace="X") == [
        ("metadata.namespace", INVALID, f'Invalid value: "X": {LABEL_LETTERS}')
    ]
    assert refused("{name: a}", namespace="") == []


@pytest.mark.parametrize(
    ("metadata", "found"),
    [
        ("labels: {a: b, c: null}", []),
        ("labels: {a/b/c: d}", [("metadata.labels", INVALID, f'Invalid value: "a/b/c": {KEY_SLASHES}')]),
        ("labels: {a: b b}", [("metadata.labels", INVALID, f'Invalid value: "b b": {VALUE_LETTERS}')]),
        ("annotations: {A/b: any thing, Example.com/A: null}", []),
        ("annotations: {-A: b}", [("metadata.annotations", INVALID, f'Invalid value: "-A": {KEY_NAME_LETTERS}')]),
        ("annotations: {a: " + "b" * 262_143 + "}", []),
        (
            "annotations: {a: " + "b" * 262_144 + "}",
            [("metadata.annotations", TOO_LONG, "Too long: may not be more than 262144 bytes")],
        ),
    ],
)
def test_labels_and_annotations(metadata: str, found: Causes):
    """Annotations may have any case, and 256 KiB in all."""
    assert refused(f"{{name: a, {metadata}}}") == found


OWNER = "apiVersion: apps/v1, kind: ReplicaSet, name: a, uid: u"


@pytest.mark.parametrize(
    ("owners", "found"),
    [
        (f"[{{{OWNER}, controller: true}}, {{{OWNER}}}]", []),
        (f"[{{{OWNER}, controller: true}}, {{{OWNER}, controller: true}}]", []),
        (
            "[null]",
            [
                ("metadata.ownerReferences.apiVersion", INVALID, 'Invalid value: "": version must not be empty'),
                ("metadata.ownerReferences.kind", INVALID, 'Invalid value: "": must not be empty'),
                ("metadata.ownerReferences.name", INVALID, 'Invalid value: "": must not be empty'),
                ("metadata.ownerReferences.uid", INVALID, 'Invalid value: "": must not be empty'),
            ],
        ),
        *(
            (
                f"[{{{OWNER.replace('apps/v1', version)}}}]",
                [
                    (
                        "metadata.ownerReferences.apiVersion",
                        INVALID,
                        f'Invalid value: "{version}": version must not be empty',
                    )
                ],
            )
            for version in ("apps/", "a/b/c", "/")
        ),
        (
            "[{apiVersion: v1, kind: Event, name: a, uid: u, blockOwnerDeletion: false}]",
            [
                (
                    "metadata.ownerReferences",
                    INVALID,
                    (
                        'Invalid value: {"apiVersion":"v1","kind":"Event","name":"a","uid":"u",'
                        '"blockOwnerDeletion":false}: '
                        "/v1, Kind=Event is disallowed from being an owner"
                    ),
                )
            ],
        ),
        (
            (
                "[{apiVersion: v1, kind: A, name: a, uid: u, controller: true},"
                " {apiVersion: v1, kind: B, name: b, uid: v, controller: true}]"
            ),
            [
                (
                    "metadata.ownerReferences",
                    INVALID,
                    (
                        'Invalid value: [{"apiVersion":"v1","kind":"A","name":"a","uid":"u","controller":true},'
                        '{"apiVersion":"v1","kind":"B","name":"b","uid":"v","controller":true}]: Only one '
                        'reference can have Controller set to true. Found "true" in references for A/a and B/b'
                    ),
                )
            ],
        ),
    ],
)
def test_owners(owners: str, found: Causes):
    """All are refused at their list; one that stands there twice counts once."""
    assert refused(f"{{name: a, ownerReferences: {owners}}}") == found


@pytest.mark.parametrize(
    ("finalizers", "found"),
    [
        ("[kubernetes, orphan, example.com/a]", []),
        (
            "[mine]",
            [
                (
                    "metadata.finalizers[0]",
                    INVALID,
                    'Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified',
                )
            ],
        ),
        ("[example.com/-]", [("metadata.finalizers", INVALID, f'Invalid value: "example.com/-": {KEY_NAME_LETTERS}')]),
        (
            "[orphan, foregroundDeletion]",
            [
                (
                    "metadata.finalizers",
                    INVALID,
                    (
                        'Invalid value: ["orphan","foregroundDeletion"]: '
                        "finalizer orphan and foregroundDeletion cannot be both set"
                    ),
                )
            ],
        ),
    ],
)
def test_finalizers(finalizers: str, found: Causes):
    """Three names are the server's own, others need a domain."""
    assert refused(f"{{name: a, finalizers: {finalizers}}}") == found


ENTRY = "operation: Update, apiVersion: v1, fieldsType: FieldsV1"


@pytest.mark.parametrize(
    ("managed", "found"),
    [
        (f"[{{{ENTRY}, manager: kubectl, subresource: status}}]", []),
        (
            f"[{{{ENTRY}, manager: {'a' * 129}}}]",
            [("metadata.managedFields[0].manager", TOO_LONG, "Too long: may not be more than 128 bytes")],
        ),
        (
            f'[{{{ENTRY}}}, {{{ENTRY}, manager: "é\\a"}}]',
            [
                (
                    "metadata.managedFields[1].manager",
                    INVALID,
                    'Invalid value: "é\\a": invalid character U+0007 (at position 2)',
                )
            ],
        ),
        (
            f"[{{{ENTRY}, subresource: {'a' * 257}}}]",
            [("metadata.managedFields[0].subresource", TOO_LONG, "Too long: may not be more than 256 bytes")],
        ),
        (f"[{{{ENTRY}, manager: {'a' * 129}}}, {{operation: Create}}]", []),
        (f"[{{operation: Apply, apiVersion: v1, fieldsType: FieldsV2, manager: {'a' * 129}}}]", []),
        (f"[{{operation: Apply, fieldsType: FieldsV1, manager: {'a' * 129}}}, null]", []),
    ],
)
def test_field_managers(managed: str, found: Causes):
    """A server that cannot read one entry drops them all before it looks."""
    assert refused(f"{{name: a, managedFields: {managed}}}") == found


def test_of_what_is_no_policy_names_and_labels_are_looked_at():
    """Its owners may be written by hand."""
    found = manifest("apiVersion: v1\nkind: Pod\nmetadata: {name: A, ownerReferences: [{kind: Job}]}")
    check_identity(found, found.value["metadata"])

    assert [field for field, _, _ in causes(found)] == ["metadata.name"]
