"""System programs: found where they lie, or named with their package."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ringfence.edges.programs import find_program
from ringfence.errors import WorldError

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    find_program.cache_clear()
    yield
    find_program.cache_clear()


def test_a_program_beside_the_path_is_found(monkeypatch: pytest.MonkeyPatch):
    """An ordinary user's PATH has no /usr/sbin, where Debian keeps nft."""
    monkeypatch.setenv("PATH", "/nonexistent")

    assert find_program("ip").endswith("/ip")


def test_a_program_that_is_missing_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch):
    """The hint says what to install."""
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)

    with pytest.raises(WorldError, match="'nft' is not installed") as caught:
        find_program("nft")

    assert caught.value.hint == "install the package nftables"
