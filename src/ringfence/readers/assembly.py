"""Objects become one snapshot: names, namespaces, owners and families."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ringfence.algebra.addresses import EVERY, Family, family_of, render_address
from ringfence.errors import ManifestError, UnsupportedError, one_line
from ringfence.model.origin import Origin
from ringfence.model.policy import Tier
from ringfence.model.snapshot import Snapshot
from ringfence.readers.adminnetworkpolicy import read_admin_network_policy, read_baseline_admin_network_policy
from ringfence.readers.audit import read_audit
from ringfence.readers.clusternetworkpolicy import read_cluster_network_policy
from ringfence.readers.core import host_addresses, read_namespace, read_pod
from ringfence.readers.decoding import decode
from ringfence.readers.fields import OBJECT, Field
from ringfence.readers.foreign import is_foreign_policy, not_understood
from ringfence.readers.kinds import (
    CLUSTER_SCOPED,
    MEMBERS,
    READ,
    TIERED,
    group_of,
    is_irrelevant,
    is_own,
    is_read,
    kind_of_workload,
    refusal,
)
from ringfence.readers.metadata import check_identity, check_metadata
from ringfence.readers.networkpolicy import network_policy_shape, read_network_policy
from ringfence.readers.nodes import read_node, told_by_pods
from ringfence.readers.release import VERIFIED
from ringfence.readers.routes import read_ingress, read_ingress_class, read_route
from ringfence.readers.services import read_endpoint_slice, read_endpoints, read_service
from ringfence.readers.shapes import OBJECT_META
from ringfence.readers.spelling import suggestion
from ringfence.readers.workloads import (
    WORKLOADS,
    OwnedPod,
    expand,
    has_template,
    hides_pods,
    read_foreign_workload,
    read_owners,
    read_workload,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ringfence.algebra.addresses import Address
    from ringfence.algebra.intervals import Intervals
    from ringfence.model.cluster import Namespace, Node, Pod
    from ringfence.model.policy import Policy
    from ringfence.model.service import EndpointSlice, Route, Service
    from ringfence.readers.manifest import Manifest
    from ringfence.readers.release import Release
    from ringfence.readers.workloads import Key, Template

_TIERED = {
    "AdminNetworkPolicy": read_admin_network_policy,
    "BaselineAdminNetworkPolicy": read_baseline_admin_network_policy,
    "ClusterNetworkPolicy": read_cluster_network_policy,
}
"""What reads the policies of the Admin and Baseline tiers."""

_POLICIES = TIERED | {"NetworkPolicy"}

_ALWAYS_THERE = frozenset({"default", "kube-node-lease", "kube-public", "kube-system"})
"""Namespaces that every cluster has without a manifest."""


def _places(origins: list[Origin]) -> str:
    """Return where something was found."""
    return str(origins[0]) if len(origins) == 1 else f"{len(origins)} objects, the first at {origins[0]}"


class Assembly:
    """Takes objects one by one; of two with one kind and name it keeps the last.

    Args:
        default_namespace: The namespace of objects that do not name theirs.
        errors: Where everything that is wrong is added.
        release: Of the API server that would take the objects.
        assume_rejected: Whether to leave out, and only note, what such a server refuses.
    """

    def __init__(
        self,
        default_namespace: str,
        errors: list[ManifestError],
        release: Release = VERIFIED,
        *,
        assume_rejected: bool = False,
    ) -> None:
        self._default_namespace = default_namespace
        self._release = release
        self._assume_rejected = assume_rejected
        self._notes: list[str] = []
        self._errors = errors
        self._origins: dict[Key, Origin] = {}
        self._beginnings: Counter[Key] = Counter()
        self._namespaces: dict[str, Namespace] = {}
        self._nodes: dict[str, Node] = {}
        self._services: dict[Key, Service] = {}
        self._slices: dict[Key, list[EndpointSlice]] = {}
        self._routes: dict[Key, Route] = {}
        self._controllers: dict[str, str] = {}
        self._pods: dict[Key, OwnedPod] = {}
        self._templates: dict[Key, Template] = {}
        self._policies: dict[Key, tuple[Policy, Origin]] = {}
        self._without_policies = False
        self._foreign: dict[tuple[str, str], list[Origin]] = {}
        self._unknown: dict[tuple[str, str], list[Origin]] = {}
        self._hiding: dict[tuple[str, str], list[Origin]] = {}
        self._experimental: dict[str, list[Origin]] = {}

    def add(self, manifest: Manifest) -> None:
        """Take one object."""
        kind, version = manifest.kind, manifest.version
        if is_read(kind, version):
            if kind != "NetworkPolicy":
                Field(manifest).known(MEMBERS.get(kind, OBJECT))
            self._identify(manifest)
            self._take(manifest, self._read)
        elif is_foreign_policy(kind, version):
            self._foreign.setdefault((kind, group_of(version)), []).append(manifest.origin())
        elif found := refusal(kind, version):
            self._errors.append(ManifestError(found[0], manifest.origin(), found[1]))
        elif has_template(manifest) and not is_irrelevant(kind, version):
            manifest.kind = kind_of_workload(kind, version)
            self._identify(manifest)
            self._take(manifest, self._read_foreign_workload)
        elif not is_irrelevant(kind, version):
            found_in = self._hiding if hides_pods(manifest.value.get("spec")) else self._unknown
            found_in.setdefault((kind, version), []).append(manifest.origin())

    def add_pod(self, found: OwnedPod) -> None:
        """Take a pod with which nothing is wrong."""
        key = (found.pod.namespace, "Pod", found.pod.name)
        self._claim(key, found.pod.origin)
        self._pods[key] = found

    def notes(self) -> tuple[str, ...]:
        """Return one line for each kind that was passed over, and for what not every cluster takes."""
        unknown = [
            f"{kind} of {version} is not {_word(kind, version)} and was passed over: {_places(origins)}"
            for (kind, version), origins in sorted(self._unknown.items())
        ]
        hiding = [
            f"{kind} of {version} makes pods in a way that is not read, so answers leave them out: {_places(origins)}"
            for (kind, version), origins in sorted(self._hiding.items())
        ]
        experimental = [
            f"{name} is known to the experimental channel of the policy API alone, "
            f"and a cluster with the standard channel refuses it: {_places(origins)}"
            for name, origins in sorted(self._experimental.items())
        ]
        return tuple(map(one_line, (*self._notes, *unknown, *hiding, *experimental, *self._two_baselines())))

    def _two_baselines(self) -> list[str]:
        """Say that policies of two APIs stand in one tier, if they do."""
        baseline = [policy for policy, _ in self._policies.values() if policy.tier is Tier.BASELINE]
        if len({policy.kind for policy in baseline}) < 2:
            return []
        names = ", ".join(sorted(f"{policy.kind}/{policy.name}" for policy in baseline))
        return [f"no API says which of these goes first; the BaselineAdminNetworkPolicy is taken to go last: {names}"]

    def snapshot(self, pod_ranges: Intervals, *, complete: bool = False) -> Snapshot:
        """Return what was taken as one snapshot, and check that its parts belong together.

        Args:
            pod_ranges: Where pods without an address will get one; empty when not known.
            complete: Whether all there is was taken, so that what is missing is a fact.
        """
        policies = [policy for policy, _ in self._policies.values()]
        workloads, pods = expand(self._templates, self._pods.values(), policies)
        pods.sort(key=lambda pod: (pod.namespace, pod.name))
        nodes = told_by_pods(self._nodes, self._pods.values())
        if not complete:
            self._check_presence(pods)
        self._check_addresses(pods)
        self._errors += self._not_understood(complete=complete)
        return Snapshot(
            pods=tuple(pods),
            policies=tuple(sorted(policies, key=lambda policy: (policy.kind, policy.name))),
            namespaces=dict(sorted(self._namespaces.items())),
            nodes=dict(sorted(nodes.items())),
            workloads=tuple(sorted(workloads, key=lambda each: (each.namespace, each.kind, each.name))),
            services=tuple(sorted(self._services.values(), key=lambda each: (each.namespace, each.name))),
            slices=self._known_endpoints(),
            routes=tuple(sorted(self._routes.values(), key=lambda each: (each.kind, each.namespace, each.name))),
            controllers=dict(sorted(self._controllers.items())),
            pod_ranges=pod_ranges,
            families=self._families(pods, nodes, pod_ranges),
        )

    def _identify(self, manifest: Manifest) -> None:
        """Give an object its name and namespace, and decode and check its metadata."""
        written = manifest.value.get("metadata")
        names = {name: text for name, text in written.items() if type(text) is str} if type(written) is dict else {}
        if manifest.kind not in CLUSTER_SCOPED:
            manifest.namespace = names.get("namespace") or self._default_namespace
        manifest.name = names.get("name") or self._generated(manifest, names.get("generateName", ""))
        if manifest.kind == "NetworkPolicy":
            manifest.value = decode(manifest, manifest.value, network_policy_shape(self._release))
            metadata = manifest.value.get("metadata") or {}
        else:
            metadata = decode(manifest, written, OBJECT_META, ("metadata",)) or {}
        check = check_metadata if manifest.kind in _POLICIES else check_identity
        check(manifest, metadata)
        if not manifest.name and manifest.kind in _POLICIES:  # what it isolates must stay isolated
            manifest.name = f"{manifest.source}:{manifest.place.line}"

    def _take(self, manifest: Manifest, read: Callable[[Manifest], None]) -> None:
        """Read an object that is identified, and report what is wrong with it."""
        if manifest.name:
            read(manifest)
        if self._leaves_out(manifest):
            first, *others = manifest.errors
            more = f", and {len(others)} more" if others else ""
            place = first.origin
            self._notes.append(
                f"{place}: {place.object} is left out, for an API server refuses it: {first.message}{more}"
            )
            self._without_policies |= manifest.kind in _POLICIES
            return
        if manifest.name:
            self._claim(self._key(manifest), manifest.origin())
        self._notes += manifest.notes
        self._errors += manifest.errors

    def _leaves_out(self, manifest: Manifest) -> bool:
        return self._assume_rejected and manifest.refused

    def _keep(self, manifest: Manifest, kept: dict[Any, Any], key: Key | str, found: object) -> None:
        """Keep what was read of an object, now that it is known whether a server refuses it."""
        if not self._leaves_out(manifest):
            kept[key] = found

    def _keep_policy(self, manifest: Manifest, key: Key, policy: Policy, origin: Origin) -> None:
        """Keep a policy, and whether it is in audit; an error in that mark spoils nothing else."""
        found = replace(policy, audited=True) if read_audit(manifest) else policy
        self._keep(manifest, self._policies, key, (found, origin))

    def _generated(self, manifest: Manifest, beginning: str) -> str:
        """Return a name that no other object has, of which only the beginning is known."""
        key = (manifest.namespace, manifest.kind, beginning)
        self._beginnings[key] += 1
        number = self._beginnings[key]
        return f"{beginning}#{number}" if beginning and number > 1 else beginning

    def _claim(self, key: Key, origin: Origin) -> None:
        """Report a second object of one kind and name."""
        if first := self._origins.get(key):
            message = f"{origin.object} is declared twice, first at {first}; the last one counts"
            self._errors.append(ManifestError(message, origin, "remove one of the two"))
        self._origins[key] = origin

    def _read(self, manifest: Manifest) -> None:
        key = self._key(manifest)
        match manifest.kind:
            case "Namespace":
                self._keep(manifest, self._namespaces, manifest.name, read_namespace(manifest))
            case "Node":
                self._keep(manifest, self._nodes, manifest.name, read_node(manifest))
            case "Service":
                self._keep(manifest, self._services, key, read_service(manifest))
            case "Pod":
                found = OwnedPod(read_pod(manifest), read_owners(manifest), host_addresses(manifest))
                self._keep(manifest, self._pods, key, found)
            case "NetworkPolicy":
                policy = read_network_policy(manifest, self._release)
                self._keep_policy(manifest, key, policy, manifest.origin(("metadata", "namespace")))
            case kind if kind in TIERED:
                policy, experimental = _TIERED[kind](manifest)
                self._keep_policy(manifest, key, policy, manifest.origin())
                for name in sorted(experimental) if not self._leaves_out(manifest) else ():
                    self._experimental.setdefault(name, []).append(experimental[name])
            case kind if kind in WORKLOADS:
                self._keep(manifest, self._templates, key, read_workload(manifest))
            case _:
                self._read_surroundings(key, manifest)

    def _read_surroundings(self, key: Key, manifest: Manifest) -> None:
        """Read what leads to Services, and what is behind them."""
        match manifest.kind:
            case "EndpointSlice":
                found = read_endpoint_slice(manifest)
                self._keep(manifest, self._slices, key, [found] if found else [])
            case "Endpoints":
                self._keep(manifest, self._slices, key, read_endpoints(manifest))
            case "Ingress":
                self._keep(manifest, self._routes, key, read_ingress(manifest))
            case "IngressClass":
                for name, controller in read_ingress_class(manifest).items():
                    self._keep(manifest, self._controllers, name, controller)
            case _:
                self._keep(manifest, self._routes, key, read_route(manifest))

    def _read_foreign_workload(self, manifest: Manifest) -> None:
        self._keep(manifest, self._templates, self._key(manifest), read_foreign_workload(manifest))

    @staticmethod
    def _key(manifest: Manifest) -> Key:
        return (manifest.namespace, manifest.kind, manifest.name)

    def _known_endpoints(self) -> tuple[EndpointSlice, ...]:
        """Return the slices in order; Endpoints count only for a Service that has no slice."""
        sliced = {(e.namespace, e.service) for key, some in self._slices.items() if key[1] != "Endpoints" for e in some}
        found = [
            each
            for (_, kind, _), some in self._slices.items()
            for each in some
            if kind != "Endpoints" or (each.namespace, each.service) not in sliced
        ]
        return tuple(sorted(found, key=lambda each: (each.namespace, each.service, each.name)))

    def _not_understood(self, *, complete: bool) -> list[ManifestError]:
        """Return one error for each kind of policy that somebody else enforces, and that is not read."""
        kinds = Counter(kind for kind, _ in self._foreign)
        found: list[ManifestError] = []
        for (kind, group), origins in sorted(self._foreign.items()):
            unclear = kinds[kind] > 1 or kind in READ or "policy" not in kind.lower()
            message = not_understood(kind, group if unclear else "", len(origins))
            asking = "ask the plugin that enforces them"
            hint = asking if complete else f"take them out of the input to answer without them, or {asking}"
            found.append(UnsupportedError(message, origins[0], hint))
        return found

    def _check_presence(self, pods: list[Pod]) -> None:
        """Report what is missing: pods, policies, the namespace of a policy."""
        if self._origins and not pods:
            self._missing("no pods and no workloads", "add the manifests of the workloads")
        if self._origins and not (self._policies or self._foreign or self._without_policies):
            self._missing("no network policies", "add the manifests of the policies")
        mentioned = {namespace for namespace, kind, _ in self._origins if kind != "NetworkPolicy"}
        known = _ALWAYS_THERE | self._namespaces.keys() | mentioned - {""}
        for (namespace, _, _), (policy, origin) in self._policies.items():
            if pods and namespace and namespace not in known:
                message = f'{policy.name} is in namespace "{namespace}", which nothing else in the input mentions'
                self._errors.append(ManifestError(message, origin, suggestion(namespace, sorted(known))))

    def _check_addresses(self, pods: list[Pod]) -> None:
        """Report live pods that have one address: nobody could tell who is meant by it."""
        owners: dict[Address, Pod] = {}
        owned = [(pod, address) for pod in pods if pod.selectable for address in pod.addresses.values()]
        for pod, address in owned:
            first = owners.setdefault(address, pod)
            if first is not pod:
                message = f"{pod} has the address {render_address(address)}, which {first} has at {first.origin}"
                self._errors.append(ManifestError(message, pod.origin, "correct one of the two, or remove it"))

    def _missing(self, what: str, hint: str) -> None:
        sources = list(dict.fromkeys(origin.source for origin in self._origins.values()))
        place = sources[0] if len(sources) == 1 else f"{sources[0]} and {len(sources) - 1} more"
        self._errors.append(ManifestError(what, Origin(place, 0, 0, "", ""), hint))

    def _families(self, pods: list[Pod], nodes: Mapping[str, Node], pod_ranges: Intervals) -> tuple[Family, ...]:
        """Return the families that anything in the input has; IPv4 when nothing has any."""
        found = {family for pod in pods for family in pod.addresses}
        found |= {family_of(address) for node in nodes.values() for address in node.addresses}
        found |= {family for service in self._services.values() for family in service.families}
        found |= {family for family, everything in EVERY.items() if everything & pod_ranges}
        return tuple(sorted(found)) or (Family.IPV4,)


def _word(kind: str, version: str) -> str:
    """Return what a kind is not that is passed over: one of Kubernetes' own is read in another version alone."""
    return "read" if kind in READ and is_own(group_of(version)) else "known"
