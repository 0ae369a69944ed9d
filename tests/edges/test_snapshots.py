"""A snapshot is written whole or not at all, and read as what was written."""

from __future__ import annotations

import gzip
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ringfence.edges.snapshots import load_snapshot, replace_snapshot, save_snapshot
from ringfence.errors import InputError, WorldError
from ringfence.readers import read_listing
from ringfence.readers.listing import Group, Missing
from tests.edges.test_cluster import PODS
from tests.live import CLUSTER, listing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def recompressed(whole: bytes, change: Callable[[list[bytes]], list[bytes]]) -> bytes:
    """A snapshot whose lines are others, and which is a whole file otherwise."""
    return gzip.compress(b"".join(change(gzip.decompress(whole).splitlines(keepends=True))))


LISTING = listing([*CLUSTER, *PODS], (Missing("nodes", "", "forbidden"),))


def test_what_is_read_is_what_was_written(tmp_path: Path):
    """Objects, origins, and what is missing."""
    path = tmp_path / "snapshot"
    save_snapshot(path, LISTING)

    assert load_snapshot(path) == LISTING
    assert read_listing(load_snapshot(path)).snapshot == read_listing(LISTING).snapshot
    assert read_listing(load_snapshot(path)).partial


def test_the_same_cluster_gives_the_same_bytes(tmp_path: Path):
    """Whatever order the server lists in, whatever the file is called."""
    backwards = listing([*CLUSTER, *reversed(PODS)], LISTING.header.missing)
    save_snapshot(tmp_path / "a", LISTING)
    save_snapshot(tmp_path / "b", backwards)

    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_nothing_is_kept_that_nobody_needs(tmp_path: Path):
    """No annotations of users, no environment, no images; and nobody else may read it."""
    path = tmp_path / "snapshot"
    save_snapshot(path, LISTING)
    text = gzip.decompress(path.read_bytes()).decode()

    for word in ("secret", "hunter2", "env", "registry.example", "volumes", "generation", "kubelet"):
        assert word not in text.replace('"env":"a"', "")
    assert path.stat().st_mode & 0o077 == 0
    assert [each.name for each in tmp_path.iterdir()] == ["snapshot"]


class Interrupted(tuple[Group, ...]):
    """Groups of objects, after the first of which the user has had enough."""

    __slots__ = ()

    def __iter__(self) -> Iterator[Group]:
        yield self[0]
        raise KeyboardInterrupt


def test_ctrl_c_leaves_no_half_of_a_file(tmp_path: Path):
    """Nor the draft of one."""
    with pytest.raises(KeyboardInterrupt):
        save_snapshot(tmp_path / "snapshot", replace(LISTING, groups=Interrupted(LISTING.groups)))

    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_stays_as_it_is(tmp_path: Path):
    """Nothing is left behind either."""
    path = tmp_path / "snapshot"
    path.write_text("mine")
    with pytest.raises(WorldError, match="cannot be written: file exists"):
        save_snapshot(path, LISTING)
    with pytest.raises(WorldError, match="cannot be written: no such file or directory"):
        save_snapshot(tmp_path / "none" / "snapshot", LISTING)

    assert path.read_text() == "mine"
    assert [each.name for each in tmp_path.iterdir()] == ["snapshot"]


def test_a_snapshot_takes_the_place_of_another_whole_or_not_at_all(tmp_path: Path):
    """And nobody else may read it then either."""
    path = tmp_path / "snapshot"
    replace_snapshot(path, LISTING)
    other = replace(LISTING, groups=LISTING.groups[:1])
    with pytest.raises(KeyboardInterrupt):
        replace_snapshot(path, replace(LISTING, groups=Interrupted(LISTING.groups)))
    assert load_snapshot(path) == LISTING
    replace_snapshot(path, other)
    with pytest.raises(WorldError, match="cannot be written: no such file or directory"):
        replace_snapshot(tmp_path / "none" / "snapshot", LISTING)

    assert load_snapshot(path) == other
    assert path.stat().st_mode & 0o077 == 0
    assert [each.name for each in tmp_path.iterdir()] == ["snapshot"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"",
        lambda _: b"kind: Pod",
        lambda whole: whole[:-20],
        lambda whole: whole[:40] + b"\xff" + whole[41:],
        lambda _: gzip.compress(b""),
        lambda _: gzip.compress(b"\xff\n"),
        lambda _: gzip.compress(b'{"kind":"Pod"}\n'),
        lambda whole: gzip.compress(gzip.decompress(whole)[:-30]),
        lambda whole: gzip.compress(gzip.decompress(whole).replace(b'"metadata"', b'"meta"')),
        lambda whole: gzip.compress(gzip.decompress(whole) + b"[]\n"),
        lambda whole: recompressed(whole, lambda lines: lines[:-1]),
        lambda whole: recompressed(whole, lambda lines: lines[:-2]),
        lambda whole: recompressed(whole, lambda lines: lines[:-2] + lines[-1:]),
        lambda whole: recompressed(whole, lambda lines: lines[:1]),
        lambda whole: recompressed(whole, lambda lines: [*lines, lines[-1]]),
        lambda whole: recompressed(whole, lambda lines: [*lines, lines[1]]),
    ],
)
def test_what_is_no_whole_snapshot_is_refused(tmp_path: Path, damage: Callable[[bytes], bytes]):
    """Half of one would be another cluster."""
    path = tmp_path / "snapshot"
    save_snapshot(path, LISTING)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InputError, match="not a snapshot, or not a whole one"):
        load_snapshot(path)


def test_what_cannot_be_read_is_refused(tmp_path: Path):
    """A folder is no file."""
    with pytest.raises(InputError, match="cannot be read: is a directory"):
        load_snapshot(tmp_path)
