"""How two worlds are named on the command line, and read."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ringfence.cli.audit import judged
from ringfence.cli.inputs import Input
from ringfence.edges.files import STDIN
from ringfence.edges.revisions import Revision
from ringfence.errors import InputError

if TYPE_CHECKING:
    from ringfence.readers import Reading
    from ringfence.semantics.dialects import Dialect

CLUSTER = "cluster:"
"""How the name of a live cluster begins; the rest is a context of the kubeconfig, or nothing for the current one."""

_WORLDS = 2
_RANGE, _FORK = "..", "..."
_HERE = "."
_COMPRESSED = b"\x1f\x8b"
"""How a snapshot begins."""


@dataclass(frozen=True, slots=True)
class World:
    """One side of a comparison.

    Attributes:
        given: The options, of which the manifests say what is meant of a revision.
        name: A path, a revision or a cluster; empty for the manifests of the options.
        revision: The revision, where it is one.
    """

    given: Input
    name: str = ""
    revision: Revision | None = None

    @property
    def live(self) -> bool:
        """Whether it is a cluster."""
        return self.name.startswith(CLUSTER)

    def read(self, dialect: Dialect) -> Reading:
        """Read what a dialect judges.

        Raises:
            InputError: there is nothing to read, or it is none of what it should be.
            WorldError: the cluster or the repository cannot be read.
        """
        manifests = self.given.manifests
        here = replace(manifests, filenames=manifests.filenames or (_HERE,))
        if self.live:
            context = self.name.removeprefix(CLUSTER)
            cluster = {**self.given.cluster, **({"context": context} if context else {})}
            return Input(replace(manifests, filenames=()), cluster=cluster).read(dialect)
        if self.revision:
            return judged(here.read(self.revision), dialect)
        if self.name and _is_snapshot(self.name):
            return Input(replace(manifests, filenames=()), snapshot=Path(self.name)).read(dialect)
        return judged(replace(manifests, filenames=(self.name,)).read() if self.name else here.read(), dialect)


def find_worlds(given: Input, names: tuple[str, ...]) -> tuple[World, World]:
    """Return the two worlds that are named.

    Args:
        given: The options.
        names: One or two, each a path, a revision of git, or ``cluster:`` with a context. One alone
            may be two revisions, ``A..B`` or ``A...B``; the manifests of the options stand against any other.

    Raises:
        InputError: a name means nothing, or two things.
    """
    if len(names) > _WORLDS:
        message = f"{len(names)} names, and two can be compared"
        raise InputError(message, "give OLD and NEW alone")
    old, new = (*names, "")[:_WORLDS]
    if given.snapshot:
        message = "--snapshot names a third input"
        raise InputError(message, "give the file of the snapshot as OLD or as NEW")
    pair = None if new else _range(old)
    before, after = (
        (World(given, str(each), each) for each in pair) if pair else (_world(given, old), _world(given, new))
    )
    if not (before.live or after.live):
        given.refuse_cluster_options("none is compared", f"leave out {{}}, or name {CLUSTER} as OLD or NEW")
    if given.manifests.filenames and not (before.revision or after.revision or not new):
        message = "-f says what of a revision is meant, and none is compared"
        raise InputError(message, "leave out -f")
    return before, after


def _world(given: Input, name: str) -> World:
    if not name:
        return World(
            replace(given, manifests=replace(given.manifests, filenames=given.manifests.filenames or (_HERE,)))
        )
    if name.startswith(CLUSTER) or name == STDIN:
        return World(given, name)
    revision = Revision.named(name)
    if not os.path.lexists(name):
        if revision:
            return World(given, name, revision)
        message = f"{name}: no file or directory, and no revision of git here"
        raise InputError(message, f"correct the name; a live cluster is {CLUSTER} or {CLUSTER}CONTEXT")
    if revision:
        message = f"{name} is a path and a revision of git"
        raise InputError(message, f"write ./{name} for the path, or heads/{name} or {name}^0 for the revision")
    return World(given, name)


def _range(text: str) -> tuple[Revision, Revision] | None:
    """Return the two revisions of ``A..B``, or of ``A...B`` where B and A parted, and B; None when it is neither."""
    between = _FORK if _FORK in text else _RANGE
    old, found, new = text.partition(between)
    if not found or os.path.lexists(text):
        return None
    ends = [Revision.named(name or "HEAD") for name in (old, new)]
    for name, revision in zip((old, new), ends, strict=True):
        if revision is None:
            message = f"{text}: no revision {name} of git here"
            raise InputError(message, "correct the name, or fetch it first")
    one, other = (each for each in ends if each)
    fork = one.fork(other) if between == _FORK else one
    if fork is None:
        message = f"{text}: the two have no commit in common"
        raise InputError(message, f"write {old}..{new} to compare them as they are")
    return fork, other


def _is_snapshot(path: str) -> bool:
    """Tell whether a file is a snapshot of a cluster, as far as it can be read."""
    try:
        with Path(path).open("rb") as stream:
            return stream.read(len(_COMPRESSED)) == _COMPRESSED
    except OSError:
        return False
