"""The programs of a cluster, built once from the Go modules they are published as.

The binary is kept under the user's cache folder by a hash of what it is made of, so a
second build takes no time and a changed module file makes a new one.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

MODULE = Path(__file__).parent / "go"

PROGRAMS = ("etcd", "kube-apiserver", "kubectl")
"""The names that the binary answers to."""

_VERSION = "k8s.io/component-base/version"
_SECONDS = 1200
"""Seconds that Go may take; it needs 5 minutes on two cores, from nothing."""


class NoGoError(Exception):
    """There is no Go here to build with."""

    def __str__(self) -> str:
        """Say what is missing, and what is lost by it."""
        return "go is not installed, so there is no cluster to compare with"


def programs() -> Path:
    """Return the folder of the programs, built when it is not there yet.

    Raises:
        NoGoError: It has to be built, and Go is missing.
    """
    go = shutil.which("go")
    if go is None:
        raise NoGoError
    folder = _cache() / _fingerprint(go)
    if not (folder / "kubectl").exists():
        _build(go, folder)
    return folder


def definitions(version: str, channel: str) -> list[bytes]:
    """Return the CustomResourceDefinitions of the policy APIs, as YAML.

    Args:
        version: The API version, ``v1alpha1`` or ``v1alpha2``.
        channel: ``standard`` or ``experimental``.

    Raises:
        NoGoError: Go, which fetches them, is missing.
    """
    go = shutil.which("go")
    if go is None:
        raise NoGoError
    module = "sigs.k8s.io/network-policy-api"
    found = json.loads(_run([go, "mod", "download", "-json", module], MODULE / "crds" / version))
    folder = Path(found["Dir"]) / "config" / "crd" / channel
    return [path.read_bytes() for path in sorted(folder.glob("policy.networking.k8s.io_*.yaml"))]


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ringfence" / "cluster"


def _fingerprint(go: str) -> str:
    """Return what tells this binary from others: the module, the compiler and the flags."""
    parts = [(MODULE / name).read_bytes() for name in ("go.mod", "go.sum", "main.go")]
    parts += [_run([go, "version"]), _flags().encode(), " ".join(PROGRAMS).encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


def _flags() -> str:
    """Return the linker's flags: small, and stamped with the version that the module names."""
    module = (MODULE / "go.mod").read_text()
    version, major, minor = re.findall(r"k8s\.io/kubernetes (v(\d+)\.(\d+)\.\d+)", module)[0]
    stamps = {"gitVersion": version, "gitMajor": major, "gitMinor": minor}
    return " ".join(["-s", "-w", *(f"-X {_VERSION}.{name}={value}" for name, value in stamps.items())])


def _build(go: str, folder: Path) -> None:
    """Compile into a folder of its own, and give it its name at the end: it is there whole or not at all."""
    unfinished = folder.with_name(f"{folder.name}.{os.getpid()}")
    unfinished.mkdir(parents=True)
    try:
        _run([go, "build", "-trimpath", "-ldflags", _flags(), "-o", str(unfinished / "cluster"), "."])
        for name in PROGRAMS:
            (unfinished / name).symlink_to("cluster")
        if not folder.exists():
            unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _run(command: list[str], folder: Path = MODULE) -> bytes:
    environment = os.environ | {"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly"}
    done = subprocess.run(  # noqa: S603 - Go, as it was found
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=_SECONDS,
    )
    if done.returncode:
        message = f"{' '.join(command)}: {done.stderr.decode(errors='replace')}"
        raise RuntimeError(message)
    return done.stdout


if __name__ == "__main__":
    try:
        sys.stdout.write(f"{programs()}\n")
    except NoGoError as error:
        sys.exit(f"ringfence: error: {error}")
