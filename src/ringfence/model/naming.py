"""How a client or a server is named, and how pods are named back as briefly as can be.

::

    shop/web              the pod of that name, else the workload
    shop/deploy/web       a workload of one kind; kubectl's short names and full kinds
    shop/                 every pod of the namespace
    shop:app=web          pods by their labels, in kubectl's grammar
    svc:shop/db           a Service; shop/svc/db too
    node:worker-1         a node: its addresses, and whoever is on its own network
    10.1.2.3  10.0.0.0/8  addresses of either family
    internet              all addresses that are no pod's, node's or Service's

Pods whose phase is Succeeded or Failed can no longer connect: no name means them.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import cidrs, read_address, read_cidr, render_addresses
from ringfence.algebra.intervals import Intervals
from ringfence.algebra.selectors import EVERYTHING, Operator, Requirement, Selector
from ringfence.model.expressions import FEW, Expressions

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ringfence.model.cluster import Pod
    from ringfence.model.snapshot import Snapshot

KINDS = {
    "Pod": ("pod", "po"),
    "Deployment": ("deploy",),
    "StatefulSet": ("sts",),
    "DaemonSet": ("ds",),
    "ReplicaSet": ("rs",),
    "ReplicationController": ("rc",),
    "Job": ("job",),
    "CronJob": ("cj",),
}
"""The kinds that stand for pods, each with kubectl's short names; the first is how we write it."""

_KIND_OF = {
    spelling: kind for kind, shorts in KINDS.items() for spelling in (*shorts, kind.lower(), f"{kind.lower()}s")
}

_SERVICES = frozenset({"svc", "service", "services"})
"""What makes a name that of a Service, as a prefix or as a kind."""

_NODES = frozenset({"node", "nodes", "no"})
"""What makes a name that of a node, as a prefix."""

_KEY = r"(?:[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9](?:[-\w.]{0,61}[A-Za-z0-9])?"
_VALUE = r"(?:[A-Za-z0-9](?:[-\w.]{0,61}[A-Za-z0-9])?)?"
_LIKE_AN_ADDRESS = re.compile(r"[0-9A-Fa-f:.]*(?:%|\Z)")
"""What an address is made of, up to its zone; most names are none, and the library takes long to say so."""

_REQUIREMENT = re.compile(
    rf"\s*(?:!\s*(?P<absent>{_KEY})"
    rf"|(?P<listed>{_KEY})\s+(?P<word>in|notin)\s*\((?P<values>\s*{_VALUE}\s*(?:,\s*{_VALUE}\s*)*)\)"
    rf"|(?P<equated>{_KEY})\s*(?P<sign>==|=|!=)\s*(?P<value>{_VALUE})"
    rf"|(?P<present>{_KEY}))\s*(?:,(?=\s*\S)|$)",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class ObjectName:
    """One pod or workload.

    Attributes:
        namespace: Its namespace.
        name: Its name.
        kind: One of :data:`KINDS`; a kind of somebody else in any case; or empty: a pod first,
            then a workload.
    """

    namespace: str
    name: str
    kind: str = ""

    def __str__(self) -> str:
        """Return the name as it can be asked again."""
        return "/".join(filter(None, (self.namespace, self.kind and _short(self.kind), self.name)))


@dataclass(frozen=True, slots=True)
class PodsName:
    """Every pod of a namespace that a selector matches."""

    namespace: str
    selector: Selector = EVERYTHING

    def __str__(self) -> str:
        """Return the name as it can be asked again."""
        return f"{self.namespace}:{self.selector}" if self.selector.requirements else f"{self.namespace}/"


@dataclass(frozen=True, slots=True)
class AddressName:
    """Addresses of one family; some may turn out to be pods'."""

    addresses: Intervals

    def __str__(self) -> str:
        """Return one address, or the CIDR."""
        (text,) = cidrs(self.addresses)
        return text.removesuffix("/32").removesuffix("/128") if self.addresses.count() == 1 else text


@dataclass(frozen=True, slots=True)
class ServiceName:
    """A Service."""

    namespace: str
    name: str

    def __str__(self) -> str:
        """Return the name as it can be asked again."""
        return f"svc:{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class NodeName:
    """A node and its own network."""

    name: str

    def __str__(self) -> str:
        """Return the name as it can be asked again."""
        return f"node:{self.name}"


@dataclass(frozen=True, slots=True)
class InternetName:
    """Every address that is no pod's, node's or Service's."""

    def __str__(self) -> str:
        """Return the name as it can be asked again."""
        return "internet"


Name = ObjectName | PodsName | AddressName | ServiceName | NodeName | InternetName


def read_name(text: str, namespace: str) -> Name:
    """Read the name of a client or server.

    Args:
        text: The name, as the module's docstring lists them.
        namespace: The namespace of a name that has none.

    Raises:
        ValueError: the text names nothing.
    """
    prefix, colon, rest = text.partition(":")
    if text == "internet":
        return InternetName()
    if colon and prefix in _NODES:
        return NodeName(_single(text, rest))
    if colon and prefix in _SERVICES:
        given, slash, name = rest.rpartition("/")
        return ServiceName(_single(text, given) if slash else namespace, _single(text, name))
    if addresses := _read_addresses(text):
        return AddressName(addresses)
    if colon and "/" not in prefix:
        return PodsName(prefix or namespace, read_selector(rest))
    return _read_object(text, namespace)


def _single(text: str, part: str) -> str:
    """Return a part of a name that must be there, and be one."""
    if not part or "/" in part:
        message = f"{text!r} is no name"
        raise ValueError(message)
    return part


def read_selector(text: str) -> Selector:
    """Read a label selector in kubectl's grammar; ``ValueError`` when it is none.

    ``app=web``, ``app==web``, ``app!=web``, ``app in (web,api)``, ``app notin (web)``,
    ``app``, ``!app``, joined by commas.
    """
    found: list[Requirement] = []
    place = 0
    while place < len(text) or not found:
        parts = _REQUIREMENT.match(text, place)
        if not parts:
            message = f"{text[place:].strip()!r} is no label selector such as app=web or app in (web,api)"
            raise ValueError(message)
        found.append(_requirement(parts.groupdict()))
        place = parts.end()
    return Selector.of(found)


def _requirement(parts: dict[str, str | None]) -> Requirement:
    match parts:
        case {"absent": str(key)}:
            return Requirement(key, Operator.DOES_NOT_EXIST)
        case {"present": str(key)}:
            return Requirement(key, Operator.EXISTS)
        case {"listed": str(key), "word": word, "values": str(values)}:
            operator = Operator.IN if word == "in" else Operator.NOT_IN
            return Requirement(key, operator, tuple(sorted({value.strip() for value in values.split(",")})))
        case {"equated": str(key), "sign": sign, "value": str(value)}:
            return Requirement(key, Operator.NOT_IN if sign == "!=" else Operator.IN, (value,))
    raise AssertionError(parts)


def _read_addresses(text: str) -> Intervals | None:
    """Return the addresses that a text gives, or None when it gives none."""
    first, slash, _ = text.partition("/")
    if not _LIKE_AN_ADDRESS.match(first):
        return None
    try:
        address = read_address(first)
    except ValueError:
        if "%" in first:
            message = f"{text!r} has a zone, which no address in a manifest has"
            raise ValueError(message) from None
        return None
    try:
        return read_cidr(text) if slash else Intervals.point(address)
    except ValueError:
        message = f"{text!r} is no CIDR"
        raise ValueError(message) from None


def _read_object(text: str, namespace: str) -> ObjectName | PodsName | ServiceName:
    match text.split("/"):
        case ["*"]:
            message = f"'*' is no name: write {namespace}/ for every pod of a namespace"
        case [given, "*"]:
            message = f"{text!r} is no name: write {given}/ for every pod of the namespace"
        case [name] if name:
            return ObjectName(namespace, name)
        case [given, ""] if given:
            return PodsName(given)
        case [given, name] if given:
            return ObjectName(given, name)
        case [given, kind, name] if given and kind and name:
            return _of_kind(text, given, kind, name)
        case [_, _, _]:
            message = f"{text!r} is no name: a part before or behind a slash is empty"
        case _:
            message = f"{text!r} is no name" if text else "the name is empty"
    raise ValueError(message)


def _of_kind(text: str, namespace: str, kind: str, name: str) -> ObjectName | ServiceName:
    """Read a name that says its kind; one that is not known here may be somebody else's."""
    if kind.lower() in _SERVICES:
        return ServiceName(namespace, name)
    if kind.lower() in _NODES:
        message = f"{text!r} is no name: a node is in no namespace; write node:{name}"
        raise ValueError(message)
    return ObjectName(namespace, name, _KIND_OF.get(kind.lower(), kind))


def _short(kind: str) -> str:
    return KINDS[kind][0] if kind in KINDS else kind.lower()


def _is_meant(asked: str, kind: str) -> bool:
    """Tell whether a kind that was asked for, or none, is one: in any case, in the plural, without its group."""
    if asked in KINDS or not asked:
        return asked in ("", kind)
    return asked.lower() in {kind.lower(), f"{kind.lower()}s", kind.partition(".")[0].lower()}


def kinds() -> str:
    """Return the kinds of Kubernetes' own as people write them, joined by commas."""
    return ", ".join(map(_short, KINDS))


def _by_namespace(pods: Iterable[Pod]) -> dict[str, list[Pod]]:
    found: dict[str, list[Pod]] = defaultdict(list)
    for pod in pods:
        found[pod.namespace].append(pod)
    return found


class Directory:
    """Who is who in one snapshot: finds pods by name, and names pods.

    Attributes:
        snapshot: Whose pods these are.
        pods: Every pod that can connect, in the snapshot's order.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.pods = tuple(pod for pod in snapshot.pods if not pod.terminal)
        self._by_name = {(pod.namespace, pod.name): pod for pod in self.pods}
        self._by_namespace = _by_namespace(self.pods)
        self._by_workload: dict[tuple[str, str], dict[str, list[Pod]]] = defaultdict(dict)
        for pod in self.pods:
            if pod.workload:
                kind, _, name = pod.workload.partition("/")
                self._by_workload[pod.namespace, name].setdefault(kind, []).append(pod)
        self._own = Intervals.of((a, a) for pod in self.pods if pod.selectable for a in pod.addresses.values())
        self._group = {(pod.namespace, pod.name): self._group_name(pod) for pod in self.pods}
        self._size = Counter(self._group.values())
        labels = {name: snapshot.namespace_labels(name) for name in self._by_namespace}
        self._expressions = Expressions(self._by_namespace, labels, self.names_of)

    def find(self, name: ObjectName | PodsName) -> dict[str, tuple[Pod, ...]]:
        """Return what a name may mean, by unmistakable names.

        None means that nothing has the name; several that it is ambiguous.
        """
        if isinstance(name, PodsName):
            pods = tuple(p for p in self._by_namespace.get(name.namespace, ()) if name.selector.matches(p.labels))
            return {str(name): pods} if pods else {}
        pod = self._by_name.get((name.namespace, name.name))
        if pod and name.kind in ("", "Pod"):
            return {str(pod): (pod,)}
        workloads = self._by_workload.get((name.namespace, name.name), {})
        return {
            str(ObjectName(name.namespace, name.name, kind)): tuple(pods)
            for kind, pods in sorted(workloads.items())
            if _is_meant(name.kind, kind)
        }

    def nearest(self, name: ObjectName | PodsName) -> tuple[str, ...]:
        """Return up to three names that somebody has and that come near, the nearest first."""
        names = sorted({*self._size, *map(str, self.pods)})
        here = self._by_namespace.get(name.namespace, [])
        spelled, known = name.namespace, {namespace: f"{namespace}/" for namespace in sorted(self._by_namespace)}
        if here and isinstance(name, PodsName):
            labels = sorted({f"{key}={value}" for pod in here for key, value in pod.labels.items()})
            spelled, known = str(name.selector), {label: f"{name.namespace}:{label}" for label in labels}
        elif here and isinstance(name, ObjectName):
            theirs = (each for each in names if each.startswith(f"{name.namespace}/"))
            spelled, known = name.name, {each.rpartition("/")[2]: each for each in theirs}
        elsewhere = [each for each in names if isinstance(name, ObjectName) and each.endswith(f"/{name.name}")]
        near = [known[each] for each in get_close_matches(spelled, known)]
        return tuple(dict.fromkeys((*elsewhere, *near)))[:FEW]

    def names_of(self, pods: Iterable[Pod]) -> tuple[str, ...]:
        """Name pods one by one, and a workload whose pods are all there by its own name; sorted."""
        return tuple(self.named(pods))

    def named(self, pods: Iterable[Pod]) -> dict[str, list[Pod]]:
        """Return pods by the names of :meth:`names_of`, in their order."""
        members: dict[str, list[Pod]] = defaultdict(list)
        for pod in pods:
            members[self._group[pod.namespace, pod.name]].append(pod)
        found: dict[str, list[Pod]] = {}
        for group, some in members.items():
            found |= {group: some} if len(some) == self._size[group] else {str(pod): [pod] for pod in some}
        return dict(sorted(found.items()))

    def terms(self, pods: Sequence[Pod]) -> tuple[str, ...]:
        """Name pods like :meth:`names_of`, but a whole namespace ``shop/*`` and all pods ``*``."""
        return self._expressions.plain(pods).terms

    def render(self, pods: Sequence[Pod]) -> str:
        """Name pods in the fewest words, as :mod:`ringfence.model.expressions` lists them."""
        return str(self._expressions.shortest(pods))

    def render_addresses(self, addresses: Intervals) -> str:
        """Write addresses that are no pod's own as people do, CIDRs joined by commas."""
        return render_addresses(self.filled(addresses))

    def filled(self, addresses: Intervals) -> Intervals:
        """Close the gaps that pods leave in addresses which are no pod's own.

        So ``0.0.0.0/0`` stands for everybody there who is no pod, however many pods have
        addresses in it.
        """
        gaps = (gap for gap in self._own if gap[0] - 1 in addresses and gap[1] + 1 in addresses)
        return addresses | Intervals.of(gaps)

    def _group_name(self, pod: Pod) -> str:
        """Return the shortest name that means the pod's whole workload and nothing else."""
        kind, _, name = pod.workload.partition("/")
        if not kind:
            return str(pod)
        alone = len(self._by_workload[pod.namespace, name]) == 1 and (pod.namespace, name) not in self._by_name
        return str(ObjectName(pod.namespace, name, "" if alone else kind))
