"""Everything that readers need of a live cluster, listed page by page within the permissions there are.

A kind that may not be listed is noted down as missing; a kind whose API is not installed is
not there and nothing to note. Policies of kinds that are not read are found by discovery;
where nobody may discover, that is noted down too.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NoReturn

import msgspec

from ringfence import __version__
from ringfence.edges.discovery import ALWAYS_SERVED, OWN_GROUPS, Resource, discover
from ringfence.edges.server import JSON, connect, words
from ringfence.edges.threads import at_once
from ringfence.errors import ClusterError
from ringfence.readers.foreign import is_foreign_policy
from ringfence.readers.kinds import CLUSTER_SCOPED, READ, is_read, refusal
from ringfence.readers.listing import Group, Header, Listing, Missing, Record, decode_page, owners_of

if TYPE_CHECKING:
    import httpx2

    from ringfence.edges.kubeconfig import Access
    from ringfence.edges.server import Server

PAGE = 500
"""Objects asked for at once, as kubectl does."""

_RESTARTS = 3
"""How often a list whose next page expires is begun before it is asked for in one piece."""

_SAME_OBJECTS = {"crd.projectcalico.org": "projectcalico.org"}
"""Groups that show the objects of another group, and are passed over where that is served."""

_MIRRORED = frozenset({"Endpoints"})
"""Kinds that are not asked for, because the control plane keeps EndpointSlices of the same content."""

_THREADS = 6
"""Lists that are read at once: most of the time is spent waiting for the server."""

_METADATA = f"{JSON};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,{JSON}"


def read_cluster(access: Access, namespace: str = "") -> Listing:
    """List everything that readers need.

    Args:
        access: The cluster, and who asks.
        namespace: A namespace to fall back to for what may not be listed everywhere.

    Raises:
        ClusterError: it cannot be reached, refuses whoever asks, or does not answer as an API server.
        InputError: a certificate of the kubeconfig cannot be read.
    """
    with connect(access) as server:
        return _Reader(server).listing(namespace)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Lists kind by kind."""

    server: Server

    def listing(self, namespace: str) -> Listing:
        """Return everything, what is missing included."""
        taken = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        discovery = discover(self.server)
        served = discovery.resources
        found = at_once(lambda each: self.group(each, namespace), self.resources(served), _THREADS)
        if all(missing and missing.reason == "forbidden" and not missing.namespace for _, missing in found):
            self.refuse()
        groups = [group for group, _ in found if group.records]
        groups += self.foreign_workloads(groups, served or [], namespace)
        header = Header(
            context=self.server.access.context,
            namespace=self.server.access.namespace,
            time=taken,
            ringfence=__version__,
            missing=(*discovery.missing, *(missing for _, missing in found if missing)),
        )
        return Listing(header, tuple(groups))

    def refuse(self) -> NoReturn:
        """Say that nothing may be listed: an empty map would look like an answer.

        Raises:
            ClusterError: always.
        """
        access = self.server.access
        acting = access.user.impersonate
        who = f"{acting}, as whom {access.user_place} asks," if acting else access.user_place
        message = f"{self.server.place} lets {who} list nothing"
        other = "--as" if acting else "--user"
        hint = f"ask for the verb list, name with -n a namespace where you have it, or choose another {other}"
        raise ClusterError(message, hint)

    def resources(self, served: list[Resource] | None) -> list[Resource]:
        """Return what to list: the kinds that are read, and policies that are not."""
        read = [
            Resource(kind, version, _plural(kind), kind not in CLUSTER_SCOPED)
            for kind, version in READ.items()
            if kind not in _MIRRORED
        ]
        if served is None:
            return read
        there = {(each.kind, each.version) for each in served}
        found = [each for each in read if each.version in ALWAYS_SERVED or (each.kind, each.version) in there]
        kinds = {(each.kind, each.group) for each in found}
        groups = {each.group for each in served}
        # Of several versions that a server has it names the one that it prefers first.
        for each in sorted(served, key=lambda each: not is_read(each.kind, each.version)):
            wanted = is_read(each.kind, each.version) or _is_unread_policy(each)
            if wanted and (each.kind, each.group) not in kinds and _SAME_OBJECTS.get(each.group) not in groups:
                kinds.add((each.kind, each.group))
                found.append(replace(each, whole=is_read(each.kind, each.version)))
        return found

    def foreign_workloads(self, groups: list[Group], served: list[Resource], namespace: str) -> list[Group]:
        """Return the owners of pods and workloads that somebody else's controllers look after, and theirs.

        Only those that hold the template of pods. They name pods and decide nothing, so one
        that may not be listed is not missed.
        """
        found: list[Group] = []
        fresh, known = groups, {(group.kind, group.version) for group in groups}
        while fresh:
            named = {
                (owner.kind, owner.version)
                for group in fresh
                for record in group.records
                for owner in owners_of(record)
            }
            wanted = [
                replace(each, whole=True)
                for each in served
                if (each.kind, each.version) in named - known
                and each.namespaced
                and not is_read(each.kind, each.version)
            ]
            known |= named
            listed = at_once(lambda each: self.group(each, namespace)[0], wanted, _THREADS)
            templates = [replace(each, records=tuple(filter(_has_spec, each.records))) for each in listed]
            fresh = [each for each in templates if each.records]
            found += fresh
        return found

    def group(self, resource: Resource, namespace: str) -> tuple[Group, Missing | None]:
        """Return the objects of one kind, and what of it cannot be had."""
        records: list[Record] | int = []
        for place in ("", namespace) if namespace and resource.namespaced else ("",):
            records = self.records(resource, place)
            if not isinstance(records, int):
                missing = Missing(resource.name, place, "forbidden") if place else None
                return Group.of(resource.kind, resource.version, records), missing
            if records != 403:
                break
        nothing = Group(resource.kind, resource.version, ())
        if records == 403:
            return nothing, Missing(resource.name, "", "forbidden")
        return nothing, Missing(resource.name, "", "not served") if resource.version in ALWAYS_SERVED else None

    def records(self, resource: Resource, namespace: str) -> list[Record] | int:
        """Return all objects of a list, or the status with which it is refused: 403 or 404."""
        for _ in range(_RESTARTS):
            found = self.pages(resource, namespace, PAGE)
            if found != 410:
                return found
        return self.pages(resource, namespace, limit=0)

    def pages(self, resource: Resource, namespace: str, limit: int) -> list[Record] | int:
        """Read a list page by page; 410 when it expired in the middle."""
        found: list[Record] = []
        token = ""
        while True:
            asked: dict[str, Any] = ({"limit": limit} if limit else {}) | ({"continue": token} if token else {})
            answer = self.server.get(resource.path(namespace), asked, accept=JSON if resource.whole else _METADATA)
            if answer.status_code in {403, 404} or (answer.status_code == 410 and token):
                return answer.status_code
            records, following = self.page(resource, answer)
            found += records
            if not following:
                return found
            if following == token:
                self.server.fail(f"{resource.plural}: the list has no end")
            token = following

    def page(self, resource: Resource, answer: httpx2.Response) -> tuple[list[Record], str]:
        """Return the objects of one page, and the token of the next."""
        self.server.check(answer)
        try:
            return decode_page(resource.kind, resource.version, answer.content)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            self.server.fail(f"{resource.plural}: {words(error)}")


def _is_unread_policy(resource: Resource) -> bool:
    """Tell whether a kind is a policy that bears on verdicts and is not read: another's, or another version."""
    if is_foreign_policy(resource.kind, resource.version):
        return True
    return resource.group not in OWN_GROUPS and refusal(resource.kind, resource.version) is not None


def _has_spec(record: Record) -> bool:
    return isinstance(record, dict) and "spec" in record


def _plural(kind: str) -> str:
    """Return the name of a kind in paths."""
    word = kind.lower()
    if word.endswith("s") and not word.endswith("ss"):
        return word
    if word.endswith("y") and word[-2] not in "aeiou":
        return f"{word[:-1]}ies"
    return f"{word}es" if word.endswith("ss") else f"{word}s"
