"""What names other than pods' mean: Services, nodes, and all that is outside."""

from __future__ import annotations

from collections import defaultdict
from difflib import get_close_matches
from functools import cached_property
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import EVERY
from ringfence.algebra.intervals import Intervals
from ringfence.errors import InputError
from ringfence.model.cluster import Pod
from ringfence.semantics.endpoints import endpoints

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ringfence.algebra.addresses import Address, Family
    from ringfence.model.connection import End
    from ringfence.model.naming import Name, NodeName, ServiceName
    from ringfence.model.service import Service
    from ringfence.model.snapshot import Snapshot

_SHOWN = 3
"""So many names are suggested."""

Members = tuple[tuple[tuple[Pod, tuple["Family", ...]], ...], Intervals]
"""Pods, each with the families to ask about, and addresses that are no pod's own."""


class Places:
    """Finds the Services and nodes of one snapshot by name."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._services = {(each.namespace, each.name): each for each in snapshot.services}

    def service(self, role: str, name: ServiceName) -> Service:
        """Return the Service of a name.

        Args:
            role: ``client`` or ``server``, for messages.
            name: The name.

        Raises:
            InputError: there is none.
        """
        if found := self._services.get((name.namespace, name.name)):
            return found
        known = [f"svc:{each}" for each in self._services.values()]
        near = [each for each in known if each.endswith(f"/{name.name}")] or get_close_matches(str(name), known)
        if self._snapshot.may_lack("services", name.namespace):
            raise not_listed(role, name, "services", name.namespace)
        message = f"{role}: there is no Service {name.namespace}/{name.name}"
        if not known:
            raise InputError(message, "give manifests of Services too")
        raise InputError(message, f"try {' or '.join(near[:_SHOWN])}" if near else f"known here: {known[0]}")

    def find(self, namespace: str, name: str) -> Service | None:
        """Return the Service of a namespace and name, or None."""
        return self._services.get((namespace, name))

    def behind(self, role: str, name: ServiceName) -> Members:
        """Return who is behind any port of a Service.

        Raises:
            InputError: there is no such Service, or nobody is behind it.
        """
        service = self.service(role, name)
        found = [
            (endpoint.end, family)
            for family in self._snapshot.families
            for port in service.ports
            for endpoint in endpoints(self._snapshot, service, port, family)
        ]
        if not found:
            message = f"{role}: nobody is behind {name}"
            raise InputError(message, "compare its selector and target ports with the pods")
        return members(found)

    def node(self, role: str, name: NodeName) -> Intervals:
        """Return the addresses that a node speaks from.

        Raises:
            InputError: there is no such node, or no address of it is known.
        """
        node = self._snapshot.nodes.get(name.name)
        if node and node.speaks_from:
            return Intervals.of((address, address) for address in node.speaks_from)
        if self._snapshot.may_lack("nodes"):
            raise not_listed(role, name, "nodes")
        if node or any(pod.node == name.name for pod in self._snapshot.pods):
            message = f"{role}: no address of node {name.name} is known"
            raise InputError(message, "give its Node with status.addresses")
        known = list(self._snapshot.nodes)
        message = f"{role}: no node is named {name.name}"
        near = get_close_matches(name.name, known, _SHOWN) or known[:_SHOWN]
        raise InputError(message, f"known here: {', '.join(near)}" if near else "give manifests of Nodes too")

    @cached_property
    def internet(self) -> Intervals:
        """Every address that is no pod's, node's or Service's, nor meant for one, as far as that is known."""
        return Intervals.union(EVERY[family] for family in self._snapshot.families) - self._known - self._pod_ranges

    @cached_property
    def strangers(self) -> Intervals:
        """Every address in the ranges of pods that nobody who was read has: it may be that of a pod."""
        return self._pod_ranges - self._known

    @cached_property
    def _known(self) -> Intervals:
        """Every address that a live pod, a node or a Service has."""
        snapshot = self._snapshot
        found = [address for pod in snapshot.pods if not pod.terminal for address in pod.addresses.values()]
        found += [address for node in snapshot.nodes.values() for address in node.speaks_from]
        found += [address for service in snapshot.services for address in addresses_of(service)]
        return Intervals.of((each, each) for each in found)

    @cached_property
    def _pod_ranges(self) -> Intervals:
        """Where pods get their addresses, as far as the input or a node says it."""
        of_nodes = (node.pod_ranges for node in self._snapshot.nodes.values())
        return Intervals.union([self._snapshot.pod_ranges, *of_nodes])


def not_listed(role: str, name: Name, resource: str, namespace: str = "") -> InputError:
    """Say that nothing which was read has a name, and that more may be there than could be listed.

    Args:
        role: ``client`` or ``server``.
        name: The name.
        resource: What could not be listed, by its plural name.
        namespace: Of the name; empty where it has none.
    """
    where = f" in namespace {namespace}" if namespace else ""
    message = f"{role}: {name} is not known, for {resource} could not be listed{where}"
    return InputError(message, f"ask for the verb list on {resource}{where}{where and f', and give -n {namespace}'}")


def members(ends: Iterable[tuple[End, Family]]) -> Members:
    """Tell pods from addresses, each once, with all the families that are said of it."""
    families: dict[str, set[Family]] = defaultdict(set)
    pods: dict[str, Pod] = {}
    addresses = []
    for end, family in ends:
        if isinstance(end, Pod):
            pods[str(end)] = end
            families[str(end)].add(family)
        else:
            addresses.append((end, end))
    return tuple((pod, tuple(sorted(families[name]))) for name, pod in pods.items()), Intervals.of(addresses)


def addresses_of(service: Service) -> tuple[Address, ...]:
    """Return every address of its own that a Service has, inside the cluster and out; its nodes' not."""
    balanced = (each.address for each in service.balancers)
    outside = (*service.external_addresses, *(address for address in balanced if address is not None))
    return tuple(dict.fromkeys((*service.addresses.values(), *outside)))
