"""What a server serves: every kind that can be listed, by discovery."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec

from ringfence.edges.server import JSON
from ringfence.readers.kinds import is_irrelevant
from ringfence.readers.listing import Missing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.edges.server import Server

ALWAYS_SERVED = frozenset({"v1", "apps/v1", "batch/v1", "discovery.k8s.io/v1", "networking.k8s.io/v1"})
"""Versions that every cluster serves, so that it is an error if one does not."""

OWN_GROUPS = frozenset(version.rpartition("/")[0] for version in ALWAYS_SERVED)
"""Their groups; every kind of them that decides something is read."""

_AGGREGATED = f"{JSON};g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,{JSON}"


@dataclass(frozen=True, slots=True)
class Discovery:
    """What was found.

    Attributes:
        resources: Every kind outside of the core that can be listed; None where nobody may know.
        missing: The paths that do not say what they serve.
    """

    resources: list[Resource] | None
    missing: tuple[Missing, ...] = ()


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind as a server serves it.

    Attributes:
        kind: The kind.
        version: Its ``apiVersion``.
        plural: Its name in paths.
        namespaced: Whether its objects are in namespaces.
        whole: Whether all of its objects is asked for, not their metadata alone.
    """

    kind: str
    version: str
    plural: str
    namespaced: bool
    whole: bool = True

    @property
    def group(self) -> str:
        """Its group; empty for the core."""
        return self.version.rpartition("/")[0]

    @property
    def name(self) -> str:
        """Its name as ``kubectl`` takes it, ``networkpolicies.networking.k8s.io``: others may have the same plural."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def path(self, namespace: str = "") -> str:
        """Return where it is listed: everywhere, or in one namespace."""
        start = f"/apis/{self.version}" if "/" in self.version else f"/api/{self.version}"
        return f"{start}/namespaces/{quote(namespace)}/{self.plural}" if namespace else f"{start}/{self.plural}"


class _ScopeMeta(msgspec.Struct):
    name: str


class _ResponseKind(msgspec.Struct):
    kind: str


class _Found(msgspec.Struct, rename="camel"):
    resource: str
    scope: str
    response_kind: _ResponseKind
    verbs: list[str] = msgspec.field(default_factory=list)


class _Version(msgspec.Struct):
    """A version; stale where the extension behind it could not be asked by the server."""

    version: str
    freshness: str = ""
    resources: list[_Found] = msgspec.field(default_factory=list)


class _Group(msgspec.Struct):
    """A group, as servers from 1.27 on describe it with all its resources, or as older ones do without."""

    metadata: _ScopeMeta | None = None
    name: str = ""
    versions: list[_Version] = msgspec.field(default_factory=list)


class _Groups(msgspec.Struct):
    kind: str
    items: list[_Group] = msgspec.field(default_factory=list)
    groups: list[_Group] = msgspec.field(default_factory=list)


class _Plain(msgspec.Struct):
    name: str
    namespaced: bool
    kind: str
    verbs: list[str]


class _PlainList(msgspec.Struct):
    resources: list[_Plain]


_GROUPS = msgspec.json.Decoder(_Groups)
_PLAIN_LIST = msgspec.json.Decoder(_PlainList)


def discover(server: Server) -> Discovery:
    """Return every kind outside of the core that can be listed, and where that is not known.

    Raises:
        ClusterError: the server cannot be asked.
    """
    answer = server.get("/apis", accept=_AGGREGATED)
    if answer.status_code == 403:
        return Discovery(None, (Missing("/apis", "", "forbidden"),))
    found = server.decode(answer, _GROUPS)
    if found.kind == "APIGroupDiscoveryList":
        told = [each for group in found.items for each in _of_group(group)]
    else:
        versions = [f"{group.name}/{each.version}" for group in found.groups for each in group.versions]
        told = [each for version in versions for each in _of_version(server, version)]
    resources = [each for each in told if isinstance(each, Resource)]
    return Discovery(resources, tuple(each for each in told if isinstance(each, Missing)))


def _of_group(group: _Group) -> Iterator[Resource | Missing]:
    """Yield what servers from 1.27 on tell of a group."""
    of_group = group.metadata.name if group.metadata else ""
    for version in group.versions:
        name = f"{of_group}/{version.version}"
        if version.freshness == "Stale" and not version.resources and not is_irrelevant("", name):
            yield Missing(f"/apis/{name}", "", "not served")
        for each in version.resources:
            if "list" in each.verbs:
                yield Resource(each.response_kind.kind, name, each.resource, each.scope != "Cluster", whole=False)


def _of_version(server: Server, version: str) -> Iterator[Resource | Missing]:
    """Yield the kinds of one version, as servers before 1.27 tell them."""
    if version.rpartition("/")[0] in OWN_GROUPS or is_irrelevant("", version):
        return
    answer = server.get(f"/apis/{version}")
    if answer.status_code != 200:
        yield Missing(f"/apis/{version}", "", "forbidden" if answer.status_code == 403 else "not served")
    else:
        for each in server.decode(answer, _PLAIN_LIST).resources:
            if "list" in each.verbs and "/" not in each.name:
                yield Resource(each.kind, version, each.name, each.namespaced, whole=False)
