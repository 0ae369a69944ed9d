"""The options that say which manifests are meant, and their reading."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import click

from ringfence.algebra.addresses import read_cidr
from ringfence.algebra.intervals import EMPTY, Intervals
from ringfence.cli.output import patience, say, say_error
from ringfence.edges.files import open_sources
from ringfence.errors import InputError
from ringfence.readers import MAX_YAML_SIZE, VERIFIED, Reading, Release, read

if TYPE_CHECKING:
    from collections.abc import Callable

    from ringfence.edges.revisions import Revision

_UNITS = {"": 1, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30}
_SIZE = re.compile(r"([1-9]\d{0,14})(|Ki|Mi|Gi)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Manifests:
    """What the user gave to be read.

    Attributes:
        filenames: Files, directories, or ``-``; empty when none were given.
        recursive: Whether directories within directories are read.
        namespace: The namespace given with ``-n``; None when there was none.
        pod_cidrs: Where pods without an address will get one; empty when not known.
        max_file_size: Bytes of YAML taken from one file at most.
        release: Of the API server that would take them.
        assume_rejected: Whether what such a server refuses is left out.
    """

    filenames: tuple[str, ...]
    recursive: bool = False
    namespace: str | None = None
    pod_cidrs: Intervals = EMPTY
    max_file_size: int = MAX_YAML_SIZE
    release: Release = VERIFIED
    assume_rejected: bool = False

    def read(self, revision: Revision | None = None, *, part: bool = False) -> Reading:
        """Read them; say on standard error what could not be read and what was passed over.

        Args:
            revision: Of git, whose files are meant; None for those that lie here now.
            part: Whether the rest of the cluster is known otherwise.

        Raises:
            InputError: no manifests were given, or there is nothing in them.
        """
        if not self.filenames:
            message = "no manifests"
            raise InputError(message, "give files or directories with -f")
        with patience("reading manifests"):
            opener = revision.open_sources if revision else open_sources
            sources, errors = opener(self.filenames, recursive=self.recursive, max_file_size=self.max_file_size)
            namespace = self.namespace or "default"
            reading = read(
                sources,
                pod_cidrs=self.pod_cidrs,
                default_namespace=namespace,
                errors=errors,
                release=self.release,
                assume_rejected=self.assume_rejected,
                part=part,
            )
        if not self.release.verified:
            unlike = f"what Kubernetes {self.release} refuses was not compared with a running API server"
            reading = replace(reading, notes=(f"{unlike}, as that of {VERIFIED} was", *reading.notes))
        tell(reading)
        if not (reading.snapshot.pods or reading.snapshot.policies):
            nothing = "no pods, no workloads and no policies"
            message = f"{nothing} could be read" if reading.partial else f"{', '.join(self.filenames)}: {nothing}"
            raise InputError(message, "give manifests with -f")
        return reading


def tell(reading: Reading) -> None:
    """Say on standard error what could not be read, and what was passed over."""
    for note in reading.notes:
        say("note", note)
    for error in reading.errors:
        say_error(error)


def manifests(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command, which gets them as one argument ``manifests``."""

    @click.option(
        "-f",
        "--filename",
        "filenames",
        multiple=True,
        metavar="PATH",
        help="File or directory of manifests, or - for standard input. May be given again.",
    )
    @click.option("-R", "--recursive", is_flag=True, help="Read directories within directories, too.")
    @click.option("-n", "--namespace", help="Namespace of names and objects that have none.")
    @click.option(
        "--pod-cidr",
        "pod_cidrs",
        multiple=True,
        metavar="CIDR",
        callback=_cidrs,
        help="Where pods without an address will get theirs. May be given again.",
    )
    @click.option(
        "--max-file-size",
        metavar="SIZE",
        callback=_size,
        default="64Mi",
        show_default=True,
        help="Bytes of YAML taken from one file, e.g. 200Mi. JSON has no limit.",
    )
    @click.option(
        "--kube-version",
        "release",
        metavar="VERSION",
        callback=_release,
        default=str(VERIFIED),
        show_default=True,
        help="Release whose API server would take the manifests, from 1.20 to 1.38.",
    )
    @click.option(
        "--assume-rejected", is_flag=True, help="Leave out what an API server refuses, instead of answering in part."
    )
    @functools.wraps(command)
    def wrapped(**options: Any) -> Any:
        given = {each.name: options.pop(each.name) for each in fields(Manifests)}
        return command(manifests=Manifests(**given), **options)

    return wrapped


def _release(_context: click.Context, _option: click.Parameter, text: str) -> Release:
    try:
        return Release.of(text)
    except ValueError as error:
        message = f"--kube-version {error}"
        raise InputError(message) from None


def _cidrs(_context: click.Context, _option: click.Parameter, texts: tuple[str, ...]) -> Intervals:
    found = []
    for text in texts:
        try:
            found.append(read_cidr(text))
        except ValueError:
            message = f"--pod-cidr {text!r}: expected a CIDR such as 10.42.0.0/16"
            raise InputError(message) from None
    return Intervals.union(found)


def _size(_context: click.Context, _option: click.Parameter, text: str) -> int:
    parts = _SIZE.fullmatch(text)
    if not parts:
        message = f"--max-file-size {text!r}: expected bytes, or a number with Ki, Mi or Gi"
        raise InputError(message)
    return int(parts[1]) * _UNITS[parts[2]]
