"""Sources in, a snapshot out, with everything that could not be read."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ringfence.algebra.intervals import EMPTY, Intervals
from ringfence.readers.assembly import Assembly
from ringfence.readers.documents import read_manifests
from ringfence.readers.release import STORED, VERIFIED
from ringfence.readers.workloads import OwnedPod

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ringfence.errors import ManifestError
    from ringfence.model.snapshot import Snapshot
    from ringfence.readers.listing import Listing
    from ringfence.readers.release import Release
    from ringfence.readers.source import Source


@dataclass(frozen=True, slots=True)
class Reading:
    """What sources hold.

    Attributes:
        snapshot: Everything that could be read.
        errors: What could not, or contradicts itself, in the order of the sources.
        notes: What was passed over because its kind is not known, one line for each kind; what
            was left out knowingly, and what is not as it looks. Of a live cluster also what it
            lacks.
        namespace: The namespace of names that have none.
    """

    snapshot: Snapshot
    errors: tuple[ManifestError, ...]
    notes: tuple[str, ...]
    namespace: str = "default"

    @property
    def partial(self) -> bool:
        """Whether answers from the snapshot may lack something."""
        return bool(self.errors)


def read(  # noqa: PLR0913 - each says what kind of input it is
    sources: Iterable[Source],
    *,
    pod_cidrs: Intervals = EMPTY,
    default_namespace: str = "default",
    errors: Iterable[ManifestError] = (),
    release: Release = VERIFIED,
    assume_rejected: bool = False,
    part: bool = False,
) -> Reading:
    """Read sources into one snapshot.

    Args:
        sources: What to read; each is read once, in order.
        pod_cidrs: Where pods without an address will get one; empty when not known.
        default_namespace: The namespace of objects that do not name theirs.
        errors: What was found wrong while the sources were opened; it comes first.
        release: Of the API server that would take the objects.
        assume_rejected: Whether to leave out, and only note, what such a server refuses.
        part: Whether the rest of the cluster is known otherwise; else it is an error if there
            are no pods or no policies.
    """
    found = list(errors)
    assembly = Assembly(default_namespace, found, release, assume_rejected=assume_rejected)
    with _without_collector():
        for source in sources:
            for each in read_manifests(source, found):
                if isinstance(each, OwnedPod):
                    assembly.add_pod(each)
                else:
                    assembly.add(each)
        snapshot = assembly.snapshot(pod_cidrs, complete=part)
    return Reading(snapshot, tuple(found), assembly.notes(), default_namespace)


def read_listing(listing: Listing, *, pod_cidrs: Intervals = EMPTY, namespace: str = "") -> Reading:
    """Read what was listed of a live cluster into one snapshot.

    Args:
        listing: What was listed.
        pod_cidrs: Where pods without an address will get one; empty when not known.
        namespace: The namespace of names that have none; that of the context by default.
    """
    # Types for JSON from a server are slow to import, and manifests do not need them.
    from ringfence.readers.live import add_listing, missing_errors  # noqa: PLC0415

    header = listing.header
    found = list(missing_errors(header))
    default_namespace = namespace or header.namespace
    assembly = Assembly(default_namespace, found, STORED)
    with _without_collector():
        add_listing(assembly, listing)
        snapshot = assembly.snapshot(pod_cidrs, complete=True)
    snapshot = replace(snapshot, unlisted={each.resource: each.namespace for each in header.missing})
    absent = [what for what, there in (("pods", snapshot.pods), ("policies", snapshot.policies)) if not there]
    facts = [f"{header.source} has no {what}" for what in absent if not found]
    return Reading(snapshot, tuple(found), (*assembly.notes(), *facts), default_namespace)


@contextmanager
def _without_collector() -> Iterator[None]:
    """Pause the cycle collector: decoding makes many objects and no cycles; a third faster.

    What was made counts as old afterwards, else the collector would walk all of it at once.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.freeze()
            gc.unfreeze()
            gc.enable()
