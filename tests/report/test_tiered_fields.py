"""The fields of the cluster-wide kinds are those that their readers know."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ringfence.readers.schemas import ADMIN_NETWORK_POLICY, BASELINE_ADMIN_NETWORK_POLICY, CLUSTER_NETWORK_POLICY
from ringfence.report.tiered_fields import TIERED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.readers.structural import Schema


def schemas(schema: Schema, path: str) -> Iterator[tuple[str, Schema]]:
    """Yield the path and schema of a value and of all that is in it; mappings with any names end it."""
    if schema.type == "array" and schema.each:
        yield path, schema
        yield from (pair for pair in schemas(schema.each, path) if pair[0] != path)
        return
    yield path, schema
    for name, member in schema.members.items():
        yield from schemas(member, f"{path}.{name}")


@pytest.mark.parametrize(
    ("kind", "schema"),
    [
        ("clusternetworkpolicy", CLUSTER_NETWORK_POLICY),
        ("adminnetworkpolicy", ADMIN_NETWORK_POLICY),
        ("baselineadminnetworkpolicy", BASELINE_ADMIN_NETWORK_POLICY),
    ],
)
def test_every_field_that_a_reader_knows_is_explained_and_no_other(kind: str, schema: Schema):
    """Once each, with the size that a list may have."""
    known = dict(schemas(schema.members["spec"], f"{kind}.spec"))
    told = [field for field in TIERED if field.kind == kind]
    lists = [(field, known[field.path]) for field in told if known[field.path].type == "array"]

    assert sorted(field.path for field in told) == sorted(known)
    assert [field.path for field, each in lists if each.most and f"ore than {each.most}" not in field.refused] == []


def test_what_only_the_experimental_channel_has_says_so():
    """A cluster with the standard one does not take it."""
    marked = {field.path.rpartition(".")[2] for field in TIERED if "Only the experimental channel" in field.traps}

    assert marked == {"nodes", "domainNames", "namedPort"}
