"""Releases of Kubernetes, and what they do differently."""

from __future__ import annotations

import pytest

from ringfence.readers.release import STORED, VERIFIED, Release


@pytest.mark.parametrize("text", ["1.36", "v1.36", "1.36.3"])
def test_a_release_is_read_as_people_write_it(text: str):
    """With v and patch level or without; 1.36 is the one that was compared."""
    assert Release.of(text) == VERIFIED
    assert str(Release.of(text)) == "1.36"


@pytest.mark.parametrize("text", ["1.19", "1.39", "2.36", "36", "1.3", "", "1.36x"])
def test_another_release_is_an_error(text: str):
    """None is guessed."""
    with pytest.raises(ValueError, match=r"is no release from 1\.20 to 1\.38"):
        Release.of(text)


@pytest.mark.parametrize(
    ("difference", "first", "last"),
    [
        ("knows_end_port", 21, 38),
        ("keeps_end_port", 22, 38),
        ("knows_status", 24, 27),
        ("checks_selector_values", 26, 38),
        ("strict_cidrs", 36, 38),
        ("verified", 36, 36),
    ],
)
def test_each_difference_holds_for_some_releases(difference: str, first: int, last: int):
    """From the first to the last."""
    found = [minor for minor in range(20, 39) if getattr(Release(minor), difference)]

    assert found == list(range(first, last + 1))


def test_what_is_stored_may_be_of_any_release():
    """A server keeps what an older one let in, and what a later one refuses."""
    assert STORED.keeps_end_port
    assert STORED.knows_status
    assert not STORED.strict_cidrs
    assert not STORED.checks_selector_values
