"""The options that say what is read: manifests, a live cluster, or a snapshot of one."""

from __future__ import annotations

import functools
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ringfence.cli.audit import judged
from ringfence.cli.collector import keep_what_was_read
from ringfence.cli.manifests import Manifests, manifests, tell
from ringfence.cli.output import patience, say
from ringfence.errors import InputError, WorldError
from ringfence.readers import Reading, read_listing

if TYPE_CHECKING:
    from collections.abc import Callable

    from ringfence.readers.listing import Listing
    from ringfence.semantics.dialects import Dialect

_DURATION = re.compile(r"(?P<seconds>[0-9]{1,9})|(?:[0-9]{1,9}(?:\.[0-9]+)?(?:ms|s|m|h))+")
_PART = re.compile(r"([0-9.]+)(ms|s|m|h)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True, slots=True)
class Input:
    """What the user gave to be read.

    Attributes:
        manifests: The manifests; without any the cluster is read.
        snapshot: A file to take the cluster from, or to keep it in; None for neither.
        cluster: What was said of the cluster: attributes of :class:`ringfence.edges.kubeconfig.Wanted`.
    """

    manifests: Manifests
    snapshot: Path | None = None
    cluster: dict[str, Any] = field(default_factory=dict)

    def read(self, dialect: Dialect) -> Reading:
        """Read what a dialect judges; say on standard error what is not, and why.

        Raises:
            InputError: there is nothing to read, or it is none of what it should be.
            ClusterError: the cluster cannot be read.
        """
        return judged(self.read_all(), dialect)

    def read_all(self) -> Reading:
        """Read it, policies in audit among the others; say what could not be read and what was passed over.

        Raises:
            InputError: there is nothing to read, or it is none of what it should be.
            ClusterError: the cluster cannot be read.
        """
        self._check_alone()
        reading = self.manifests.read() if self.manifests.filenames else self._read_cluster()
        keep_what_was_read()
        return reading

    def _read_cluster(self) -> Reading:
        if self.manifests.assume_rejected:
            say("note", "what a cluster holds was not rejected, so --assume-rejected leaves nothing out")
        if not self.manifests.release.verified:
            say("note", "a cluster holds what its own release took, so --kube-version has no effect")
        with patience("reading the cluster"):
            listing = self._listing()
            namespace = self.manifests.namespace or ""
            reading = read_listing(listing, pod_cidrs=self.manifests.pod_cidrs, namespace=namespace)
        tell(reading)
        return reading

    def _check_alone(self) -> None:
        """Refuse two inputs, and options that say which cluster where none is read.

        An answer from elsewhere than the user named is as good as a wrong one.

        Raises:
            InputError: there are several of manifests, a snapshot that is there, and such options.
        """
        given = self.manifests.filenames
        if given and self.snapshot:
            message = "-f and --snapshot name two inputs"
            raise InputError(message, "leave one of them out")
        if given:
            self.refuse_cluster_options("with -f none is read", "leave out -f, or {}")
        if self.snapshot and self.snapshot.exists():
            why = f"with --snapshot {self.snapshot}, which is there, none is read"
            self.refuse_cluster_options(why, "leave out {}, or keep the cluster in a new file")

    def refuse_cluster_options(self, why: str, hint: str) -> None:
        """Refuse options that say how to read a cluster, where none is read.

        Args:
            why: Why none is read.
            hint: What to do; ``{}`` stands for the options.

        Raises:
            InputError: such options are given.
        """
        if found := [option for name, option in _CLUSTER_OPTIONS.items() if self.cluster.get(name)]:
            message = f"{' and '.join(found)} {'say' if len(found) > 1 else 'says'} how to read a cluster, and {why}"
            raise InputError(message, hint.format(", ".join(found)))

    def _listing(self) -> Listing:
        """Return what is in the snapshot, else in the cluster."""
        if self.snapshot and self.snapshot.exists():
            from ringfence.edges.snapshots import load_snapshot  # noqa: PLC0415 - not needed for manifests

            listing = load_snapshot(self.snapshot)
            say("note", f"{self.snapshot}: a snapshot of {listing.header.source}, taken {listing.header.time}")
            return listing
        listing = self._live()
        if self.snapshot:
            from ringfence.edges.snapshots import save_snapshot  # noqa: PLC0415

            save_snapshot(self.snapshot, listing)
        return listing

    def _live(self) -> Listing:
        try:
            from ringfence.edges.cluster import read_cluster  # noqa: PLC0415 - slow to import
            from ringfence.edges.kubeconfig import Wanted, find_access  # noqa: PLC0415
        except ModuleNotFoundError as error:
            message = f"no manifests, and the client for a live cluster is not installed: {error.name} is missing"
            raise WorldError(message, "install ringfence[cluster], or give manifests with -f") from error
        access = find_access(Wanted(**self.cluster), os.environ)
        return read_cluster(access, self.manifests.namespace or "")


def inputs(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command, which gets them as one argument ``given``."""

    @manifests
    @click.option(
        "--snapshot",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Read the cluster from FILE; where there is none, read the live one and keep it there.",
    )
    @click.option("--context", default="", metavar="NAME", help="Context of the kubeconfig to read, without -f.")
    @click.option("--kubeconfig", default="", metavar="PATH", help="Kubeconfig to use.")
    @click.option("--cluster", default="", metavar="NAME", help="Cluster of the kubeconfig to read.")
    @click.option("--user", default="", metavar="NAME", help="User of the kubeconfig to read as.")
    @click.option("--token", default="", metavar="TOKEN", help="Bearer token for the API server.")
    @click.option("--as", "impersonate", default="", metavar="USER", help="User to impersonate.")
    @click.option(
        "--as-group", "groups", multiple=True, metavar="GROUP", help="Group to impersonate; may be given again."
    )
    @click.option(
        "--request-timeout",
        "timeout_s",
        default="0",
        metavar="TIME",
        callback=lambda _context, _option, text: read_duration(text),
        help="How long to wait for the API server, e.g. 5s or 2m; 0 for ever.",
    )
    @functools.wraps(command)
    def wrapped(manifests: Manifests, snapshot: Path | None, **others: Any) -> Any:
        cluster = {name: others.pop(name) for name in _CLUSTER_OPTIONS}
        return command(given=Input(manifests, snapshot, cluster), **others)

    return wrapped


_CLUSTER_OPTIONS = {
    "kubeconfig": "--kubeconfig",
    "context": "--context",
    "cluster": "--cluster",
    "user": "--user",
    "token": "--token",
    "impersonate": "--as",
    "groups": "--as-group",
    "timeout_s": "--request-timeout",
}
"""How attributes of :class:`ringfence.edges.kubeconfig.Wanted` are given."""


def read_duration(text: str) -> float | None:
    """Return the seconds of a time such as ``1m30s``, or None for no end; a number alone is seconds.

    Raises:
        InputError: it is none.
    """
    found = _DURATION.fullmatch(text)
    if not found:
        message = f"--request-timeout {text!r}: expected a time such as 5s, 2m or 1h"
        raise InputError(message)
    if found["seconds"]:
        return float(text) or None
    return sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text)) or None
