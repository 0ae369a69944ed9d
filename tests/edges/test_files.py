"""Files, directories and standard input as sources."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest

from ringfence.edges.files import open_sources
from ringfence.readers import read
from ringfence.readers.source import MAX_YAML_SIZE, Source

POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory in which the test stands."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(*filenames: str, recursive: bool = False) -> list[str]:
    """The sources that names stand for, where none is in error."""
    sources, errors = open_sources(filenames, recursive=recursive)
    assert errors == ()
    return [source.name for source in sources]


def said(*filenames: str, recursive: bool = False) -> list[tuple[str, str]]:
    """Every error, with its hint."""
    return [(str(error), error.hint) for error in open_sources(filenames, recursive=recursive)[1]]


def content(source: Source) -> bytes:
    """All bytes of a source."""
    return b"".join(source.chunks)


def test_a_file_is_one_source(folder: Path):
    """Under the name that was given, whatever its suffix."""
    (folder / "pods.txt").write_text(POD)

    ((source,), errors) = open_sources(["./pods.txt"])
    assert (source.name, content(source), source.max_yaml_size) == ("./pods.txt", POD.encode(), MAX_YAML_SIZE)
    assert errors == ()


def test_a_long_file_comes_in_pieces(folder: Path):
    """It is never held as a whole."""
    (folder / "a.json").write_bytes(b" " * (3 << 20))
    ((source,), _) = open_sources(["a.json"])

    assert [len(chunk) for chunk in source.chunks] == [1 << 20] * 3


def test_the_limit_is_handed_on(folder: Path):
    """Whoever reads YAML keeps it."""
    (folder / "a.yaml").write_text(POD)

    assert [source.max_yaml_size for source in open_sources(["a.yaml"], max_file_size=5)[0]] == [5]


def test_a_directory_is_its_manifests(folder: Path):
    """Sorted by name; other files and directories are left alone."""
    (folder / "d" / "more").mkdir(parents=True)
    for name in ("b.yaml", "a.json", "c.yml", "README.md", "more/e.yaml"):
        (folder / "d" / name).write_text(POD)

    assert names("d") == ["d/a.json", "d/b.yaml", "d/c.yml"]
    assert names("d/") == ["d/a.json", "d/b.yaml", "d/c.yml"]


def test_directories_within_are_taken_when_asked(folder: Path):
    """At any depth, in the order of names."""
    (folder / "d" / "b" / "deep").mkdir(parents=True)
    for name in ("a.yaml", "b/deep/x.yaml", "b/y.yaml", "c.yaml"):
        (folder / "d" / name).write_text(POD)

    assert names("d", recursive=True) == ["d/a.yaml", "d/b/deep/x.yaml", "d/b/y.yaml", "d/c.yaml"]


def test_links_to_directories_are_not_followed(folder: Path):
    """They may lead in a circle."""
    (folder / "d").mkdir()
    (folder / "d" / "a.yaml").write_text(POD)
    (folder / "d" / "again").symlink_to(folder / "d")

    assert names("d", recursive=True) == ["d/a.yaml"]


def test_names_stand_in_the_order_given(folder: Path):
    """The last of two objects counts, so order matters."""
    for name in ("a.yaml", "b.yaml"):
        (folder / name).write_text(POD)

    assert names("b.yaml", "a.yaml") == ["b.yaml", "a.yaml"]


def test_a_file_named_twice_is_read_once(folder: Path):
    """Else every object of it would be declared twice."""
    (folder / "a.yaml").write_text(POD)

    assert names("a.yaml", "./a.yaml", ".") == ["a.yaml"]


def test_standard_input_is_a_source(monkeypatch: pytest.MonkeyPatch):
    """Called ``-``, and left open."""
    stdin = io.TextIOWrapper(io.BytesIO(POD.encode()))
    monkeypatch.setattr(sys, "stdin", stdin)
    ((source,), _) = open_sources(["-", "-"])

    assert (source.name, content(source)) == ("-", POD.encode())
    assert not stdin.closed


def test_a_pipe_is_read_like_a_file(folder: Path):
    """As from ``<(helm template .)``."""
    reading, writing = os.pipe()
    os.write(writing, POD.encode())
    os.close(writing)
    ((source,), _) = open_sources([f"/dev/fd/{reading}"])

    assert content(source) == POD.encode()
    os.close(reading)


def test_nothing_is_opened_before_it_is_read(folder: Path):
    """Any number of files may be named."""
    for number in range(2_000):
        (folder / f"{number}.yaml").write_text("")
    before = len(list(Path("/proc/self/fd").iterdir()))
    sources, _ = open_sources(["."])

    assert len(list(Path("/proc/self/fd").iterdir())) <= before
    assert len(sources) == 2_000


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("nowhere.yaml", "nowhere.yaml: cannot be read: no such file or directory", "correct the path"),
        ("", ": cannot be read: no such file or directory", "correct the path"),
        ("a.yaml/b", "a.yaml/b: cannot be read: not a directory", "name another"),
        (
            "empty",
            "empty: an empty directory: it holds no manifests",
            "name files, or a directory that holds .yaml, .yml, .json",
        ),
        ("outer", "outer: an empty directory: it holds no manifests", "give -R to take the directories within it"),
    ],
)
def test_a_name_that_stands_for_nothing_is_an_error(folder: Path, name: str, message: str, hint: str):
    """One, and the other names are taken."""
    (folder / "empty").mkdir()
    (folder / "outer" / "inner").mkdir(parents=True)
    for path in ("a.yaml", "outer/inner/b.yaml", "empty/README.md"):
        (folder / path).write_text(POD)

    assert said(name, "a.yaml") == [(message, hint)]
    assert [source.name for source in open_sources([name, "a.yaml"])[0]] == ["a.yaml"]


def test_a_file_that_vanished_is_an_error_of_its_own(folder: Path):
    """Between naming and reading."""
    for name in ("a.yaml", "b.yaml"):
        (folder / name).write_text(POD)
    sources, _ = open_sources(["a.yaml", "b.yaml"])
    (folder / "a.yaml").unlink()
    found = read(sources)

    assert str(found.errors[0]) == "a.yaml: cannot be read: no such file or directory"
    assert len(found.snapshot.pods) == 1


def test_a_directory_called_like_a_manifest_is_an_error(folder: Path):
    """A link to one, for a directory itself would be looked into."""
    (folder / "d").mkdir()
    (folder / "d" / "a.yaml").write_text(POD)
    (folder / "d" / "b.yaml").symlink_to(folder)
    found = read(open_sources(["d"])[0])

    assert str(found.errors[0]) == "d/b.yaml: cannot be read: is a directory"
    assert len(found.snapshot.pods) == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_an_error(folder: Path):
    """A file or a directory; the rest is read."""
    (folder / "d" / "closed").mkdir(parents=True)
    for name in ("d/a.yaml", "d/b.yaml"):
        (folder / name).write_text(POD)
    (folder / "d" / "b.yaml").chmod(0)
    (folder / "d" / "closed").chmod(0)
    sources, errors = open_sources(["d"], recursive=True)
    found = read(sources, errors=errors)
    (folder / "d" / "closed").chmod(0o700)

    assert [str(error) for error in found.errors][:2] == [
        "d/closed: cannot be read: permission denied",
        "d/b.yaml: cannot be read: permission denied",
    ]
    assert len(found.snapshot.pods) == 1
