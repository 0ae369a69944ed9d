"""What a server serves: every kind that can be listed, by discovery."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec

from ringfence.edges.server import JSON
from ringfence.readers.kinds import is_irrelevant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.edges.server import Server

ALWAYS_SERVED = frozenset({"v1", "apps/v1", "batch/v1", "discovery.k8s.io/v1", "networking.k8s.io/v1"})
"""Versions that every cluster serves, so that it is an error if one does not."""

OWN_GROUPS = frozenset(version.rpartition("/")[0] for version in ALWAYS_SERVED)
"""Their groups; every kind of them that decides something is read."""

_AGGREGATED = f"{JSON};g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,{JSON}"


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
    version: str
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


def discover(server: Server) -> list[Resource] | None:
    """Return every kind outside of the core that can be listed; None where nobody may know.

    Raises:
        ClusterError: the server cannot be asked.
    """
    answer = server.get("/apis", accept=_AGGREGATED)
    if answer.status_code == 403:
        return None
    found = server.decode(answer, _GROUPS)
    if found.kind == "APIGroupDiscoveryList":
        return [each for group in found.items for each in _of_group(group)]
    versions = [f"{group.name}/{each.version}" for group in found.groups for each in group.versions]
    return [each for version in versions for each in _of_version(server, version)]


def _of_group(group: _Group) -> Iterator[Resource]:
    """Yield what servers from 1.27 on tell of a group."""
    for version in group.versions:
        for each in version.resources:
            if group.metadata and "list" in each.verbs:
                name = f"{group.metadata.name}/{version.version}"
                yield Resource(each.response_kind.kind, name, each.resource, each.scope != "Cluster", whole=False)


def _of_version(server: Server, version: str) -> Iterator[Resource]:
    """Yield the kinds of one version, as servers before 1.27 tell them."""
    if version.rpartition("/")[0] in OWN_GROUPS or is_irrelevant("", version):
        return
    answer = server.get(f"/apis/{version}")
    if answer.status_code == 200:  # an extension that is down serves nothing
        for each in server.decode(answer, _PLAIN_LIST).resources:
            if "list" in each.verbs and "/" not in each.name:
                yield Resource(each.kind, version, each.name, each.namespaced, whole=False)
