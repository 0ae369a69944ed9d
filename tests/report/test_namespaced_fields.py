"""The fields of NetworkPolicy are those that its reader knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.readers.shapes import Items, Struct, network_policy
from ringfence.report.namespaced_fields import NAMESPACED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.readers.shapes import Shape


def paths(shape: Shape, path: str) -> Iterator[str]:
    """Yield the path of a type and of all that is in it."""
    if isinstance(shape, Items):
        yield from paths(shape.of, path)
        return
    yield path
    for name, member in shape.fields.items() if isinstance(shape, Struct) else ():
        yield from paths(member, f"{path}.{name}")


def test_every_field_that_the_reader_knows_is_explained_and_no_other():
    """Once each."""
    known = list(paths(network_policy().fields["spec"], "networkpolicy.spec"))

    assert sorted(field.path for field in NAMESPACED) == sorted(known)


def test_every_field_says_what_it_means_and_what_it_means_when_it_is_not_there():
    """In whole sentences."""
    assert [field.path for field in NAMESPACED if not (field.about.endswith(".") and field.absent.endswith("."))] == []
