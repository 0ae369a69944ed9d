"""Decoding as the API server does it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.readers.decoding import decode
from ringfence.readers.shapes import network_policy

from .texts import manifest

NAMES = [
    "name",
    "labels",
    "ownerReferences",
    "controller",
    "ingress",
    "podSelector",
    "matchLabels",
    "ports",
    "port",
    "x",
]
HEAD = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"


def decoded(text: str) -> tuple[object, list[tuple[str, str, str]]]:
    """What is left of the policy, and the field, reason and message of each error."""
    found = manifest(HEAD + text)
    value = decode(found, found.value, network_policy())
    return value, [(error.field, error.reason, error.message) for error in found.errors]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "metadata: null",
        "spec: {podSelector: null, ingress: [null], egress: [{to: null, ports: [null]}], policyTypes: [null]}",
        "spec: {ingress: [{ports: [{port: http}, {port: 80, endPort: 90}, {port: null}]}]}",
        "metadata: {labels: {a: null}, creationTimestamp: null, ownerReferences: [{controller: true}]}",
        "metadata: {managedFields: [{fieldsV1: {'f:spec': {}}, time: 2026-01-31T12:00:00Z}]}",
    ],
)
def test_null_is_the_empty_value_of_every_type(text: str):
    """And what is right is returned as it is."""
    found = manifest(HEAD + text)

    assert decode(found, found.value, network_policy()) is found.value
    assert found.errors == []


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("spec: {ingress: [{}, {fromm: []}]}", "spec.ingress[1].fromm"),
        ("spec: {ingress: [{to: []}]}", "spec.ingress[0].to"),
        ("spec: {egress: [{from: []}]}", "spec.egress[0].from"),
        ("spec: {PodSelector: {}}", "spec.PodSelector"),
        ("spec: {pod-selector: {}}", "spec.pod-selector"),
        ("spec: {podSelector: {matchExpressions: [{value: []}]}}", "spec.podSelector.matchExpressions[0].value"),
        ("metadata: {ownerReferences: [{a.b/c: 1}]}", "metadata.ownerReferences[0].a.b/c"),
        ("status: {}", "status"),
    ],
)
def test_an_unknown_field_is_a_strict_error(text: str, field: str):
    """In the server's words; it counts as a part that was not decoded."""
    _, errors = decoded(text)

    assert errors == [(field, "", f'strict decoding error: unknown field "{field}"')]


@pytest.mark.parametrize(
    ("text", "field", "said"),
    [
        ("spec: []", "spec", "expected a mapping, found a list"),
        ("spec: {ingress: {}}", "spec.ingress", "expected a list, found a mapping"),
        ("spec: {ingress: [5]}", "spec.ingress[0]", "expected a mapping, found the number 5"),
        ("spec: {policyTypes: [yes]}", "spec.policyTypes[0]", "expected a string, found true"),
        (
            "spec: {ingress: [{ports: [{port: 4294967376}]}]}",
            "spec.ingress[0].ports[0].port",
            "expected a whole number, found the number 4294967376",
        ),
        (
            "spec: {ingress: [{ports: [{port: 1, endPort: 2147483648}]}]}",
            "spec.ingress[0].ports[0].endPort",
            "expected a whole number, found the number 2147483648",
        ),
        ("metadata: {labels: {a: 5}}", "metadata.labels", "metadata.labels.a: expected a string, found the number 5"),
        ("metadata: {ownerReferences: [{controller: x}]}", "metadata.ownerReferences[0].controller", "true or false"),
        ("metadata: {creationTimestamp: now}", "metadata.creationTimestamp", 'found the string "now"'),
    ],
)
def test_a_value_of_a_wrong_type_is_left_out(text: str, field: str, said: str):
    """The rest is decoded."""
    value, [(found, reason, message)] = decoded(text)

    assert (found, reason) == (field, "")
    assert said in message
    assert value != manifest(HEAD + text).value


def test_what_a_server_would_come_upon_is_said_first():
    """A type that decodes itself ends decoding; then other types, then fields, each in the order of the text."""
    _, errors = decoded(
        "a: 1\nspec: {podSelector: 5, podSelectr: {}, policyTypes: [1], ingress: [{ports: [{port: yes}]}]}"
    )

    assert [field for field, _, _ in errors] == [
        "spec.ingress[0].ports[0].port",
        "spec.podSelector",
        "spec.policyTypes[0]",
        "a",
        "spec.podSelectr",
    ]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 2**31) | st.sampled_from(["", "a", "2024-01-01T00:00:00Z"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=8,
)


@given(value=VALUES, into=st.sampled_from([("metadata",), ("spec",), ("spec", "ingress"), ("spec", "podSelector")]))
def test_another_mistake_changes_nothing_that_is_said(value: Any, into: tuple[str, ...]):
    """An object without one is looked at faster, and its verdict is the same."""
    for step in reversed(into):
        value = {step: value}
    alone, beside = manifest(HEAD), manifest(HEAD)
    left = decode(alone, value, network_policy())
    decode(beside, value | {"zz": 1}, network_policy())

    assert alone.errors or left is value
    assert [error.message for error in beside.errors if "zz" not in error.message] == [
        error.message for error in alone.errors
    ]


@given(value=VALUES)
def test_nothing_is_wrong_with_what_is_left(value: Any):
    """Apart from fields that are not known, which stay."""
    again = manifest(HEAD)
    left = decode(manifest(HEAD), {"spec": value, "metadata": value}, network_policy())

    assert decode(again, left, network_policy()) == left
    assert all("unknown field" in error.message for error in again.errors)


def test_an_object_that_is_none_decodes_to_nothing():
    """As when its part is a mapping and should be a list."""
    found = manifest(HEAD + "spec: 5")

    assert decode(found, 5, network_policy(), ("spec",)) is None
    assert [error.field for error in found.errors] == ["spec"]
