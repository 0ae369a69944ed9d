"""The manifests of a git revision as sources, read from git's store without a checkout.

Source: git-ls-tree(1), git-cat-file(1), gitrevisions(7).
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.edges.files import SUFFIXES
from ringfence.edges.programs import find_program
from ringfence.errors import ManifestError, WorldError
from ringfence.model.origin import Origin
from ringfence.readers.source import MAX_YAML_SIZE, Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_FILE, _LINK = "100", "120000"
"""How the modes of files and of symbolic links begin."""


@dataclass(frozen=True, slots=True)
class Revision:
    """A commit of the repository that the working directory is in.

    Attributes:
        name: How the user calls it.
        commit: Its hash.
    """

    name: str
    commit: str

    @classmethod
    def named(cls, name: str) -> Revision | None:
        """Return the commit that git takes a name for; None when it is none, or there is no repository or no git."""
        commit = _answer("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        return cls(name, commit) if commit else None

    def fork(self, other: Revision) -> Revision | None:
        """Return the newest commit that both come from, or None."""
        commit = _answer("merge-base", self.commit, other.commit)
        return Revision(f"{self.name}...{other.name}", commit) if commit else None

    def open_sources(
        self, filenames: Sequence[str], *, recursive: bool = False, max_file_size: int = MAX_YAML_SIZE
    ) -> tuple[tuple[Source, ...], tuple[ManifestError, ...]]:
        """Return the sources that names stand for in this commit, in the order named, each file once.

        Args:
            filenames: Files and directories of the working tree, whether they are in it now or not.
            recursive: Whether directories within directories are taken as well.
            max_file_size: Bytes of YAML that are taken from one file at most.

        Returns:
            The sources, named ``revision:path``, the files of a directory sorted by name; and
            an error for each name that stands for nothing.

        Raises:
            WorldError: git does not tell.
        """
        found: dict[str, str] = {}
        errors: list[ManifestError] = []
        for filename in filenames:
            entries = _listed(self.commit, filename, recursive=recursive)
            if not entries:
                hint = "correct the path" if recursive else "correct the path, or give -R for the directories within it"
                errors.append(self._error(filename, "no manifests there", hint))
            for path, mode, blob in entries:
                if mode == _LINK:
                    errors.append(self._error(path, "a symbolic link, which is not followed", "name what it leads to"))
                else:
                    found.setdefault(path, blob)
        texts = zip(found, _contents(list(found.values())), strict=True)
        return tuple(Source(f"{self.name}:{path}", (text,), max_file_size) for path, text in texts), tuple(errors)

    def _error(self, path: str, message: str, hint: str) -> ManifestError:
        return ManifestError(message, Origin(f"{self.name}:{path}", 0, 0, "", ""), hint)


def _listed(commit: str, filename: str, *, recursive: bool) -> list[tuple[str, str, str]]:
    """Return path, mode and blob of what a name stands for: a file, or the manifests of a directory."""
    path = os.path.relpath(filename)
    inside = _tree(commit, f"{path}/", recursive=recursive)
    taken = [each for each in inside if each[0].endswith(SUFFIXES)] if inside else _tree(commit, path, recursive=False)
    return [each for each in taken if each[1] == _LINK or each[1].startswith(_FILE)]


def _tree(commit: str, path: str, *, recursive: bool) -> list[tuple[str, str, str]]:
    """Return path, mode and object of each entry of a directory, or of a path that is a file."""
    done = _git("ls-tree", "-z", *(("-r",) if recursive else ()), commit, "--", path)
    if done.returncode:
        raise _refusal(done)
    found = []
    for entry in filter(None, os.fsdecode(done.stdout).split("\0")):
        head, _, name = entry.partition("\t")
        mode, _, blob = head.split()
        found.append((name, mode, blob))
    return sorted(found)


def _contents(blobs: list[str]) -> Iterator[bytes]:
    """Yield the bytes of some blobs."""
    done = _git("cat-file", "--batch", given="".join(f"{blob}\n" for blob in blobs).encode())
    if done.returncode:
        raise _refusal(done)
    place = 0
    for _ in blobs:
        end = done.stdout.index(b"\n", place)
        size = int(done.stdout[place:end].split()[2])
        yield done.stdout[end + 1 : end + 1 + size]
        place = end + 1 + size + 1


def _answer(*words: str) -> str:
    """Return the line that git answers with; nothing where it refuses, or is not installed."""
    try:
        done = _git(*words)
    except WorldError:
        return ""
    return "" if done.returncode else done.stdout.decode().strip()


def _git(*words: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([find_program("git"), *words], input=given, capture_output=True, check=False)  # noqa: S603


def _refusal(done: subprocess.CompletedProcess[bytes]) -> WorldError:
    return WorldError(f"git does not tell: {done.stderr.decode(errors='replace').strip()}")
