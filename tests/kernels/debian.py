"""Kernels and programs of Debian's releases, unpacked beside this machine's own and never installed.

Everything lies in the user's cache folder. The mirror is the one that this machine's own
packages come from.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

_WRAPPER = """#!/bin/sh
exec {loader} --library-path {libraries} {program} "$@"
"""
_DEPENDS = ("--recurse", "--no-pre-depends", *(f"--no-{each}" for each in ("recommends", "suggests", "conflicts")))
_REST = tuple(f"--no-{each}" for each in ("breaks", "replaces", "enhances"))


@dataclass(frozen=True)
class Release:
    """One release.

    Attributes:
        name: Its name, as in ``bookworm``.
    """

    name: str

    @property
    def _folder(self) -> Path:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        return cache / "ringfence" / "debian" / self.name

    def kernel(self) -> Path:
        """Return the newest kernel of the release, with its modules where its package has them.

        Raises:
            CalledProcessError: apt says why it cannot be had.
        """
        depends = self._apt("apt-cache", "depends", "linux-image-amd64")
        package = next(line.split()[1] for line in depends.splitlines() if "Depends: linux-image-" in line)
        root = self._unpacked(package, [package])
        return root / "boot" / f"vmlinuz-{package.removeprefix('linux-image-')}"

    def nft(self) -> Path:
        """Return a folder with a program ``nft`` that runs with the libraries of its own release.

        Raises:
            CalledProcessError: apt says why it cannot be had.
        """
        depends = self._apt("apt-cache", "depends", *_DEPENDS, *_REST, "nftables")
        packages = [line for line in depends.splitlines() if line[:1].isalnum()]
        root = self._unpacked("nftables", packages)
        wrapper = root / "bin-nft" / "nft"
        wrapper.parent.mkdir(exist_ok=True)
        loader = next(root.rglob("ld-linux-*.so.*"))  # releases differ in whether /lib lies in /usr
        libraries = ":".join(str(each) for each in root.glob("**/lib/*-linux-gnu"))
        wrapper.write_text(_WRAPPER.format(loader=loader, libraries=libraries, program=root / "usr/sbin/nft"))
        wrapper.chmod(0o755)
        return wrapper.parent

    def _unpacked(self, name: str, packages: list[str]) -> Path:
        """Return the folder that packages are unpacked in; nothing is fetched twice."""
        root = self._folder / name
        if not (root / "complete").exists():
            archives = self._folder / f"{name}.archives"
            archives.mkdir(parents=True, exist_ok=True)
            self._apt("apt-get", "download", *packages, folder=archives)
            for archive in sorted(archives.glob("*.deb")):
                subprocess.run(["dpkg-deb", "--extract", archive, root], check=True)  # noqa: S603, S607
                archive.unlink()
            (root / "complete").touch()
        return root

    def _apt(self, program: str, *arguments: str, folder: Path | None = None) -> str:
        """Run apt with lists of this release alone, and return what it prints."""
        state = self._folder / "apt"
        options = {
            "Dir::Etc::SourceList": state / "sources.list",
            "Dir::Etc::SourceParts": "/dev/null",
            "Dir::State::Lists": state / "lists",
            "Dir::Cache": state / "cache",
            "APT::Sandbox::User": "root",
        }
        words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        if not (state / "sources.list").exists():
            for each in ("lists/partial", "cache/archives/partial"):
                (state / each).mkdir(parents=True, exist_ok=True)
            (state / "sources.list").write_text(f"deb {_mirror()} {self.name} main\n")
            subprocess.run(["apt-get", "-qq", *words, "update"], check=True)  # noqa: S603, S607
        command = [program, *words, *arguments]
        return subprocess.run(command, check=True, cwd=folder, stdout=subprocess.PIPE, text=True).stdout  # noqa: S603


def _mirror() -> str:
    """Return the mirror that this machine's packages come from."""
    command = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"]
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout  # noqa: S603
    return next(line for line in told.splitlines() if "security" not in line)
