"""Fields and open points are found by what people type."""

from __future__ import annotations

import pytest

from ringfence.report.explanation import (
    API_FIELDS,
    DECIDED_IN,
    EVERYTHING,
    explained,
    field_members,
    nearest,
    render_markdown,
    render_overview,
    render_text,
)
from ringfence.semantics.open_points import OPEN_POINTS
from tests.console import ROOT


@pytest.mark.parametrize(
    ("typed", "path"),
    [
        ("networkpolicy.spec.ingress.from.ipBlock", "networkpolicy.spec.ingress.from.ipBlock"),
        ("netpol.spec.INGRESS[0].from[].ipblock", "networkpolicy.spec.ingress.from.ipBlock"),
        ("networkpolicies", "networkpolicy.spec"),
        ("cnp.spec.tier", "clusternetworkpolicy.spec.tier"),
        ("anp", "adminnetworkpolicy.spec"),
        ("banp.spec.subject", "baselineadminnetworkpolicy.spec.subject"),
    ],
)
def test_a_field_is_found_as_kubectl_finds_it(typed: str, path: str):
    """Short names and plurals of kinds stand for them, a kind alone for its spec, and indexes do not count."""
    found = explained(typed)

    assert found
    assert [field.path for field in found.fields] == [path]


def test_a_topic_is_found_with_the_fields_that_it_bears_on():
    """And a field with its topics."""
    point, field = explained("end-port"), explained("netpol.spec.egress.ports.endPort")

    assert point
    assert [each.path.rpartition(".")[2] for each in point.fields] == ["endPort", "endPort"]
    assert field
    assert field.points == point.points


@pytest.mark.parametrize(
    ("typed", "near"),
    [
        ("networkpolicy.spec.ingress.form", "networkpolicy.spec.ingress.from"),
        ("hairpn", "hairpin"),
        ("domainNames", "clusternetworkpolicy.spec.egress.to.domainNames"),
        ("?", ""),
    ],
)
def test_what_there_is_not_has_a_neighbor(typed: str, near: str):
    """By spelling, or by the last name of a path."""
    assert explained(typed) is None
    assert nearest(typed) == near


def test_every_topic_of_a_field_is_an_open_point():
    """And every kind says where it is decided, in files that there are."""
    assert {topic for field in API_FIELDS for topic in field.topics} <= {point.topic for point in OPEN_POINTS}
    assert {field.kind for field in API_FIELDS} == DECIDED_IN.keys()
    assert all((ROOT / "src" / "ringfence" / file).exists() for files in DECIDED_IN.values() for file in files)


def test_members_are_the_next_names_alone():
    """Not what is in them."""
    block = next(field for field in API_FIELDS if field.path == "networkpolicy.spec.egress.to.ipBlock")

    assert field_members(block) == ("cidr", "except")


def test_everything_that_there_is_can_be_told():
    """In words and as a page, without a line that is too long for a terminal."""
    for name in [*(field.path for field in EVERYTHING.fields), *(point.topic for point in EVERYTHING.points)]:
        found = explained(name)

        assert found
        assert max(map(len, render_text(found, name).splitlines())) <= 110
        assert render_markdown(found, name).startswith(f"### {name}\n")
        assert name in render_overview()


def test_what_bears_on_network_policies_alone_is_told_of_them_alone():
    """Admin rules judge before what NetworkPolicy leaves open."""
    loose = {"ip-block-pods", "ip-block-nodes", "service-address", "icmp", "hairpin", "pod-to-own-node"}

    assert [f.path for f in API_FIELDS if f.kind == "adminnetworkpolicy" and loose & set(f.topics)] == []
    assert {f.path for f in API_FIELDS if "service-address" in f.topics} == {"networkpolicy.spec.egress.to.ipBlock"}
